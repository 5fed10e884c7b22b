"""`fit`: a training run, kept in its folder whatever ends it."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import Timer

from mnistlab.callbacks import Answering, Continuity, Pace
from mnistlab.catalogue.editors import schema_line
from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.errors import LabError, is_hangup, tell
from mnistlab.options.settling import Settled
from mnistlab.options.written import Source
from mnistlab.runs.folder import BEST, LAST, RECORD, continues_from
from mnistlab.runs.hints import command_for
from mnistlab.runs.keeper import Keeper
from mnistlab.runs.listing import called, given_names
from mnistlab.runs.metrics import recorded
from mnistlab.runs.newest import MEANT
from mnistlab.runs.reading import read_record
from mnistlab.runs.record import config_text, start_record
from mnistlab.runs.recorder import Recorder, rounded
from mnistlab.runs.soundness import DivergedError, is_scaled
from mnistlab.runs.supervision import Supervision
from mnistlab.runs.verdict import lower_rate, verdict
from mnistlab.runs.writer import refuse_second
from mnistlab.system.files import UnreadableError
from mnistlab.system.threads import threads
from mnistlab.text.addresses import masked
from mnistlab.trackers import Followed, Trackers
from mnistlab.training.assemble import LabCLI
from mnistlab.training.configured import Configured
from mnistlab.training.failures import Interrupted, LossWatch
from mnistlab.training.group import LostError
from mnistlab.training.invocation import Found, Invocation
from mnistlab.training.making import check_learnable, check_parts, check_weights, made, match_precision, tell_notes
from mnistlab.training.origins import differing
from mnistlab.training.screen import Screen
from mnistlab.training.starting import begin as begin_model
from mnistlab.training.starting import find_init


def train(invocation: Invocation, settled: Settled, found: Found | None, supervision: Supervision | None) -> int:
    """Train, then test the best weights; the exit code.

    Args:
        invocation: The command as it was typed.
        settled: The configuration.
        found: The run that goes on, or is run again.
        supervision: What the run is part of.

    Raises:
        LabError: If the parts do not go together, or the run fails.
    """
    keepers: list[Keeper] = []

    def callbacks(cli: LabCLI) -> list[Callback]:
        recorder = _recorder(invocation, cli, found, supervision)
        run, pace = cli.resolved["run"], _pace(cli, recorder, supervision)
        keepers.append(Keeper(recorder, run["checkpoint_every_n_steps"], stop_when_nan=run["stop_when_nan"]))
        return [recorder, Continuity(), pace, keepers[0]]

    continued = found is not None and found.path is not None
    if not continued:
        find_init(settled, invocation.root())
    cli = made(invocation, settled, found, callbacks)
    keeper, trackers = keepers[0], Trackers(cli.trackers)
    recorder = keeper.recorder
    configured = Configured("fit", cli.resolved, settled.origins, invocation.typed, continued)
    check_weights(cli.model, found)
    begin_model(cli.model, continued=continued, speaks=cli.trainer.is_global_zero)
    check_parts(cli, settled, configured)
    match_precision(cli)
    check_learnable(cli, found)
    screen = Screen(cli.trainer.is_global_zero)
    watch, stopped = LossWatch(scaled=is_scaled(cli.trainer)), [False]

    def begin() -> None:
        tell_notes(configured, cli)
        _tell_name(settled, recorder.folder, None if supervision else invocation.root_of(recorder.folder))
        recorder.record["class_counts"] = _class_counts(cli)
        screen.begin(cli.model, cli.datamodule, cli.trainer.max_epochs, recorder.folder)
        screen.settings(differing(settled, cli.resolved))

    def begin_trackers() -> None:
        root = invocation.root_of(recorder.folder)
        trackers.begin(Followed(recorder.folder, root, recorder.record, cli.resolved, recorder.rows))

    def row(values: Mapping[str, float]) -> bool:
        screen.row(values)
        watch.row(values)
        trackers.row(values)
        stopped.append(supervision is not None and not supervision.goes_on(values))
        return not stopped[-1]

    recorder.on_announce, recorder.on_begin, keeper.on_row = begin, begin_trackers, row

    def close(lost: str) -> None:
        _close_lost(recorder, lost)
        tell(f"mnistlab: {lost}{_way_on(recorder)}")

    with (
        threads(cli.resolved["threads"]),
        trackers.until_the_end(),
        _closing(recorder, supervision),
        cli.group.watched(cli.trainer, close),
    ):
        path = found.path.absolute() if found and found.path else None  # a file may be called "best", Lightning's word
        cli.trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=path, weights_only=True)
        if found and found.contents.get("global_step") == cli.trainer.global_step and cli.trainer.is_global_zero:
            print(f"Nothing was left to train: the run is as long as it should be. --{_limit(cli)}=... extends it.")
        if cli.resolved["run"]["test"] and not stopped[-1]:
            _test_best(cli, recorder)
        if cli.trainer.is_global_zero:
            recorder.finish("pruned" if stopped[-1] else "finished")
            screen.end(recorder.folder, recorder.record["metrics"], cli.datamodule)
            screen.verdict(verdict(recorder.rows, recorder.record))
    return 0


def _pace(cli: LabCLI, recorder: Recorder, supervision: Supervision | None) -> Pace:
    """With how many threads the run computes; one of a sweep with those of its worker."""
    usual: int = torch.get_num_threads()
    fixed = usual if supervision and not supervision.turns else None
    pace = Pace(cli.resolved["threads"] or fixed, supervision.turns if supervision else ())
    recorder.record["machine"]["threads"] = cli.resolved["threads"] or usual
    recorder.record["threads"] = pace.turns
    return pace


@contextmanager
def _closing(recorder: Recorder, supervision: Supervision | None) -> Iterator[None]:
    """Whatever ends the run, its record says so, and the user hears how to go on.

    A run of a sweep is gone on with by the sweep.
    """
    by_hand = supervision is None or supervision.repeats is not None
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:  # the latter is Lightning's answer to Ctrl-C
        _close(recorder, "interrupted", "KeyboardInterrupt")
        raise Interrupted(f"interrupted.{_way_on(recorder)}") from error
    except DivergedError as error:
        _close(recorder, "diverged", str(error))
        raise DivergedError(f"{error}{_way_on(recorder, diverged=True) if by_hand else ''}") from error
    except LostError as error:
        _close_lost(recorder, str(error))
        raise LostError(f"{error}{_way_on(recorder)}") from error
    except Exception as error:
        _close(recorder, "interrupted" if is_hangup(error) else "failed", f"{type(error).__name__}: {error}")
        if by_hand and (recorder.folder / LAST).is_file():
            error.add_note(_way_on(recorder))
        raise
    finally:
        recorder.let_go()


def _close(recorder: Recorder, status: str, error: str) -> None:
    """Say in a record that is still open how its run has ended.

    A file that was being written is removed first: on a full disk it takes the room that the record needs.
    """
    if not (recorder.begun and recorder.writes):
        return  # what lies there may be another process's
    with suppress(OSError, LabError):  # what ended the run is what the user must hear of
        for temporary in recorder.folder.rglob(".*.tmp"):
            temporary.unlink(missing_ok=True)
        if (read_record(recorder.folder) or {}).get("status") == "running":
            recorder.finish(status, error=masked(error))


def _close_lost(recorder: Recorder, lost: str) -> None:
    """The same for a run that has lost a process, maybe the one that writes."""
    recorder.stand_in()
    if recorder.begun and recorder.record.get("status") in ("running", "failed"):
        recorder.finish("failed", error=lost)


def _way_on(recorder: Recorder, *, diverged: bool = False) -> str:
    """How to go on; where the run has `diverged`, from the last checkpoint that is sound, with a lower rate."""
    rate = [lower_rate(recorder.record)] if diverged else []
    if continues_from(recorder.folder):
        where = " from the last sound checkpoint, at a lower rate," if diverged else ""
        return f" Go on{where} with:\n  {command_for('fit', recorder.folder, *rate)}"
    if diverged:
        return f" Nothing was kept yet. Start anew at a lower rate: {rate[0]}"
    return " Nothing was kept yet: the first checkpoint comes at the end of an epoch."


def _class_counts(cli: LabCLI) -> dict[str, dict[str, list[int]]]:
    """How many images of each class there are to train with and to validate, as far as all of them are looked at."""
    val = ["val"] if cli.datamodule.val_size and cli.trainer.limit_val_batches == 1.0 else []
    return {split: cli.datamodule.class_counts(split) for split in ("train", *val)}


def _limit(cli: LabCLI) -> str:
    """The option that has ended the run."""
    remaining = [callback.time_remaining() for callback in cli.trainer.callbacks if isinstance(callback, Timer)]  # type: ignore[attr-defined]
    if any(seconds is not None and seconds <= 0 for seconds in remaining):
        return "trainer.max_time" if cli.resolved["trainer"]["max_time"] else "trainer.callbacks.duration"
    return "trainer.max_steps" if 0 < cli.trainer.max_steps <= cli.trainer.global_step else "trainer.max_epochs"


def _tell_name(settled: Settled, folder: Path, root: Path | None) -> None:
    """Say where a name that was given to the run will not find it among those in `root`."""
    given = settled.origins.get("run.name")
    if root is None or given is None or given.source is Source.CHECKPOINT:
        return
    name = str(given.value)
    others = [path for path, known in given_names(root).items() if known == name and path.resolve() != folder.resolve()]
    if name in MEANT:
        tell(f"note: {given.where}: {name} is the word for the newest run, so this one is found by its id alone.")
    elif others:
        known = f"{called(others[0])}{f', {len(others) - 1} more' if others[1:] else ''}"
        tell(f"note: {given.where}: another run has this name ({known}), so each is found by its id alone.")


def _test_best(cli: LabCLI, recorder: Recorder) -> None:
    """The official test of the best checkpoint; of the last weights where nothing was validated."""
    name = BEST if recorder.record["metrics"]["best"] else LAST
    path = recorder.folder / name if (recorder.folder / name).is_file() else None
    if path:  # not by Lightning, which lets callbacks that keep an average put other weights in their place
        cli.model.load_state_dict(read_checkpoint(path)["state_dict"])
    answering = Answering()
    cli.trainer.callbacks.append(answering)  # type: ignore[attr-defined]
    (metrics,) = cli.trainer.test(cli.model, cli.datamodule, verbose=False)
    tested = "best" if path and name == BEST else "last"
    recorder.record["metrics"]["test"] = {**{k: rounded(v) for k, v in metrics.items()}, "checkpoint": tested}
    if cli.trainer.is_global_zero:
        answering.keep(recorder.folder, cli.model, cli.datamodule)


def _record_of(folder: Path) -> dict[str, Any] | None:
    """The record of a run that may be continued; one that cannot be read is not written over."""
    try:
        return read_record(folder)
    except UnreadableError as error:
        raise UnreadableError(f"{error} Move {RECORD} away, and the run goes on with a new one.") from error


def _recorder(invocation: Invocation, cli: LabCLI, found: Found | None, supervision: Supervision | None) -> Recorder:
    new = supervision.folder if supervision else cli.folder
    cli.folder = folder = found.folder if found and found.folder else new
    if supervision is None:
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
    shared = supervision is not None
    return Recorder(folder, config_text(cli.resolved, schema_line()), started, record, shared=shared)


def _ended(segment: Mapping[str, Any]) -> Any:
    """How an earlier part of a run has ended; one that nobody has closed was lost, since another part follows."""
    return "lost" if segment.get("status") == "running" else segment.get("status")
