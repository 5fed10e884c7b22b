"""What a configuration consists of: the top-level options, and the sections with options of their own."""

from lightning.pytorch import Trainer
from lightning.pytorch.cli import SaveConfigCallback
from torch import nn

import mnistlab.callbacks
import mnistlab.profiling  # noqa: F401 - so that these classes are found by name
from mnistlab.classifier import Classifier
from mnistlab.data import MNIST, ImageData
from mnistlab.losses.torch_losses import REFUSED
from mnistlab.losses.weights import register_tensor_type
from mnistlab.models import MediumModel
from mnistlab.numbers import NonNegativeInt, PositiveInt
from mnistlab.options.classes import hide
from mnistlab.options.settling import Section
from mnistlab.trackers import Tracker


class TopLevel:
    """What stands outside the sections.

    Args:
        seed_everything: Seed of weights, order, dropout and augmentation; true draws one, false sets none.
        logger: Tools of others that show the run while it goes on; nothing in it depends on them.
    """

    def __init__(
        self, seed_everything: NonNegativeInt | bool = 0, logger: list[Tracker] | Tracker | None = None
    ) -> None:
        self.seed_everything = seed_everything
        self.logger = logger


class Run:
    """How a run is kept.

    Args:
        dir: Where the folders of all runs lie.
        name: A name of your own for this run.
        tags: Words to find it by, as `a,b` or as a list.
        checkpoint_every_n_steps: Write `last.ckpt` within epochs too, each time after so many optimizer steps.
        test: Whether `fit` ends with the test of the best checkpoint.
    """

    def __init__(
        self,
        dir: str = "runs",  # noqa: A002 - the word of the command line
        name: str | None = None,
        tags: str | list[str] | None = None,
        checkpoint_every_n_steps: PositiveInt | None = None,
        test: bool = True,
    ) -> None:
        self.dir = dir
        self.name = name
        self.tags = tags
        self.checkpoint_every_n_steps = checkpoint_every_n_steps
        self.test = test


TRAINER_DEFAULTS: dict[str, object] = {
    "max_epochs": 10,
    "logger": False,  # the lab keeps its own record; a tracker is added with --logger
    "deterministic": True,
    "num_sanity_val_steps": 0,
    "enable_model_summary": False,
}


def prepare() -> None:
    """Set the process up for reading configurations; it may be called again."""
    register_tensor_type()
    hide(*REFUSED, nn.NLLLoss2d, SaveConfigCallback)  # old names, and what the lab does itself


def sections(*, data_known: bool = True) -> dict[str, Section]:
    """The sections by name.

    Args:
        data_known: Whether MNIST is taken where no data set is named.
    """
    return {
        "model": Section(Classifier, chosen=True, default=MediumModel),
        "data": Section(ImageData, chosen=True, default=MNIST if data_known else None),
        "trainer": Section(Trainer, defaults=TRAINER_DEFAULTS),
        "run": Section(Run),
    }
