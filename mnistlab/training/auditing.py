"""Trains on all images but one part, part by part, and notes what each net makes of those that it has not seen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.data.foreign import Foreign
from mnistlab.errors import LabError
from mnistlab.options.settling import Settled
from mnistlab.options.trust import set_import_policy, vouch_for
from mnistlab.sections.parts import prepare
from mnistlab.system.interruptions import ended_like_interrupted
from mnistlab.system.lightning_inside import Epochwise, quiet
from mnistlab.system.threads import threads
from mnistlab.system.thrift import keep_freed_memory
from mnistlab.system.torch_inside import spare_steps
from mnistlab.text.values import counted, duration, percent
from mnistlab.training.assemble import LabCLI, assemble
from mnistlab.training.checks import check_start
from mnistlab.training.configured import Configured
from mnistlab.training.failures import RunFailedError, explaining
from mnistlab.training.invocation import Invocation
from mnistlab.training.settled import say_notes, settled_from
from mnistlab.training.typed import find_init


@dataclass(frozen=True)
class Course:
    """What nets make of images that they were not trained on, epoch by epoch.

    Attributes:
        rows: (images,) which images, by their rows in the set.
        labels: (images,) what they are called.
        probs: (images, classes) of each class after the last epoch.
        confidence: (epochs, images) the probability of the label.
        margins: (epochs, images) how much that is above the most probable other class, from -1 to 1.
    """

    rows: Tensor
    labels: Tensor
    probs: Tensor
    confidence: Tensor
    margins: Tensor

    @classmethod
    def joined(cls, parts: Sequence["Course"]) -> "Course":
        """Those of several nets, in the order of the rows; of one that has ended early the epochs are no numbers."""
        most = max(len(part.margins) for part in parts)
        order = torch.cat([part.rows for part in parts]).argsort()

        def epochs(values: Tensor) -> Tensor:
            return torch.cat([values, values.new_full((most - len(values), values.shape[1]), float("nan"))])

        return cls(
            torch.cat([part.rows for part in parts])[order],
            torch.cat([part.labels for part in parts])[order],
            torch.cat([part.probs for part in parts])[order],
            torch.cat([epochs(part.confidence) for part in parts], dim=1)[:, order],
            torch.cat([epochs(part.margins) for part in parts], dim=1)[:, order],
        )

    @cached_property
    def others(self) -> Tensor:
        """(images,) the most probable class besides the label, after the last epoch."""
        return self.probs.scatter(1, self.labels[:, None], -1.0).argmax(dim=1)

    @cached_property
    def scores(self) -> Tensor:
        """(images,) how well the labels fit, from 0 to 1: half the last confidence, half its mean over the epochs.

        Source: the self-confidence of Northcutt, Jiang and Chuang (2021), arXiv:1911.00068, and the course over epochs
        of Pleiss et al. (2020), arXiv:2001.10528, here of images that were left out.
        """
        return (self.probs.gather(1, self.labels[:, None]).squeeze(1) + self.confidence.nanmean(dim=0)) / 2

    @cached_property
    def is_wrong(self) -> Tensor:
        """(images,) whether another class is more probable, in the mean over the epochs and after the last one."""
        return (self.margins.nanmean(dim=0) < 0) & (margins_of(self.probs, self.labels) < 0)

    @property
    def accuracy(self) -> float:
        """The share of the labels that are the most probable ones in the end."""
        return float((self.probs.argmax(dim=1) == self.labels).double().mean())


def margins_of(probs: Tensor, labels: Tensor) -> Tensor:
    """How much the probability of the label is above that of the most probable other class.

    Shape: (n, classes), (n,) -> (n,), from -1 to 1.
    """
    own = probs.gather(1, labels[:, None])
    return (own - probs.scatter(1, labels[:, None], -1.0).amax(dim=1, keepdim=True)).squeeze(1)


@dataclass(frozen=True)
class Audited:
    """What an audit has found, before anybody looks at it.

    Attributes:
        data: The images.
        model: The class of the nets.
        folds: How many nets there were.
        seconds: What they took.
        course: What they make of the images.
    """

    data: ImageData
    model: str
    folds: int
    seconds: float
    course: Course


class _Watch(Epochwise, Checkpoint):
    """Notes the probabilities of each validation image after each epoch; as a `Checkpoint`, so that none is written."""

    abstract = True  # the lab adds it by itself

    def __init__(self, model: Classifier) -> None:
        self._model = model
        self.probs = torch.empty(0)
        self.labels = torch.empty(0, dtype=torch.int64)
        self.confidence: list[Tensor] = []
        self.margins: list[Tensor] = []
        self._batches: list[tuple[Tensor, Tensor]] = []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Ask the net once more: a validation counts, and keeps nothing."""
        if trainer.sanity_checking:
            return
        images, targets = batch
        with trainer.precision_plugin.val_step_context():
            probs = self._model.predict_step(images, batch_idx)[self._model.primary]
        self._batches.append((probs.float().cpu(), next(iter(targets.values())).cpu()))

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the batches together."""
        if not self._batches:
            return
        self.probs, self.labels = map(torch.cat, zip(*self._batches, strict=True))
        self._batches = []
        self.confidence.append(self.probs.gather(1, self.labels[:, None]).squeeze(1))
        self.margins.append(margins_of(self.probs, self.labels))

    def course(self, rows: Tensor) -> Course:
        """All of it.

        Raises:
            LabError: If the net was not asked about all images, or gives no numbers.
        """
        if len(self.labels) != len(rows):
            raise LabError(
                f"the net was asked about {len(self.labels):,} of the {len(rows):,} images that it was not trained on. "
                "audit needs all of them: leave --trainer.limit_val_batches and --trainer.check_val_every_n_epoch out."
            )
        if not self.probs.isfinite().all():
            raise RunFailedError("the net gives no numbers (NaN). A lower --model.optimizer.lr=... may help.")
        return Course(rows, self.labels, self.probs, torch.stack(self.confidence), torch.stack(self.margins))


def train_folds(arguments: Sequence[str], folds: int, *, speaks: bool) -> Audited:
    """Train one net for each of so many parts of the images, which it does not see.

    Args:
        arguments: Those of `fit`.
        folds: How many.
        speaks: Whether it is told how far that is, on standard output.

    Raises:
        LabError: For what a user can mend.
    """
    silent = [] if speaks else ["--trainer.enable_progress_bar=false"]
    invocation = Invocation("fit", [*arguments, "--run.test=false", *silent])
    debug = invocation.switches["debug"]
    if invocation.ckpt_path is not None:
        raise LabError(f"{invocation.ckpt_where}: audit trains its nets anew. Leave it out.")
    quiet()
    with ended_like_interrupted(), explaining({}, debug=debug):
        keep_freed_memory()
        spare_steps()
        prepare()
        set_import_policy(invocation.vouching.importable)
        vouch_for(invocation.vouching.importable)
        settled = settled_from(invocation, None)
        say_notes(invocation, settled)
        with explaining(settled.origins, debug=debug):
            find_init(settled, invocation.root())
            return _train_folds(invocation, settled, folds, speaks=speaks)


def _train_folds(invocation: Invocation, settled: Settled, folds: int, *, speaks: bool) -> Audited:
    begun, data, parts = time.monotonic(), None, []
    for number in range(folds):
        cli = assemble(invocation, settled, None)
        if data is None:
            data = _read(cli.datamodule)
            every = data.in_parts(folds)
        cli.datamodule.share(data)
        cli.datamodule.hold_out(every[number])
        since = time.monotonic()
        parts.append(_train(cli, Configured("fit", cli.configuration, settled.origins, invocation.typed)))
        if speaks:
            held = f"{percent(parts[-1].accuracy)} of the other {len(every[number]):,}"
            trained = len(cli.datamodule.rows_of("train")[1])
            took = duration(time.monotonic() - since)
            print(f"net {number + 1} of {folds}, {counted(trained, 'image')}: right about {held}, {took}", flush=True)
    assert data is not None
    return Audited(data, type(cli.model).__name__, folds, time.monotonic() - begun, Course.joined(parts))


def _read(data: ImageData) -> ImageData:
    """Read the images, once for all nets."""
    if isinstance(data, Foreign):
        raise LabError(
            f"{type(data).__name__} gives batches, and no image twice by the same number: none can be named."
        )
    data.prepare_data()
    data.setup("fit")
    return data


def _train(cli: LabCLI, configured: Configured) -> Course:
    watch = _Watch(cli.model)
    cli.build_trainer(watch)
    if cli.trainer.world_size > 1:
        raise LabError("--trainer.devices: audit trains on one device.")
    check_start(cli, configured, None)
    with threads(cli.configuration.threads):
        cli.trainer.fit(cli.model, datamodule=cli.datamodule)
    return watch.course(cli.datamodule.rows_of("val")[1])
