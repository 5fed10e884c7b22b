"""`mnistlab inspect`."""

from functools import partial

from mnistlab.commands.declaring.model import Command, Work
from mnistlab.errors import LabError
from mnistlab.options.arguments import JSON, PACKAGES, RUN_DIR, STEERING, Arguments, Option


def _inspect(asked: Arguments) -> Work:
    from mnistlab.runs.finding import find_checkpoint  # noqa: PLC0415 - not for help

    name = _name(asked)
    path, _ = find_checkpoint(name, asked.root, where=name)
    assert path is not None
    from mnistlab.reports.checkpoint import inspect  # noqa: PLC0415 - brings torch in

    return partial(inspect, path, asked)


def _name(asked: Arguments) -> str:
    names = [*asked.names, *([asked.values["ckpt_path"]] if "ckpt_path" in asked.values else [])]
    if len(names) == 1:
        return names[0]
    what = f"got {len(names)}: {', '.join(names)}" if names else "got none"
    raise LabError(f"inspect takes one checkpoint, {what}. Name a file, the folder of a run, best, or last.")


COMMAND = Command(
    "show what is in a checkpoint, importing nothing from it",
    _inspect,
    order=1,
    about="""\
Shows what is in a checkpoint and whether `test` would open it. Nothing in it is
run or imported.""",
    names=(
        Option(
            "CHECKPOINT",
            "A .ckpt or .safetensors file, the folder of a run, best, or last",
            "CHECKPOINT",
            completes="checkpoints",
        ),
    ),
    options=(JSON, PACKAGES, RUN_DIR, *(option for option in STEERING if option.name == "ckpt_path")),
)
