"""What was typed: options as a command line has them, and the YAML files that they name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.arguments import BASE, SWITCHES
from mnistlab.options.lightning_cli import as_ours
from mnistlab.options.notation import Plain, as_written
from mnistlab.options.written import FILES, STEERING, Source, Written, key_of
from mnistlab.system.environment import OPTIONS, said_by
from mnistlab.text.values import cut

_LONGEST = 80  # characters of a list or a mapping that are said again
_BRACKETS = ("[", "{")


def from_arguments(arguments: Sequence[str]) -> list[Written]:
    """Read `--key=value` and `--key value`; a key without a value means true.

    Raises:
        LabError: If an argument is not an option.
    """
    found: list[Written] = []
    rest = list(arguments)
    before = ""
    while rest:
        token = rest.pop(0)
        name, equals, value = token.removeprefix("--").partition("=")
        if not token.startswith("--") or not all(name.split(".")):
            raise LabError(_not_an_option(token, before))
        where = before = token
        if not equals and name not in (*SWITCHES, "help") and rest and not rest[0].startswith("--"):
            value = rest.pop(0)
            if value == "=":
                raise LabError(_not_an_option(value, token))
            where, equals = f"{token} {value}", "="
        found.extend(_from_argument(name, value if equals else True, where))
    return found


def from_environment() -> list[Written]:
    """What variables say in place of options that would be typed each time.

    Raises:
        LabError: If one of them is no value.
    """
    said = [(variable, name, value) for variable, name in OPTIONS.items() if (value := said_by(variable))]
    return [
        replace(entry, source=Source.FILE, where=f"{variable}={value}")
        for variable, name, value in said
        for entry in _from_argument(name, value, f"{variable}={value}")
    ]


def in_brackets(entry: Written) -> list[Written]:
    """What a text of the command line says that is a list or a mapping: `[a, b]`, `{a: 1}`, as they are in a file.

    Raises:
        LabError: If it begins like one and is none.
    """
    if not (isinstance(entry.value, Plain) and entry.value[0] in "[{"):
        return [entry]
    from mnistlab.options.files import parsed  # noqa: PLC0415 - YAML takes as long to import as all else that help needs

    parts = parsed(entry, entry.value, entry.where)
    return [replace(part, source=entry.source, where=entry.where) for part in parts]


def with_files(written: Iterable[Written], folder: Path, within: tuple[Path, ...] = ()) -> Iterator[Written]:
    """What was written, with what the YAML files say that it names: `model: model.yaml`, `--model.optimizer=sgd.yaml`.

    Args:
        written: What was written.
        folder: Where it was written.
        within: The files that are being read.

    Raises:
        LabError: If one of them cannot be read, is no YAML, or names itself.
    """
    for entry in written:
        path = _file_in(entry, folder)
        if path is None:
            yield entry
            continue
        if path.resolve() in within:
            raise LabError(f"{entry.where}: {path} names itself.")
        from mnistlab.options.files import parsed, read_text  # noqa: PLC0415 - as above

        parts = parsed(entry, read_text(path), str(path))
        yield from with_files(parts, path.parent, (*within, path.resolve()))


def from_config(path: Path, command: str = "fit") -> list[Written]:
    """Read a YAML file that the user has named, with the files that it names for its parts.

    Args:
        path: The file.
        command: What it is read for; a file of LightningCLI may have a section for each.

    Raises:
        LabError: If one of them cannot be read or is no YAML, or this one is not a mapping; with line and column.
    """
    from mnistlab.options.files import from_file  # noqa: PLC0415 - as above

    return list(with_files(as_ours(from_file(path), command), path.parent, (path.resolve(),)))


def _from_argument(name: str, value: object, where: str) -> list[Written]:
    """What one option of the command line says."""
    if isinstance(value, str) and value[:1] in _BRACKETS:
        where = where.replace(value, cut(value, _LONGEST))
    key, append = key_of(name.removesuffix("+")), name.endswith("+")
    said = as_written(value) if isinstance(value, str) else value
    entry = Written(key, said, Source.COMMAND_LINE, where, append)
    try:
        return in_brackets(entry)
    except LabError:
        return [entry]  # it may be a text, such as {epoch}-{step}; what is none says why


def _file_in(entry: Written, folder: Path) -> Path | None:
    """The YAML file that an option may be given in place of its class and its options; what is none stays text."""
    if entry.key[:1] in {(name,) for name in (*STEERING, BASE.name)} or not isinstance(entry.value, str):
        return None
    if not entry.value.endswith(FILES):
        return None
    path = folder / Path(entry.value).expanduser()
    return path if path.is_file() else None


def _not_an_option(token: str, before: str) -> str:
    if "=" in (token, before[-1:]):
        return f"`{token}` stands alone. Write an option without spaces: {before.rstrip('=')}=..."
    if before.endswith(","):
        return f"`{token}` stands alone: a space has cut the list. Write {before}{token}"
    if "=" in token and not token.startswith("--"):
        return f"`{token}` has no dashes. Write --{token.lstrip('+-–—')}."  # noqa: RUF001 - as a word processor has it
    if token in ("last", "best") or token.endswith((".ckpt", ".safetensors")):
        return f"`{token}` is not an option. Write --ckpt_path={token}."
    if token.endswith((".yaml", ".yml", ".py")):
        return f"`{token}` is not an option. Write --config={token}."
    way_out = "Options begin with two dashes: --model=SmallModel."
    if all(part.isidentifier() for part in token.split(".")):
        preset = "" if "." in token else f", or --config={token} if it is a preset"
        way_out = f"Write --model={token} if it is a model{preset}."
    return f"`{token}` is not an option. {way_out}"
