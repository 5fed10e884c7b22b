"""`mnistlab runs show`: one run in full."""

import shlex
from collections.abc import Iterator, Sequence

from mnistlab.catalogue import load_catalogue
from mnistlab.errors import LabError, say
from mnistlab.options.arguments import Arguments
from mnistlab.reports.settings import Setting, changed
from mnistlab.runs.folder import CONFIG, continues_from
from mnistlab.runs.hints import command_for
from mnistlab.runs.length import Length
from mnistlab.runs.listing import find_run
from mnistlab.runs.looks import after_looks
from mnistlab.runs.metrics import BESIDES, Measure, figure, measures_of
from mnistlab.runs.reading import LEFT_OUT
from mnistlab.runs.run import Run
from mnistlab.runs.verdict import lower_rate
from mnistlab.system.files import is_file
from mnistlab.system.shapes import is_number
from mnistlab.system.strict_json import NOT_FINITE, as_json
from mnistlab.text.layout import paragraph, screen_width, table
from mnistlab.text.values import count, counted, from_here, in_seconds, moment, shown

_MOST_ROWS, _FIRST, _LAST = 12, 3, 7  # epochs that are all shown; of more, so many of the first and of the last
_NAMES = 12  # columns that the names of the facts take


def show_run(asked: Arguments) -> int:
    """Show the run that is named; the exit code.

    Raises:
        LabError: If there is none, or the run has no record.
    """
    run = Run.of(find_run(asked.names[0], asked.root))
    try:
        settings, problem = changed(load_catalogue(), run.configuration), ""
    except LabError as error:
        settings, problem = [], str(error)
    if "json" in asked.switches:
        print(as_json(_report(run, settings)))
        return 0
    parts = [_facts(run), _settings(settings, problem), _epochs(run), _outcome(run), _commands(run)]
    say("\n\n".join("\n".join(part) for part in map(list, parts) if part).splitlines())
    return 0


def _report(run: Run, settings: Sequence[Setting]) -> dict[str, object]:
    said_settings = [{"option": each.key, "value": each.value, "default": each.default} for each in settings]
    epochs = [{name: _as_number(cell) for name, cell in row.items()} for row in run.table]
    facts = {"id": run.folder.name, "folder": str(run.folder), "status": run.status}
    return {**facts, "verdict": run.verdict, "record": run.record, "settings": said_settings, "epochs": epochs}


def _as_number(text: str) -> float | int | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except (TypeError, ValueError):
            continue
    return text or None


def _facts(run: Run) -> Iterator[str]:
    """What it was, where and when it ran."""
    yield f"{run.architecture} on {run.data}: {run.command}, {run.status}"
    yield from_here(run.folder)
    yield ""
    for name, text in _named_facts(run).items():
        if text:
            yield from paragraph(text, screen_width(), _NAMES + 2, f"  {name:<{_NAMES}}")


def _named_facts(run: Run) -> dict[str, str]:
    trial = run.record.get("trial")
    return {
        "name": run.name,
        "note": run.note,
        "user": run.user,
        "tags": ", ".join(run.tags),
        "kit": _kit(run),
        "sweep": run.text("sweep") + (f", trial {trial}" if isinstance(trial, int) else ""),
        "checkpoint": run.text("checkpoint").replace(",/", ", /"),  # of several nets, each on a line
        "started": _times(run),
        "trained": _trained(run),
        "parameters": "" if run.parameters is None else count(run.parameters),
        "seed": str(run.record.get("seed", "")),
        "machine": _machine(run),
        "versions": ", ".join(f"{name} {version}" for name, version in run.part("versions").items()),
        "commit": _commit(run),
        "error": run.error,
        "not finite": ", ".join(run.words(NOT_FINITE)),
        "left out": ", ".join(run.words(LEFT_OUT)) + ": not what they should be" * bool(run.words(LEFT_OUT)),
    }


def _kit(run: Run) -> str:
    """The kit of a class, and what of it has counted."""
    kit = run.part("kit")
    said = [f"{name}={value}" for name, value in kit.items() if name != "file"]
    return f"{kit['file']}: {', '.join(said) or 'nothing of it has counted'}" if kit.get("file") else ""


def _times(run: Run) -> str:
    times = [moment(time) for time in (run.started, run.text("ended")) if time]
    return f"{', ended '.join(times)} UTC" if times else ""


def _trained(run: Run) -> str:
    if run.epochs is None:
        return ""
    sittings = f", in {len(run.segments)} parts" if len(run.segments) > 1 else ""
    length = Length.of(run)
    whole = counted(run.epochs, "epoch") if length is None else counted(length.whole, "epoch") if length.whole else ""
    trained = " and ".join(filter(None, [whole, length.part if length else ""]))
    limit = run.text("ended_by")
    return f"{trained} in {in_seconds(run.seconds)} s{sittings}{f', ended by {limit}' if limit else ''}"


def _machine(run: Run) -> str:
    machine = run.part("machine")
    threads = machine.get("threads")
    parts = [
        run.text("device"),
        f"{counted(threads, 'thread')}{_fewer(run)}" if isinstance(threads, int) and threads else "",
        f"{machine['cores']} cores" if machine.get("cores") else "",
        str(machine.get("processor") or ""),
        run.text("host"),
    ]
    return ", ".join(part for part in parts if part)


def _fewer(run: Run) -> str:
    """With how many others the run has computed while its machine was busy."""
    turns = run.record.get("threads")
    others = sorted({turn[1] for turn in turns} - {turns[0][1]}) if isinstance(turns, list) and turns else []
    return f" (at times {', '.join(map(str, others))})" if others else ""


def _commit(run: Run) -> str:
    git = run.part("git")
    changed_since = ", with changes" if git.get("changed") else ""
    return f"{git['commit']}{changed_since}" if git.get("commit") else ""


def _settings(settings: Sequence[Setting], problem: str) -> Iterator[str]:
    if problem:
        yield from paragraph(f"Its configuration cannot be shown: {problem}", screen_width())
    elif not settings:
        yield "Everything is at its default."
    else:
        yield from table(
            ["not at its default", "value", "default"], [_setting(each) for each in settings], screen_width()
        )


def _setting(each: Setting) -> list[str]:
    return [each.name, shown(each.value), shown(each.default) if each.known else ""]


def _epochs(run: Run) -> Iterator[str]:
    """The table of metrics in short: the primary head, the first and the last epochs."""
    measures = {f"{split}/{each.name}": each for split in ("train", "val") for each in measures_of(run.record)}
    names = [name for name in measures if any(row.get(name) for row in run.table)]
    if not names:
        return
    times, best = run.epoch_seconds, run.number("metrics", "best", "epoch")
    cells = [
        [
            str(at + 1),
            *(_metric(measures[name], row.get(name, "")) for name in names),
            in_seconds(times[at]) if at < len(times) else "",
            "best" if at == best else "",
        ]
        for at, row in enumerate(run.table)
    ]
    if len(cells) > _MOST_ROWS:
        middle = [cells[int(best)]] if best is not None and _FIRST <= best < len(cells) - _LAST else []
        dots = [["...", *[""] * (len(names) + 2)]]
        cells = [*cells[:_FIRST], *dots, *middle, *(dots if middle else []), *cells[-_LAST:]]
    head = ["epoch", *(f"{name.partition('/')[0]} {measures[name].head}" for name in names), "s", ""]
    yield from table(head, cells, screen_width(), range(len(head) - 1))


def _metric(measure: Measure, text: str) -> str:
    value = _as_number(text)
    return measure.bare(value) if is_number(value) else text


def _outcome(run: Run) -> Iterator[str]:
    """The best and the test figures, of all heads, and what is to be said of them."""
    metrics, measures = run.part("metrics"), measures_of(run.record)
    kinds = {"best": run.part("metrics", "best"), "last": {}, "test": run.part("metrics", "test"), "measured": metrics}
    for kind, values in kinds.items():
        found = {name: value for name, value in values.items() if is_number(value) and name not in BESIDES}
        shown = [f"{name} {figure(name, value, measures, '.4g')}" for name, value in found.items()]
        if shown and kind in ("test", "measured") and after_looks(run.looks):
            shown.append(after_looks(run.looks))
        if shown:
            yield from paragraph(", ".join(shown), screen_width(), _NAMES + 2, f"  {kind:<{_NAMES}}")
    if run.verdict:
        yield from paragraph(run.verdict, screen_width(), _NAMES + 2, f"  {'verdict':<{_NAMES}}")


def _commands(run: Run) -> Iterator[str]:
    """What to type to have it again; each stays in one line, so that it can be copied."""
    if run.commands:
        yield "as it was typed:"
        yield f"  {run.commands[0]}"
    command, configured = run.command, is_file(run.folder / CONFIG)
    if command == "fit" and configured:
        yield "run it again, with the same configuration:"
        yield f"  mnistlab fit --config={shlex.quote(from_here(run.folder / CONFIG))}"
    if command == "fit" and configured and run.status in ("interrupted", "failed", "lost"):
        yield "go on with it:"
        yield f"  {command_for('fit', run.folder)}"
    if run.status == "diverged" and continues_from(run.folder):
        yield "go on from the last sound checkpoint, at a lower rate:"
        yield f"  {command_for('fit', run.folder, lower_rate(run.record))}"
    if run.weights:
        yield "test it again:" if run.test_acc is not None else "test it:"
        yield f"  {command_for('test', run.folder)}"
