"""What every model shares: one step for three splits, exact metrics, a checkpoint that says everything."""

import json
from collections.abc import Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Literal, Never, Self

import torch
from torch import Tensor
from torch.nn import CrossEntropyLoss
from torch.optim import AdamW

from mnistlab.checkpoints.loading import load_model
from mnistlab.checkpoints.reading import FORMAT, RECORD
from mnistlab.classifier.answers import BatchAnswers, answers_of
from mnistlab.classifier.counting import Counting
from mnistlab.classifier.metrics import Metric, as_metrics
from mnistlab.classifier.objective import Objective
from mnistlab.classifier.optimization import (
    Interval,
    LRSchedulerCallable,
    Metrics,
    Optimization,
    OptimizerCallable,
    step_plateau,
)
from mnistlab.classifier.seen import seen
from mnistlab.classifier.shares import gathered, gathered_gradients, own_sums, take_gradients
from mnistlab.classifier.transfer import Transfer
from mnistlab.data.pixels import Pixels
from mnistlab.losses import LossLike
from mnistlab.nets.attribution import Method, attribute
from mnistlab.options.numbers import NonNegativeFloat, PositiveInt
from mnistlab.options.signatures import refuse_unknown
from mnistlab.options.specification import Specification, describe, init_arguments
from mnistlab.runs.metrics import PRIMARY, Measure
from mnistlab.schedules import WarmupCosine
from mnistlab.system.lightning_inside import with_signature

Split = Literal["train", "val", "test"]
Targets = Tensor | Mapping[str, Tensor]

_names: dict[str, str] = {}


class Classifier(Transfer):
    """A net with its loss, optimizer and schedule.

    A model derives from it, gives itself a `name`, and sets `self.net` to a plain torch module that turns images
    (batch, channels, height, width) into logits (batch, num_classes), or into one tensor of logits per named head.

    Args:
        num_classes: The number of classes, or that of each named head with the primary one first; set by the data.
        loss: What is minimized: a loss, or a class or `functools.partial` that makes one.
        losses: The losses of single heads in place of `loss`, by name: `--model.losses.thickness=MSELoss`.
        loss_weights: What the loss of a head is multiplied by in the sum, by name: `--model.loss_weights.digit=2`; 1
            where nothing is given.
        metrics: What is measured besides loss and accuracy, of each head for which it says something.
        optimizer: The optimizer, as a class or a `functools.partial` of one; fused where it can be and `fused` is not
            given.
        scheduler: The learning rate schedule; null for a constant rate.
        scheduler_interval: Whether the schedule counts epochs or steps; `auto` goes by its class.
        init_from: A checkpoint to begin from, of this model or another; what fits by name and shape is taken.
        freeze: Parts of the net that are not trained, such as `backbone` or `backbone.stem,heads`.
        channels_last: Keep images with the channel as their last dimension in memory, which convolutions on the CPU
            and on newer GPUs are faster with.
        compile: Compile the net with torch.compile; its checkpoints load with and without.

    Raises:
        ValueError: If the loss or a metric does not fit a classifier, or the optimizer or the schedule refuses its
            arguments.
    """

    name: ClassVar[str]
    abstract: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a model without a name of its own: runs and checkpoints are found by it."""
        super().__init_subclass__(**kwargs)
        if vars(cls).get("abstract", False) or cls.__module__.startswith("torch."):  # torch.export derives its own
            return
        name = vars(cls).get("name")
        path = f"{cls.__module__}.{cls.__qualname__}"
        if not isinstance(name, str) or not name.isidentifier() or name == "base":
            raise TypeError(f'{path} needs a `name` of its own, such as name = "small_cnn", and never "base".')
        if _names.setdefault(name, path) != path:
            raise TypeError(f"{path} has the name {name!r}, which {_names[name]} has already.")

    def __init__(
        self,
        num_classes: PositiveInt | dict[str, PositiveInt] = 10,
        loss: LossLike = CrossEntropyLoss,
        losses: dict[str, LossLike] | None = None,
        loss_weights: dict[str, NonNegativeFloat] | None = None,
        metrics: list[Metric] | Metric | None = None,
        optimizer: OptimizerCallable = AdamW,
        scheduler: LRSchedulerCallable | None = WarmupCosine,
        scheduler_interval: Interval = "auto",
        init_from: str | Path | None = None,
        freeze: str | list[str] | None = None,
        channels_last: bool = False,
        compile: bool = False,  # noqa: A002 - torch's word; an option of the command line
        **unknown: Never,
    ) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_from, freeze)
        self.arguments = init_arguments(self)
        self.specification: Specification | None = None
        self.heads = {"label": num_classes} if isinstance(num_classes, int) else dict(num_classes)
        self.objective = Objective(self.heads, loss, losses, loss_weights)
        self.metrics = as_metrics(metrics, self.heads, {head: self.objective.of(head) for head in self.heads})
        self.pixels: Pixels | None = None  # the images that it was trained on, where that is known
        self.channels_last = channels_last
        self.compile_net = compile
        self.acc_best = 0.0
        self._optimization = Optimization(optimizer, scheduler, scheduler_interval)
        self.counting = Counting(self.metrics, self.heads, self.objective)
        self._reported: dict[str, float] = {}  # in the epoch that is running
        self._reported_before: dict[str, float] = {}  # of that, what was before the run was continued
        self._history: list[Metrics] = []  # of the epochs before it
        self._lr = 0.0
        self._restored: Mapping[str, Any] | None = None  # of a checkpoint, until the training goes on

    @property
    def primary(self) -> str:
        """The head by which models are compared."""
        return next(iter(self.heads))

    @property
    def measures(self) -> list[Measure]:
        """What is measured, for whoever reads it."""
        return [metric.measure for metric in self.metrics]

    def columns(self, split: Split) -> list[str]:
        """The names of all that is measured of a split, those of the primary head first."""
        return self.counting.columns(split)

    def __repr__(self) -> str:
        """What it is, in a line; `print(model.net)` shows the layers."""
        size = sum(parameter.numel() for parameter in self.parameters())
        shape = f"({', '.join(map(str, ('n', *self.pixels.shape)))})" if self.pixels and self.pixels.shape else ""
        named = ", ".join(f"{classes} classes of {head}" for head, classes in self.heads.items())
        answers = named if len(self.heads) > 1 else f"{self.heads[self.primary]} classes"
        return f"{type(self).__name__}({size:,} parameters: {f'images {shape}'.rstrip()} -> {answers})"

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        """Normalized images (batch, channels, height, width) -> logits (batch, num_classes), or one tensor per head.

        A trained model also takes images as they are: uint8, in a tensor or an array, one or several.

        Raises:
            LabError: If what is given is neither of it.
        """
        if not isinstance(images, Tensor) or not images.is_floating_point():  # type: ignore[redundant-expr] # arrays come too
            images = seen(images, self.pixels, next(self.parameters()), type(self).__name__)
        if self.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        output: Tensor | dict[str, Tensor] = self.net(images)
        return output

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]  # Lightning's is wrapped in a descriptor of its own
        cls,
        checkpoint_path: str | PathLike[str],
        map_location: torch.device | str | None = None,
        hparams_file: None = None,
        strict: bool | None = None,
        weights_only: Literal[True] | None = None,
        **kwargs: Any,
    ) -> Self:
        """The model of a checkpoint, with its weights; the file is not trusted.

        Args:
            checkpoint_path: The checkpoint.
            map_location: Where the model shall be, the CPU if not given.
            hparams_file: Not used: the checkpoint says everything.
            strict: Whether the weights must fit exactly, true if not given.
            weights_only: Always true.
            **kwargs: Arguments that count in place of those of the checkpoint.

        Raises:
            LabError: If the file is no checkpoint of such a model, or names a class that is not trusted.
            RuntimeError: If the weights do not fit the model.
        """
        model = load_model(cls, Path(checkpoint_path), kwargs, strict=strict is not False)
        model.init_from = None  # its weights are those of the checkpoint
        return model.to(map_location or "cpu")

    def remember(self, record: Mapping[str, Any]) -> None:
        """Take from the lab's part of a checkpoint what images the model was trained on."""
        self.pixels = Pixels.of_record(record)

    def recorded(self) -> Specification:
        """The class of this model and all its options."""
        return describe(self, self.arguments) if self.specification is None else self.specification

    @with_signature
    def training_step(self, batch: tuple[Tensor, Targets], batch_idx: int) -> Tensor:
        """The loss of a batch, (), in the unit of the loss."""
        loss, _, _ = self._step(batch, "train")
        return loss

    def validation_step(self, batch: tuple[Tensor, Targets], batch_idx: int) -> None:
        """Count a batch of validation images."""
        self._step(batch, "val")

    def test_step(self, batch: tuple[Tensor, Targets], batch_idx: int) -> dict[str, BatchAnswers]:
        """Count a batch of test images; what each head has said about each of them."""
        _, logits, targets = self._step(batch, "test")
        return {
            head: answers_of(logits[head], self.objective.of(head).probs(logits[head]), targets[head])
            for head in self.heads
        }

    def predict_step(self, batch: Tensor | tuple[Tensor, Targets], batch_idx: int) -> dict[str, Tensor]:
        """The probabilities of each class: (batch, num_classes) for each head."""
        images = batch if isinstance(batch, Tensor) else batch[0]
        logits = self.by_head(self(images))
        return {head: self.objective.of(head).probs(logits[head]) for head in self.heads}

    def explain(
        self,
        images: Tensor,
        method: Method = "auto",
        *,
        head: str | None = None,
        target: Tensor | None = None,
        stage: str | None = None,
    ) -> Tensor:
        """How much each place of an image has to do with the answer, from 0 to 1; see `mnistlab.nets.attribution`.

        Shape: normalized images (batch, channels, height, width) -> (batch, height, width).

        Args:
            images: Normalized images, on the device of the model.
            method: `gradcam`, `attention`, `gradient`, or `auto` for what suits the net.
            head: The head that answers; the primary one if not given.
            target: (batch,) the class to look for; the predicted one if not given.
            stage: The stage whose maps gradcam takes.

        Raises:
            ValueError: If the net has not what the method needs, or there is no such head or stage.
        """
        return attribute(self.net, images, method, head=head, target=target, stage=stage)

    def setup(self, stage: str) -> None:
        """Lay the weights out as the images are, and begin, if nobody has called `begin` yet."""
        if self.channels_last:
            self.net.to(memory_format=torch.channels_last)
        if stage == "fit":
            from lightning.pytorch.utilities import rank_zero_info  # noqa: PLC0415 - not where nothing is trained

            for sentence in self.begin():
                rank_zero_info(sentence)

    def on_fit_start(self) -> None:
        """Note what is learnt from; compile in place, so that the keys of a checkpoint do not depend on it."""
        pixels = getattr(getattr(self.trainer, "datamodule", None), "pixels", None)
        self.pixels = pixels if isinstance(pixels, Pixels) else self.pixels
        if self.compile_net:
            self.net.compile()

    def on_train_start(self) -> None:
        """Go on where a checkpoint was written, unless somebody has called `take_up` already."""
        self.take_up()

    def take_up(self) -> None:
        """Go on with what a checkpoint has restored, as the options of this run want it.

        Raises:
            LabError: If they cannot go on with it.
        """
        restored, self._restored = self._restored, None
        if restored is None:
            return
        changed = restored["model"]["init_args"].get("optimizer") != self.recorded().init_args.get("optimizer")
        self._optimization.take_up(self.trainer, self._history, changed=changed)
        self._reported_before = dict(self._reported)
        take_gradients(self, restored.get("gradients", {}))

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        """Note the learning rate of the step."""
        self._lr = float(self.trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_epoch_end(self) -> None:
        """Report the epoch's training metrics, and the learning rate of its last step."""
        self._report("train")
        self.log("lr", self._lr, rank_zero_only=True)
        self.log_dict(self._reported_before)  # callbacks may wait for what was validated before the run was continued
        self._reported_before = {}
        step_plateau(self.trainer, self._reported)
        self._history.append(self._reported)
        self._reported = {}

    def on_validation_epoch_start(self) -> None:
        """Begin to count; nothing that an interrupted validation left behind may stay."""
        self.counting.begin("val")

    def on_validation_epoch_end(self) -> None:
        """Report the validation metrics and the best accuracy so far."""
        accuracy = self._report("val").get(PRIMARY)
        if accuracy is not None and self.trainer.state.fn == "fit" and not self.trainer.sanity_checking:
            self.acc_best = max(self.acc_best, accuracy)
            self.log(f"{PRIMARY}_best", self.acc_best)

    def on_test_epoch_start(self) -> None:
        """Begin to count."""
        self.counting.begin("test")

    def on_test_epoch_end(self) -> None:
        """Report the test metrics."""
        self._report("test")

    def configure_optimizers(self) -> Any:
        """The optimizer and its schedule, which follows the length of the run where it is made for that."""
        return self._optimization.configure(self)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what it takes to build the model and the data again, as plain data."""
        data: Any = getattr(self.trainer, "datamodule", None)
        record = {
            "format": FORMAT,
            "model": self.recorded().as_dict(),
            "data": data.recorded().as_dict() if hasattr(data, "recorded") else None,
            "data_fingerprint": dict(getattr(data, "fingerprint", None) or {}),
            "image_shape": list(self.pixels.shape) if self.pixels and self.pixels.shape else None,
            "trainer": None if self.trainer.precision == "32-true" else {"precision": str(self.trainer.precision)},
            "acc_best": self.acc_best,
            "reported": dict(self._reported),
            "history": list(self._history),
            "lr": self._lr,
            "gradients": gathered_gradients(self),
            "counts": self.counting.saved(partial(gathered, self.trainer)),
        }
        checkpoint[RECORD] = record
        # What Lightning keeps of `save_hyperparameters` may hold objects, which a safe load refuses.
        checkpoint.pop("hyper_parameters", None)
        checkpoint.pop("datamodule_hyper_parameters", None)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the counts of a half-finished epoch; of the optimizer what it has kept, and of a schedule nothing.

        Torch keeps options in the states of both, which would undo in silence what was typed for the rest of a run.
        """
        record = checkpoint.get(RECORD)
        if record is None:
            return
        self._restored = record
        self.acc_best = record["acc_best"]
        self._reported = dict(record["reported"])
        table = checkpoint.get("callbacks", {}).get("Recorder", {}).get("rows", ())
        self._history = list(record.get("history", table))  # an older file has them there, rounded
        self._lr = record["lr"]
        self.counting.take_up(record["counts"], partial(own_sums, self.trainer))
        checkpoint["lr_schedulers"] = []
        if _class_of(record["model"]["init_args"]) != _class_of(self.recorded().init_args):
            checkpoint["optimizer_states"] = []

    def _step(
        self, batch: tuple[Tensor, Targets], split: Split
    ) -> tuple[Tensor, dict[str, Tensor], Mapping[str, Tensor]]:
        """Loss and counts of one batch, the same for every split; the loss, the logits and the targets by head.

        The counts stay on the device until the end of the epoch; nothing here waits for it.
        """
        images, given = batch
        logits = self.by_head(self(images))
        targets = self._targets(given)
        losses: dict[str, Tensor] = self.objective(logits, targets)
        self.counting.add(split, losses, logits, targets)
        return self.objective.total(losses), logits, targets

    def by_head(self, output: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
        """What the net has answered, by the name of each head.

        Raises:
            ValueError: If it has not answered for all of them.
        """
        logits = {self.primary: output} if isinstance(output, Tensor) else output
        if not self.heads.keys() <= logits.keys():
            given = "one tensor of logits" if isinstance(output, Tensor) else f"logits for {', '.join(logits)}"
            one = json.dumps({self.primary: self.heads[self.primary]}, separators=(",", ":"))
            raise ValueError(
                f"{type(self).__name__} has the heads {', '.join(self.heads)}, but its net gives {given}. Let it give "
                f"a dict with logits for each, or train it for one label: '--model.num_classes={one}'"
            )
        return logits

    def _targets(self, given: Targets) -> Mapping[str, Tensor]:
        if isinstance(given, Tensor):
            return {self.primary: given}
        if len(self.heads) == 1 and self.primary not in given:
            return {self.primary: next(iter(given.values()))}
        return given

    def _report(self, split: Split) -> dict[str, float]:
        """Log the epoch's metrics of a split, summed over all processes; those of the primary head."""
        main, by_head = self.counting.end(split, lambda sums: self.trainer.strategy.reduce(sums, reduce_op="sum"))
        self.log_dict(main, prog_bar=split != "test")
        self.log_dict(by_head)
        self._reported |= main | by_head
        return main


def _class_of(options: Mapping[str, Any]) -> object:
    """The class of the optimizer in the options of a model."""
    optimizer = options.get("optimizer")
    return optimizer.get("class_path") if isinstance(optimizer, Mapping) else None
