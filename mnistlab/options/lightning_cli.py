"""Configurations as LightningCLI writes them: what is said otherwise here, and what need not be said at all."""

from collections.abc import Sequence
from dataclasses import replace

from mnistlab.errors import LabError
from mnistlab.options.notation import NULLS
from mnistlab.options.written import STEERING, Key, Written

SUBCOMMANDS = ("fit", "validate", "test", "predict")
"""Each may have a section of its own."""

MOVED: dict[str, Key] = {"optimizer": ("model", "optimizer"), "lr_scheduler": ("model", "scheduler")}
"""What counts there in place of the model's own, and where it stands here."""

OF_CALLS = ("return_predictions", "subcommand", "verbose", "weights_only")
"""What it calls the trainer with; here that follows from the command."""

_THEIRS = ("ckpt_path", *OF_CALLS, *MOVED)


def as_ours(written: Sequence[Written], command: str) -> list[Written]:
    """What a configuration file says to a command: `fit: {optimizer: SGD}` becomes `model: {optimizer: SGD}`.

    Null says nothing of what is LightningCLI's own, nor of a model and of data where LightningCLI has written the file.

    Args:
        written: What the file says.
        command: The command.

    Raises:
        LabError: If it speaks to other commands only, or wants a checkpoint to be run.
    """
    said = _said_to(command, written)
    theirs = any(_first(entry) in _THEIRS for entry in said)
    absent = (*STEERING, *_THEIRS, *(("model", "data") if theirs else ()))
    said = [entry for entry in said if entry.name not in absent or not _says_nothing(entry)]
    _refuse_running(said)
    moved = {MOVED[entry.name] for entry in said if entry.name in MOVED}
    kept = [entry for entry in said if _first(entry) not in OF_CALLS and entry.key[:2] not in moved]
    return [replace(entry, key=(*MOVED.get(_first(entry), entry.key[:1]), *entry.key[1:])) for entry in kept]


def _said_to(command: str, written: Sequence[Written]) -> list[Written]:
    """What stands in the section of a command, and in none."""
    section = command if command in SUBCOMMANDS else "test" if command == "explain" else "fit"
    others = [entry for entry in written if _first(entry) in SUBCOMMANDS and _first(entry) != section]
    own = [entry for entry in written if entry not in others]
    if others and not own:
        where, name = others[0].where, _first(others[0])
        raise LabError(f"{where}: this is for {name}, and nothing is said to {section}. Write {section}: beside it.")
    inner = [entry for entry in own if entry.key != (section,) or not _says_nothing(entry)]
    return [replace(e, key=e.key[1:]) if _first(e) == section and len(e.key) > 1 else e for e in inner]


def _refuse_running(said: Sequence[Written]) -> None:
    for entry in said:
        if entry.name == "weights_only" and entry.data is False:
            raise LabError(
                f"{entry.where}: weights_only=false would run what a checkpoint says; only tensors and plain data "
                "are read. Leave it out."
            )


def _says_nothing(entry: Written) -> bool:
    return entry.value in NULLS or entry.value == {}


def _first(entry: Written) -> str:
    """The first part of a key; of a class that stands alone none."""
    return next(iter(entry.key), "")
