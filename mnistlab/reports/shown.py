"""What shows itself: as HTML in a notebook, in the colours of its theme, and as text in a terminal."""

from mnistlab.reports.markup import Markup, element
from mnistlab.reports.themes import output_style


class Shown:
    """Shows itself; a class says how, in `html` and `lines`."""

    def html(self) -> Markup:
        """As a part of a page."""
        raise NotImplementedError

    def lines(self) -> str:
        """As text; of several lines where one does not do."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.lines()

    def _repr_html_(self) -> str:
        """What Jupyter and marimo show."""
        return output(self.html())


def output(inner: Markup) -> str:
    """A part of a page with the style that it needs in a notebook; no more than text, or marimo writes nothing."""
    return str(element("div", element("style", Markup(output_style())), inner, class_="mnistlab"))
