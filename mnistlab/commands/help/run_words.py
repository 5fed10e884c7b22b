"""The runs that are kept, as words to complete with. Only their names are read: somebody is typing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mnistlab.options.notation import at_home
from mnistlab.runs.listing import called, given_names, run_folders, short_ids
from mnistlab.runs.newest import LAST, MEANT
from mnistlab.system.environment import run_dir


def run_words(before: Sequence[str]) -> dict[str, str]:
    """What may name a run, each with what it is: `last`, and the newest first the shortest ids and the names given.

    Args:
        before: The words on the command line, which may say where runs are.
    """
    roots = [word.partition("=")[2] for word in before if word.startswith("--run.dir=")]
    root = Path(at_home(roots[-1] if roots else run_dir()))
    folders = sorted(run_folders(root), key=lambda folder: folder.name, reverse=True)
    given = given_names(root)
    ids, often = short_ids(folders, {*given.values()}), Counter(given.values())
    found = {LAST: "the newest training run with weights"} if folders else {}
    for folder in folders:
        name = given.get(folder, LAST)
        names = [ids[folder], *([name] if often[name] == 1 and name not in MEANT else [])]  # of one run alone
        found |= dict.fromkeys(names, called(folder))
    return found
