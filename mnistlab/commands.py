"""Runs a command, from its arguments to its record."""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from jsonargparse import set_parsing_settings
from lightning.pytorch import Callback
from torch import nn

from mnistlab.callbacks import Position, RandomState
from mnistlab.checkpoint import misfit
from mnistlab.classes import TRUSTED
from mnistlab.classifier import Classifier
from mnistlab.config import Settled
from mnistlab.errors import LabError
from mnistlab.evaluation import evaluate
from mnistlab.help import show_help
from mnistlab.invocation import Found, Invocation
from mnistlab.lab import LabCLI, make, settled_from
from mnistlab.runs.folder import BEST, LAST, new_folder
from mnistlab.runs.record import config_text, read_record, start_record
from mnistlab.runs.recorder import Recorder, rounded
from mnistlab.screen import Screen, quiet
from mnistlab.sections import TopLevel, prepare, sections


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab command arguments`; the exit code.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation(command, arguments)
    quiet()
    try:
        return _run(invocation)
    except (LabError, BrokenPipeError):
        raise
    except Exception as error:
        if invocation.switches["debug"]:
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise RunFailedError(
            f"{type(error).__name__}: {error} (in {Path(where.filename).name}, line {where.lineno}; --debug shows more)"
        ) from error


class RunFailedError(LabError):
    """Something failed that is no fault of the input."""

    exit_code = 1


def _run(invocation: Invocation) -> int:
    prepare()
    _set_import_policy(invocation)
    if invocation.help_for is not None or any(entry.key[-1] == "help" for entry in invocation.typed):
        show_help(invocation, TopLevel, sections())
        return 0
    found = invocation.checkpoint()
    _refuse_random_weights(invocation, found)
    settled = settled_from(invocation, found)
    for entry, why in settled.dropped:
        print(f"note: {entry.name}={entry.value} is dropped. {why}", file=sys.stderr)
    if invocation.switches["print_config"]:
        print(config_text(make(settled).resolved), end="")
        return 0
    if invocation.command == "fit":
        return _fit(invocation, settled, found)
    cli = make(settled)
    _load(cli.model, found)
    return evaluate(invocation, cli.model, cli.datamodule, cli.trainer, cli.resolved, found)


def _fit(invocation: Invocation, settled: Settled, found: Found | None) -> int:
    recorders: list[Recorder] = []

    def callbacks(cli: LabCLI) -> list[Callback]:
        recorder = _recorder(invocation, cli, found)
        recorders.append(recorder)
        return [RandomState(), Position(), recorder]

    cli = make(settled, callbacks)
    recorder = recorders[0]
    _check_weights(cli.model, found)
    _refuse_single_images(cli)
    screen = Screen(cli.trainer.is_global_zero)
    recorder.on_row = screen.row
    recorder.on_begin = lambda: screen.begin(cli.model, cli.datamodule, cli.trainer.max_epochs, recorder.folder)
    try:
        path = str(found.path) if found and found.path else None
        cli.trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=path, weights_only=True)
        if found and found.contents.get("global_step") == cli.trainer.global_step and cli.trainer.is_global_zero:
            print("Nothing was left to train: the run is as long as it should be. --trainer.max_epochs=... extends it.")
        if cli.resolved["run"]["test"]:
            _test_best(cli, recorder)
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    if cli.trainer.is_global_zero:
        recorder.finish("finished")
        screen.end(recorder.folder, recorder.record["metrics"])
    return 0


def _refuse_single_images(cli: LabCLI) -> None:
    """Batch normalization has nothing to normalize over in a batch of one image, and says so late and darkly."""
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    if cli.datamodule.batch_size == 1 and any(isinstance(module, norms) for module in cli.model.modules()):
        raise LabError(
            f"{type(cli.model).__name__} has batch normalization: --data.batch_size must be 2 or more, got 1."
        )


def _test_best(cli: LabCLI, recorder: Recorder) -> None:
    """The official test of the best checkpoint; of the last weights where nothing was validated."""
    name = BEST if recorder.record["metrics"]["best"] else LAST
    path = recorder.folder / name if (recorder.folder / name).is_file() else None
    (metrics,) = cli.trainer.test(cli.model, cli.datamodule, ckpt_path=path, weights_only=True, verbose=False)
    tested = "best" if path and name == BEST else "last"
    recorder.record["metrics"]["test"] = {**{k: rounded(v) for k, v in metrics.items()}, "checkpoint": tested}


def _recorder(invocation: Invocation, cli: LabCLI, found: Found | None) -> Recorder:
    root, every = Path(cli.resolved["run"]["dir"]), cli.resolved["run"]["checkpoint_every_n_steps"]
    folder = found.folder if found and found.folder else new_folder(root, cli.model.name)
    record = read_record(folder)
    started = start_record("fit", invocation.arguments, cli.resolved, cli.model.name)
    if record:
        started = {**started, "started": record["started"], "segments": [*record["segments"], *started["segments"]]}
    if found and found.path is None:
        print(f"{folder} has no checkpoint yet: the run starts anew.", file=sys.stderr)
    return Recorder(folder, config_text(cli.resolved), started, every)


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
            raise LabError("--untrained is for test, validate and predict; fit trains.")
    elif found is None and not untrained:
        raise LabError(
            f"{invocation.command} needs the weights of a trained model: --ckpt_path=last, the folder of a run, or a "
            "file. To measure random weights on purpose, add --untrained."
        )
    elif found is not None and untrained:
        raise LabError("--untrained and --ckpt_path exclude each other.")


def _set_import_policy(invocation: Invocation) -> None:
    """Let jsonargparse import nothing but what is trusted or was named by the user.

    The policy belongs to the process and its allowances only grow, so a program's entry sets it and no import does.
    """
    set_parsing_settings(
        import_path_denylist=["*"],
        import_path_allowlist=sorted({*TRUSTED, *invocation.allowed}),
        instantiate_subclass_spec_in_any=False,
    )
