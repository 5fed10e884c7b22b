"""The runs that are kept, as words to complete with. Only their names are read: somebody is typing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.kit import run_dir
from mnistlab.options.notation import at_home
from mnistlab.runs.listing import short_ids, told
from mnistlab.runs.newest import LAST, MEANT
from mnistlab.runs.run import read_runs


def run_words(before: Sequence[str]) -> dict[str, str]:
    """What may name a run, each with what it is: `last`, and the newest first the shortest ids and the names given.

    Args:
        before: The words on the command line, which may say where runs are.
    """
    roots = [word.partition("=")[2] for word in before if word.startswith("--run.dir=")]
    root = Path(at_home(roots[-1] if roots else run_dir()))
    try:
        runs = read_runs(root)
    except LabError:  # told by the command itself
        return {}
    folders, given = sorted(runs.folders, key=lambda folder: folder.name, reverse=True), runs.names
    ids, often = short_ids(folders, {*given.values()}), Counter(given.values())
    found = {LAST: "the newest training run with weights"} if folders else {}
    for folder in folders:
        name = given.get(folder, LAST)
        names = [ids[folder], *([name] if often[name] == 1 and name not in MEANT else [])]  # of one run alone
        found |= dict.fromkeys(names, told(folder, given.get(folder, "")))
    return found
