"""What a run has come to, in one line, and only where there is something to say.

Each rule is careful: of a run that goes well nothing is said, nor of one that sees a part of its training images only,
which is a trial. Accuracies are those of the primary head.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log

from mnistlab.runs.reading import class_counts
from mnistlab.runs.statistics import wilson
from mnistlab.system.shapes import is_number
from mnistlab.system.strict_json import NOT_FINITE, finite
from mnistlab.text.values import in_percent, percent

_LOW, _USUAL, _HIGH = 1e-4, 1e-3, 1e-2
"""Learning rates; a net that learns nothing between the first and the last fails for another reason."""

_BEYOND = 10  # a loss is beyond all use at so many times that of guessing, the logarithm of the number of classes
_MANY_STEPS = 100  # after fewer, a single epoch need not have taught anything
_WHOLE = 0.9  # the share of the training images from which on they count as all: a last batch may be left out
_SOME, _SEVERAL = 3, 5  # epochs from which on a course can be judged

_LITTLE, _GAP, _RISE, _FALL = 0.25, 0.1, 1.5, 0.9
"""Of the way from guessing to no mistake; between two accuracies; of a loss since its best, and from epoch to epoch."""


def verdict(rows: Sequence[Mapping[str, float]], record: Mapping[str, object]) -> str | None:
    """What is to be said of a run that has finished, with the option to try first; None where nothing is.

    Args:
        rows: What was measured after each epoch.
        record: Its record.
    """
    said = finite(record)
    if said.get("status") != "finished" or said.get("command") != "fit":
        return None
    course = _Course([{name: value for name, value in row.items() if is_number(value)} for row in rows], said)
    rules = (_no_number, _beyond_use, _nothing, _little, _by_heart, _unfinished)
    return next(filter(None, (rule(course) for rule in rules)), None) if course.rows else None


def lower_rate(record: Mapping[str, object]) -> str:
    """The option for a tenth of the learning rate that a run began with, or less where that was beyond all use."""
    rate = record.get("lr")
    return f"--model.optimizer.lr={min(rate / 10, _HIGH) if is_number(rate) else _LOW:.3g}"


@dataclass(frozen=True)
class _Course:
    """A run that has finished."""

    rows: Sequence[Mapping[str, float]]  # what was measured after each epoch, as far as it is a number
    record: Mapping[str, object]

    def values(self, name: str) -> list[float]:
        """A metric, of the epochs that have it."""
        return [row[name] for row in self.rows if name in row]

    def counts(self, split: str) -> list[int]:
        """How many images of each class a split has; nothing where that is not known."""
        return class_counts(self.record.get("class_counts"), split)

    @cached_property
    def guessed(self) -> float | None:
        """The share of the validation images that always naming the commonest class gets right."""
        counts = self.counts("val")
        return max(counts) / sum(counts) if counts else None

    @cached_property
    def best(self) -> float | None:
        """The best validation accuracy."""
        return max(self.values("val/acc"), default=None)

    @cached_property
    def epochs(self) -> int:
        """How many it has trained."""
        return int(self.rows[-1].get("epoch", len(self.rows) - 1)) + 1

    @cached_property
    def whole(self) -> bool:
        """Whether it has seen all its training images."""
        images, counts = self.record.get("train_images"), self.counts("train")
        return bool(counts) and is_number(images) and images >= _WHOLE * sum(counts)

    @cached_property
    def beyond(self) -> float:
        """From which loss on it is beyond all use."""
        return _BEYOND * log(max(2, len(self.counts("train"))))

    @property
    def longer(self) -> str:
        """The option for twice as many epochs, or for more time where that has ended it."""
        limit = self.record.get("ended_by")
        return f"more --{limit}" if isinstance(limit, str) else f"--trainer.max_epochs={2 * self.epochs}"


def _no_number(course: _Course) -> str | None:
    """A loss that has been no number to the end; with scaled gradients that of training may be one at times."""
    named = course.record.get(NOT_FINITE)
    if "val/loss" in course.rows[-1]:
        return None
    for name in ("train/loss", "val/loss"):
        if isinstance(named, list) and f"metrics.last.{name}" in named:
            return f"Learnt nothing in the end: {name} is no number. Try first {lower_rate(course.record)}"
    return None


def _beyond_use(course: _Course) -> str | None:
    """A loss that no net has which learns."""
    loss = (course.values("val/loss") or course.values("train/loss") or [0.0])[-1]
    if loss <= course.beyond * (1 if len(course.rows) > 1 else _BEYOND):
        return None
    return f"The loss is beyond all use, {loss:,.0f} in the end: the steps are too large. {_lower_first(course)}"


def _nothing(course: _Course) -> str | None:
    """An accuracy that guessing reaches."""
    if course.best is None or course.guessed is None or not course.whole:
        return None
    if len(course.rows) < 2 and course.rows[-1].get("step", 0) < _MANY_STEPS:  # noqa: PLR2004 - one says nothing
        return None
    images = sum(course.counts("val"))
    low, high = wilson(round(course.best * images), images)
    if low > course.guessed:
        return None
    return (
        f"Learnt nothing that shows: the best val acc, {percent(course.best)} (95 %, Wilson: {in_percent(low)} to "
        f"{percent(high)}), is not above the {percent(course.guessed)} of always naming the commonest class. "
        f"{_way_out(course)}"
    )


def _way_out(course: _Course) -> str:
    """What to try first where nothing was learnt."""
    losses, rate = course.values("train/loss") or [0.0], course.record.get("lr")
    first, last = losses[0], losses[-1]
    if max([*losses, *course.values("val/loss")]) > course.beyond or last > 1.05 * first:
        return f"The loss has risen on the way: the steps are too large. {_lower_first(course)}"
    if is_number(rate) and rate < _LOW:
        return f"Its rate is small: try first --model.optimizer.lr={_USUAL}"
    if is_number(rate) and rate > _HIGH:
        return f"Its rate is large. {_lower_first(course)}"
    if last < 0.98 * first and last < 0.995 * losses[-2]:
        return f"The loss still falls, from {losses[-2]:.4g} to {last:.4g} in the last epoch: try first {course.longer}"
    return "Try first --config=OverfitBatches: too much dropout, or labels that say nothing, can be seen by it."


def _little(course: _Course) -> str | None:
    """An accuracy not far above guessing, in training as well."""
    trained = course.values("train/acc")
    if course.best is None or course.guessed is None or not course.whole or len(course.rows) < _SOME or not trained:
        return None
    most = course.guessed + _LITTLE * (1 - course.guessed)
    if max(course.best, trained[-1]) >= most:
        return None
    losses = [course.values(name)[-1:] for name in ("train/loss", "val/loss")]
    held_back = all(losses) and losses[0][0] > 1.02 * losses[1][0]
    option = "less dropout or augmentation, such as --model.dropout=0.1" if held_back else course.longer
    return (
        f"Learnt little: train acc {percent(trained[-1])}, best val acc {percent(course.best)}, where always "
        f"naming the commonest class gives {percent(course.guessed)}. Try first {option}"
    )


def _by_heart(course: _Course) -> str | None:
    """Training images that are known by heart, while the others are mistaken more and more surely."""
    losses, trained, validated = (course.values(name) for name in ("val/loss", "train/acc", "val/acc"))
    if not (course.whole and len(losses) >= _SEVERAL and trained and validated):
        return None
    least = min(losses)
    if losses[-1] <= _RISE * least or trained[-1] - validated[-1] <= _GAP:
        return None
    return (
        f"Learnt its training images by heart: train acc {percent(trained[-1])}, val acc {percent(validated[-1])}, "
        f"and the val loss was least after epoch {losses.index(least) + 1}, {least:.4g} against {losses[-1]:.4g} "
        "now. Try first --data.augment=RandomDistortion"
    )


def _unfinished(course: _Course) -> str | None:
    """A loss that falls in large steps to the end."""
    losses, accuracies = course.values("val/loss")[-4:], course.values("val/acc")
    if not course.whole or len(course.rows) < _SEVERAL or len(losses) < 4 or len(accuracies) < 2:  # noqa: PLR2004
        return None
    falls = all(later < _FALL * earlier for earlier, later in pairwise(losses))
    if not falls or accuracies[-1] < accuracies[-2] + 0.01:
        return None
    return (
        f"Still learning at its end: the val loss fell from {losses[-2]:.4g} to {losses[-1]:.4g} in the last epoch. "
        f"Try first {course.longer}"
    )


def _lower_first(course: _Course) -> str:
    return f"Try first {lower_rate(course.record)}"
