"""What was written: every value with its key, its source and its position, before anything is made of it.

The command line, configuration files and checkpoints all become lists of `Written`. Class choice, precedence, errors
and origins are worked out from these lists alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import yaml

from mnistlab.errors import LabError
from mnistlab.options.arguments import STEERING as DECLARED
from mnistlab.options.composing import compose, data_in, dump, place
from mnistlab.options.notation import NULLS, Plain, as_written, data_of
from mnistlab.system.environment import OPTIONS, said_by

Key = tuple[str, ...]

SWITCHES = tuple(option.name for option in DECLARED if not option.takes)
"""Options that are true or false, configure nothing, and stand on the command line only."""

STEERING = (*(option.name for option in DECLARED), "help")
"""All options that configure nothing."""


SWEEP = "sweep"
"""The part of a preset that says how a sweep goes about; it configures no run."""

FILES = (".yaml", ".yml")
"""How a file of options is called."""

COMPLETE = "# Everything that mnistlab was configured with, defaults included."
"""The first line of a configuration file in which nobody has chosen each value."""


class Source(Enum):
    """Who wrote a value, from the weakest to the strongest."""

    CHECKPOINT = "checkpoint"
    FILE = "file"
    COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Written:
    """One value that somebody wrote.

    Attributes:
        key: The option, one part per level: `("model", "optimizer", "lr")`.
        value: Text or data, `Plain` where the option says which; for one that takes a class, the name of the class.
        source: Who wrote it.
        where: How a person finds it: `--model.hidden_dim=3`, or file:line:column.
        append: The value is one more entry of a list.
        complete: It stands among all values of a run; it may be no more than the default of the class of that run.
        domain: What a sweep takes its values from, a `Domain`; the value is one of them.
        whole: What this is a part of, as it was typed: `[a, b]`, or a file; it is text where the option takes text.
    """

    key: Key
    value: object
    source: Source
    where: str
    append: bool = False
    complete: bool = False
    domain: object = None
    whole: "Written | None" = None

    @property
    def data(self) -> object:
        """The value as plain data, whatever its option takes."""
        return data_of(self.value)

    @property
    def name(self) -> str:
        """The key as it is typed."""
        return ".".join(self.key)


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


def from_file(path: Path) -> list[Written]:
    """Read a YAML file.

    Raises:
        LabError: If it cannot be read, is no YAML, or is not a mapping; with line and column.
    """
    text = read_text(path)
    return [replace(entry, complete=text.startswith(COMPLETE)) for entry in from_text(text, str(path))]


def from_config(path: Path) -> list[Written]:
    """Read a YAML file that the user has named, with the files that it names for its parts.

    Raises:
        LabError: If one of them cannot be read or is no YAML, or this one is not a mapping; with line and column.
    """
    return list(with_files(from_file(path), path.parent, (path.resolve(),)))


def from_text(text: str, name: str) -> list[Written]:
    """Read YAML text; `name` stands for the file in messages.

    Raises:
        LabError: If it is no YAML or not a mapping; with line and column.
    """
    root = compose(text, name)
    if root is None:
        raise LabError(f"{name} is empty. A configuration file holds options, such as `model: SmallModel`.")
    if not isinstance(root, yaml.MappingNode):
        raise LabError(f"{name}: a configuration file is a mapping of options, such as `model: SmallModel`.")
    return list(_Reader(name).mapping(root, ()))


def from_data(data: Mapping[str, object], where: str) -> list[Written]:
    """Read the plain data that a checkpoint holds; `where` stands for all positions in it.

    Raises:
        LabError: If there is more in it than strings, numbers, lists and mappings.
    """
    try:
        text = dump(dict(data))
    except (yaml.YAMLError, RecursionError) as error:
        raise LabError(f"{where} describes its model or its data with more than plain values.") from error
    entries = from_text(text, where)
    return [replace(entry, source=Source.CHECKPOINT, where=where, complete=True) for entry in entries]


def read_text(path: Path) -> str:
    """The text of a file that the user named.

    Raises:
        LabError: If there is none, it is a folder, or it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LabError(f"There is no file {path}.") from error
    except IsADirectoryError as error:
        raise LabError(f"{path} is a folder; a configuration file is wanted.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path} cannot be read: {error}.") from error


def key_of(name: str) -> Key:
    """The key of an option's name; `init_args` and `class_path` are spelling, not levels."""
    parts = tuple(part for part in name.split(".") if part != "init_args")
    return parts[:-1] if parts[-1:] == ("class_path",) else parts


@dataclass
class _Reader:
    """Turns the nodes of one YAML text into `Written`.

    Attributes:
        name: What stands for the file in positions.
        seen: Where each key stands; a second time is an error.
    """

    name: str
    seen: dict[Key, str] = field(default_factory=dict)

    def mapping(self, node: yaml.MappingNode, prefix: Key) -> Iterator[Written]:
        for key_node, value_node in node.value:
            where = place(key_node, self.name)
            if not isinstance(key_node, yaml.ScalarNode):
                raise LabError(f"{where}: the name of an option is wanted here.")
            name = str(key_node.value).removesuffix("+")
            levels: Key = (*prefix, *name.split("."))
            spelt = (*(level for level in levels[:-1] if level != "init_args"), levels[-1])
            append = name != key_node.value
            if not append and spelt in self.seen:
                raise LabError(f"{where}: {name} stands here for the second time; the first is at {self.seen[spelt]}.")
            self.seen[spelt] = where
            if not (name == "init_args" and _is_empty(value_node)):
                yield from self.value(value_node, spelt, where, append=append)

    def value(self, node: yaml.Node, spelt: Key, where: str, *, append: bool) -> Iterator[Written]:
        key = key_of(".".join(spelt))
        if isinstance(node, yaml.SequenceNode) and any(_class_in(item) for item in node.value):
            if not append:
                yield Written(key, [], Source.FILE, where)
            for item in node.value:
                yield from self.entry(item, key)
        elif isinstance(node, yaml.MappingNode) and node.value:
            yield from self.entry(node, key) if append else self.mapping(node, key)
        else:
            yield Written(key, data_in(node, self.name), Source.FILE, where, append)

    def entry(self, node: yaml.Node, key: Key) -> Iterator[Written]:
        """One class of a list, with its options."""
        where = place(node, self.name)
        chosen = _class_in(node)
        yield Written(key, chosen or data_in(node, self.name), Source.FILE, where, append=True)
        if chosen:
            rest = [(name, value) for name, value in node.value if name.value != "class_path"]
            inner = yaml.MappingNode(node.tag, rest, node.start_mark, node.end_mark)
            yield from _Reader(self.name).mapping(inner, key)


def _from_argument(name: str, value: object, where: str) -> list[Written]:
    """What one option of the command line says."""
    key, append = key_of(name.removesuffix("+")), name.endswith("+")
    said = as_written(value) if isinstance(value, str) else value
    entry = Written(key, said, Source.COMMAND_LINE, where, append)
    try:
        return in_brackets(entry)
    except LabError:
        return [entry]  # it may be a text, such as {epoch}-{step}; what is none says why


def in_brackets(entry: Written) -> list[Written]:
    """What a text of the command line says that is a list or a mapping: `[a, b]`, `{a: 1}`, as they are in a file.

    Raises:
        LabError: If it begins like one and is none.
    """
    if not (isinstance(entry.value, Plain) and entry.value[0] in "[{"):
        return [entry]
    node = compose(entry.value, entry.where)
    assert node is not None
    return [replace(part, source=entry.source, where=entry.where) for part in _parts(entry, node, entry.where)]


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
        node = compose(read_text(path), str(path))
        parts = [entry] if node is None or isinstance(node, yaml.ScalarNode) else _parts(entry, node, str(path))
        yield from with_files(parts, path.parent, (*within, path.resolve()))


def _file_in(entry: Written, folder: Path) -> Path | None:
    """The YAML file that an option may be given in place of its class and its options; what is none stays text."""
    if entry.key[:1] in {(name,) for name in STEERING} or not isinstance(entry.value, str):
        return None
    if not entry.value.endswith(FILES):
        return None
    path = folder / Path(entry.value).expanduser()
    return path if path.is_file() else None


def _parts(entry: Written, node: yaml.Node, name: str) -> list[Written]:
    """What a node says that stands for an entry."""
    parts = _Reader(name).value(node, entry.key, entry.where, append=entry.append)
    return [replace(part, whole=entry.whole or entry) for part in parts]


def _class_in(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((str(value.value) for key, value in node.value if key.value == "class_path"), None)


def _is_empty(node: yaml.Node) -> bool:
    """Whether it is null or a mapping of nothing, as a class without options is saved."""
    if isinstance(node, yaml.MappingNode):
        return not node.value
    return isinstance(node, yaml.ScalarNode) and node.value in ("", *NULLS)


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
