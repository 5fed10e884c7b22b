"""What YAML says: configuration files, the data that a checkpoint holds, and `[a, b]` on the command line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from mnistlab.errors import LabError
from mnistlab.options.composing import compose, data_in, dump, place
from mnistlab.options.notation import NULLS
from mnistlab.options.written import COMPLETE, Key, Source, Written, key_of


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
    root = compose(text, name)
    if root is None:
        raise LabError(f"{name} is empty. A configuration file holds options, such as `model: SmallModel`.")
    if not isinstance(root, yaml.MappingNode):
        raise LabError(f"{name}: a configuration file is a mapping of options, such as `model: SmallModel`.")
    return from_node(root, name)


def from_node(node: yaml.Node, name: str) -> list[Written]:
    """Read a part of a YAML file that is a mapping; `name` stands for the file in messages.

    Raises:
        LabError: If an option stands there twice; with line and column.
    """
    assert isinstance(node, yaml.MappingNode)
    return list(_Reader(name).mapping(node, ()))


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


def parsed(entry: Written, text: str, name: str) -> list[Written]:
    """What YAML text says that stands for an entry; the entry itself where it is one value.

    Args:
        entry: The entry.
        text: The YAML.
        name: What stands for it in messages.

    Raises:
        LabError: If it is no YAML.
    """
    node = compose(text, name)
    if node is None or isinstance(node, yaml.ScalarNode):
        return [entry]
    parts = _Reader(name).value(node, entry.key, entry.where, append=entry.append)
    return [replace(part, whole=entry.whole or entry) for part in parts]


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


def _class_in(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((str(value.value) for key, value in node.value if key.value == "class_path"), None)


def _is_empty(node: yaml.Node) -> bool:
    """Whether it is null or a mapping of nothing, as a class without options is saved."""
    if isinstance(node, yaml.MappingNode):
        return not node.value
    return isinstance(node, yaml.ScalarNode) and node.value in ("", *NULLS)
