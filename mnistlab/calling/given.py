"""Objects in place of names: what each of them becomes in words, so that its run is described like any other."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from mnistlab.options.kit import run_dir
from mnistlab.options.notation import at_home
from mnistlab.runs.run import Run
from mnistlab.text.values import short_path

GIVEN = "given"
"""The folder among the runs in which objects are kept."""

_trusted: dict[str, None] = {}  # the classes that this session has given, in their order


def trusted_here() -> list[str]:
    """The words that let this session use again the classes that it has given."""
    return [f"--trust={','.join(_trusted)}"] if _trusted else []


def in_words(asked: Mapping[str, object]) -> dict[str, object]:
    """What was said, with words in place of each object.

    Args:
        asked: Values by full or short names.

    Raises:
        LabError: If an object cannot be written down.
    """
    root = Path(at_home(str(asked.get("run.dir") or asked.get("dir") or run_dir()))) / GIVEN
    return {name: _in_words(name, value, root) for name, value in asked.items()}


def _in_words(name: str, value: object, root: Path) -> object:
    if isinstance(value, Run):
        return short_path(value.folder)
    if _is_plain(name, value):
        return value
    if isinstance(value, list | tuple) and name in ("models", "presets", "config", "ckpt_path"):
        return [_in_words(name.removesuffix("s"), each, root) for each in value]
    from mnistlab.calling.objects import said_of  # noqa: PLC0415 - brings torch in

    said, strange = said_of(name, value, root)
    _trusted.update(dict.fromkeys(strange))
    return said


def _is_plain(name: str, value: object) -> bool:
    """Whether a value is written as it is; lists of data are images, of which each number would be asked."""
    if isinstance(value, Mapping):
        if name == "data" and "class_path" not in value:
            return False
        return all(isinstance(part, str) and _is_plain(part, value[part]) for part in value)
    if isinstance(value, list | tuple):
        return name != "data" and all(_is_plain(name, part) for part in value)
    return value is None or isinstance(value, str | PathLike) or type(value) in (bool, int, float)
