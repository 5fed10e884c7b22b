"""Which run a name means."""

from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.runs.folder import fit_runs, is_run


def find_run(name: str, root: Path) -> Path:
    """The folder of the run that `name` means: a path, `last`, or an id.

    Raises:
        LabError: If it means none.
    """
    found = [*fit_runs(root)[:1]] if name == "last" else [Path(name), *root.glob("*/*")]
    for folder in found:
        if is_run(folder) and (name in ("last", str(folder)) or folder == Path(name) or folder.name.endswith(name)):
            return folder
    raise LabError(f"{name}: there is no such run in {root} (--run.dir).")
