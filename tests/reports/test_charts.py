"""Charts are drawn for light and for dark, clash with nothing, and can be told apart."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes

from mnistlab.errors import LabError
from mnistlab.reports.charts import both, save
from mnistlab.reports.themes import THEMES
from mnistlab.text.values import in_letters


def curve(axes: Axes) -> None:
    """Two lines whose names want to be more than names."""
    axes.plot([1, 10, 1000], [3, 1, 2], marker="o", label="a <b> & $x$")
    axes.plot([1, 10, 1000], [1, 2, 3], label="second")
    axes.set_xscale("log")
    axes.legend()


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2, from 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast by WCAG 2, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", THEMES)
def test_colours_can_be_seen_on_their_paper(name: str) -> None:
    """Text by 4.5 to 1 and what is drawn by 3 to 1, as WCAG 2 asks at AA."""
    theme = THEMES[name]

    assert min(contrast(text, theme.paper) for text in (theme.ink, theme.muted)) >= 4.5
    assert min(contrast(colour, theme.paper) for colour in theme.cycle) >= 3


def test_a_chart_has_a_variant_for_each_theme() -> None:
    """Each in its own colours, with what it says for those who do not see it."""
    text = both(curve, text='a "chart"')
    light, dark = text.split("<svg ")[1:]

    assert 'role="img" aria-label="a &quot;chart&quot;"' in text
    for name, variant in (("light", light), ("dark", dark)):
        assert f'class="{name}"' in variant
        assert all(colour in variant for colour in THEMES[name].cycle[:2])


def test_a_name_like_a_colour_keeps_it() -> None:
    """Only what is drawn has other colours in the dark."""
    text = both(lambda axes: axes.set_title(f"as {THEMES['light'].ink}>"), text="")

    assert text.count(f"as {THEMES['light'].ink}&gt;") == 2


def test_charts_of_one_page_share_no_id() -> None:
    """Two ids alike would clip one chart by the frame of another."""
    page = both(curve, text="") + both(curve, text="")
    ids = re.findall(r'\bid="([^"]*)"', page)

    assert ids
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]*)', page)) == set(ids)


def test_an_inline_chart_has_text_as_text_and_no_address() -> None:
    """It can be searched, takes the font of the page, and points nowhere."""
    page = both(curve, text="")

    assert "a &lt;b&gt; &amp; $x$" in page
    assert ">1k<" in page
    assert not re.search(r"https?:|font-family|<style|<script|<metadata", page)


@pytest.mark.parametrize(("suffix", "opening"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_a_chart_is_saved_as_its_suffix_says(here: Path, suffix: str, opening: bytes) -> None:
    """The same chart is the same file, and no other is left."""
    save(curve, here / f"one{suffix}")
    save(curve, here / f"two{suffix}")

    assert (here / f"one{suffix}").read_bytes().startswith(opening)
    assert (here / f"one{suffix}").read_bytes() == (here / f"two{suffix}").read_bytes()
    assert len(list(here.iterdir())) == 2


def test_another_suffix_is_refused(here: Path) -> None:
    """With those that serve."""
    with pytest.raises(LabError, match=r"chart\.jpg.*\.svg, \.pdf or \.png"):
        save(curve, here / "chart.jpg")

    assert not list(here.iterdir())


def test_the_settings_of_others_stay_as_they_are() -> None:
    """Whoever draws with matplotlib besides finds it as it was."""
    names = set(mpl.rcParams) - {"backend"}  # which is looked up when it is first asked for
    before = {name: mpl.rcParams[name] for name in names}
    both(curve, text="")

    assert {name: mpl.rcParams[name] for name in names} == before


@pytest.mark.parametrize(
    ("value", "text"), [(0.001, "0.001"), (20, "20"), (1500, "1.5k"), (61_690, "61.7k"), (2.5e6, "2.5M")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    """Three digits say enough at an axis."""
    assert in_letters(value) == text


@pytest.mark.parametrize("kind", ["variable", "file"])
def test_commands_do_not_draw_with_what_a_notebook_draws_with(here: Path, kind: str) -> None:
    """A backend that is not installed, in the environment or in the user's settings, ends none of them."""
    missing = "module://nowhere.backend_inline"
    (here / "matplotlibrc").write_text(f"backend: {missing}\n")
    named = {"MPLBACKEND": missing} if kind == "variable" else {"MPLCONFIGDIR": str(here)}
    others = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    command = [sys.executable, "-m", "mnistlab", "fit", "--model=SDN8K", "--print_config"]

    done = subprocess.run(command, env={**others, **named}, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
