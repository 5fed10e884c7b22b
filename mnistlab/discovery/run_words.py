"""What `mnistlab runs` takes, as words to complete with. No record is read: it is done within a key stroke."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mnistlab.environment import run_dir
from mnistlab.options.notation import at_home
from mnistlab.runs.listing import run_folders, short_ids
from mnistlab.runs.newest import LAST

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
    from mnistlab.runs.summary import COMMANDS, ORDERS, STATUSES  # noqa: PLC0415 - brings psutil in

    orders = (*ORDERS, *(f"-{name}" for name in ORDERS))
    return {"--status": STATUSES, "--command": COMMANDS, "--sort": orders, "--limit": ("all",)}.get(option, ())


def _is_said(option: str, before: Sequence[str]) -> bool:
    return any(word.partition("=")[0] == option.rstrip("=") for word in before)


def _ids(before: Sequence[str], named: Sequence[str]) -> dict[str, str]:
    """The runs, the newest first, by the shortest names that are understood."""
    roots = [word.partition("=")[2] for word in before if word.startswith("--run.dir=")]
    folders = sorted(
        run_folders(Path(at_home(roots[-1] if roots else run_dir()))), key=lambda folder: folder.name, reverse=True
    )
    found = {name: f"{folder.parent.name}/{folder.name}" for folder, name in short_ids(folders).items()}
    words = {LAST: "the newest training run with weights", **found} if folders else {}
    return {word: text for word, text in words.items() if word not in named}
