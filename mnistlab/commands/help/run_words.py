"""The runs that are kept, as words to complete with. Only their names are read: somebody is typing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mnistlab.options.notation import at_home
from mnistlab.runs.listing import called, given_names, run_folders, short_ids
from mnistlab.runs.newest import LAST, MEANT
from mnistlab.system.environment import run_dir


def run_names(root: Path) -> dict[str, str]:
    """The runs below `root`, the newest first, by the shortest ids and the names that each means one of them alone."""
    folders = sorted(run_folders(root), key=lambda folder: folder.name, reverse=True)
    given = given_names(root)
    ids, often = short_ids(folders, {*given.values()}), Counter(given.values())
    found: dict[str, str] = {}
    for folder in folders:
        name = given.get(folder, LAST)
        names = [ids[folder], *([name] if often[name] == 1 and name not in MEANT else [])]
        found |= dict.fromkeys(names, called(folder))
    return found


def root_in(before: Sequence[str]) -> Path:
    """The folder of all runs, as it is said in these words."""
    roots = [word.partition("=")[2] for word in before if word.startswith("--run.dir=")]
    return Path(at_home(roots[-1] if roots else run_dir()))
