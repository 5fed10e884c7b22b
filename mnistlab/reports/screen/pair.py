"""`mnistlab runs diff`: what two runs do not have in common, and which test images only one of them gets right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnistlab.catalogue import load_catalogue
from mnistlab.errors import LabError, say
from mnistlab.options.arguments import Arguments
from mnistlab.options.written import Written
from mnistlab.reports.settings import changed
from mnistlab.runs.differences import (
    ABSENT,
    Difference,
    differences,
    figures,
    surroundings,
)
from mnistlab.runs.hints import command_for
from mnistlab.runs.listing import find_run
from mnistlab.runs.metrics import Measure, figure, measures_of
from mnistlab.runs.run import Run
from mnistlab.runs.sheets import by_option
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import paragraph, screen_width, table
from mnistlab.text.values import class_name, from_here, shown

if TYPE_CHECKING:
    from mnistlab.runs.comparing import Agreement

_FEW = 10  # flipped images that are shown without --all
MCNEMAR = "McNemar's exact test"
_RARE = 0.05  # chance below which two nets are told apart
_DIGITS = 4  # digits of a figure that is no whole number
_LEAST = 1e-6  # chance below which its size is no longer of interest


@dataclass(frozen=True)
class _Pair:
    """Two runs, and what was found out about them."""

    a: Run
    b: Run
    settings: Sequence[Difference]  # what they were configured with differently
    unknown: str  # why that cannot be said, if it cannot
    tests: Mapping[str, "Agreement"]  # how they agree on the same test images, by head
    untested: str  # why that cannot be said, if it cannot


def show_pair(asked: Arguments) -> int:
    """Show what differs between two runs; the exit code.

    Raises:
        LabError: If a name means no run, both mean the same, or one has no record.
    """
    root, (first, second) = asked.root, asked.names
    folders = [find_run(name, root) for name in asked.names]
    if folders[0].resolve() == folders[1].resolve():
        raise LabError(f"{first} and {second} are the same run, {folders[0]}. Name two.")
    pair = _pair(Run.of(folders[0]), Run.of(folders[1]), root)
    if "json" in asked.switches:
        print(as_json(_report(pair)))
        return 0
    parts = list(_parts(pair, everything="all" in asked.switches))
    say(line for part in (*([*part, ""] for part in parts[:-1]), parts[-1]) for line in part)
    return 0


def _pair(a: Run, b: Run, root: Path) -> _Pair:
    settings: list[Difference] = []
    unknown = untested = ""
    tests: Mapping[str, Agreement] = {}
    try:
        settings = _settings(a.configuration, b.configuration)
    except LabError as error:
        unknown = str(error)
    try:
        tests = _tests(a, b, root)
    except LabError as error:
        untested = str(error)
    return _Pair(a, b, settings, unknown, tests, untested)


def _settings(a: Sequence[Written], b: Sequence[Written]) -> list[Difference]:
    """The options that differ; one that only the class of one run has counts where it is not at its default."""
    catalogue = load_catalogue()
    typed = {setting.key for written in (a, b) for setting in changed(catalogue, written)}
    found = differences(by_option(a), by_option(b))
    return [each for each in found if (each.a is not ABSENT and each.b is not ABSENT) or each.name in typed]


def _tests(a: Run, b: Run, root: Path) -> Mapping[str, "Agreement"]:
    """Compare the tests of two runs, image by image."""
    tests = [_tested(run, root) for run in (a, b)]
    from mnistlab.runs.comparing import compare_outcomes  # noqa: PLC0415 - brings numpy in

    return compare_outcomes(*(test.outcomes for test in tests))


def _tested(run: Run, root: Path) -> Run:
    """The run that has what the test said of each image: itself, else the newest `test` of its weights."""
    test = run.tested_in(root)
    if test is not None:
        return test
    way_out = f" Test it first:\n  {command_for('test', run.folder)}" if run.weights else ""
    raise LabError(f"{run.folder} has no test outcomes.{way_out}")


def _report(pair: _Pair) -> dict[str, object]:
    def listed(found: Sequence[Difference]) -> list[dict[str, object]]:
        both = [(each.name, {"a": each.a, "b": each.b}) for each in found]
        return [{"name": name, **{k: v for k, v in sides.items() if v is not ABSENT}} for name, sides in both]

    return {
        "a": str(pair.a.folder),
        "b": str(pair.b.folder),
        "settings": listed(pair.settings),
        "settings_unknown": pair.unknown or None,
        "metrics": {"a": figures(pair.a), "b": figures(pair.b)},
        "surroundings": listed(differences(surroundings(pair.a), surroundings(pair.b))),
        "tests": {head: {**asdict(each), "p_value_method": MCNEMAR} for head, each in pair.tests.items()} or None,
        "untested": pair.untested or None,
    }


def _parts(pair: _Pair, *, everything: bool) -> Iterator[list[str]]:
    yield [f"{name}  {from_here(run.folder)}: {_what(run)}" for name, run in (("A", pair.a), ("B", pair.b))]
    if pair.unknown:
        yield paragraph(f"Their configurations cannot be compared: {pair.unknown}", screen_width())
    elif pair.settings:
        yield _table("configuration", pair.settings)
    else:
        yield ["They were configured alike."]
    yield _figures(figures(pair.a), figures(pair.b), measures_of(pair.a.record, pair.b.record))
    ran = differences(surroundings(pair.a), surroundings(pair.b))
    yield _table("surroundings", ran) if ran else ["They ran with the same versions on the same machine."]
    if pair.untested:
        why, *way_out = f"No comparison image by image: {pair.untested}".splitlines()
        yield [*paragraph(why, screen_width()), *way_out]
    for number, (head, agreement) in enumerate(pair.tests.items()):
        yield list(_first_head(agreement, everything=everything) if number == 0 else _further_head(head, agreement))


def _what(run: Run) -> str:
    return f"{run.architecture} on {run.data}, {run.command}, {run.status}"


def _table(heading: str, found: Sequence[Difference]) -> list[str]:
    rows = [[each.name, *_sides(each)] for each in found]
    return table([heading, "A", "B"], rows, screen_width())


def _sides(each: Difference) -> list[str]:
    """What both have; of classes the short names, unless only their modules differ."""
    sides = [shown(value) for value in (each.a, each.b)]
    short = [class_name(text) for text in sides]
    return short if short[0] != short[1] else sides


def _figures(a: Mapping[str, float], b: Mapping[str, float], measures: Sequence[Measure]) -> list[str]:
    names = list(dict.fromkeys([*a, *b]))
    rows = [
        [name, *(_figure(name, side.get(name), measures) for side in (a, b)), _change(name, a, b, measures)]
        for name in names
    ]
    return table(["measured", "A", "B", "B - A"], rows, screen_width(), (1, 2)) if rows else ["Nothing was measured."]


def _figure(name: str, value: float | None, measures: Sequence[Measure]) -> str:
    if value is None:
        return "-"
    return figure(name, value, measures, "," if isinstance(value, int) else f",.{_DIGITS}g")


def _change(name: str, a: Mapping[str, float], b: Mapping[str, float], measures: Sequence[Measure]) -> str:
    if name not in a or name not in b or a[name] == b[name]:
        return ""
    change = b[name] - a[name]
    return f"{'+' if change > 0 else '-'}{_figure(name, abs(change), measures).removesuffix(' %')}"


def _first_head(found: "Agreement", *, everything: bool) -> Iterator[str]:
    yield f"on the same {found.images:,} test images"
    yield from table(
        ["", "B right", "B wrong"],
        [
            ["A right", f"{found.both_right:,}", f"{found.only_a:,}"],
            ["A wrong", f"{found.only_b:,}", f"{found.both_wrong:,}"],
        ],
        screen_width(),
        (1,),
    )
    yield ""
    yield from paragraph(_meaning(found), screen_width())
    if found.flips:
        yield ""
        yield from _flips(found, len(found.flips) if everything else _FEW)


def _meaning(found: "Agreement") -> str:
    """What the test says, in plain words."""
    only = found.only_a + found.only_b
    if not only:
        return "They are right and wrong on the same images."
    if found.p_value >= _RARE:
        return (
            f"They cannot be told apart: of {only:,} images that only one gets right, two equally good nets would be "
            f"parted so far or further in {_share(found.p_value)} of all cases ({MCNEMAR})."
        )
    better, more, less = (
        ("A", found.only_a, found.only_b) if found.only_a > found.only_b else ("B", found.only_b, found.only_a)
    )
    return (
        f"{better} is better on these images: {more:,} to {less:,} of those that only one gets right. Two equally good "
        f"nets would be parted so far or further in {_share(found.p_value)} of all cases ({MCNEMAR}). "
        "This is about these two nets; another seed gives another net."
    )


def _share(p_value: float) -> str:
    return f"{float(f'{100 * p_value:.2g}'):g} %" if p_value >= _LEAST else f"less than {100 * _LEAST:.4f} %"


def _flips(found: "Agreement", most: int) -> Iterator[str]:
    rows = [[str(each.row), str(each.target), str(each.a), str(each.b)] for each in found.flips[:most]]
    yield from table(["image", "class", "A said", "B said"], rows, screen_width(), (0, 1, 2))
    if len(found.flips) > most:
        yield f"  and {len(found.flips) - most:,} more: --all"


def _further_head(head: str, found: "Agreement") -> Iterator[str]:
    yield from paragraph(
        f"{head}: only A is right on {found.only_a:,} images, only B on {found.only_b:,} "
        f"(p = {found.p_value:.3g}, {MCNEMAR})",
        screen_width(),
    )
