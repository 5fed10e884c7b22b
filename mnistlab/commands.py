"""Runs a command, from its arguments to its record."""

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jsonargparse import ArgumentError, set_parsing_settings
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback

from mnistlab.callbacks import Answering, Position, RandomState
from mnistlab.checkpoints.reading import misfit
from mnistlab.classifier import Classifier
from mnistlab.discovery.schema import schema_line
from mnistlab.effects.configured import Configured
from mnistlab.effects.notes import check_monitors, notes
from mnistlab.errors import LabError, visible
from mnistlab.evaluation import check_evaluation, evaluate
from mnistlab.failures import Interrupted, LossWatch, check_place, explained, refused, terminated_like_interrupted
from mnistlab.invocation import Found, Invocation
from mnistlab.lab import LabCLI, make, settled_from
from mnistlab.options.classes import TRUSTED
from mnistlab.options.settling import Settled
from mnistlab.options.written import Written
from mnistlab.origins import differing, origins, with_origins
from mnistlab.presets.shipped import with_names
from mnistlab.runs.folder import BEST, LAST, new_folder
from mnistlab.runs.record import config_text, read_record, start_record
from mnistlab.runs.recorder import Recorder, rounded
from mnistlab.runs.supervision import Supervision
from mnistlab.screen import Screen, quiet
from mnistlab.sections import prepare
from mnistlab.starting import begin as begin_model
from mnistlab.starting import find_init
from mnistlab.trackers import Followed, Trackers
from mnistlab.trainer_options import check_trainer
from mnistlab.trial import learns_from_single_images, refusal
from mnistlab.wish import Wish


def run(
    command: str, arguments: Sequence[str], wish: Wish | None = None, supervision: Supervision | None = None
) -> int:
    """Run `mnistlab command arguments`; the exit code.

    Args:
        command: `fit`, `validate`, `test`, `predict` or `explain`.
        arguments: The rest.
        wish: What `explain` shall show.
        supervision: What `fit` is part of.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation(command, arguments)
    quiet()
    with terminated_like_interrupted(), _explaining(invocation, {}):
        return _run(invocation, wish, supervision)


def check(arguments: Sequence[str]) -> LabCLI:
    """Everything that `mnistlab fit arguments` does before it trains; nothing is written.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation("fit", arguments)
    quiet()
    with _explaining(invocation, {}):
        prepare()
        set_import_policy(invocation.allowed)
        settled = settled_from(invocation, None)
        with _explaining(invocation, settled.origins):
            find_init(settled, invocation.root())
            cli = _made(invocation, settled, None)
            _check_parts(cli, settled, Configured("fit", cli.resolved, settled.origins, invocation.typed))
            return cli


def _run(invocation: Invocation, wish: Wish | None, supervision: Supervision | None) -> int:
    prepare()
    set_import_policy(invocation.allowed)
    repeats = supervision.repeats if supervision else None
    found = invocation.checkpoint() if repeats is None else invocation.repeated(repeats)
    _refuse_random_weights(invocation, found)
    settled = settled_from(invocation, found)
    _say_notes(
        [*invocation.notes, *(f"{entry.name}={entry.value} is dropped. {why}" for entry, why in settled.dropped)]
    )
    with _explaining(invocation, settled.origins):
        if invocation.switches["print_config"]:
            return _print_config(invocation, settled, found)
        if invocation.command == "fit":
            return _fit(invocation, settled, found, supervision)
        return _evaluate(invocation, settled, found, wish)


@contextmanager
def _explaining(invocation: Invocation, origins: Mapping[str, Written]) -> Iterator[None]:
    """Tell whatever goes wrong in a line, at the option that it speaks of; with `--debug` let it pass."""
    try:
        yield
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    except (LabError, BrokenPipeError):
        raise
    except Exception as error:
        if invocation.switches["debug"]:
            raise
        raise explained(error, origins) from error


def _print_config(invocation: Invocation, settled: Settled, found: Found | None) -> int:
    resolved = _checked(settled, found).resolved
    text = config_text(resolved, schema_line())
    print(with_origins(text, origins(settled, resolved)) if invocation.shows_origins else text, end="")
    return 0


def _evaluate(invocation: Invocation, settled: Settled, found: Found | None, wish: Wish | None) -> int:
    answering = Answering()
    cli = _made(invocation, settled, found, lambda _: [answering])
    check_evaluation(invocation.command, cli.datamodule, cli.trainer)
    _load(cli.model, found)
    _tell(Configured(invocation.command, cli.resolved, settled.origins, invocation.typed), cli)
    screen = Screen(cli.trainer.is_global_zero)
    if found is not None and found.path is not None:
        screen.weights(found.path)
    screen.settings(differing(settled, cli.resolved))
    return evaluate(invocation, cli, found, answering, wish)


def _say_notes(notes: Sequence[str]) -> None:
    """Tell what is worth knowing before anything is made; of several processes the first one does."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        for note in notes:
            print(f"note: {with_names(note)}", file=sys.stderr)


def _fit(invocation: Invocation, settled: Settled, found: Found | None, supervision: Supervision | None) -> int:
    recorders: list[Recorder] = []
    answering = Answering()

    def callbacks(cli: LabCLI) -> list[Callback]:
        recorder = _recorder(invocation, cli, found, supervision)
        recorders.append(recorder)
        return [RandomState(), Position(), answering, recorder]

    continued = found is not None and found.path is not None
    if not continued:
        find_init(settled, invocation.root())
    cli = _made(invocation, settled, found, callbacks)
    recorder, trackers = recorders[0], Trackers(cli.trackers)
    configured = Configured("fit", cli.resolved, settled.origins, invocation.typed, continued)
    _check_weights(cli.model, found)
    begin_model(cli.model, continued=continued, speaks=cli.trainer.is_global_zero)
    _check_parts(cli, settled, configured)
    screen = Screen(cli.trainer.is_global_zero)
    watch, stopped = LossWatch(), [False]

    def begin() -> None:
        _tell(configured, cli)
        screen.begin(cli.model, cli.datamodule, cli.trainer.max_epochs, recorder.folder)
        screen.settings(differing(settled, cli.resolved))
        root = invocation.root_of(recorder.folder)
        trackers.begin(Followed(recorder.folder, root, recorder.record, cli.resolved, recorder.rows))

    def row(values: Mapping[str, float]) -> bool:
        screen.row(values)
        watch.row(values)
        trackers.row(values)
        stopped.append(supervision is not None and not supervision.goes_on(values))
        return not stopped[-1]

    recorder.on_begin, recorder.on_row = begin, row
    with trackers.until_the_end(), _closing(recorder, configured.packages()):
        path = str(found.path) if found and found.path else None
        cli.trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=path, weights_only=True)
        if found and found.contents.get("global_step") == cli.trainer.global_step and cli.trainer.is_global_zero:
            print("Nothing was left to train: the run is as long as it should be. --trainer.max_epochs=... extends it.")
        if cli.resolved["run"]["test"] and not stopped[-1]:
            _test_best(cli, recorder, answering)
        if cli.trainer.is_global_zero:
            recorder.finish("pruned" if stopped[-1] else "finished")
            screen.end(recorder.folder, recorder.record["metrics"], cli.datamodule)
    return 0


@contextmanager
def _closing(recorder: Recorder, packages: Sequence[str]) -> Iterator[None]:
    """Whatever ends the run, its record says so, and the user hears how to go on, with which `packages` of others."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:  # the latter is Lightning's answer to Ctrl-C
        _close(recorder, "interrupted", "KeyboardInterrupt")
        raise Interrupted(f"interrupted.{_way_on(recorder, packages)}") from error
    except Exception as error:
        _close(recorder, "failed", f"{type(error).__name__}: {error}")
        if (recorder.folder / LAST).is_file():
            error.add_note(_way_on(recorder, packages))
        raise


def _close(recorder: Recorder, status: str, error: str) -> None:
    """Say in a record that is still open how its run has ended.

    A file that was being written is removed first: on a full disk it takes the room that the record needs.
    """
    with suppress(OSError):  # what ended the run is what the user must hear of
        for temporary in recorder.folder.rglob(".*.tmp"):
            temporary.unlink(missing_ok=True)
        if (read_record(recorder.folder) or {}).get("status") == "running":
            recorder.finish(status, error=error)


def _way_on(recorder: Recorder, packages: Sequence[str]) -> str:
    if (recorder.folder / LAST).is_file():
        options = [f"--ckpt_path={recorder.folder}", *([f"--trust={','.join(packages)}"] if packages else [])]
        return f" Go on with: mnistlab fit {shlex.join(options)}"
    return " Nothing was kept yet: the first checkpoint comes at the end of an epoch."


def _made(
    invocation: Invocation,
    settled: Settled,
    found: Found | None,
    callbacks: Callable[[LabCLI], list[Callback]] = lambda _: [],
) -> LabCLI:
    """Make the model, the data and the trainer, once this machine and the place for runs are known to serve."""
    trainer = settled.values["trainer"]
    assert isinstance(trainer, dict)
    check_trainer(trainer, settled.origins)
    cli = _checked(settled, found, callbacks)
    root = Path(cli.resolved["run"]["dir"])
    origin = settled.origins.get("run.dir")
    check_place(root, origin.where if origin else f"mnistlab {invocation.command}")
    return cli


def _checked(
    settled: Settled, found: Found | None, callbacks: Callable[[LabCLI], list[Callback]] = lambda _: []
) -> LabCLI:
    """Make the model, the data and the trainer; what one of them refuses is a mistake in its options."""
    try:
        return make(settled, found, callbacks)
    except (ArgumentError, ValueError, TypeError, MisconfigurationException) as error:
        raise refused(error, settled.origins) from error


def _tell(configured: Configured, cli: LabCLI) -> None:
    if cli.trainer.is_global_zero:
        for note in notes(configured, cli.datamodule, cli.trainer):
            print(f"note: {visible(note)}", file=sys.stderr)


def _try_images(cli: LabCLI, settled: Settled) -> None:
    """Refuse a net that does not take the images, or cannot be trained on one at a time: it says so late and darkly."""
    shape, name = cli.datamodule.image_shape, type(cli.model).__name__
    if shape is None:
        return
    why = refusal(cli.model.net, shape)
    if why:
        written = [
            origin.where
            for key, origin in settled.origins.items()
            if key.startswith("model.") and key.rpartition(".")[2] in _SHAPED
        ]
        where = f"{', '.join(written)}: " if written else ""
        size = "x".join(map(str, shape))
        raise LabError(f"{where}{name} does not take the images of {type(cli.datamodule).__name__}, {size}: {why}.")
    if cli.datamodule.batch_size == 1 and not learns_from_single_images(cli.model.net, shape):
        origin = settled.origins.get("data.batch_size")
        raise LabError(
            f"{origin.where if origin else 'data.batch_size'}: {name} cannot be trained on one "
            "image at a time: its batch normalization would have one value of each channel. Use 2 or more."
        )


_SHAPED = ("in_channels", "image_size", "patch_size", "stem_size", "input_size", "in_features", "halved")
"""Options of models that say what images they take."""


def _test_best(cli: LabCLI, recorder: Recorder, answering: Answering) -> None:
    """The official test of the best checkpoint; of the last weights where nothing was validated."""
    name = BEST if recorder.record["metrics"]["best"] else LAST
    path = recorder.folder / name if (recorder.folder / name).is_file() else None
    (metrics,) = cli.trainer.test(cli.model, cli.datamodule, ckpt_path=path, weights_only=True, verbose=False)
    tested = "best" if path and name == BEST else "last"
    recorder.record["metrics"]["test"] = {**{k: rounded(v) for k, v in metrics.items()}, "checkpoint": tested}
    if cli.trainer.is_global_zero:
        answering.keep(recorder.folder, cli.model, cli.datamodule)


def _check_parts(cli: LabCLI, settled: Settled, configured: Configured) -> None:
    """Refuse parts that do not go together."""
    _try_images(cli, settled)
    check_monitors(configured, cli.model, cli.datamodule, cli.trainer)


def _recorder(invocation: Invocation, cli: LabCLI, found: Found | None, supervision: Supervision | None) -> Recorder:
    root, every = Path(cli.resolved["run"]["dir"]), cli.resolved["run"]["checkpoint_every_n_steps"]
    new = supervision.folder if supervision else new_folder(root, cli.model.name)
    folder = found.folder if found and found.folder else new
    record = read_record(folder)
    started = start_record("fit", invocation.arguments, cli.resolved, cli.model.name, invocation.presets)
    started |= supervision.said if supervision else {}
    if record:
        started = {**started, "started": record["started"], "segments": [*record["segments"], *started["segments"]]}
    if found and found.folder and found.path is None:
        print(f"{folder} has no checkpoint yet: the run starts anew.", file=sys.stderr)
    return Recorder(folder, config_text(cli.resolved, schema_line()), started, every)


def _check_weights(model: Classifier, found: Found | None) -> None:
    """Refuse weights that are not this model's, naming the first that differs."""
    if found is None or found.path is None:
        return
    why = misfit(found.contents["state_dict"], model.state_dict())
    if why:
        name = type(model).__name__
        raise LabError(f"{found.path} does not fit {name} as it is configured: {why}.")


def _load(model: Classifier, found: Found | None) -> None:
    _check_weights(model, found)
    if found is not None:
        model.load_state_dict(found.contents["state_dict"])


def _refuse_random_weights(invocation: Invocation, found: Found | None) -> None:
    untrained = invocation.switches["untrained"]
    if invocation.command == "fit":
        if untrained:
            raise LabError("--untrained is for test, validate, predict and explain; fit trains.")
    elif found is None and not untrained:
        raise LabError(
            f"{invocation.command} needs the weights of a trained model: --ckpt_path=last, the folder of a run, or a "
            "file. To measure random weights on purpose, add --untrained."
        )
    elif found is not None and untrained:
        raise LabError("--untrained and --ckpt_path exclude each other.")


def set_import_policy(allowed: frozenset[str] = frozenset()) -> None:
    """Let jsonargparse import nothing but what is trusted or `allowed`, which the user has named.

    The policy belongs to the process and its allowances only grow, so a program's entry sets it and no import does.
    """
    set_parsing_settings(
        import_path_denylist=["*"],
        import_path_allowlist=sorted({*TRUSTED, *allowed}),
        instantiate_subclass_spec_in_any=False,
    )
