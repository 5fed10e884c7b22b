"""Where a catalogue is kept, and when it is still right. Nothing here imports more than the standard library.

A catalogue is right for one state of our source and one version of each package that the options come from. A wheel
carries one for the versions that it was made with. For others, and in a checkout, one is made when it is first asked
for, and kept in the user's cache folder.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from mnistlab.catalogue.entries import FORMAT, Catalogue
from mnistlab.errors import LabError

PACKAGE = Path(__file__).parent.parent
SHIPPED = Path(__file__).with_name("shipped.json")
"""The catalogue that a wheel carries. `nox -s catalogue` makes it; the source that it is for is noted in the wheel."""

_PACKAGES = ("torch", "lightning", "jsonargparse", "docstring_parser")

Identity = dict[str, str]
"""What a catalogue is for: the state of our source, and the version of each package behind the options."""


def load_catalogue() -> Catalogue:
    """The catalogue of what is installed: the shipped one, a kept one, or a new one.

    Raises:
        LabError: If none can be made, since torch or Lightning cannot be imported.
    """
    identity = current_identity()
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    kept = cache_folder() / f"catalogue-{name}.json"
    for path in (SHIPPED, kept):
        found = _read(path, identity)
        if found is not None:
            return found
    catalogue = new_catalogue()
    with suppress(OSError):  # a cache that cannot be written costs time and nothing else
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_catalogue(kept, identity, catalogue)
    return catalogue


def current_identity() -> Identity:
    """What a catalogue must be for to be right now."""
    return {"format": str(FORMAT), "source": source_hash(PACKAGE), **{name: _version(name) for name in _PACKAGES}}


def source_hash(package: Path) -> str:
    """SHA-256 of the names and the contents of all modules of a package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def cache_folder() -> Path:
    """The lab's folder in the user's cache."""
    import platformdirs  # noqa: PLC0415 - most calls find what the package carries

    return Path(platformdirs.user_cache_dir("mnistlab"))


def new_catalogue() -> Catalogue:
    """Make a catalogue in a process of its own, so that it does not depend on what this one has imported.

    Raises:
        LabError: If that fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "mnistlab.catalogue"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])},
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LabError(f"the classes cannot be listed: {reason}. `mnistlab doctor` says what is wrong.")
    return Catalogue.from_dict(json.loads(done.stdout))


def write_catalogue(path: Path, identity: Identity, catalogue: Catalogue) -> None:
    """Write a catalogue whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    head = json.dumps({"identity": identity})[:-1]
    body = json.dumps(catalogue.as_dict(), separators=(",", ":"))
    temporary.write_text(f'{head},\n"catalogue":{body}}}\n', encoding="utf-8")
    temporary.replace(path)


def _read(path: Path, identity: Identity) -> Catalogue | None:
    """The catalogue in a file; None where there is none, it is damaged, or it is for something else."""
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Catalogue.from_dict(found["catalogue"]) if found["identity"] == identity else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _version(name: str) -> str:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return "none"
