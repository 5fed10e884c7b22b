"""The colours of pages, charts and what a notebook shows, light and dark, and the style that brings them there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Theme:
    """The colours of a page."""

    paper: str  # what is below all
    ink: str
    muted: str  # text of less weight, and lines that are no data
    faint: str
    raised: str  # below what stands out from the paper
    link: str
    cycle: tuple[str, ...]
    """The colours of data, `"C0"` and on: those of Okabe and Ito (2008), as dark or as light as the paper asks."""

    @property
    def colours(self) -> tuple[str, ...]:
        """Those that charts are drawn in, in the same order in each theme."""
        return (self.paper, self.ink, self.muted, self.faint, *self.cycle)

    def variables(self, shown: str) -> str:
        """What a style has them by, and which variant of a chart is shown: `light` or `dark`."""
        named = {
            "paper": self.paper,
            "ink": self.ink,
            "muted": self.muted,
            "line": self.faint,
            "raised": self.raised,
            "link": self.link,
            "right": self.cycle[0],
            "wrong": self.cycle[1],
            **{name: "block" if name == shown else "none" for name in ("light", "dark")},
        }
        return " ".join(f"--{name}: {value};" for name, value in named.items())


LIGHT = Theme(
    paper="#ffffff",
    ink="#1d2126",
    muted="#5a626b",
    faint="#dfe3e6",
    raised="#f5f7f8",
    link="#005a8f",
    cycle=("#0072b2", "#d55e00", "#00875f", "#a6558a", "#8a6d00", "#4a4f55"),
)
DARK = Theme(
    paper="#15181c",
    ink="#e6e8ea",
    muted="#a0a8b0",
    faint="#353b41",
    raised="#1d2126",
    link="#7cc4ee",
    cycle=("#56b4e9", "#e8853d", "#2fbf94", "#d99bc1", "#e0cf52", "#b9bfc5"),
)
THEMES: Mapping[str, Theme] = {"light": LIGHT, "dark": DARK}

_VARIABLES = {name: theme.variables(name) for name, theme in THEMES.items()}
_TOLD = {
    "light": "[data-jp-theme-light='true'], .vscode-light, .light",
    "dark": "[data-jp-theme-light='false'], .vscode-dark, .dark",
}
"""How JupyterLab and the pages that nbconvert makes, Visual Studio Code, and marimo say which theme they are in."""


def page_style() -> str:
    """The style of a whole page, whose theme is that of the system."""
    return f"{_by_system(':root')}\n{_file('page.css')}{_file('parts.css')}"


def output_style() -> str:
    """The style of what stands in a notebook in an element of the class `mnistlab`, in the theme of the notebook.

    It counts before that of the notebook, and changes nothing outside of the element.
    """
    told = [f":is({where}) .mnistlab {{ {_VARIABLES[name]} }}" for name, where in _TOLD.items()]
    inner = f":is(#mnistlab, .mnistlab) {{\n{_file('parts.css')}{_file('output.css')}}}"  # as strong as an id is
    return "\n".join([_by_system(".mnistlab"), *told, inner])


def _by_system(where: str) -> str:
    dark = f"@media (prefers-color-scheme: dark) {{ {where} {{ {_VARIABLES['dark']} }} }}"
    return f"{where} {{ {_VARIABLES['light']} }}\n{dark}"


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
