"""Where in the user's own code something was written."""

import inspect
import os
import types
import warnings
from pathlib import Path


def caller() -> str:
    """Where the code outside mnistlab stands that is running: file, line, and the class whose body it is."""
    frame = _outside()
    return "config" if frame is None else _place(frame)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside mnistlab that is running."""
    frame = _outside()
    assert frame is not None
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno)


def _outside() -> types.FrameType | None:
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("mnistlab."):
        frame = frame.f_back
    return frame


def _place(frame: types.FrameType) -> str:
    """A line of Python as a person finds it: file:line, and the class around it."""
    path = Path(frame.f_code.co_filename)
    shown = os.path.relpath(path) if path.is_file() and path.resolve().is_relative_to(Path.cwd()) else str(path)
    in_class = "__qualname__" in frame.f_locals  # the body of one
    return f"{shown}:{frame.f_lineno}" + (f" ({frame.f_code.co_qualname})" if in_class else "")
