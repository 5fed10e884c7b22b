"""What was written: every value with its key, its source and its position, before anything is made of it.

The command line, configuration files and checkpoints all become lists of `Written`. Class choice, precedence, errors
and origins are worked out from these lists alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import yaml

from mnistlab.errors import LabError

Key = tuple[str, ...]


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
        value: Text from the command line, data from a file; for an option that takes a class, the name of the class.
        source: Who wrote it.
        where: How a person finds it: `--model.hidden_dim=3`, or file:line:column.
        append: The value is one more entry of a list.
    """

    key: Key
    value: object
    source: Source
    where: str
    append: bool = False

    @property
    def name(self) -> str:
        """The key as it is typed."""
        return ".".join(self.key)


def from_arguments(arguments: Sequence[str], switches: Collection[str] = ()) -> list[Written]:
    """Read `--key=value` and `--key value`; a key without a value means true.

    Args:
        arguments: What was typed.
        switches: Keys that never take the argument after them.

    Raises:
        LabError: If an argument is not an option.
    """
    found = []
    rest = list(arguments)
    while rest:
        token = rest.pop(0)
        if not token.startswith("--") or token == "--":  # noqa: S105 - not a password
            raise LabError(_not_an_option(token))
        name, equals, value = token[2:].partition("=")
        where = token
        if not equals and name not in switches and rest and not rest[0].startswith("--"):
            value = rest.pop(0)
            where = f"{token} {value}"
            equals = "="
        append = name.endswith("+")
        key = key_of(name.removesuffix("+"))
        found.append(Written(key, value if equals else True, Source.COMMAND_LINE, where, append))
    return found


def from_file(path: Path) -> list[Written]:
    """Read a YAML file.

    Raises:
        LabError: If it cannot be read, is no YAML, or is not a mapping; with line and column.
    """
    return from_text(read_text(path), str(path))


def from_text(text: str, name: str) -> list[Written]:
    """Read YAML text; `name` stands for the file in messages."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise LabError(f"{where}: this is not YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise LabError(f"{name}: this is not YAML: {error}.") from error
    if root is None:
        raise LabError(f"{name} is empty. A configuration file holds options, such as `model: SmallModel`.")
    if not isinstance(root, yaml.MappingNode):
        raise LabError(f"{name}: a configuration file is a mapping of options, such as `model: SmallModel`.")
    return list(_from_node(root, (), name))


def from_data(data: Mapping[str, object], where: str) -> list[Written]:
    """Read the plain data that a checkpoint holds."""
    return [replace(entry, source=Source.CHECKPOINT, where=where) for entry in from_text(yaml.safe_dump(dict(data)), where)]


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


def _from_node(node: yaml.MappingNode, prefix: Key, name: str) -> Iterator[Written]:
    seen: dict[str, str] = {}
    for key_node, value_node in node.value:
        key_text = str(key_node.value)
        where = f"{name}:{key_node.start_mark.line + 1}:{key_node.start_mark.column + 1}"
        if key_text in seen:
            raise LabError(f"{where}: {key_text} stands here for the second time; the first is at {seen[key_text]}.")
        seen[key_text] = where
        append = key_text.endswith("+")
        key = key_of(".".join([*prefix, key_text.removesuffix("+")]))
        yield from _from_value(value_node, key, name, where, append=append)


def _from_value(node: yaml.Node, key: Key, name: str, where: str, *, append: bool) -> Iterator[Written]:
    if isinstance(node, yaml.MappingNode) and node.value:
        if append:
            yield Written(key, _class_in(node), Source.FILE, where, append=True)
            node = _without_class(node)
        yield from _from_node(node, key, name)
    elif isinstance(node, yaml.SequenceNode) and any(_is_class(item) for item in node.value):
        if not append:
            yield Written(key, [], Source.FILE, where)
        for item in node.value:
            place = f"{name}:{item.start_mark.line + 1}:{item.start_mark.column + 1}"
            yield from _from_value(item, key, name, place, append=True)
    else:
        yield Written(key, _data(node), Source.FILE, where, append)


def _is_class(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and any(key.value == "class_path" for key, _ in node.value)


def _class_in(node: yaml.MappingNode) -> str:
    return next((str(value.value) for key, value in node.value if key.value == "class_path"), "")


def _without_class(node: yaml.MappingNode) -> yaml.MappingNode:
    rest = [(key, value) for key, value in node.value if key.value != "class_path"]
    return yaml.MappingNode(node.tag, rest, node.start_mark, node.end_mark)


def _data(node: yaml.Node) -> object:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()  # type: ignore[no-untyped-call]


def _not_an_option(token: str) -> str:
    if "=" in token:
        return f"`{token}` has no dashes. Write --{token.lstrip('-')}."
    return f"`{token}` is not an option. Options begin with two dashes: --model=SmallModel."
