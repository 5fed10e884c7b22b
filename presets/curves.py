"""Sweeps of one option, drawn as a learning curve: `mnistlab sweep --config=LearningCurve`."""

from lightning.pytorch import Trainer

from mnistlab import MNIST, SDN68K, Preset, choice, config
from mnistlab.sections import Run

_HELD_OUT = 5_000


class _Curve(Preset):
    seed_everything = 0
    model = config(SDN68K)
    run = config(Run, tags=["mnist", "curve"])
    sweep = {"seeds": 3}  # noqa: RUF012 - a section


class LearningCurve(_Curve):
    """The error of a dense net with 500 to 55,000 images: 446 n^-0.55 + 0.88 %, in 2 minutes on two cores.

    Measured on the same 5,000 validation images; three seeds, 2 virtual EPYC cores, 30 November 2026.
    """

    data = config(
        MNIST,
        batch_size=32,
        val_size=_HELD_OUT,
        train_size=choice(*(_HELD_OUT + images for images in (500, 1_000, 2_000, 5_000, 10_000, 20_000, 55_000))),
    )
    trainer = config(Trainer, max_epochs=10)


class LabelNoise(_Curve):
    """The error of a dense net with none to 60 % wrong labels: 5.41 n^0.97 + 2.3 %, in 66 s on two cores.

    Measured on validation images with right labels; three seeds, 2 virtual EPYC cores, 30 November 2026.
    """

    data = config(MNIST, label_noise=choice(0.0, 0.05, 0.1, 0.2, 0.4, 0.6))
    trainer = config(Trainer, max_epochs=5)
