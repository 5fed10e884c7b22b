"""What runs can be asked for by name: what their records say, what was measured, and each of their options."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mnistlab.errors import LabError
from mnistlab.runs.index import Kept
from mnistlab.runs.metrics import measured
from mnistlab.runs.run import Run
from mnistlab.text.nearest import suggestion

Field = Callable[[Run], object]
"""What a run has of a name; None, or nothing, where it has none of it."""

FIELDS: Mapping[str, Field] = {
    "id": lambda run: run.folder.name,
    "name": lambda run: run.name or None,
    "user": lambda run: run.user or None,
    "note": lambda run: run.note or None,
    "tags": lambda run: run.tags,
    "command": lambda run: run.command,
    "model": lambda run: run.architecture,
    "data": lambda run: run.data,
    "preset": lambda run: run.words("presets"),
    "sweep": lambda run: run.text("sweep") or None,
    "trial": lambda run: run.said("trial"),
    "status": lambda run: run.status,
    "started": lambda run: run.started or None,
    "ended": lambda run: run.text("ended") or None,
    "seed": lambda run: run.said("seed"),
    "epochs": lambda run: run.epochs,
    "val_acc": lambda run: run.val_acc,
    "test_acc": lambda run: run.test_acc,
    "seconds": lambda run: run.seconds,
    "parameters": lambda run: run.parameters,
    "looks": lambda run: run.looks,
}
"""What every run may have; an option of the same name means the same."""

HEADINGS = {"epochs": "ep", "val_acc": "val %", "test_acc": "test %", "seconds": "s"}
"""What stands above a column of `runs` where that is not the name; it may be asked for by either."""

_ALSO = {
    **{heading: name for name, heading in HEADINGS.items()},
    "tag": "tags",
    "presets": "preset",
    "class": "model",
    "seed_everything": "seed",
    "started UTC": "started",
}
_SPLITS = ("train/", "val/", "test/")


class Fields:
    """The names that mean something in some runs.

    Args:
        runs: The runs.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self.options = tuple(dict.fromkeys(_options(runs)))

    def whole(self, name: str) -> str:
        """The whole name that a name stands for: an option may be named by its end where no other one ends so.

        Raises:
            LabError: If it means nothing, or several options.
        """
        name = _ALSO.get(name, name)
        if name in FIELDS or name in self.options or (name.startswith(_SPLITS) and self._measured(name)):
            return name
        ends = [option for option in self.options if option.endswith(f".{name}")]
        if len(ends) > 1:
            raise LabError(f"{name} means {len(ends)} options: {', '.join(ends)}.")
        if not ends:
            known = [*FIELDS, *self.options, *(option.rpartition(".")[2] for option in self.options)]
            there_are = f" There are {', '.join(FIELDS)}, and every option."
            raise LabError(f"no run has {name}.{suggestion(name, known) or there_are}")
        return ends[0]

    def field(self, name: str) -> Field:
        """What a run has of a name.

        Raises:
            LabError: If it means nothing, or several options.
        """
        return field_of(self.whole(name))

    def _measured(self, name: str) -> bool:
        return any(measured(run.record, name) is not None for run in self._runs)


def field_of(whole: str) -> Field:
    """What a run has of a whole name."""
    if whole in FIELDS:
        return FIELDS[whole]
    if whole.startswith(_SPLITS):
        return lambda run: measured(run.record, whole)
    return lambda run: run.options.get(whole)


def differing(runs: Sequence[Run]) -> list[str]:
    """The options that somebody chose for one of some runs and in which they differ, in the order of configurations.

    Of trainings, where there are any: what else is done with a run has options of its own, and few of its.
    Runs of an older version do not say what was chosen: then an option counts in which runs of the same classes differ.
    """
    runs = [run for run in runs if run.command == "fit"] or runs
    chosen = dict.fromkeys(name for run in runs for name in _chosen(run))
    said = {name for name in chosen if len({repr(run.options.get(name)) for run in runs}) > 1}
    return [name for name in dict.fromkeys((*_options(runs), *chosen)) if name in said and name not in _SHOWN]


_SHOWN = ("model", "data", "seed_everything")  # which have a column of their own


def _chosen(run: Run) -> Iterable[str]:
    said = run.words("chosen")
    if said or run.said("chosen") is not None:
        return said
    return run.record.options.changed if isinstance(run.record, Kept) and run.record.options else ()


def _options(runs: Sequence[Run]) -> Iterator[str]:
    """The names of the options that runs have; of those whose configurations are alike once."""
    seen: set[int] = set()
    for run in runs:
        sheet = run.record.sheet if isinstance(run.record, Kept) else None
        names = sheet.options if sheet else run.options
        if id(names) not in seen:
            seen.add(id(names))
            yield from names
