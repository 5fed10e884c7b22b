"""The presets that come with mnistlab, as places in messages."""

import re
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent

FOLDERS = (_PACKAGE / "presets_shipped", _PACKAGE.parent / "presets")
"""Where they lie: in a wheel, in a checkout."""

_PLACE = re.compile(
    rf"(?:{'|'.join(re.escape(str(folder)) for folder in FOLDERS)})/"
    r"(?:(?P<yaml>\w+)\.yaml:\d+:\d+|\w+\.py:\d+ \((?P<python>\w+)\))"
)


def is_shipped(where: str) -> bool:
    """Whether a value stands in a preset that comes with mnistlab."""
    return _PLACE.match(where) is not None


def is_shipped_file(path: Path) -> bool:
    """Whether a file is one of those presets."""
    return path.parent in FOLDERS


def hides(path: Path) -> str:
    """That a preset hides that of a file, in words that follow `it`."""
    return f"hides {path}{', which comes with mnistlab' if is_shipped_file(path) else ''}"


def with_names(text: str) -> str:
    """A message that names such a preset in place of its file and line: `preset QuickTest`."""
    return _PLACE.sub(lambda found: f"preset {found['yaml'] or found['python']}", text)
