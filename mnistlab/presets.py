"""Configuration files by name."""

from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.nearest import suggestion

_HERE = Path(__file__).parent
_SHIPPED = (_HERE / "presets_shipped", _HERE.parent / "presets")  # in a wheel, in a checkout


def find_preset(name: str) -> Path:
    """The file that `--config=name` means: a path, or the name of a preset of this folder or of mnistlab.

    Raises:
        LabError: If there is none.
    """
    path = Path(name)
    if path.suffix or len(path.parts) > 1 or path.exists():
        return path
    known = presets()
    if name not in known:
        hint = suggestion(name, known)
        raise LabError(f"--config={name}: there is neither such a file nor such a preset.{hint} {_listed(known)}")
    return known[name]


def presets() -> dict[str, Path]:
    """All presets by name; one in the folder `presets` of the current folder hides a shipped one of that name."""
    folders = [*[folder for folder in _SHIPPED if folder.is_dir()][:1], Path("presets")]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def _listed(known: dict[str, Path]) -> str:
    return f"There are {', '.join(known)}." if known else "There are no presets."
