"""What a configuration consists of: the top-level options, and the sections with options of their own."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lightning.pytorch import Trainer
from lightning.pytorch.cli import SaveConfigCallback
from torch import nn

import mnistlab.callbacks  # noqa: F401 - so that these classes are found by name
from mnistlab.classifier import Classifier
from mnistlab.data import MNIST, ImageData
from mnistlab.losses.torch_losses import REFUSED
from mnistlab.losses.weights import register_tensor_type
from mnistlab.models import MediumModel
from mnistlab.options.classes import hide, refuse
from mnistlab.options.imported import Section
from mnistlab.options.numbers import NonNegativeInt, PositiveInt, ThreadCount
from mnistlab.runs.metrics import PRIMARY
from mnistlab.sections.run import TRAINER_DEFAULTS, Run
from mnistlab.sections.unsuited import UNSUITED
from mnistlab.text.addresses import Address
from mnistlab.trackers import Tracker


@dataclass(frozen=True)
class TopLevel:
    """What stands outside the sections.

    Args:
        seed_everything: Seed of weights, order, dropout and augmentation; true draws one, false sets none.
        threads: Threads that compute on a CPU, which take part in the bits of a run. If not given, as many as there are
            cores, and fewer while other programs keep those busy; a run that goes on begins as it was begun.
        budget: Time for the whole command, 60s or 10m, in place of a number of epochs; of a sweep or a comparison, for
            each run. What a run has decided to end in time is written behind it, and is done again by whoever takes it.
        logger: Tools of others that show the run while it goes on; nothing in it depends on them. By default
            MNISTLAB_LOGGER.
    """

    seed_everything: NonNegativeInt | bool = 0
    threads: ThreadCount | None = None
    budget: str | None = None
    logger: list[Tracker] | Tracker | None = None


@dataclass(frozen=True)
class Sweep:
    """How a sweep goes about.

    Args:
        trials: Choices of values to try; by default 20, for a grid all.
        workers: How many at a time; by default as many as cores, or GPUs.
        threads: Threads of a worker; they take part in the bits. So they do not depend on how many workers there are.
        seeds: Seeds for each choice. They are counted from `seed_everything`, and a sweep keeps their number.
        folds: Folds for each choice and seed. Its value is the mean over them, and each is a training of its own.
        sampler: What chooses values. `grid` takes all, `tpe` learns from the finished trials, `random` does not; `auto`
            is a grid where that is small and `trials` is not given, else `tpe`.
        pruner: Early stopping. Trials that promise little end sooner; `halving` is the hardest.
        metric: What is to be best on validation images.
        name: A name; in runs/NAME the same command goes on. By default it follows from what is swept.
        keep: Keep the weights of so many of the best.
        storage: Address of a database, for several machines. It is in place of a file beside the runs, such as
            postgresql://user@host/db.
        launcher: Where workers run. The processes are those of this machine, and ray takes all machines of a Ray
            cluster.
        sampler_seed: Seed of the sampler.
        retry_failed: Try trials again that have failed.
        allow_drift: Go on although versions or our source have changed.
    """

    trials: PositiveInt | None = None
    workers: PositiveInt | None = None
    threads: ThreadCount = 1
    seeds: PositiveInt = 1
    folds: PositiveInt | None = None
    sampler: Literal["auto", "grid", "random", "tpe"] = "auto"
    pruner: Literal["none", "median", "halving", "hyperband"] = "none"
    metric: str = PRIMARY
    name: str | None = None
    keep: NonNegativeInt = 3
    storage: Address | None = None
    launcher: Literal["processes", "ray"] = "processes"
    sampler_seed: NonNegativeInt = 0
    retry_failed: bool = False
    allow_drift: bool = False


class Attributes:
    """What a preset may assign: a section, or an option beside them."""

    # Any: what is assigned is a class, a node or a mapping, and what is read is a node
    model: ClassVar[Any]
    data: ClassVar[Any]
    trainer: ClassVar[Any]
    run: ClassVar[Any]
    sweep: ClassVar[Any]
    seed_everything: ClassVar[Any]
    threads: ClassVar[Any]
    budget: ClassVar[Any]
    logger: ClassVar[Any]


def prepare() -> None:
    """Set the process up for reading configurations; it may be called again."""
    register_tensor_type()
    refuse(UNSUITED)
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
