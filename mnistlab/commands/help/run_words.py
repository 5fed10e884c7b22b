"""What `mnistlab runs` takes, as words to complete with. Of records only the names are read: somebody is typing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from mnistlab.options.notation import at_home
from mnistlab.runs.listing import called, given_names, run_folders, short_ids
from mnistlab.runs.newest import LAST, MEANT
from mnistlab.runs.run import COMMANDS, STATUSES
from mnistlab.runs.selection import ORDERS
from mnistlab.system.environment import run_dir

_FILTERS = ("--model=", "--data=", "--command=", "--status=", "--tag=", "--preset=", "--sweep=")
_COMMANDS = {"show": "one run in full", "diff": "in what two runs differ", "rm": "remove runs"}
_OPTIONS: Mapping[str, Sequence[str]] = {
    "": (*_FILTERS, "--sort=", "--reverse", "--limit=", "--csv", "--json", "--run.dir="),
    "show": ("--json", "--run.dir="),
    "diff": ("--all", "--json", "--run.dir="),
    "rm": (*_FILTERS, "--yes", "--run.dir="),
}


def run_words(before: Sequence[str]) -> dict[str, str]:
    """What may come next, each with what it is: a command, a run, an option.

    Args:
        before: What stands between `runs` and the cursor.
    """
    what = before[0] if before and before[0] in _COMMANDS else ""
    options = dict.fromkeys((option for option in _OPTIONS[what] if not _is_said(option, before)), "")
    named = [word for word in before[1:] if not word.startswith("-")]
    if not what:
        return {**({} if before else _COMMANDS), **options}
    enough = {"show": 1, "diff": 2}.get(what, len(named) + 1)
    return {**(_ids(before, named) if len(named) < enough else {}), **options}


def run_values(option: str) -> Sequence[str]:
    """The values of an option, such as `--status`, where they can be listed."""
    orders = (*ORDERS, *(f"-{name}" for name in ORDERS))
    return {"--status": STATUSES, "--command": COMMANDS, "--sort": orders, "--limit": ("all",)}.get(option, ())


def _is_said(option: str, before: Sequence[str]) -> bool:
    return any(word.partition("=")[0] == option.rstrip("=") for word in before)


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


def _ids(before: Sequence[str], named: Sequence[str]) -> dict[str, str]:
    found = run_names(root_in(before))
    words = {LAST: "the newest training run with weights", **found} if found else {}
    return {word: text for word, text in words.items() if word not in named}
