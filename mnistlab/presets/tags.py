"""Which words the runs of a preset are found by, read without running it."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from mnistlab.errors import LabError
from mnistlab.options.notation import NULLS
from mnistlab.options.written import Written
from mnistlab.presets.finding import Found, PresetEntry, list_presets, parsed, preset_in
from mnistlab.presets.reading import line_of
from mnistlab.text.nearest import suggestion

_KEY = ("run", "tags")


def tags_of(entry: PresetEntry) -> list[str]:
    """The tags of a preset, or of what it builds on: `run: {tags: [mnist, cnn]}`; of a file that is broken none."""
    tags: list[str] = []
    with suppress(LabError, OSError, ValueError):
        for file, own in line_of(Found(entry.path, entry.name if entry.path.suffix == ".py" else None)):
            tags = _in_python(file) if file.path.suffix == ".py" else _in_yaml(own, tags)
    return tags


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
    """The tags of a preset in Python; what it derives from may stand in another file there."""
    nodes: dict[str, ast.stmt] = {}
    for path in [*sorted(found.path.parent.glob("*.py")), found.path]:
        with suppress(SyntaxError):
            nodes |= _by_name(parsed(path.read_text(encoding="utf-8")))
    return _inherited(found.name or "", nodes)


def _by_name(module: ast.Module) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for node in module.body:
        match node:
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                found[name] = node
    return found


def _inherited(name: str, nodes: Mapping[str, ast.stmt]) -> list[str]:
    """The tags that a class or a clone says itself, or else the first one of those that it is made from."""
    node, others = nodes.get(name), {key: node for key, node in nodes.items() if key != name}
    match node:
        case ast.ClassDef(body=body, bases=bases):
            own: Sequence[ast.AST] = [each for each in body if isinstance(each, ast.Assign) and _assigns_run(each)]
            parents = [preset_in(base) for base in bases]
        case ast.Assign(value=value):
            own, parents = [value], [preset_in(value)]
        case _:
            return []
    said = [tags for each in own if (tags := _literal(each)) is not None]
    return said[-1] if said else next((tags for each in parents if (tags := _inherited(each, others))), [])


def _assigns_run(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == _KEY[0] for target in node.targets)


def _literal(node: ast.AST) -> list[str] | None:
    """The tags in `config(Run, tags=["a"])`, `{"tags": "a,b"}` or `clone({"run.tags": ["a"]})`; None where none are."""
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
