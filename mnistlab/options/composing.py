"""YAML as it is read and written here: without code, in the one notation of values, merged, and never without end."""

from collections.abc import Iterator

import yaml

from mnistlab.errors import LabError
from mnistlab.options.notation import NOTATION, Plain
from mnistlab.text.addresses import kept_out

_PLAIN = "!plain"
_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
_MOST_VALUES, _DEEPEST = 100_000, 50

Pair = tuple[yaml.Node, yaml.Node]


class _Loader(yaml.SafeLoader):
    """YAML in which only what stands there without quotes may be something else than text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as its base declares it


_Loader.add_implicit_resolver(_MERGE, yaml.SafeLoader.yaml_implicit_resolvers["<"][0][1], ["<"])
_Loader.add_implicit_resolver(_PLAIN, NOTATION, None)


class _Dumper(yaml.SafeDumper):
    """YAML in which every text reads back as text, here and in other programs."""


_Dumper.add_implicit_resolver(_PLAIN, NOTATION, None)
_Dumper.add_representer(Plain, lambda dumper, text: dumper.represent_scalar(_PLAIN, text))


def dump(data: object, *, flow: bool = False) -> str:
    """Plain data as YAML that reads back to the same data.

    Args:
        data: What is written.
        flow: In one line, as on the command line.
    """
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, width=10**9 if flow else None)
    return text


def compose(text: str, name: str) -> yaml.Node | None:
    """The nodes of a YAML text, with all merge keys in effect; None where there are none.

    Args:
        text: The text.
        name: What stands for it in messages.

    Raises:
        LabError: If it is no YAML, or describes far more than any run, as a few lines of aliases can.
    """
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
        if root is not None:
            _check_extent(root, name)
            _merge(root, name, set())
            _check_extent(root, name)
            _keep_passwords_out(root)
    except yaml.YAMLError as error:
        raise LabError(_not_yaml(error, name)) from error
    except RecursionError as error:
        raise LabError(f"{name} is nested too deeply, or in itself.") from error
    return root


def data_in(node: yaml.Node, name: str) -> object:
    """The value of a node, in which text without quotes is `Plain` where it may be something else.

    Raises:
        LabError: If it has a tag that is not known here, or a key twice.
    """
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        _check_twice(node.value, name)
        return {data_in(key, name): data_in(value, name) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [data_in(part, name) for part in node.value]
    if node.tag == _PLAIN:
        return Plain(node.value) if node.value else None
    if node.tag in (_TEXT, _MERGE):
        return str(node.value)
    return _constructed(node, name)


def _check_twice(pairs: list[Pair], name: str) -> None:
    """Refuse a mapping that has no words as keys, or one of them twice.

    Raises:
        LabError: At the second one.
    """
    seen: dict[str, yaml.Node] = {}
    for key, _ in pairs:
        if not isinstance(key, yaml.ScalarNode):
            raise LabError(f"{place(key, name)}: a name is wanted here.")
        if key.value in seen:
            raise LabError(
                f"{place(key, name)}: {key.value} stands here for the second time; "
                f"the first is at {place(seen[key.value], name)}."
            )
        seen[key.value] = key


def place(node: yaml.Node, name: str) -> str:
    """Where a node stands: file, line and column."""
    return f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _constructed(node: yaml.Node, name: str) -> object:
    """What a tag that somebody has written makes of a node."""
    loader = _Loader("")
    try:
        value = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise LabError(_not_yaml(error, name)) from error
    except ValueError as error:  # such as `!!int x`
        raise LabError(f"{place(node, name)}: this is no value: {error}.") from error
    finally:
        loader.dispose()
    if value is not None and not isinstance(value, bool | int | float | str):
        raise LabError(f"{place(node, name)}: this is no value: a {type(value).__name__}.")
    return value


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        yield from (part for pair in node.value for part in pair)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _check_extent(root: yaml.Node, name: str) -> None:
    """Refuse what has no end, or grows without bounds when its aliases are written out."""
    rest, count = [(root, 0)], 0
    while rest:
        node, depth = rest.pop()
        count += 1
        if count > _MOST_VALUES or depth > _DEEPEST:
            raise LabError(f"{name} describes more than a run: it is nested too deeply, in itself, or without end.")
        rest.extend((part, depth + 1) for part in _parts(node))


def _keep_passwords_out(node: yaml.Node) -> None:
    if isinstance(node, yaml.ScalarNode):
        node.value = kept_out(node.value)
    for part in _parts(node):
        _keep_passwords_out(part)


def _merge(node: yaml.Node, name: str, done: set[int]) -> None:
    """Put what `<<` names into its mapping, below each mapping of the node; what the mapping says itself counts."""
    if id(node) in done:
        return
    done.add(id(node))
    for part in _parts(node):
        _merge(part, name, done)
    if not isinstance(node, yaml.MappingNode) or all(key.tag != _MERGE for key, _ in node.value):
        return
    own = [(key, value) for key, value in node.value if key.tag != _MERGE]
    said = {str(key.value) for key, _ in own}
    merged: list[Pair] = []
    for key, value in node.value:
        for source in _sources(value, name) if key.tag == _MERGE else ():
            new = [(inner, part) for inner, part in source.value if str(inner.value) not in said]
            said.update(str(inner.value) for inner, _ in new)
            merged += new
    node.value = [*merged, *own]


def _sources(value: yaml.Node, name: str) -> list[yaml.MappingNode]:
    """The mappings that `<<` names, the strongest first."""
    parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
    for part in parts:
        if not isinstance(part, yaml.MappingNode):
            raise LabError(f"{place(part, name)}: << takes a mapping, such as *name of one marked &name, or several.")
    return list(parts)


def _not_yaml(error: yaml.YAMLError, name: str) -> str:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    problem = getattr(error, "problem", None) or getattr(error, "reason", error)
    return f"{where}: this is not YAML: {problem}."
