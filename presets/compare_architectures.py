"""One architecture each under the same conditions: three epochs of MNIST in batches of 64, each with its optimizer.

Measured: official test set, best weights by validation, seeds 0 to 2 where n = 3; one thread beside another run, on 2
virtual Xeon cores; torch 2.14.1, commit 5a43086, November 2026.
"""

from lightning.pytorch import Trainer

from mnistlab import CNN68K, MNIST, SDN68K, ConvNeXt73K, EfficientNet66K, Preset, ViT38K, config
from mnistlab.sections import Run


class _Compared(Preset):
    seed_everything = 12345
    data = config(MNIST, batch_size=64)
    trainer = config(Trainer, max_epochs=3)
    run = config(Run, tags=["comparison"])


class CompareSDN68K(_Compared):
    """The dense net of the comparison, 67,978 parameters: 97.75 ± 0.05 % (n = 3), 6 s."""

    model = config(SDN68K)


class CompareCNN68K(_Compared):
    """The convolutional net of the comparison, 68,994 parameters: 98.78 ± 0.06 % (n = 3), 61 s."""

    model = config(CNN68K)


class CompareEfficientNet66K(_Compared):
    """The EfficientNet of the comparison, 66,016 parameters: 97.68 ± 0.29 % (n = 3), 6 minutes."""

    model = config(EfficientNet66K)


class CompareViT38K(_Compared):
    """The vision transformer of the comparison, 37,770 parameters: 76 ± 12 % (n = 3), 4 minutes."""

    model = config(ViT38K)


class CompareConvNeXt73K(_Compared):
    """The ConvNeXt-V2 of the comparison, 73,402 parameters: 98.03 ± 0.06 % (n = 3), 2 minutes."""

    model = config(ConvNeXt73K)
