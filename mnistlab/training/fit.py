"""`fit`: a training run, kept in its folder whatever ends it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Timer

from mnistlab.callbacks import Answering, Budget, Continuity, Pace
from mnistlab.catalogue.editors import schema_line
from mnistlab.checkpoints.adding import add
from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.data import ImageData
from mnistlab.errors import tell
from mnistlab.options.budget import budget_in_words
from mnistlab.options.settling import Settled
from mnistlab.options.written import Source, Written
from mnistlab.runs.folder import BEST, LAST, RECORD, WEIGHTS
from mnistlab.runs.keeper import Keeper
from mnistlab.runs.length import Length
from mnistlab.runs.listing import called, namesakes
from mnistlab.runs.looks import note_look
from mnistlab.runs.metrics import recorded, rounded
from mnistlab.runs.reading import read_record
from mnistlab.runs.record import config_text, start_record
from mnistlab.runs.recorder import Recorder
from mnistlab.runs.run import Run
from mnistlab.runs.sheets import NOT_OPTIONS
from mnistlab.runs.supervision import Listener, Row, Supervision
from mnistlab.runs.verdict import verdict
from mnistlab.runs.writer import refuse_second
from mnistlab.system.files import UnreadableError
from mnistlab.system.handing import hand_over
from mnistlab.system.lightning_inside import callbacks_of
from mnistlab.system.threads import threads
from mnistlab.trackers import Trackers
from mnistlab.training.answers import keep_answers
from mnistlab.training.assemble import LabCLI, assemble
from mnistlab.training.budgets import build_budget
from mnistlab.training.checks import check_start, tell_notes
from mnistlab.training.closing import by_hand, closing, ending, tell_lost
from mnistlab.training.configured import Configured
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation
from mnistlab.training.loss_watch import LossWatch
from mnistlab.training.origins import Origin, by_kit, differing
from mnistlab.training.refusal import REFUSAL, find_refusal
from mnistlab.training.screen import Screen
from mnistlab.training.typed import find_init

_USUAL_LIMIT = "trainer.max_epochs"


def train(
    invocation: Invocation, settled: Settled, found: Found | None, supervision: Supervision | None, begun: float
) -> int:
    """Train, then test the best weights; the exit code.

    Args:
        invocation: The command as it was typed.
        settled: The configuration.
        found: The run that goes on, or is run again.
        supervision: What the run is part of.
        begun: When the command began, by the monotonic clock.

    Raises:
        LabError: If the parts do not go together, or the run fails.
    """
    continued = found is not None and found.path is not None
    if not continued:
        find_init(settled, invocation.root())  # `--model.init_from=last` becomes the path of a checkpoint
    cli = assemble(invocation, settled, found)
    if supervision is not None:
        _share(cli, supervision.read)
    configured = Configured("fit", cli.configuration, settled.origins, invocation.typed, continued)
    pace = _build_pace(cli, supervision)
    budget = build_budget(configured, settled, found, begun, supervised=supervision is not None)
    recorder = _build_recorder(invocation, cli, found, supervision, pace)
    recorder.record |= by_kit(settled)
    root, run = invocation.root_of(recorder.folder), cli.configuration.run
    among, changed = None if supervision else root, differing(settled, cli.resolved)
    recorder.record["chosen"] = [each.key for each in changed if each.key.partition(".")[0] not in NOT_OPTIONS]
    course = _Course(cli, recorder, configured, changed, among, by_hand(supervision))
    # in this order they hear of each epoch: the screen before a tracker may fail, and last who may end the run
    recorder.listeners += [_Decided(cli, recorder, budget)] if budget else []
    recorder.listeners += [course, LossWatch(), Trackers(cli.top["logger"] or [], recorder, root, cli.resolved)]
    recorder.listeners += [supervision] if supervision else []
    keeper = Keeper(recorder, run.checkpoint_every_n_steps, stop_when_nan=run.stop_when_nan)
    cli.build_trainer(recorder, Continuity(), pace, *([budget] if budget else []), keeper)
    check_start(cli, configured, found)
    hand_over(recorder.folder)
    with (
        threads(cli.configuration.threads),
        ending(recorder),
        closing(recorder, supervision),
        cli.group.watched(cli.trainer, partial(tell_lost, recorder)),
    ):
        _fit(cli, recorder, found)
    if supervision is not None:
        _keep(cli, supervision.read)
    return 0


def _share(cli: LabCLI, known: Mapping[str, ImageData]) -> None:
    """Let data with the options of others have their images."""
    same = known.get(str(cli.configuration.data))
    if same is not None:
        cli.datamodule.share(same)


def _keep(cli: LabCLI, known: dict[str, ImageData]) -> None:
    """Keep the data for a run with the same, and nothing else of this one."""
    cli.datamodule.trainer = None
    known.clear()
    known[str(cli.configuration.data)] = cli.datamodule


def _fit(cli: LabCLI, recorder: Recorder, found: Found | None) -> None:
    """Train, test the best weights, and close the record."""
    path = found.path.absolute() if found and found.path else None  # a file may be called "best", Lightning's word
    cli.trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=path, weights_only=True)
    if found and found.contents.get("global_step") == cli.trainer.global_step and cli.trainer.is_global_zero:
        print(f"Nothing was left to train: the run is as long as it should be. --{_limit(cli)}=... extends it.")
    if cli.configuration.run.test and not (recorder.stopped or cli.datamodule.lacks("test")):
        _test_best(cli, recorder)
    if _limit(cli) != _USUAL_LIMIT:
        recorder.record["ended_by"] = _limit(cli)
    if cli.trainer.is_global_zero:
        recorder.finish("pruned" if recorder.stopped else "finished")


@dataclass
class _Course(Listener):
    """Tells the user of a training run, from what has no effect in it to how to have it again."""

    cli: LabCLI  # its parts
    recorder: Recorder  # its figures
    configured: Configured
    changed: Sequence[Origin]  # what of that is not at its default
    root: Path | None  # where the runs are among which its name should find it; None where it is found otherwise
    by_hand: bool  # or a sweep has begun it, which removes its last checkpoint
    screen: Screen = field(default_factory=Screen)

    def announce(self, trainer: Trainer) -> None:
        """Say what is about to be trained, and where it is kept."""
        folder = self.recorder.folder
        tell_notes(self.configured, self.cli)
        _tell_name(self.configured.origins.get("run.name"), folder, self.root)
        self.recorder.record["class_counts"] = _class_counts(self.cli)
        self.screen.begin(self.cli.model, self.cli.datamodule, trainer.max_epochs, folder)
        self.screen.settings(self.changed)

    def row(self, row: Row) -> bool:
        """Show the metrics of an epoch."""
        self.screen.row(row)
        return True

    def end(self) -> None:
        """Show the outcome of a run that has come to its end, and what it has come to."""
        record = self.recorder.record
        if record.get("status") in ("finished", "pruned"):
            run, planned = Run(self.recorder.folder, record), self.cli.trainer.max_epochs or 0
            length = Length.of(run)
            if length or (run.epochs or planned) < planned:
                self.screen.cut_short(_ended_by(self.cli), length or run.epochs or 0)
            self.screen.end(record["metrics"], self.cli.datamodule, record.get("looks"))
            if self.by_hand:
                self.screen.way_on(self.recorder.folder, tested=bool(record["metrics"].get("test")))
            self.screen.verdict(verdict(self.recorder.rows, record))


@dataclass
class _Decided(Listener):
    """Keeps in the configuration of a run what it has decided to end in time, so that it can be repeated from it."""

    cli: LabCLI
    recorder: Recorder
    budget: Budget

    def row(self, row: Row) -> bool:
        """Add what was decided in an epoch."""
        self.recorder.rewrite(config_text({**self.cli.resolved, "budget": self.budget.text}, schema_line()))
        return True


def _build_pace(cli: LabCLI, supervision: Supervision | None) -> Pace:
    """With how many threads the run computes; one of a sweep with those of its worker."""
    fixed = torch.get_num_threads() if supervision and not supervision.turns else None
    return Pace(cli.configuration.threads or fixed, supervision.turns if supervision else ())


def _class_counts(cli: LabCLI) -> dict[str, dict[str, list[int]]]:
    """How many images of each class there are to train with and to validate, as far as all of them are looked at."""
    val = ["val"] if not cli.datamodule.lacks("val") and cli.trainer.limit_val_batches == 1.0 else []
    return {split: cli.datamodule.class_counts(split) for split in ("train", *val)}


def _limit(cli: LabCLI) -> str:
    """The option that has ended the run."""
    if cli.configuration.budget:
        return "budget"
    remaining = [callback.time_remaining() for callback in callbacks_of(cli.trainer) if isinstance(callback, Timer)]
    if any(seconds is not None and seconds <= 0 for seconds in remaining):
        return "trainer.max_time" if cli.configuration.trainer["max_time"] else "trainer.callbacks.duration"
    return "trainer.max_steps" if 0 < cli.trainer.max_steps <= cli.trainer.global_step else _USUAL_LIMIT


def _ended_by(cli: LabCLI) -> str:
    """What has ended the run before its last epoch was over, as far as that is a limit."""
    limit, trainer = _limit(cli), cli.trainer
    if limit == "budget":
        spent = 0 < trainer.max_steps <= trainer.global_step
        return f"The budget of {budget_in_words(str(cli.configuration.budget))}" if spent else ""
    return f"--{limit}" if limit != _USUAL_LIMIT else ""


def _tell_name(given: Written | None, folder: Path, root: Path | None) -> None:
    """Say where a name that was given to the run will not find it among those in `root`."""
    if root is None or given is None or given.source is Source.CHECKPOINT:
        return
    name = str(given.value)
    others = namesakes(name, folder, root)
    if others:
        known = f"{called(others[0])}{f', {len(others) - 1} more' if others[1:] else ''}"
        tell(f"note: {given.where}: another run has this name ({known}), so each is found by its id alone.")


def _test_best(cli: LabCLI, recorder: Recorder) -> None:
    """The official test of the best checkpoint; of the last weights where nothing was validated."""
    name = BEST if recorder.record["metrics"]["best"] else LAST
    path = recorder.folder / name if (recorder.folder / name).is_file() else None
    if path:  # not by Lightning, which lets callbacks that keep an average put other weights in their place
        cli.model.load_state_dict(read_checkpoint(path, mapped=True)["state_dict"])
    answering = Answering()
    callbacks_of(cli.trainer).append(answering)
    (metrics,) = cli.trainer.test(cli.model, cli.datamodule, verbose=False)
    if cli.trainer.is_global_zero:  # before a figure of it is kept
        recorder.record["looks"] = note_look(Path(cli.configuration.run.dir), cli.datamodule.fingerprint.get("test"))
    tested = "best" if path and name == BEST else "last"
    recorder.record["metrics"]["test"] = {**{k: rounded(v) for k, v in metrics.items()}, "checkpoint": tested}
    if cli.trainer.is_global_zero:
        keep_answers(answering.batches, recorder.folder, cli.model, cli.datamodule)
    if cli.trainer.is_global_zero and path:
        _keep_refusal(cli, path, recorder.folder / WEIGHTS)


def _keep_refusal(cli: LabCLI, *paths: Path) -> None:
    """Let the checkpoint that was tested, and its weights alone, say what is none of the classes."""
    refusal = find_refusal(cli.model, cli.datamodule, cli.trainer.precision_plugin.test_step_context)
    if refusal is not None:
        for path in paths:
            if path.is_file():
                add(path, REFUSAL, refusal.as_data())


def _record_of(folder: Path) -> dict[str, Any] | None:
    """The record of a run that may be continued; one that cannot be read is not written over."""
    try:
        return read_record(folder)
    except UnreadableError as error:
        raise UnreadableError(f"{error} Move {RECORD} away, and the run goes on with a new one.") from error


def _build_recorder(
    invocation: Invocation, cli: LabCLI, found: Found | None, supervision: Supervision | None, pace: Pace
) -> Recorder:
    new = supervision.folder if supervision else cli.folder
    cli.folder = folder = found.folder if found and found.folder else new
    if supervision is None:  # a sweep's database has seen to it
        refuse_second(folder)
    record = _record_of(folder)
    started = start_record("fit", invocation.arguments, cli.resolved, cli.model.name, invocation.presets)
    started |= {**recorded(cli.model.measures), **(supervision.said if supervision else {})}
    if record:
        parts = [{**part, "status": _ended(part)} for part in record.get("segments") or []]
        begun = record.get("started") or started["started"]
        started |= {"started": begun, "segments": [*parts, *started["segments"]]}
    if found and found.folder and found.path is None:
        print(f"{folder} has no checkpoint yet: the run starts anew.", file=sys.stderr)
    started["machine"]["threads"] = cli.configuration.threads or torch.get_num_threads()
    started["threads"] = pace.turns  # grows while it computes
    shared = supervision is not None
    return Recorder(folder, config_text(cli.resolved, schema_line()), started, record, shared=shared)


def _ended(segment: Mapping[str, Any]) -> Any:
    """How an earlier part of a run has ended; one that nobody has closed was lost, since another part follows."""
    return "lost" if segment.get("status") == "running" else segment.get("status")
