"""Where the schema lies that saved configurations name, so that editors complete and check them."""

from contextlib import suppress
from pathlib import Path

from mnistlab.catalogue.store import cache_folder, current_identity, name_of, present_catalogue
from mnistlab.catalogue.yaml_schema import schema_text
from mnistlab.system.files import clear_left_over, write_text


def modeline(path: Path) -> str:
    """The line of a YAML file that makes editors use a schema; an address, since a path may have spaces."""
    return f"# yaml-language-server: $schema={path.absolute().as_uri()}"


def schema_line() -> str | None:
    """The same for the schema of what is installed; None where there is none, or it would take seconds to make."""
    path = schema_path()
    return modeline(path) if path else None


def schema_path() -> Path | None:
    """The file of the schema of what is installed, in the user's cache folder; it is written when it is first needed.

    It is named by what it is for, and written once: what names it stays right as long as it lies there, whatever is
    installed later. None where it cannot be written, or no catalogue has been made yet.
    """
    catalogue = present_catalogue()
    if catalogue is None:
        return None
    with suppress(OSError):
        path = cache_folder() / f"schema-{name_of(current_identity())}.json"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            clear_left_over(path.parent)
            write_text(path, schema_text(catalogue))
        return path
    return None
