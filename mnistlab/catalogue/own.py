"""Classes of the user's own: each is imported once, and what it takes is kept until one of its files changes.

A class is what its file makes of it, and the files that this imports from beside it. So a kept entry counts only while
all of them have the same contents and are found at the same places, and nothing has been installed or removed.
"""

import hashlib
import json
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from mnistlab.catalogue.store import PACKAGE, cache_folder, current_identity
from mnistlab.options.entries import Catalogue, KindEntry, Named, Unlisted, as_json, kinds_from_dict
from mnistlab.system.files import clear_left_over, write_text

T = TypeVar("T")

_LIBRARIES = frozenset(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib"))
_MOST_KEPT = 20

_BEGUN, _BEFORE = time.time(), frozenset(sys.modules)
"""When nothing of the user's had been imported by us, and what somebody else had; its file may be another by now."""


def with_own(catalogue: Catalogue, work: Callable[[Catalogue], T], *, importing: bool) -> T | None:
    """Do something with a catalogue that has all classes of the user's own which it comes upon.

    Args:
        catalogue: What is there without them.
        work: What is done.
        importing: Whether classes of which nothing is kept are imported, and kept.

    Returns:
        What it gives; None where one must be imported first and may not.

    Raises:
        LabError: If a class cannot be imported, or what `work` raises.
    """
    known = catalogue
    while True:
        try:
            return work(known)
        except Unlisted as unlisted:
            more = imported_kinds(known, unlisted.named) if importing else kept_kinds(unlisted.named)
            if more is None:
                return None
            known = with_kinds(known, more)


def with_kinds(catalogue: Catalogue, more: Mapping[str, KindEntry]) -> Catalogue:
    """A catalogue with more classes of some kinds."""
    kinds = {**more, **catalogue.kinds}
    for key, kind in more.items():
        kinds[key] = replace(kinds[key], classes=dict(sorted({**kind.classes, **kinds[key].classes}.items())))
    return replace(catalogue, kinds=kinds)


def kept_kinds(named: Named) -> Mapping[str, KindEntry] | None:
    """What is kept of a class; None where nothing is, or it is not right any more."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        kept: Mapping[str, Any] = json.loads(_place(named).read_text(encoding="utf-8"))
        same = kept["for"] == _what(named) and kept["installed"] == _installed()
        if same and all(_is_there(name, *file) for name, file in kept["files"].items()):
            return kinds_from_dict(kept["kinds"])
    return None


def imported_kinds(catalogue: Catalogue, named: Named) -> Mapping[str, KindEntry]:
    """What a class adds to a catalogue: what is kept of it, or what it says once it is imported, which is kept.

    Raises:
        LabError: If it cannot be imported.
    """
    kept = kept_kinds(named)
    if kept is not None:
        return kept
    from mnistlab.catalogue.compile import own_kinds  # noqa: PLC0415 - brings torch in

    kinds = own_kinds(catalogue, named)
    modules = _modules()
    with suppress(OSError, ValueError):  # a cache that cannot be written costs time and nothing else
        session = named.path.startswith("__main__.")  # of which there is no file that could change
        if (
            not session
            and not _BEFORE.intersection(modules)
            and all(path.stat().st_mtime < _BEGUN for path in modules.values())
        ):
            _keep(named, modules, kinds)
    return kinds


def _keep(named: Named, modules: Mapping[str, Path], kinds: Mapping[str, KindEntry]) -> None:
    path = _place(named)
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_left_over(path.parent)
    files = {name: [str(file), _hash(file)] for name, file in modules.items()}
    kept = {"for": _what(named), "installed": _installed(), "files": files, "kinds": as_json(kinds)}
    write_text(path, json.dumps(kept, separators=(",", ":")))
    others = sorted(path.parent.glob("own-*.json"), key=lambda each: each.stat().st_mtime)
    for each in others[:-_MOST_KEPT]:
        each.unlink(missing_ok=True)


def _place(named: Named) -> Path:
    digest = hashlib.sha256(json.dumps([str(Path.cwd()), _what(named)]).encode()).hexdigest()
    return cache_folder() / f"own-{digest[:16]}.json"


def _what(named: Named) -> dict[str, str]:
    """What is kept is for that."""
    return {**current_identity(), "python": sys.version, "class": named.path, "kind": named.kind}


def _installed() -> dict[str, int]:
    """What changes when a package is installed or removed."""
    folders = [*_LIBRARIES, *(Path(each) for each in sys.path if each.endswith("-packages"))]
    return {str(folder): folder.stat().st_mtime_ns for folder in folders if folder.is_dir()}


def _modules() -> dict[str, Path]:
    """The files of what is imported, but for our own and those of libraries."""
    specs = {name: getattr(module, "__spec__", None) for name, module in [*sys.modules.items()]}
    files = {name: Path(spec.origin) for name, spec in specs.items() if spec and spec.has_location and spec.origin}
    folders = {PACKAGE, *_LIBRARIES}
    return {
        name: file
        for name, file in files.items()
        if not folders.intersection(file.parents) and not any(each.name.endswith("-packages") for each in file.parents)
    }


def _is_there(name: str, file: str, content: str) -> bool:
    """Whether a module would be imported from that file, and this has the same content."""
    return ("." in name or _origin(name) == file) and _hash(Path(file)) == content


def _origin(name: str) -> str | None:
    """The file that a module would be imported from; the current folder is looked in last."""
    spec = find_spec(name) or PathFinder.find_spec(name, [str(Path.cwd())])
    return spec.origin if spec else None


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
