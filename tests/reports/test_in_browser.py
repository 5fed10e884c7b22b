"""A page as a browser shows it, light and dark, narrow and wide."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from mnistlab.cli import main

Fit = Callable[..., Path]

pytestmark = pytest.mark.slow

_DARK = "--blink-settings=preferredColorScheme=0"
_PROBE = """<script>
const shown = element => element.checkVisibility();
document.querySelectorAll("details").forEach(each => { each.open = true; });
parent.postMessage(JSON.stringify({
  width: innerWidth,
  scrolls: document.documentElement.scrollWidth,
  paper: getComputedStyle(document.body).backgroundColor,
  light: [...document.querySelectorAll(".chart .light")].filter(shown).length,
  dark: [...document.querySelectorAll(".chart .dark")].filter(shown).length,
  broken: [...document.images].filter(each => !each.naturalWidth).length,
  images: document.images.length,
  cells: [...document.querySelectorAll(".confusion td")].map(each => {
    const box = each.closest(".wide").getBoundingClientRect(), own = each.getBoundingClientRect();
    return own.right <= box.right + 1 && each.scrollWidth <= Math.ceil(own.width);
  }),
  hidden: [document.querySelector("main .wide")].some(each => each.scrollWidth > each.clientWidth),
  charts: [...document.querySelectorAll(".chart")].filter(each => each.getBoundingClientRect().height > 100).length,
}), "*");
</script></body>"""
_WIDTHS = (390, 1200, 1400)
_FRAMES = """<html style="color-scheme: light dark">{frames}<script>const seen = [];
addEventListener("message", each => {{
seen.push(JSON.parse(each.data));
document.documentElement.dataset.probe = JSON.stringify(seen);
}});</script></html>"""


@pytest.fixture(scope="module")
def browser() -> str:
    """A Chromium on this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs chromium, chromium-browser or google-chrome on the path")
    return found


@pytest.fixture
def page(trained: Fit, here: Path) -> Path:
    """A page about two runs, with all that a page can have."""
    runs = [trained("--trainer.max_epochs=2", f"--model.dropout={rate}") for rate in (0.0, 0.1)]
    assert main(["report", *map(str, runs), "--output=page.html"]) == 0
    return here / "page.html"


def opened(browser: str, path: Path, *options: str) -> tuple[str, str]:
    """The page as it is after it was opened, and what the browser said of it."""
    profile = f"--user-data-dir={path.parent / 'profile'}"
    fixed = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", profile)
    done = subprocess.run(
        [browser, *fixed, "--virtual-time-budget=5000", *options, "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, done.stderr


def probed(browser: str, path: Path, *options: str) -> list[dict[str, Any]]:
    """What a script finds in a copy of the page that lets one run; in frames, for no window is so narrow."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text())
    path.with_name("copy.html").write_text(text.replace("</body>", _PROBE))
    frames = (f'<iframe src="copy.html" style="border: 0; width: {width}px"></iframe>' for width in _WIDTHS)
    around = path.with_name("frames.html")
    around.write_text(_FRAMES.format(frames="".join(frames)))
    found = re.search(r'data-probe="([^"]*)"', opened(browser, around, *options)[0])
    assert found is not None
    said: list[dict[str, Any]] = json.loads(unescape(found[1]))
    return said


@pytest.mark.parametrize("dark", [False, True])
def test_a_page_fits_and_shows_what_suits(browser: str, page: Path, *, dark: bool) -> None:
    """Nothing is wider than the window, every picture is there, and the charts are those of the theme."""
    found = probed(browser, page, "--window-size=1600,900", *([_DARK] if dark else []))

    assert sorted(seen["width"] for seen in found) == [*_WIDTHS]
    for seen in found:
        width = seen["width"]
        assert seen["scrolls"] <= width
        assert seen["cells"]
        assert all(seen["cells"]), f"a column of the confusion matrix is hidden, of {width} pixels"
        assert width < 1200 or not seen["hidden"], f"a column of the runs is hidden, of {width} pixels"
        assert (seen["broken"], seen["images"] > 0) == (0, True)
        assert seen["charts"] == 2 + 2 * 3
        assert (seen["light"], seen["dark"]) == ((0, 8) if dark else (8, 0))
        assert seen["paper"] == ("rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)")


def test_a_browser_has_nothing_to_complain_of(browser: str, page: Path) -> None:
    """Its console stays empty, with the policy that the page gives itself; a script in it would be told of."""
    assert "CONSOLE" not in opened(browser, page)[1]

    page.write_text(page.read_text().replace("</body>", "<script>1</script></body>"))
    assert "CONSOLE" in opened(browser, page)[1]
