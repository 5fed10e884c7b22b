"""Which runs are asked for, and in which order."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.runs.fields import Fields
from mnistlab.runs.run import COMMANDS, STATUSES, Run
from mnistlab.runs.where import meant, since, where
from mnistlab.system.shapes import is_number
from mnistlab.text.nearest import suggestion

_MOST_NAMED = 12


def selected(runs: Sequence[Run], wanted: Mapping[str, str]) -> list[Run]:
    """The runs that have what is wanted of them.

    Args:
        runs: All runs.
        wanted: By filter, a key of `FILTERS`, the values that will do, joined with commas; one that no run has as it is
            typed is taken in any case. Under `WHERE` an expression, under `SINCE` a time.

    Raises:
        LabError: If a value is none that any run has, or the expression or the time is none.
    """
    kept = list(runs)
    if SINCE in wanted:
        first = since(wanted[SINCE])
        kept = [run for run in kept if run.started >= first]
    if WHERE in wanted:
        kept = [*filter(where(wanted[WHERE], runs), kept)]
    for name, text in wanted.items():
        if name not in FILTERS:
            continue
        had = {has for run in runs for has in FILTERS[name](run) if has}
        values = [text] if text in had else [value.strip() for value in text.split(",") if value.strip()]
        _check_values(name, values, runs)
        will_do = {has for value in values for has in meant(value, had)}
        kept = [run for run in kept if will_do.intersection(FILTERS[name](run))]
    return kept


def ordered(runs: Sequence[Run], key: str) -> list[Run]:
    """The runs in the order of a key, one of `ORDERS` or any other name, with `-` before it the other way round.

    Those that do not have it come last either way; of equal ones the newest first.

    Raises:
        LabError: If there is no such key.
    """
    return [run for (run,) in ordered_groups([(run,) for run in runs], key)]


def ordered_groups(groups: Sequence[Sequence[Run]], key: str) -> list[Sequence[Run]]:
    """Groups of runs likewise: of what is a number by its mean, of all else by that of their newest run.

    Raises:
        LabError: If there is no such key.
    """
    place = _place_of(key, [run for runs in groups for run in runs])
    inner = [sorted(runs, key=_age, reverse=True) for runs in groups]
    newest_first = sorted(zip(inner, groups, strict=True), key=lambda pair: _age(pair[0][0]), reverse=True)
    places_of = [(_place(runs, place), own) for runs, own in newest_first]
    having = [(place, own) for place, own in places_of if place is not None]
    having.sort(key=lambda pair: pair[0], reverse=key.startswith("-"))
    return [*(own for _, own in having), *(own for place, own in places_of if place is None)]


def _age(run: Run) -> tuple[str, Path]:
    return run.started, run.folder


def _place_of(key: str, runs: Sequence[Run]) -> Callable[[Run], tuple[float, str] | None]:
    """What a key sorts by, one of `ORDERS` or any other name that means something in these runs."""
    name = key.removeprefix("-")
    if name in ORDERS or not runs:
        return ORDERS.get(name, lambda _: None)
    try:
        field = Fields(runs).field(name)
    except LabError as error:
        raise LabError(f"--sort={key}: {error}") from error

    def place(run: Run) -> tuple[float, str] | None:
        value = field(run)
        return None if value is None else (value, "") if is_number(value) else (0.0, str(value))

    return place


def _place(runs: Sequence[Run], each: Callable[[Run], tuple[float, str] | None]) -> tuple[float, str] | None:
    """The place of a group, whose newest run comes first."""
    places = [place for place in map(each, runs) if place is not None]
    return (sum(number for number, _ in places) / len(places), places[0][1]) if places else None


WHERE, SINCE = "where", "since"
"""What else runs can be chosen by."""

FILTERS: Mapping[str, Callable[[Run], Sequence[str]]] = {
    "tag": lambda run: run.tags,
    "name": lambda run: (run.name,),
    "user": lambda run: (run.user,),
    "model": lambda run: (run.architecture, run.text("model")),
    "data": lambda run: (run.data,),
    "command": lambda run: (run.command,),
    "status": lambda run: (run.status,),
    "preset": lambda run: [name for preset in run.words("presets") for name in (preset, _preset_name(preset))],
    "sweep": lambda run: (run.text("sweep"),),
}
"""What runs can be chosen by, and what a run has of it."""

ASKED = (*FILTERS, WHERE, SINCE)
"""All options that choose runs."""

_ALWAYS = {"status": STATUSES, "command": COMMANDS}  # values that are right even if no run has them just now


def _by_text(read: Callable[[Run], str]) -> Callable[[Run], tuple[float, str] | None]:
    return lambda run: (0.0, read(run)) if read(run) else None


def _by_number(read: Callable[[Run], float | None]) -> Callable[[Run], tuple[float, str] | None]:
    def place(run: Run) -> tuple[float, str] | None:
        value = read(run)
        return None if value is None else (value, "")

    return place


ORDERS: Mapping[str, Callable[[Run], tuple[float, str] | None]] = {
    "started": _by_text(lambda run: run.started),
    "id": _by_text(lambda run: run.folder.name),
    "model": _by_text(lambda run: run.architecture),
    "data": _by_text(lambda run: run.data),
    "command": _by_text(lambda run: run.command),
    "epochs": _by_number(lambda run: run.epochs),
    "val_acc": _by_number(lambda run: run.val_acc),
    "test_acc": _by_number(lambda run: run.test_acc),
    "seconds": _by_number(lambda run: run.seconds),
    "parameters": _by_number(lambda run: run.parameters),
    "status": _by_text(lambda run: run.status),
    "name": _by_text(lambda run: run.name),
    "trial": _by_number(lambda run: run.number("trial")),
}
"""What runs can be sorted by: the place of a run, None where it has none."""

SORTED_BY = (*ORDERS, *(f"-{name}" for name in ORDERS))


def _check_values(name: str, values: Sequence[str], runs: Sequence[Run]) -> None:
    """Refuse a value that no run has: it is misspelt."""
    had = sorted({has for run in runs for has in FILTERS[name](run) if has})
    known = {value.lower() for value in (*had, *_ALWAYS.get(name, ()))}
    unknown = [value for value in values if value.lower() not in known]
    if not runs or not unknown:
        return
    listed = [*had[:_MOST_NAMED], *([f"{len(had) - _MOST_NAMED} more"] if len(had) > _MOST_NAMED else [])]
    others = f" There {'are' if len(had) > 1 else 'is'} {', '.join(listed)}." if had else f" None of them has a {name}."
    hint = suggestion(unknown[0], [*had, *_ALWAYS.get(name, ())])
    raise LabError(f"--{name}={unknown[0]}: none of the {len(runs)} runs has it.{hint}{others}")


def _preset_name(preset: str) -> str:
    """`Wide` of `presets/Wide.yaml`, and of `mine.py:Wide`."""
    path, _, name = preset.rpartition(":")
    return name if path else Path(preset).stem
