"""A judgement as parts of a page: its verdict, and its pairs with the interval as it narrowed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mnistlab.errors import tell
from mnistlab.reports.charts import Chart
from mnistlab.reports.markup import Markup, element, table
from mnistlab.reports.placing import legend_below
from mnistlab.runs.folder import JUDGEMENT
from mnistlab.runs.metrics import PERCENT
from mnistlab.runs.reading import Said
from mnistlab.runs.statistics import Paired
from mnistlab.system.files import UnreadableError, read_text
from mnistlab.system.shapes import fields, listed, number, some, text, whole
from mnistlab.system.strict_json import read_json
from mnistlab.text.values import UNKNOWN, in_percent

_MOST_BYTES = 1 << 20
_SIZE = (6.6, 3.3)
_BESIDE = 0.14  # how far a mean with bounds stands beside the gain of its pair

_SHAPE = fields(
    {
        **dict.fromkeys(("in_words", "verdict", "metric", "unit", "method"), text),
        **dict.fromkeys(("baseline", "change"), some(number)),
        "effect": number,
        "gains": some(number),
        "seeds": some(whole),
        "options": listed(text),
    }
)


@dataclass(frozen=True)
class Judged(Said):
    """What `mnistlab judge` has kept of a judgement."""

    record: Mapping[str, object]

    @classmethod
    def find(cls, folder: Path) -> "Judged | None":
        """Read the judgement in a folder; None where no pair has ended, or where it cannot be read, which is said."""
        path = folder / JUDGEMENT
        try:
            said = read_json(read_text(path, _MOST_BYTES))
        except FileNotFoundError:
            return None
        except (UnreadableError, ValueError, RecursionError) as error:
            tell(f"note: {path} cannot be read: {error}")
            return None
        problem = _SHAPE(said)
        if problem or not isinstance(said, dict):
            tell(f"note: {path} is no judgement: it{problem}.")
            return None
        return cls(said)

    def numbers(self, name: str) -> list[float]:
        """The numbers of that name."""
        return [float(each) for each in self.listed(name) if isinstance(each, int | float)]

    @cached_property
    def looks(self) -> list[Paired]:
        """What was seen after each pair."""
        gains = self.numbers("gains")
        return [Paired.of(gains[:count]) for count in range(1, len(gains) + 1)]

    @property
    def label(self) -> str:
        """What a gain is counted in."""
        unit, metric = self.text("unit"), self.text("metric")
        return f"gain, points of {metric}" if unit == PERCENT else f"gain, {unit}" if unit else f"gain in {metric}"


def judgement(judged: Judged) -> Iterator[Markup]:
    """Its verdict and its pairs."""
    opening = element("p", element("strong", judged.text("in_words")))
    method = element("p", f"Intervals: 95 %, {judged.text('method')}; they hold after every pair.", class_="small")
    yield element("section", element("h2", "Verdict"), opening, *_sides(judged), method)
    yield element("section", element("h2", "Pairs"), pairs_chart(judged).html(), _table(judged))


def _sides(judged: Judged) -> Iterator[Markup]:
    """What was compared, where that was kept, and what to know of it."""
    said = judged.part("sides")
    told = [f"{side.capitalize()}: {said[side]}" for side in ("baseline", "change") if said.get(side)]
    yield from (element("p", text) for text in (*told, *filter(None, [said.get("note")])) if isinstance(text, str))


def pairs_chart(judged: Judged) -> Chart:
    """The gain of each pair, and how the interval narrowed."""
    gains, looks, effect = judged.numbers("gains"), judged.looks, judged.number("effect") or 0.0
    pairs = range(1, len(gains) + 1)
    bounded = [(pair, look) for pair, look in zip(pairs, looks, strict=True) if isfinite(look.half_width)]

    def draw(axes: Axes) -> None:
        muted = axes.yaxis.label.get_color()
        axes.axhline(0, color=muted, linewidth=1)
        if effect:
            axes.axhline(effect, color=muted, linewidth=1, linestyle=":", label=f"no difference below {effect:g}")
            axes.axhline(-effect, color=muted, linewidth=1, linestyle=":")
        aside = _BESIDE if bounded else 0.0
        means = [look.mean for look in looks]
        axes.plot([pair + aside for pair in pairs], means, ".-", color="C0", label="mean so far")
        if bounded:
            middles, halves = [look.mean for _, look in bounded], [look.half_width for _, look in bounded]
            at = [pair + aside for pair, _ in bounded]
            axes.errorbar(
                at, middles, halves, fmt="none", ecolor="C0", elinewidth=1.2, capsize=3, label="95 % interval"
            )
        axes.plot(pairs, gains, "o", color="C1", label="gain of the pair")
        axes.set(xlabel="pair", title=judged.label, xlim=(0.5, len(gains) + 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend_below(axes, columns=4)

    drawn = f"The gain of each of {len(gains)} pairs, their mean so far and its interval; the table has the numbers."
    return Chart("pairs", draw, drawn, _SIZE)


def _table(judged: Judged) -> Markup:
    columns = ("Pair", "Seed", "Baseline", "Change", "Gain", "Mean so far", "95 % interval")
    sides = zip(judged.listed("seeds"), judged.numbers("baseline"), judged.numbers("change"), strict=False)
    rows = [
        (pair, seed, *_figures((baseline, change), judged), _number(gain, judged), *_seen(look, judged))
        for pair, ((seed, baseline, change), gain, look) in enumerate(
            zip(sides, judged.numbers("gains"), judged.looks, strict=False), 1
        )
    ]
    return table(columns, rows, caption="The pairs in their order", numeric=columns)


def _figures(values: Sequence[float], judged: Judged) -> list[str]:
    return [in_percent(value) if judged.text("unit") == PERCENT else f"{value:.4g}" for value in values]


def _seen(look: Paired, judged: Judged) -> tuple[str, str]:
    between = " to ".join(_number(bound, judged) for bound in look.interval) if isfinite(look.half_width) else UNKNOWN
    return _number(look.mean, judged), between


def _number(value: float, judged: Judged) -> str:
    return f"{round(value, 2) + 0.0:.2f}" if judged.text("unit") == PERCENT else f"{value:.3g}"
