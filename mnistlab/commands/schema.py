"""`mnistlab schema`, and where the schema lies that saved configurations name."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mnistlab.catalogue import load_catalogue, present_catalogue
from mnistlab.catalogue.store import cache_folder
from mnistlab.catalogue.yaml_schema import schema_text
from mnistlab.errors import LabError
from mnistlab.options.arguments import read_arguments
from mnistlab.system.files import clear_left_over, telling, write_text

_HELP = """\
Print the JSON schema with which editors complete and check YAML presets.

Usage: mnistlab schema [--output=FILE]

An editor with the YAML language server (VS Code with the extension YAML by Red
Hat, Neovim, Helix, Zed, ...) reads the schema that a line of the preset names,
and has no other set-up:

{line}

The configuration that a run saves has that line already. Other editors can be
told to use the FILE."""


def schema(command: str, arguments: Sequence[str]) -> int:
    """Print the schema or write it to a file.

    Raises:
        LabError: If the file cannot be written.
    """
    read = read_arguments(command, arguments, takes_value=("output",))
    if read.names:
        raise LabError(f"{read.names[0]}: {command} takes no such argument. Write it to a file with --output=FILE.")
    if "help" in read.switches:
        print(_HELP.format(line=schema_line() or modeline(Path("/path/to/FILE"))))
    elif "output" in read.values:
        path = Path(read.values["output"])
        _write(path)
        print(f"Wrote {path}. A preset with this line is completed and checked by editors:\n{modeline(path)}")
    else:
        print(schema_text(load_catalogue()), end="")
    return 0


def modeline(path: Path) -> str:
    """The line of a YAML file that makes editors use a schema; an address, since a path may have spaces."""
    return f"# yaml-language-server: $schema={path.absolute().as_uri()}"


def schema_line() -> str | None:
    """The same for the schema of what is installed; None where there is none, or it would take seconds to make."""
    path = schema_path()
    return modeline(path) if path else None


def schema_path() -> Path | None:
    """The file of the schema of what is installed, in the user's cache folder; it is written when it is first needed.

    It is named by its content: what names it stays right as long as it lies there, whatever is installed later. None
    where it cannot be written, or no catalogue has been made yet.
    """
    catalogue = present_catalogue()
    if catalogue is None:
        return None
    with suppress(OSError):
        text = schema_text(catalogue)
        path = cache_folder() / f"schema-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            clear_left_over(path.parent)
            write_text(path, text)
        return path
    return None


def _write(path: Path) -> None:
    text = schema_text(load_catalogue())
    with telling(path, "Name another file with --output=..."):
        write_text(path, text)
