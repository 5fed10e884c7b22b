"""`mnistlab runs cite`: what a methods section has to say of some runs, as text, as BibTeX or as JSON.

Nothing is said that does not stand in the records and configurations of the runs; what is not there is left out.
"""

from collections.abc import Sequence
from pathlib import Path

from mnistlab.catalogue import load_catalogue
from mnistlab.errors import LabError, say, tell
from mnistlab.options.arguments import Arguments
from mnistlab.reports.screen.bibtex import Entry, as_entry, of_software
from mnistlab.reports.screen.facts import Facts, facts_of, in_common
from mnistlab.reports.screen.groups import Group, alike, tested_later
from mnistlab.reports.screen.sentences import of_all, of_one
from mnistlab.runs.folder import RECORD
from mnistlab.runs.listing import find_run, sweep_called
from mnistlab.runs.run import Run
from mnistlab.system.files import stands
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import paragraph, screen_width
from mnistlab.text.values import counted


def cite(asked: Arguments) -> int:
    """Print what is to be said of the runs that are named; the exit code.

    Raises:
        LabError: If there is no such run, or none of them is a training that has finished.
    """
    if {"json", "bibtex"} <= asked.switches:
        raise LabError("--json and --bibtex exclude each other: --json has both.")
    if not asked.names:
        raise LabError(
            "runs cite takes runs, got none. Name some: mnistlab runs cite last. `mnistlab runs` lists them."
        )
    named = dict.fromkeys(folder for name in asked.names for folder in _folders(name, asked.root))
    groups = alike(_trained([Run.of(folder) for folder in named]))
    if not groups:
        raise LabError("none of these runs is a training that has finished: there is nothing to cite yet.")
    later = tested_later([run for group in groups for run in group.runs], asked.root)
    facts = facts_of(groups, later)
    entries = _entries(groups)
    if "json" in asked.switches:
        runs = [{**each, "text": of_one(each)} for each in facts]
        print(as_json({"runs": runs, "bibtex": [str(entry) for entry in entries]}))
    elif "bibtex" in asked.switches:
        print("\n\n".join(map(str, entries)))
    else:
        cited = f"To cite: {'; '.join(entry.words for entry in entries)}. As BibTeX: --bibtex"
        texts = ["\n".join(paragraph(text, screen_width())) for text in (*_texts(facts), cited)]
        say("\n\n".join(texts).splitlines())
    return 0


def _texts(facts: Sequence[Facts]) -> list[str]:
    """A paragraph for each net; of several one before with what they have in common."""
    common = in_common(facts)
    return [*([of_all(common, len(facts))] if common else []), *(of_one(each, common) for each in facts)]


def _folders(name: str, root: Path) -> list[Path]:
    """The run that a name means, or all runs of a sweep or a comparison."""
    sweep = sweep_called(name, root)
    if sweep:
        return sorted(each for each in sweep.iterdir() if stands(each / RECORD))
    return [find_run(name, root)]


def _trained(runs: Sequence[Run]) -> list[Run]:
    found = [run for run in runs if run.command == "fit" and run.status == "finished"]
    if len(found) < len(runs):
        tell(f"note: {counted(len(runs) - len(found), 'run')} left out: no training, or one that has not finished.")
    return found


def _entries(groups: Sequence[Group]) -> list[Entry]:
    """mnistlab, the data sets, the methods: each once."""
    catalogue = load_catalogue()
    runs = [run for group in groups for run in group.runs]
    found = [of_software(str(version)) for version in _versions(runs)]
    for kind, names in {"data": [run.data for run in runs], "model": [run.architecture for run in runs]}.items():
        for name in dict.fromkeys(names):
            entry = catalogue.kinds[kind].classes.get(name)
            if entry and entry.source:
                found.append(as_entry(entry.source, name))
    return list({entry.key: entry for entry in found}.values())


def _versions(runs: Sequence[Run]) -> list[object]:
    return [*dict.fromkeys(run.part("versions")["mnistlab"] for run in runs if "mnistlab" in run.part("versions"))]
