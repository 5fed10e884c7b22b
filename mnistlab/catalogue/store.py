"""Where a catalogue is kept, and when it is still right. Nothing here imports more than the standard library.

A catalogue is right for one state of our source and one version of each package that the options come from. A wheel
carries one for the versions that it was made with. For others, and in a checkout, one is made when it is first asked
for, and kept in the user's cache folder.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from mnistlab.errors import LabError, announce, is_out_of_memory
from mnistlab.options.entries import FORMAT, Catalogue
from mnistlab.system.files import clear_left_over, write_text

PACKAGE = Path(__file__).parent.parent
SHIPPED = Path(__file__).with_name("shipped.json")
"""The catalogue that a wheel carries, made by `nox -s catalogue`; one for another source is left out of it."""

_PACKAGES = ("torch", "lightning", "jsonargparse", "docstring_parser")
_NO_SOURCE = ("presets_shipped", "__pycache__")
"""Folders of which no option comes; in the first one the presets of a wheel lie."""

_KEPT_DAYS, _MOST_KEPT = 30, 20
"""How long a catalogue for other versions is kept, and how many; a new one takes seconds."""

_MAKE = "import runpy, sys; sys.path[:] = sys.argv[1:]; runpy.run_module('mnistlab.catalogue', run_name='__main__')"

Identity = dict[str, str]
"""What a catalogue is for: the state of our source, and the version of each package behind the options."""


def load_catalogue() -> Catalogue:
    """The catalogue of what is installed: the shipped one, a kept one, or a new one.

    Raises:
        LabError: If none can be made, since torch or Lightning cannot be imported.
    """
    found = present_catalogue()
    if found is not None:
        return found
    announce("mnistlab: looking up the classes that are installed; once, for some seconds")
    from mnistlab.system.locks import locked  # noqa: PLC0415 - most calls find what the package carries

    kept = _kept(current_identity())
    with ExitStack() as held:
        with suppress(OSError):  # a cache that cannot be written costs time and nothing else
            kept.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(kept.with_suffix(".lock")))
        return present_catalogue() or _make()  # another process may have made it meanwhile


def _make() -> Catalogue:
    """Make a catalogue, and keep it."""
    identity, catalogue = current_identity(), new_catalogue()
    if identity != current_identity():  # edited meanwhile: nobody knows which of the two it is for
        return catalogue
    kept = _kept(identity)
    with suppress(OSError):
        write_catalogue(kept, identity, catalogue)
        _forget_old(kept)
    return catalogue


def present_catalogue() -> Catalogue | None:
    """The same where none must be made for it, which takes seconds."""
    identity = current_identity()
    return _read(SHIPPED, identity) or _read(_kept(identity), identity)


def current_identity() -> Identity:
    """What a catalogue must be for to be right now."""
    return {"format": str(FORMAT), "source": source_hash(PACKAGE), **_versions()}


def source_hash(package: Path) -> str:
    """SHA-256 of the names and the contents of all modules of a package, the same in a checkout and in a wheel."""
    return _hash_of(str(package), tuple(sorted(_modules(str(package)))))


@lru_cache(maxsize=2)
def _hash_of(package: str, modules: tuple[tuple[str, tuple[int, int]], ...]) -> str:
    """The same for modules in a certain state, which are read once."""
    digest = hashlib.sha256()
    for name, _ in modules:
        with open(f"{package}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - see `_modules`
            digest.update(f"{name}\n".encode() + file.read())
    return digest.hexdigest()


def _modules(folder: str, below: str = "") -> Iterator[tuple[str, tuple[int, int]]]:
    """The modules in a folder, `options/walk.py`, each with its state; `pathlib` takes four times as long for all."""
    with os.scandir(folder) as found:
        for each in found:
            if each.name.endswith(".py"):
                yield below + each.name, _state(each)
            elif each.name not in _NO_SOURCE and each.is_dir():
                yield from _modules(each.path, f"{below}{each.name}/")


def cache_folder() -> Path:
    """The lab's folder in the user's cache."""
    import platformdirs  # noqa: PLC0415 - as above

    return Path(platformdirs.user_cache_dir("mnistlab"))


def name_of(identity: Identity) -> str:
    """A short name for what a catalogue is for."""
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


def _kept(identity: Identity) -> Path:
    return cache_folder() / f"catalogue-{name_of(identity)}.json"


def new_catalogue() -> Catalogue:
    """Make a catalogue in a process of its own, so that it does not depend on what this one has imported.

    Raises:
        LabError: If that fails.
    """
    import subprocess  # noqa: PLC0415 - as above

    command = [sys.executable, "-P", "-c", _MAKE, *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1].removesuffix(".")
        if is_out_of_memory(reason):
            raise MemoryError(reason)
        raise LabError(f"the classes cannot be listed: {reason}. `mnistlab doctor` says what is wrong.")
    return Catalogue.from_dict(json.loads(done.stdout.splitlines()[-1]))  # others may have printed before


def write_catalogue(path: Path, identity: Identity, catalogue: Catalogue) -> None:
    """Write a catalogue whole or not at all."""
    clear_left_over(path.parent)
    head = json.dumps({"identity": identity})[:-1]
    body = json.dumps(catalogue.as_dict(), separators=(",", ":"))
    write_text(path, f'{head},\n"catalogue":{body}}}\n')


def _forget_old(kept: Path) -> None:
    """Delete the catalogues for other versions that are many or old."""
    import time  # noqa: PLC0415 - as above

    found = sorted(kept.parent.glob("catalogue-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for number, path in enumerate(found):
        is_old = time.time() - path.stat().st_mtime > _KEPT_DAYS * 24 * 3600
        if path != kept and (is_old or number >= _MOST_KEPT):
            path.unlink(missing_ok=True)


def _read(path: Path, identity: Identity) -> Catalogue | None:
    """The catalogue in a file; None where there is none, it is damaged, or it is for something else."""
    try:
        found, catalogue = _parsed(path, _state(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return catalogue if found == identity else None


@lru_cache(maxsize=2)
def _parsed(path: Path, _: tuple[int, int]) -> tuple[Identity, Catalogue]:
    """What a file says in a certain state; a process reads it once."""
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found["identity"], Catalogue.from_dict(found["catalogue"])


def _state(path: Path | os.DirEntry[str]) -> tuple[int, int]:
    """What changes when a file is written."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _versions() -> dict[str, str]:
    """The release of each package; a build for some hardware (`+cpu`) takes the same options.

    It stands in the name of a folder, `torch-2.14.1+cpu.dist-info`: asking `importlib.metadata` takes a fifth of the
    time of help.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        with suppress(OSError):
            for name, _, rest in (each.partition("-") for each in os.listdir(folder or ".")):  # noqa: PTH208 - as above
                if name in _PACKAGES and rest.endswith(".dist-info"):
                    found.setdefault(name, rest.removesuffix(".dist-info"))
    return {name: (found.get(name) or _version(name)).partition("+")[0] for name in _PACKAGES}


def _version(name: str) -> str:
    """The release of a package that has no such folder, as one that was built where its source lies."""
    from importlib import metadata  # noqa: PLC0415 - as above

    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return "none"
