"""What was written: every value with its key, its source and its position, before anything is made of it.

The command line, configuration files and checkpoints all become lists of `Written`. Class choice, precedence, errors
and origins are worked out from these lists alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import yaml

from mnistlab.errors import LabError

Key = tuple[str, ...]

SWITCHES = ("print_config", "untrained", "debug")
"""Options that are true or false, configure nothing, and stand on the command line only."""

STEERING = (*SWITCHES, "config", "ckpt_path", "trust", "help")
"""All options that configure nothing."""


SWEEP = "sweep"
"""The part of a preset that says how a sweep goes about; it configures no run."""

COMPLETE = "# Everything that mnistlab was configured with, defaults included."
"""The first line of a configuration file in which nobody has chosen each value."""


class _Loader(yaml.SafeLoader):
    """YAML without code, in which 1e-3 is a number as it is in Python."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


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
        complete: It stands among all values of a run; it may be no more than the default of the class of that run.
        domain: What a sweep takes its values from, a `Choice` or an `Interval`; the value is one of them.
    """

    key: Key
    value: object
    source: Source
    where: str
    append: bool = False
    complete: bool = False
    domain: object = None

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


def from_file(path: Path) -> list[Written]:
    """Read a YAML file.

    Raises:
        LabError: If it cannot be read, is no YAML, or is not a mapping; with line and column.
    """
    text = read_text(path)
    return [replace(entry, complete=text.startswith(COMPLETE)) for entry in from_text(text, str(path))]


def from_text(text: str, name: str) -> list[Written]:
    """Read YAML text; `name` stands for the file in messages.

    Raises:
        LabError: If it is no YAML or not a mapping; with line and column.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            raise LabError(f"{name} is empty. A configuration file holds options, such as `model: SmallModel`.")
        if not isinstance(root, yaml.MappingNode):
            raise LabError(f"{name}: a configuration file is a mapping of options, such as `model: SmallModel`.")
        return list(_Reader(name).mapping(root, ()))
    except yaml.YAMLError as error:
        raise LabError(_not_yaml(error, name)) from error
    except RecursionError as error:
        raise LabError(f"{name} is nested too deeply, or in itself.") from error


def from_data(data: Mapping[str, object], where: str) -> list[Written]:
    """Read the plain data that a checkpoint holds; `where` stands for all positions in it.

    Raises:
        LabError: If there is more in it than strings, numbers, lists and mappings.
    """
    try:
        text = yaml.safe_dump(dict(data), sort_keys=False)  # the first head is the primary one
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
            where = self.place(key_node)
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
            yield Written(key, self.data(node), Source.FILE, where, append)

    def entry(self, node: yaml.Node, key: Key) -> Iterator[Written]:
        """One class of a list, with its options."""
        where = self.place(node)
        chosen = _class_in(node)
        yield Written(key, chosen or self.data(node), Source.FILE, where, append=True)
        if chosen:
            rest = [(name, value) for name, value in node.value if name.value != "class_path"]
            inner = yaml.MappingNode(node.tag, rest, node.start_mark, node.end_mark)
            yield from _Reader(self.name).mapping(inner, key)

    def place(self, node: yaml.Node) -> str:
        return f"{self.name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

    def data(self, node: yaml.Node) -> object:
        loader = _Loader("")
        try:
            return loader.construct_document(node)
        except ValueError as error:  # such as `!!int x`
            raise LabError(f"{self.place(node)}: this is no value: {error}.") from error
        finally:
            loader.dispose()


def _from_argument(name: str, value: object, where: str) -> list[Written]:
    """What one option of the command line says; `[a, b]` is a list and `{a: 1}` a mapping, as they are in a file."""
    key, append = key_of(name.removesuffix("+")), name.endswith("+")
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return [Written(key, value, Source.COMMAND_LINE, where, append)]
    try:
        node = yaml.compose(value, Loader=_Loader)
        assert node is not None
        written = list(_Reader(where).value(node, key, where, append=append))
    except (yaml.YAMLError, RecursionError) as error:
        raise LabError(f"{where}: what begins with {value[0]} is read as YAML, and this is none.") from error
    return [replace(entry, source=Source.COMMAND_LINE, where=where) for entry in written]


def _class_in(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((str(value.value) for key, value in node.value if key.value == "class_path"), None)


def _is_empty(node: yaml.Node) -> bool:
    """Whether it is null or a mapping of nothing, as a class without options is saved."""
    if isinstance(node, yaml.MappingNode):
        return not node.value
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _not_yaml(error: yaml.YAMLError, name: str) -> str:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    problem = getattr(error, "problem", None) or getattr(error, "reason", error)
    return f"{where}: this is not YAML: {problem}."


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
    return f"`{token}` is not an option. Options begin with two dashes: --model=SmallModel."
