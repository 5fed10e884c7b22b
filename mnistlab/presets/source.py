"""What the source of a preset shows without being run: by which words its runs are found, and whether it is a sweep."""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from mnistlab.errors import LabError
from mnistlab.options.notation import NULLS
from mnistlab.options.swept import reads_as_domain
from mnistlab.options.written import SWEEP, Written
from mnistlab.presets.finding import Found, PresetEntry, list_presets, parsed, preset_in
from mnistlab.presets.reading import line_of
from mnistlab.text.nearest import suggestion

T = TypeVar("T")

_KEY = ("run", "tags")

_DOMAINS = ("choice", "interval")
"""The functions that stand for several values in a preset in Python."""


def tags_of(entry: PresetEntry) -> list[str]:
    """The tags of a preset, or of what it builds on: `run: {tags: [mnist, cnn]}`; of a file that is broken none."""
    tags: list[str] = []
    with suppress(LabError, OSError, ValueError):
        for file, own in line_of(Found(entry.path, entry.name if entry.path.suffix == ".py" else None)):
            tags = _in_python(file) if file.path.suffix == ".py" else _in_yaml(own, tags)
    return tags


def problem_of(entry: PresetEntry) -> str:
    """Why a preset, or what it builds on, cannot be read; empty where it can. Python is not run."""
    if entry.problem:
        return entry.problem
    try:
        list(line_of(Found(entry.path, entry.name if entry.path.suffix == ".py" else None)))
    except (LabError, OSError, ValueError) as error:
        return str(error)
    return ""


def is_sweep(entry: PresetEntry) -> bool:
    """Whether a preset, or what it builds on, has several values for an option, or says how a sweep goes about."""
    with suppress(LabError, OSError, ValueError):
        for file, own in line_of(Found(entry.path, entry.name if entry.path.suffix == ".py" else None)):
            if file.path.suffix == ".py" and _inherited(file.name or "", _nodes_beside(file), _has_domain):
                return True
            if any(each.key[:1] == (SWEEP,) or reads_as_domain(str(each.value)) for each in own):
                return True
    return False


def presets_tagged(tag: str) -> list[PresetEntry]:
    """The presets with a tag, or with one of several between commas.

    Raises:
        LabError: If no preset has it.
    """
    known = {entry: tags_of(entry) for entry in list_presets()}
    for word in tag.split(","):
        every = list(dict.fromkeys(each for tags in known.values() for each in tags))
        if word not in every:
            hint = suggestion(word, every) or f" There are {', '.join(every)}."
            raise LabError(f"--tag={tag}: no preset has the tag {word}.{hint}")
    return [entry for entry, tags in known.items() if not set(tags).isdisjoint(tag.split(","))]


def _in_yaml(written: Iterable[Written], before: list[str]) -> list[str]:
    for entry in written:
        if entry.key == _KEY:
            before = [*(before if entry.append else []), *_words(entry.value)]
    return before


def _in_python(found: Found) -> list[str]:
    return _inherited(found.name or "", _nodes_beside(found), _tags_in) or []


def _nodes_beside(found: Found) -> dict[str, ast.stmt]:
    """The presets of a file in Python by their names; what one derives from may stand in another file there."""
    nodes: dict[str, ast.stmt] = {}
    for path in [*sorted(found.path.parent.glob("*.py")), found.path]:
        with suppress(SyntaxError):
            nodes |= _by_name(parsed(path.read_text(encoding="utf-8")))
    return nodes


def _by_name(module: ast.Module) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for node in module.body:
        match node:
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                found[name] = node
    return found


def _inherited(name: str, nodes: Mapping[str, ast.stmt], read: Callable[[ast.AST], T | None]) -> T | None:
    """What a class or a clone says itself, or else the first one of those that it is made from."""
    node, others = nodes.get(name), {key: node for key, node in nodes.items() if key != name}
    match node:
        case ast.ClassDef(body=body, bases=bases):
            own: Sequence[ast.AST] = [each for each in body if isinstance(each, ast.Assign)]
            parents = [preset_in(base) for base in bases]
        case ast.Assign(value=value):
            own, parents = [value], [preset_in(value)]
        case _:
            return None
    said = [found for each in own if (found := read(each)) is not None]
    return said[-1] if said else next((found for each in parents if (found := _inherited(each, others, read))), None)


def _assigns(node: ast.AST, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _has_domain(node: ast.AST) -> bool | None:
    """Whether there is a `choice(...)`, an `interval(...)`, or `sweep = ...`; None where there is not."""
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    named = any(isinstance(each, ast.Name) and each.id in _DOMAINS for each in calls)
    return True if named or _assigns(node, SWEEP) else None


def _tags_in(node: ast.AST) -> list[str] | None:
    """The tags in `config(Run, tags=["a"])`, `{"tags": "a,b"}` or `clone({"run.tags": ["a"]})`; None where none are."""
    if isinstance(node, ast.Assign) and not _assigns(node, _KEY[0]):
        return None
    for each in ast.walk(node):
        pairs: list[tuple[object, ast.expr]] = []
        if isinstance(each, ast.keyword):
            pairs = [(each.arg, each.value)]
        elif isinstance(each, ast.Dict):
            pairs = [(getattr(key, "value", None), value) for key, value in zip(each.keys, each.values, strict=True)]
        for name, value in pairs:
            if name in (_KEY[1], ".".join(_KEY)):
                return _words(ast.literal_eval(value))
    return None


def _words(value: object) -> list[str]:
    """Tags as they are written: a list, or words between commas."""
    if value in NULLS:
        return []
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value).split(",")
