"""What goes wrong while a command runs, in one line: the disk, the memory, other people's code, the user's own hand."""

import errno
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jsonargparse import ArgumentError
from torch import OutOfMemoryError

from mnistlab.errors import OUTPUT, LabError, output_fault
from mnistlab.options.written import Source, Written
from mnistlab.runs.folder import no_folder
from mnistlab.system.files import NO_SPACE, FullDiskError
from mnistlab.system.lightning_inside import refusals

_OWN = Path(__file__).parent.parent
_LIBRARIES = (*{Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")}, _OWN)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_DISK_FULL = "53100"  # of PostgreSQL
_LONGEST = 240
_NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


class RunFailedError(LabError):
    """Something failed that is no fault of the input."""

    exit_code = 1


class Interrupted(LabError):  # noqa: N818 - it is no fault
    """The user, or the system, has ended the command."""

    exit_code = 130


def explained(error: Exception, origins: Mapping[str, Written]) -> LabError:
    """An error of any kind as one that is told in a line; what was noted about a failure ends the line.

    Args:
        error: What happened while a command ran.
        origins: Who wrote what, by dotted key.
    """
    if isinstance(error, OSError) and error.filename == OUTPUT and (fault := output_fault(error)):
        error = RunFailedError(fault)
    told = error if isinstance(error, LabError) else refused(error, origins) if _is_refusal(error) else _told(error)
    if isinstance(told, RunFailedError):
        return RunFailedError(f"{told}{''.join(getattr(error, '__notes__', []))}")
    return told


@contextmanager
def explaining(origins: Mapping[str, Written], *, debug: bool) -> Iterator[None]:
    """Tell whatever goes wrong in a line, at the option that it speaks of.

    Args:
        origins: Who wrote what, by dotted key.
        debug: Whether to let it pass.
    """
    try:
        yield
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    except (LabError, BrokenPipeError):
        raise
    except Exception as error:
        if debug:
            raise
        raise explained(error, origins) from error


@contextmanager
def refusing(origins: Mapping[str, Written]) -> Iterator[None]:
    """Tell what a class refuses that is built from its options as a mistake in them, at the option."""
    try:
        yield
    except _refusals() as error:
        raise refused(error, origins) from error


def _refusals() -> tuple[type[Exception], ...]:
    return (ArgumentError, ValueError, TypeError, ImportError, *refusals())


def refused(error: Exception, origins: Mapping[str, Written]) -> LabError:
    """What a class says that does not take its options, at the option that it speaks of.

    Args:
        error: What the class, or somebody on its behalf, has raised.
        origins: Who wrote what, by dotted key.
    """
    frames = [*_frames_of(error), *_frames_of(error.__cause__)]
    own = [frame for frame in frames if not _is_library(frame.filename)]
    if isinstance(error, TypeError) and own and own[-1] is frames[-1]:
        return _told(error)  # a slip in the user's own code, not a refusal
    texts = (str(error.__cause__ or error), str(error), _classes_behind(error))
    where = next(filter(None, (_spoken_of(text, origins) for text in texts)), None)
    ours = error.__cause__ is None and bool(frames) and Path(frames[-1].filename).is_relative_to(_OWN)
    what = _in_one_line(str(error)) if ours else _shortened(str(error))
    if own:
        what = f"{what.rstrip('.')} (in {own[-1].filename}, line {own[-1].lineno})"
    return LabError(f"{where or 'the configuration is refused'}: {what}")


def _spoken_of(text: str, origins: Mapping[str, Written]) -> str | None:
    """Who wrote the option that a refusal names, or else the only value that it names."""
    words = {word.strip(".").lower() for word in re.findall(r"[\w.+-]+", text)} - {""}
    written = [entry for entry in origins.values() if not entry.complete and entry.source is not Source.CHECKPOINT]
    named = [entry.where for entry in written if entry.key[-1].lower() in words]
    valued = {entry.where for entry in written if {str(entry.value).lower(), _decimal(entry.value)} & words}
    return named[-1] if named else valued.pop() if len(valued) == 1 else None


def _classes_behind(error: BaseException) -> str:
    """The names of the classes whose methods were at work: one of them has refused."""
    methods = [frame.f_code.co_qualname.split(".") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return " ".join(method[0] for method in methods if len(method) > 1)


def _decimal(value: object) -> str:
    """A number as Python prints a float, which is what a class has made of it."""
    try:
        return str(float(str(value)))
    except ValueError:
        return ""


def _told(error: Exception) -> LabError:
    if is_full_disk(error):
        return RunFailedError(str(FullDiskError(getattr(error, "filename", None))))
    if _is_out_of_memory(error):
        return RunFailedError(
            "out of memory. A smaller --data.batch_size=... needs less; --trainer.accumulate_grad_batches=2 makes up "
            "for half of it."
        )
    if isinstance(error, OSError):
        return _of_the_system(error)
    return RunFailedError(f"{type(error).__name__}: {_in_one_line(str(error))} ({_place(error)}; --debug shows more)")


def check_place(folder: Path, where: str) -> None:
    """Refuse a place where nothing can be written, before any work.

    Args:
        folder: Where folders are to be made.
        where: Who chose it.

    Raises:
        LabError: If it is no folder, or nobody but others may write there.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise LabError(f"{where}: {no_folder(there)}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise LabError(f"{where}: there is no permission to write in {there}. Choose another place with --run.dir=...")


def _of_the_system(error: OSError) -> LabError:
    what = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return RunFailedError(f"{what} ({_place(error)}; --debug shows more)")
    if error.errno in _NOT_ALLOWED:
        return LabError(f"{error.filename}: {what[:1].lower()}{what[1:]}. Choose another place with --run.dir=...")
    return RunFailedError(f"{error.filename}: {what[:1].lower()}{what[1:]}.")


def is_full_disk(error: BaseException | None) -> bool:
    """Whether an error, or the one that has led to it, is about room on a disk.

    Torch's writer says nothing of the reason, which is then the only one there is.
    """
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return True
    if getattr(error, "sqlite_errorname", None) in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):
        return True
    if getattr(error, "sqlstate", None) == _DISK_FULL:
        return True
    writer = isinstance(error, RuntimeError) and "PytorchStreamWriter failed" in str(error)
    return writer or is_full_disk(error.__context__)


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def _is_refusal(error: Exception) -> bool:
    """Whether a value was refused by this package, or by the trainer, and not by code that stumbled over it."""
    frames = _frames_of(error)
    if not frames or not all(_is_library(frame.filename) for frame in frames):
        return False  # the user's own code took part
    path = Path(frames[-1].filename)
    checks = path.is_relative_to(_OWN) or any({"lightning", part} < {*path.parts} for part in ("trainer", "loops"))
    return isinstance(error, (*refusals(), ImportError)) or (isinstance(error, ValueError) and checks)


def _frames_of(error: BaseException | None) -> traceback.StackSummary:
    return traceback.extract_tb(error.__traceback__ if error else None)


def _place(error: BaseException) -> str:
    """Where it happened: in the user's own code, where that took part."""
    frames = _frames_of(error)
    if not frames:
        return "nowhere to be seen"
    own = [frame for frame in frames if not _is_library(frame.filename)]
    frame = own[-1] if own else frames[-1]
    path = Path(frame.filename)
    return f"in {path if own else path.name}, line {frame.lineno}"


def _is_library(name: str) -> bool:
    path = Path(name)
    return name.startswith("<") or name == sys.argv[0] or any(path.is_relative_to(folder) for folder in _LIBRARIES)


def _shortened(text: str) -> str:
    """The first sentences, as many as fit into a few lines, at least one."""
    kept, *others = _in_one_line(text).split(". ")
    for sentence in others:
        if len(kept) + len(sentence) > _LONGEST:
            break
        kept = f"{kept}. {sentence}"
    return kept.rstrip(".") + "."


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
