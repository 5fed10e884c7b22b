"""Classes that files of the current folder and installed packages offer, read without running them.

A package offers the modules that it names as entry points of the group `mnistlab`.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

from mnistlab.options.entries import KindEntry

GROUP = "mnistlab"


class _Source(NamedTuple):
    """A module that may have classes to offer."""

    module: str
    path: Path
    shown: str  # where it is from, for people


@dataclass(frozen=True)
class Offered:
    """A class that nobody has imported yet.

    Attributes:
        path: Its dotted path.
        summary: The first paragraph of its docstring.
        source: Where it stands: `my_net.py`, or the name of a package.
        bases: The names of what it derives from.
        abstract: Whether it is only to be derived from.
    """

    path: str
    summary: str
    source: str
    bases: tuple[str, ...]
    abstract: bool = False

    @property
    def name(self) -> str:
        """The short name."""
        return self.path.rpartition(".")[2]


def all_beside() -> list[Offered]:
    """All classes in Python files here, and in modules that packages offer; nothing is run."""
    return [found for source in (*_here(), *_installed()) for found in _classes(source)]


def offered(kind: KindEntry) -> dict[str, list[Offered]]:
    """Those of a kind by name: what derives, by the names in its file, from a class of the kind or from another one."""
    known = {*kind.classes, *(base.rpartition(".")[2] for base in kind.bases)}
    waiting, found = all_beside(), dict[str, list[Offered]]()
    while new := [each for each in waiting if known.intersection(each.bases)]:
        known.update(each.name for each in new)
        waiting = [each for each in waiting if each not in new]
        for each in (each for each in new if not each.abstract):
            found.setdefault(each.name, []).append(each)
    return dict(sorted(found.items()))


def paths_of(name: str) -> list[str]:
    """The paths of classes that a short name may mean."""
    return [each.path for each in all_beside() if each.name == name] if name.isidentifier() else []


def _here() -> Iterator[_Source]:
    for path in sorted(Path().glob("*.py")):
        if path.stem.isidentifier():
            yield _Source(path.stem, path, path.name)


def _installed() -> Iterator[_Source]:
    for folder in dict.fromkeys(sys.path):
        for file in sorted(Path(folder).glob("*.dist-info/entry_points.txt")):
            package = file.parent.name.partition("-")[0]
            for module in _entry_points(file):
                path = _file_of(module)
                if path is not None:
                    yield _Source(module, path, package)


def _entry_points(file: Path) -> Iterator[str]:
    """The modules of our group in such a file; Python's own reader of it takes longer to import than all else here."""
    group = ""
    with suppress(OSError, ValueError):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                group = line.strip("[] ")
            elif group == GROUP and "=" in line:
                yield line.partition("=")[2].partition(":")[0].strip()


def _file_of(module: str) -> Path | None:
    """The file of a module; its packages are not imported for it."""
    first, *rest = module.split(".")
    spec = PathFinder.find_spec(first)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    for part in rest:
        path = path.parent / part / "__init__.py"
        if not path.is_file():
            path = path.parent.with_suffix(".py")
    return path if path.suffix == ".py" and path.is_file() else None


def _classes(source: _Source) -> Iterator[Offered]:
    with suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        for node in ast.parse(source.path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.bases and not node.name.startswith("_"):
                text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
                yield Offered(
                    f"{source.module}.{node.name}", text, source.shown, tuple(_names(node.bases)), _abstract(node)
                )


def _names(bases: Iterable[ast.expr]) -> Iterator[str]:
    """The last part of each name: `Classifier` of `mnistlab.Classifier`."""
    for base in bases:
        inner = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(inner, ast.Name | ast.Attribute):
            yield inner.id if isinstance(inner, ast.Name) else inner.attr


def _abstract(node: ast.ClassDef) -> bool:
    """Whether a class is only to be derived from."""
    return any(
        isinstance(each, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "abstract" for to in each.targets)
        for each in node.body
    )
