"""A Python file of presets is run as the module that it would be imported as, and takes no other module's place."""

import importlib.util
import sys
import traceback
import warnings
from collections.abc import Sequence
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from mnistlab.errors import LabError, tell
from mnistlab.options.classes import look_here_too
from mnistlab.presets.places import caller

_running: list[tuple[Path, int]] = []
"""The files that are being run."""


def run(path: Path, quiet: type[Warning]) -> ModuleType:
    """The module of a Python file, run once in a process unless it has changed.

    Args:
        path: The file.
        quiet: Warnings that are left out; all others of a user's kind are told.

    Raises:
        LabError: If it fails; with the line.
    """
    look_here_too()  # it may import modules that lie here
    name = _module_name(path)
    stamp = (path.resolve(), path.stat().st_mtime_ns)
    module = sys.modules.get(name)
    if module is not None and getattr(module, "__mnistlab_stamp__", None) == stamp:
        return module
    if stamp in _running:
        raise LabError(f"{caller()}: {path} is being read. Use the class itself, which stands in the same file.")
    specification = importlib.util.spec_from_file_location(name, path.resolve())
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        _running.append(stamp)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", UserWarning)
            warnings.simplefilter("ignore", quiet)
            specification.loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        sys.modules.update({name: before} if before else {})
        if isinstance(error, LabError) or not isinstance(error, Exception | SystemExit):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".:")
        raise LabError(f"{_line_in(path, error)}: running it failed: {what}.") from error
    finally:
        _running.remove(stamp)
    for warning in told:
        tell(f"note: {warning.message}")
    vars(module)["__mnistlab_stamp__"] = stamp
    return module


def _module_name(path: Path) -> str:
    """The name by which a file that lies here is imported, so that its classes are found again; else one of its own."""
    resolved = path.resolve()
    if resolved.is_relative_to(Path.cwd()):
        parts = resolved.relative_to(Path.cwd()).with_suffix("").parts
        if all(part.isidentifier() for part in parts) and _file_of(parts) == resolved:
            return ".".join(parts)
    return f"preset_{sha256(bytes(resolved)).hexdigest()[:8]}"


def _file_of(parts: Sequence[str]) -> Path | None:
    """The file that an import of a module would read; nothing is imported."""
    folders: Sequence[str] | None = None
    specification: ModuleSpec | None = None
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        found = (finder.find_spec(name, folders) for finder in sys.meta_path)
        specification = next((each for each in found if each is not None), None)
        if specification is None:
            return None
        folders = specification.submodule_search_locations
    origin = specification.origin if specification else None
    return Path(origin).resolve() if origin else None


def _line_in(path: Path, error: BaseException) -> str:
    """The last line that ran in the file, or in one beside it that it imports."""
    real = path.resolve()
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    near = [(file, line) for file, line in frames if file.parent == real.parent]
    if not near:
        return str(path)
    file, line = near[-1]
    return f"{path if file == real else path.parent / file.name}:{line}"
