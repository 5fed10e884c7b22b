"""`mnistlab schema`."""

from mnistlab.commands.declaring.model import TABLES, Command
from mnistlab.options.arguments import Arguments, Option


def print_schema(asked: Arguments) -> int:
    """Print the schema, or write it to a file; the exit code."""
    from pathlib import Path  # noqa: PLC0415 - not for help

    from mnistlab.catalogue import load_catalogue  # noqa: PLC0415 - not for help
    from mnistlab.catalogue.editors import modeline  # noqa: PLC0415 - not for help
    from mnistlab.catalogue.yaml_schema import schema_text  # noqa: PLC0415 - not for help
    from mnistlab.system.files import telling, write_text  # noqa: PLC0415 - not for help

    text = schema_text(load_catalogue())
    if "output" not in asked.values:
        print(text, end="")
        return 0
    path = Path(asked.values["output"])
    with telling(path, "Name another file with --output=..."):
        write_text(path, text)
    print(f"Wrote {path}. A preset with this line is completed and checked by editors:\n{modeline(path)}")
    return 0


def _line() -> str:
    from pathlib import Path  # noqa: PLC0415 - not for every command

    from mnistlab.catalogue.editors import modeline, schema_line  # noqa: PLC0415 - not for every command

    return f"""\
An editor with the YAML language server (VS Code with the extension YAML by Red
Hat, Neovim, Helix, Zed, ...) reads the schema that a line of the preset names,
and has no other set-up:

{schema_line() or modeline(Path("/path/to/FILE"))}

The configuration that a run saves has that line already. Other editors can be
told to use the FILE."""


COMMAND = Command(
    "print the JSON schema of YAML presets, for editors",
    "mnistlab.commands.schema:print_schema",
    TABLES,
    order=7,
    about="Prints the JSON schema with which editors complete and check YAML presets.",
    options=(Option("output", "Write it to this file", "FILE", completes=".json"),),
    instead="Write it to a file with --output=FILE.",
    notes=_line,
)
