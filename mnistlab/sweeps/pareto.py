"""The charts of a comparison: accuracy against what it costs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from matplotlib.axes import Axes

from mnistlab.reports.charts import SIZE, Chart
from mnistlab.reports.placing import key_below, legend_below, name_places
from mnistlab.reports.several import caption_of
from mnistlab.runs.metrics import SPLITS
from mnistlab.sweeps.table import Standing, front

_NAMED = 8  # models beside whose points there is room for their names; of more there are numbers, and a key
_KEY_COLUMNS, _KEY_ROW = 3, 0.14  # columns of that, and inches that a row takes
_UNSURPASSED = "none better for less"


def write_charts(found: Sequence[Standing], folder: Path) -> list[Path]:
    """Write accuracy against parameters and against seconds as SVG; nothing for a single model."""
    charts = pareto_charts(found)
    if charts:
        folder.mkdir(parents=True, exist_ok=True)
    return [chart.save(folder / f"{chart.name}.svg") for chart in charts]


def pareto_charts(found: Sequence[Standing]) -> list[Chart]:
    """Accuracy against parameters and against seconds; nothing for a single model."""
    if len(found) < 2:  # noqa: PLR2004 - one has nothing beside it
        return []
    costs: Mapping[str, Callable[[Standing], float]] = {
        "parameters": lambda each: each.parameters,
        "seconds": lambda each: each.seconds,
    }
    names = {name: f"pareto-{name}" for name in costs}
    rows = len(found) / _KEY_COLUMNS if len(found) > _NAMED else 0
    size = (SIZE[0], SIZE[1] + _KEY_ROW * rows)
    return [
        Chart(names[name], partial(_pareto, found, name, cost), caption_of(names[name]), size)
        for name, cost in costs.items()
    ]


def _pareto(found: Sequence[Standing], name: str, cost: Callable[[Standing], float], axes: Axes) -> None:
    best = front(found, cost)
    axes.set_xscale("log")
    least, most = min(map(cost, found)), max(map(cost, found))
    if least == most:  # a logarithmic axis with one value has no ends by itself
        axes.set_xlim(least / 2, most * 2)
    steps = [(cost(each), 100 * each.mean) for each in best]
    axes.plot(*zip(*steps, strict=True), "o-", color="C1", markersize=9, fillstyle="none", label=_UNSURPASSED)
    places = [(cost(each), 100 * each.mean) for each in found]
    spreads = [100 * (each.deviation or 0.0) for each in found]
    axes.errorbar(
        [x for x, _ in places],
        [y for _, y in places],
        spreads,
        fmt="o",
        color="C0",
        elinewidth=0.8,
        label="mean ± SD" if any(spreads) else "one run each",
    )
    axes.set(
        xlabel=name if name == "parameters" else "training seconds", ylabel=f"{SPLITS[found[0].split]} accuracy, %"
    )
    axes.margins(x=0.15, y=0.1)
    bars = [[(x, y - spread), (x, y + spread)] for (x, y), spread in zip(places, spreads, strict=True)]
    first = [*best, *(each for each in found if each not in best)]
    numbered = len(found) > _NAMED
    called = {each.title: str(number) if numbered else each.title for number, each in enumerate(found, 1)}
    name_places(axes, [(called[each.title], (cost(each), 100 * each.mean)) for each in first], [steps, *bars])
    if numbered:
        key_below(axes, [*called])
    legend_below(axes, above=numbered)
