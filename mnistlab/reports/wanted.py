"""Which page is asked for, and where it is to be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.options.arguments import Arguments
from mnistlab.options.trust import packages_of
from mnistlab.runs.listing import find_run, kind_of, sweep_called
from mnistlab.runs.newest import LAST
from mnistlab.runs.run import Run
from mnistlab.system.files import is_folder, stands

NAME = "report.html"
"""What a page is called where nobody names it."""

PDF, *_ = FORMATS = ("pdf", "svg", "png")
"""What figures can be written as."""


@dataclass(frozen=True)
class Wanted:
    """A page that is asked for."""

    sweep: Path | None  # the folder of the sweep that it is about; None where it is about runs
    runs: Sequence[Run]  # those runs
    path: Path  # the file
    live: bool  # whether a small page of the net stands in it
    figures: Path | None  # the folder for its figures as files; None where none are wanted
    formats: Sequence[str]  # what they are written as
    allowed: frozenset[str]  # the packages that a configuration may name besides those that are trusted anyway


def wanted(asked: Arguments) -> Wanted:
    """Find what a page is about.

    Raises:
        LabError: If there is no such run, or the file would be a folder.
    """
    allowed = packages_of(name for name in asked.values.get("trust", "").split(",") if name)
    sweep = _sweep(asked.names, asked.root)
    folders = [] if sweep else _once([find_run(name, asked.root) for name in asked.names or (LAST,)])
    runs = [Run.salvage(each) for each in folders]
    place = sweep / NAME if sweep else runs[0].folder / NAME if len(runs) == 1 else Path(NAME)
    path = Path(asked.values["output"]) if "output" in asked.values else place
    if is_folder(path):
        raise LabError(f"--output={path}: it is a folder. Name the file: --output={path / NAME}")
    return Wanted(sweep, runs, path, "live" in asked.switches, *_figures(asked), allowed)


def _figures(asked: Arguments) -> tuple[Path | None, Sequence[str]]:
    """The folder of the figures, and what they are written as."""
    formats = asked.values.get("format", PDF).split(",")
    if "figures" not in asked.values:
        if "format" in asked.values:
            raise LabError("--format is for the figures. Name a folder for them: --figures=figures")
        return None, formats
    folder = Path(asked.values["figures"])
    if stands(folder) and not is_folder(folder):
        raise LabError(f"--figures={folder}: it is no folder. Name one, which is made where there is none.")
    return folder, [*dict.fromkeys(formats)]


def _sweep(names: Sequence[str], root: Path) -> Path | None:
    """The folder of the sweep that is asked for, None where runs are."""
    found = [place for name in names if (place := sweep_called(name, root))]
    if found and len(names) > 1:
        raise LabError(f"{found[0]} is a {kind_of(found[0])}, which has a page of its own: mnistlab report {found[0]}")
    return found[0] if found else None


def _once(folders: Sequence[Path]) -> list[Path]:
    """Each run once, with a word where one was named more often."""
    found = {folder.resolve(): folder for folder in reversed(folders)}
    if len(found) < len(folders):
        tell(f"note: a run that is named several times counts once; {len(found)} of {len(folders)} are left.")
    return [found[place] for place in dict.fromkeys(folder.resolve() for folder in folders)]
