"""`mnistlab schema`."""

from collections.abc import Sequence
from pathlib import Path

from mnistlab.catalogue import load_catalogue
from mnistlab.catalogue.editors import modeline, schema_line
from mnistlab.catalogue.yaml_schema import schema_text
from mnistlab.errors import LabError
from mnistlab.options.arguments import read_arguments
from mnistlab.system.files import telling, write_text

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


def _write(path: Path) -> None:
    text = schema_text(load_catalogue())
    with telling(path, "Name another file with --output=..."):
        write_text(path, text)
