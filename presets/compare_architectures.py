"""One architecture each under the same conditions: three epochs of MNIST in batches of 64, each with its optimizer."""

from lightning.pytorch import Trainer

from mnistlab import CNN68K, MNIST, SDN68K, ConvNeXt73K, EfficientNet66K, Preset, ViT38K, config
from mnistlab.sections import Run


class _Compared(Preset):
    seed_everything = 12345
    data = config(MNIST, batch_size=64)
    trainer = config(Trainer, max_epochs=3)
    run = config(Run, tags=["comparison"])


class CompareSDN68K(_Compared):
    """The dense net of the comparison, 67,978 parameters. No accuracy has been measured yet."""

    model = config(SDN68K)


class CompareCNN68K(_Compared):
    """The convolutional net of the comparison, 68,994 parameters. No accuracy has been measured yet."""

    model = config(CNN68K)


class CompareEfficientNet66K(_Compared):
    """The EfficientNet of the comparison, 66,016 parameters. No accuracy has been measured yet."""

    model = config(EfficientNet66K)


class CompareViT38K(_Compared):
    """The vision transformer of the comparison, 37,770 parameters. No accuracy has been measured yet."""

    model = config(ViT38K)


class CompareConvNeXt73K(_Compared):
    """The ConvNeXt-V2 of the comparison, 73,402 parameters. No accuracy has been measured yet."""

    model = config(ConvNeXt73K)
