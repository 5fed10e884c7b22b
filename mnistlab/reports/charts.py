"""Charts in one look, for light and for dark pages, inline or as files, in colours that the colour-blind tell apart.

What a chart shows is a function that draws on the axes it is given. It takes its colours from the cycle, `"C0"` to
`"C5"`. It is called once, for drawing takes longer than all else of a page: the dark variant is the light one in other
colours.
"""

import html
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mnistlab.errors import LabError
from mnistlab.reports.markup import Markup, element
from mnistlab.reports.shown import Shown
from mnistlab.reports.themes import LIGHT, THEMES, Theme
from mnistlab.system.files import telling, write_bytes
from mnistlab.text.values import in_letters

Draw = Callable[[Axes], object]
"""Draws a chart on the axes that it is given; what it returns is not looked at."""

Size = tuple[float, float]
"""Width and height in inches; text has 9 points."""

SIZE: Size = (4.6, 2.9)
"""Two of them stand side by side on a wide page."""

COLUMNS = (3.4, 6.9)
"""Inches of one column of a paper, and of two."""

_DPI = 200

SUFFIXES = (".svg", ".pdf", ".png")
"""What a chart can be saved as."""

_numbers = itertools.count()


def both(draw: Draw, size: Size = SIZE, *, text: str) -> str:
    """The chart as HTML: a light and a dark variant, of which the style of the page shows one.

    Args:
        draw: What to draw.
        size: Width and height in inches; on the page it is as wide as there is room.
        text: What the chart says, for those who do not see it.
    """
    drawn = _rendered([draw], size, ".svg", "none").decode()
    variants = "".join(_inline(_recoloured(drawn, theme), name) for name, theme in THEMES.items())
    return f'<div class="chart" role="img" aria-label="{html.escape(text)}">{variants}</div>'


@dataclass(frozen=True, repr=False)
class Chart(Shown):
    """One chart for pages, notebooks and files; its words for a terminal.

    Attributes:
        name: What a file of it is called, without its suffix: `confusion`.
        draw: What draws it.
        text: What it says, for those who do not see it.
        size: Width and height in inches.
        printed: What stands in a terminal; `text` if nothing.
        shown: What stands on a page, where that says more than the drawing: a table, or images.
        in_print: Width and height in a paper, where they are others than those of all charts.
    """

    name: str
    draw: Draw
    text: str
    size: Size = SIZE
    printed: str = ""
    shown: Callable[[], Markup] | None = None
    in_print: Size | None = None

    def html(self) -> Markup:
        """As a part of a page."""
        return self.shown() if self.shown else Markup(both(self.draw, self.size, text=self.text))

    def lines(self) -> str:
        """As text."""
        return self.printed or self.text

    def save(self, path: Path | str) -> Path:
        """Write it as a file, whole or not at all, on light paper; the file.

        Args:
            path: The file; its suffix says what it is: `.svg`, `.pdf` or `.png`.

        Raises:
            LabError: If it has another suffix, or cannot be written.
        """
        return _saved([self.draw], Path(path), self.size)


@dataclass(frozen=True, repr=False)
class Charts(Shown):
    """Several charts that stand side by side.

    Attributes:
        name: What a file of them is called, without its suffix.
        charts: At least one.
    """

    name: str
    charts: Sequence[Chart]

    def html(self) -> Markup:
        """As a part of a page."""
        return element("div", *(each.html() for each in self.charts), class_="pair")

    def lines(self) -> str:
        """As text."""
        return "\n".join(each.lines() for each in self.charts)

    def save(self, path: Path | str) -> Path:
        """Write them as one file; see `Chart.save`.

        Raises:
            LabError: If it has another suffix, or cannot be written.
        """
        width, height = sum(each.size[0] for each in self.charts), max(each.size[1] for each in self.charts)
        return _saved([each.draw for each in self.charts], Path(path), (width, height))


def save(draw: Draw, path: Path, size: Size = SIZE) -> None:
    """Write a drawing as a file; see `Chart.save`.

    Raises:
        LabError: If it has another suffix, or cannot be written.
    """
    _saved([draw], path, size)


def _saved(draws: Sequence[Draw], path: Path, size: Size) -> Path:
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        known = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        raise LabError(f"{path}: a chart is written as {known}. Give it one of these suffixes.")
    content = _rendered(draws, size, kind, LIGHT.paper)
    with telling(path, "Name a file in a folder that is there, and that you may write to."):
        write_bytes(path, content)
    return path


@contextmanager
def _look(theme: Theme, paper: str) -> Iterator[None]:
    """Matplotlib's settings in this look, until it ends."""
    with mpl.rc_context(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": theme.faint,
            "axes.facecolor": "none",
            "axes.grid": True,
            "axes.labelcolor": theme.muted,
            "axes.linewidth": 0.8,
            "axes.prop_cycle": cycler(color=theme.cycle),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 10,
            "figure.dpi": _DPI,
            "figure.facecolor": paper,
            "font.size": 9,
            "grid.color": theme.faint,
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "lines.markersize": 4,
            "pdf.fonttype": 42,  # TrueType, which journals ask for
            "svg.fonttype": "none",
            "svg.hashsalt": "mnistlab",
            "text.color": theme.ink,
            "text.parse_math": False,  # a name may have a $ in it
            "xtick.color": theme.faint,
            "xtick.labelcolor": theme.muted,
            "xtick.minor.pad": 5.0,  # with its shorter tick as far away as a label of a major one
            "ytick.color": theme.faint,
            "ytick.labelcolor": theme.muted,
            "ytick.minor.pad": 5.0,
        }
    ):
        yield


def _rendered(draws: Sequence[Draw], size: Size, suffix: str, paper: str) -> bytes:
    """Light charts side by side as a file without a date, so that the same charts are the same bytes."""
    content = io.BytesIO()
    with _look(LIGHT, paper):
        figure = Figure(figsize=size, layout="constrained")
        for number, draw in enumerate(draws, 1):
            axes = figure.add_subplot(1, len(draws), number)
            draw(axes)
            for axis in (axes.xaxis, axes.yaxis):
                _label_plainly(axis)
        if suffix == ".svg":  # not by `savefig`, which draws twice
            said = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            FigureCanvasSVG(figure).print_svg(content, metadata=said)
        elif suffix == ".pdf":
            FigureCanvasPdf(figure).print_pdf(content, metadata=dict.fromkeys(("Creator", "Producer", "CreationDate")))
        else:
            FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    return content.getvalue()


def _recoloured(svg: str, theme: Theme) -> str:
    """The light chart in the colours of a theme, wherever these are no text."""
    colours = dict(zip(LIGHT.colours, theme.colours, strict=True))
    return re.sub(r"#[0-9a-f]{6}\b(?=[^<>]*>)", lambda found: colours.get(found[0], found[0]), svg)


def _label_plainly(axis: Axis) -> None:
    """Write 20k, not a power of ten, on a logarithmic axis: powers are set letter by letter, for one font only."""
    if axis.get_scale() != "log":
        return
    low, high = sorted(axis.get_view_interval())
    plain = FuncFormatter(lambda value, _: in_letters(value))
    axis.set_major_formatter(plain)
    axis.set_minor_locator(LogLocator(subs=(2, 5)))
    axis.set_minor_formatter(plain if high < _FEW_DECADES * low else NullFormatter())


_FEW_DECADES = 200  # up to this ratio of its ends, a logarithmic axis has room for labels between the powers of ten


def _inline(svg: str, name: str) -> str:
    """An SVG file as a part of a page: in the font of the page, without addresses and without ids of other charts."""
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text).replace("xlink:href", "href")
    text = _with_own_ids(text, f"chart{next(_numbers)}-")
    text = re.sub(r"\s*\n\s*", "\n", text)
    opening = re.search(r'<svg [^>]*(viewBox="[^"]*")[^>]*>', text)
    assert opening is not None
    joins = "stroke-linejoin: round; stroke-linecap: butt"  # what the style said that was taken out
    return f'<svg class="{name}" {opening[1]} aria-hidden="true" style="{joins}">{text[opening.end() :].strip()}'


def _with_own_ids(text: str, prefix: str) -> str:
    """Ids that are referred to get a prefix, the others go."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    text = re.sub(r'\sid="([^"]*)"', lambda found: f' id="{prefix}{found[1]}"' if found[1] in used else "", text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", text)
