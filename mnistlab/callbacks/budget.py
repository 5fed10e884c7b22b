"""Ends a training run when its time is over, and remembers what it has decided for that."""

import math
import time
from collections.abc import Callable
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.options.budget import ENDLESS, Turn, read_budget
from mnistlab.schedules import RunSchedule
from mnistlab.system.lightning_inside import Epochwise, end_at, has_stepped

_FIRST_GUESS_S = 0.0005
"""Seconds of a step before some were measured: few, for the same reason as `fewest` below."""
_SOONEST_S, _PART = 0.1, 1 / 20  # a look is taken each time that this part of what is left has gone by, no sooner
_WORTH, _EXACT = 0.02, 0.002  # parts of what is left, and of all, by which an end must be wrong to be moved
_WINDOW = 1 / 3
"""The part of what is left that is looked back on to know how long a step takes.

Where others begin to use the cores threads wait for each other, until `Pace` has taken fewer, and a machine may stand
still for seconds: a run that went by its last steps would end at once.
"""
_SLOWEST = 4.0  # how many times longer a validation may become where steps become so, or more
_VALIDATING = 0.1  # part of the time of training that validation may take
_EVALUATED = 1 / 3  # of the time of a training step it takes to evaluate as many images
_CLOSING_S = 0.3


class Budget(Epochwise, Callback):
    """Ends a run so that all of it, with its last validation and its test, takes the time that it was given.

    How many steps there is time for is worked out again and again from those that were made. Where that changes, what
    is left of the schedule is run over the steps that are left. So what a run computes depends on what was decided at
    which step, and on the clock only through that: a run that goes on, or is done again, is told what was decided, and
    looks at no clock.

    Args:
        text: The budget as it is typed, or with what was decided.
        begun: The clock when the command began.
        tests: Whether a test follows.
        anew: Whether a run that goes on has been given a new time.
        step_s: Seconds of a step, where some are known.
        closing_s: Seconds from the last validation to the end of the process, without the test of the images.
        clock: What tells the time, in seconds.
    """

    abstract = True  # the lab adds it by itself

    def __init__(
        self,
        text: str,
        begun: float,
        *,
        tests: bool = True,
        anew: bool = False,
        step_s: float | None = None,
        closing_s: float = _CLOSING_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._all_s, self._ahead = read_budget(text)
        self._typed = text.split(maxsplit=1)[0]
        self.turns: list[Turn] = []  # what has been decided so far
        self._decides = not self._ahead
        self._anew, self._tests, self._closing_s, self._clock = anew, tests, closing_s, clock
        self._deadline = begun + self._all_s
        self._every = 1  # epochs from one validation to the next, as it was configured
        self._step_s, self._shortest_s = step_s or _FIRST_GUESS_S, math.inf
        # in `_unit_s` what else takes time
        self._validation: float | None = None
        self._pauses: dict[bool, float] = {}  # between two epochs, with a validation or without
        # what is being measured
        self._since: float | None = None  # when the last step ended, or the next one began
        self._paused: float | None = None  # when the last epoch had no further step
        self._validating, self._validated = 0.0, False
        self._batches, self._seconds = -1, 0.0  # since the last look; the very first takes longer than others
        self._looks: list[tuple[float, float, int]] = []  # when, the seconds before and their batches; the last ones
        self._next_look = 0.0

    @property
    def text(self) -> str:
        """The budget with all that was decided, as it is written down."""
        return " ".join([self._typed, *map(str, [*self.turns, *self._ahead])])

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"turns": [list(turn) for turn in self.turns]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep to what was decided, for the rest of the run too, unless that was given a new time."""
        if self._anew:
            return
        self._decides = False
        self.turns = [Turn(*turn) for turn in state_dict["turns"]]
        known = len(self.turns)
        self._ahead = self._ahead[known:] if self._ahead[:known] == self.turns else []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let a run end that has come to its end."""
        self._every = trainer.check_val_every_n_epoch or 1
        known = self.turns[-1:] or self._ahead[:1]
        end_at(trainer, known[0].end if known else ENDLESS)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Guess how long the run is, before a step has been measured."""
        if self._decides:
            now = self._clock()
            left = self._deadline - now
            self._ahead = [Turn(0, trainer.global_step + max(1, round(left / self._step_s)), self._every)]
            self._next_look = now + max(_SOONEST_S, left * _PART)
        if self.turns:
            self._follow(trainer)
        self._take_turns(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Start the clock again after a pause, and know how long that was."""
        if self._since is None:
            self._since = self._clock()
            if self._paused is not None and self._knows:
                self._pauses[self._validated] = (self._since - self._paused) / self._unit_s
            self._paused, self._validated = None, False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Decide anew if it is time, and end the run where it should end."""
        if self._decides:
            self._measure(trainer)
            if has_stepped(trainer):
                self._look(trainer, batch_idx)
        self._take_turns(trainer)
        if trainer.global_step >= self.turns[-1].end:
            _validate_every(trainer, 1)
            trainer.should_stop = True

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure the validation, which is no step."""
        self._validating, self._since, self._validated = self._clock(), None, True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Know how long it took."""
        if self._knows:
            self._validation = (self._clock() - self._validating) / self._unit_s

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Pass over what lies between two epochs."""
        self._since = None

    @property
    def _unit_s(self) -> float:
        """What is as long as a step, but where a step is much longer than it was."""
        return min(self._step_s, _SLOWEST * self._shortest_s)

    @property
    def _knows(self) -> bool:
        """Whether a step has been measured."""
        return math.isfinite(self._shortest_s)

    def _measure(self, trainer: Trainer) -> None:
        """Add the batch that has just ended."""
        now = self._clock()
        if self._since is not None and self._batches >= 0:
            self._seconds += now - self._since
        self._batches += 1
        self._since = now
        self._paused = now if trainer.is_last_batch else None

    def _look(self, trainer: Trainer, batch_idx: int) -> None:
        """Decide anew if it is time, and the end is no longer where it should be."""
        now, step, turn = self._clock(), trainer.global_step, self.turns[-1]
        left = self._deadline - now - self._closing(trainer) * self._unit_s
        waits = left > 0 and now < self._next_look and step < turn.end
        if self._batches < 1 or (waits and (self._knows or not trainer.is_last_batch)):
            return
        known = self._knows
        self._looks = [each for each in self._looks if now - each[0] < _WINDOW * left]
        self._looks.append((now, self._seconds, self._batches))
        _, seconds, batches = zip(*self._looks, strict=True)
        self._step_s = sum(seconds) / sum(batches) * trainer.accumulate_grad_batches
        self._shortest_s = min(self._shortest_s, self._step_s)
        self._batches, self._seconds = 0, 0.0
        self._next_look = now + max(_SOONEST_S, left * _PART)
        every = self._validations(trainer, turn.every)
        fewest = (turn.end - step) // 2 if known and left > 0 else 0  # what is gone of a schedule does not come back
        end = step + max(fewest, self._steps_in(left, trainer, batch_idx, every))
        wrong_s = abs(end - turn.end) * self._step_s
        if wrong_s > max(_WORTH * left, _EXACT * self._all_s) or every != turn.every:
            self._ahead = [Turn(step, end, every)]

    def _steps_in(self, seconds: float, trainer: Trainer, batch_idx: int, every: int) -> int:
        """How many steps there is time for, with the ends of the epochs between them."""
        left = seconds / self._step_s
        to_come = (trainer.num_training_batches - batch_idx - 1) / trainer.accumulate_grad_batches
        plain, validated = self._pauses.get(False, 0.0), self._pauses.get(True, self._evaluated(trainer, "val"))
        pause = (validated + (every - 1) * plain) / every * self._unit_s / self._step_s
        if left <= to_come + pause:
            return max(0, round(min(left, to_come)))
        per_epoch = _steps_per_epoch(trainer)
        epochs, rest = divmod(left - to_come - pause, per_epoch + pause)
        return math.ceil(to_come) + int(epochs * per_epoch) + round(min(rest, per_epoch))

    def _closing(self, trainer: Trainer) -> float:
        """What follows the last step."""
        validated = self._pauses.get(True, self._pauses.get(False, 0.0) + self._evaluated(trainer, "val"))
        tested = self._evaluated(trainer, "test") if self._tests else 0.0
        return validated + tested + self._closing_s / min(self._shortest_s, self._step_s)

    def _evaluated(self, trainer: Trainer, split: str) -> float:
        """How long it takes to evaluate the images of a split."""
        data: Any = getattr(trainer, "datamodule", None)
        images = getattr(data, "num_images", {})
        if self._validation is not None and images.get("val"):
            return float(self._validation * (images.get(split) or 0) / images["val"])
        batches = (images.get(split) or 0) / (getattr(data, "batch_size", None) or 1)
        return float(_EVALUATED * batches / trainer.accumulate_grad_batches)

    def _validations(self, trainer: Trainer, every: int) -> int:
        """From how many epochs on one is validated, so that it takes no more than its part of the time."""
        epoch = _VALIDATING * _steps_per_epoch(trainer) * self._step_s / self._unit_s
        if self._validation is None or self._validation <= epoch * every:
            return every
        return self._every * math.ceil(self._validation / (epoch * self._every))

    def _take_turns(self, trainer: Trainer) -> None:
        """Do what was decided for this step."""
        while self._ahead and self._ahead[0].step <= trainer.global_step:
            self.turns.append(self._ahead.pop(0))
            self._follow(trainer)

    def _follow(self, trainer: Trainer) -> None:
        turn = self.turns[-1]
        end_at(trainer, turn.end)
        _validate_every(trainer, turn.every)
        for config in trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, RunSchedule):
                unit = 1.0 if config.interval == "step" else _steps_per_epoch(trainer)
                config.scheduler.follow([(turn.step / unit, turn.end / unit) for turn in self.turns])


def _validate_every(trainer: Trainer, epochs: int) -> None:
    if trainer.check_val_every_n_epoch is not None:
        trainer.check_val_every_n_epoch = epochs


def _steps_per_epoch(trainer: Trainer) -> float:
    """Steps of the optimizer in an epoch, the last of them perhaps over fewer batches; infinity of endless data."""
    steps = trainer.num_training_batches / trainer.accumulate_grad_batches
    return math.ceil(steps) if math.isfinite(steps) else steps
