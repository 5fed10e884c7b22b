"""The commands that are proposed for a run; each can be run as it is printed."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.composing import compose, data_in
from mnistlab.options.trust import packages_in, places_elsewhere
from mnistlab.runs.folder import CONFIG
from mnistlab.runs.run import Run
from mnistlab.text.values import from_here


def command_for(command: str, folder: Path, *more: str) -> str:
    """What to type to do something with a run, with the `--trust` that it takes.

    Args:
        command: `fit`, which goes on with it, or `test`.
        folder: The run.
        more: Further options.
    """
    trusted = ",".join(dict.fromkeys(_to_be_trusted(command, folder)))
    return shlex.join(
        ["mnistlab", command, f"--ckpt_path={from_here(folder)}", *([f"--trust={trusted}"] if trusted else []), *more]
    )


def _to_be_trusted(command: str, folder: Path) -> Iterator[str]:
    """The packages of others whose classes a run uses, and where it writes besides its folder."""
    run = Run(folder)
    with suppress(LabError):  # then the command says what is wrong with it
        node = compose(run.read_configuration(), str(folder / CONFIG))
        yield from packages_in(data_in(node, CONFIG) if node else None)
        if command == "fit":
            for entry in run.configuration:
                yield from places_elsewhere(entry, [Path.cwd(), folder.resolve()])
