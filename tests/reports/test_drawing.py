"""A report leads to the page that runs the net, and may hold a small one."""

import base64
import os
import re
import subprocess
import time
from collections.abc import Callable
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray
from pages import Page

from mnistlab.cli import main
from mnistlab.export.browser import Browser, find_browser

Fit = Callable[..., Path]
Report = Callable[..., Page]
Said = pytest.CaptureFixture[str]

_STROKE = [(0.3 + 0.04 * step, 0.25) for step in range(10)] + [
    (0.66 - 0.02 * step, 0.25 + 0.05 * step) for step in range(11)
]


@pytest.fixture
def run(trained: Fit) -> Path:
    """A run, and something where its page would be."""
    folder = trained()
    (folder / "net.html").write_text("<html></html>")
    return folder


@pytest.fixture
def proved(trained: Fit) -> Path:
    """A run with its page."""
    folder = trained()
    assert main(["export", str(folder), "--format=html"]) == 0
    return folder


def links(page: Page) -> list[str]:
    """Those that lead out of the page."""
    return [each["href"] or "" for each in page.all("a") if not (each["href"] or "").startswith("#")]


def small(page: Page) -> str:
    """The page of a net that stands in another."""
    (frame,) = page.all("iframe")
    return frame["srcdoc"] or ""


def test_a_report_links_to_the_page_of_its_net(run: Path, here: Path, report: Report) -> None:
    """Wherever it lies itself."""
    (here / "elsewhere").mkdir()

    assert links(report()) == ["net.html"]
    (far,) = links(report(str(run), "--output=elsewhere/a page.html"))
    assert (here / "elsewhere" / far).resolve() == run / "net.html"
    assert "Draw for this net" in report().text


def test_a_page_that_is_older_than_its_net_is_said_to_be(run: Path, report: Report) -> None:
    """The run may have gone on since."""
    os.utime(run / "net.html", (1, 1))

    assert "Draw for this net as it was before it went on" in report().text


def test_of_several_runs_those_with_a_page_have_a_link_in_their_row(run: Path, trained: Fit, report: Report) -> None:
    """And where they are shown by themselves; where no run has one there is no column for it."""
    others = [str(trained("--trainer.max_epochs=2")), str(trained("--model.hidden_dim=40"))]

    page = report(str(run), others[0])
    row = re.search(r'<tr><th scope="row">.*?</tr>', page.source)
    assert row is not None
    assert f'<a href="{run.relative_to(Path.cwd())}/net.html">Draw</a>' in row[0]
    assert len(links(page)) == 2
    assert ">Net</th>" in page.source
    assert ">Net</th>" not in report(*others).source


def test_a_net_is_laid_in_where_that_is_asked_for(proved: Path, report: Report) -> None:
    """Only then; it can reach nothing of the report and no network, and has no more than it needs."""
    assert not report().all("iframe")

    page = report("--live")

    (frame,) = page.all("iframe")
    assert frame["sandbox"] == "allow-scripts"
    assert frame["title"] == "Draw for TinyModel"
    assert not page.all("script")
    (policy,) = [each["content"] or "" for each in page.all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'wasm-unsafe-")
    assert "'unsafe-inline'" not in policy.partition("script-src")[2]
    assert not re.search(r"https?://", small(page))
    assert len(small(page)) < (proved / "net.html").stat().st_size


def test_a_net_that_has_no_page_yet_gets_one_first(trained: Fit, here: Path, capsys: Said) -> None:
    """It is proved as any, and written anew where the net has gone on."""
    page = trained() / "net.html"

    assert main(["report", "--live"]) == 0
    assert "Each has answered 200 test images" in " ".join(capsys.readouterr().out.split())
    made = page.stat().st_mtime_ns
    assert main(["report", "--live"]) == 0
    assert page.stat().st_mtime_ns == made
    os.utime(page, (1, 1))
    assert main(["report", "--live", f"--output={here / 'report.html'}"]) == 0

    assert page.stat().st_mtime_ns > made
    assert small(Page(here / "report.html"))


def test_several_runs_have_a_net_each(proved: Path, trained: Fit, here: Path) -> None:
    """Where each is shown by itself."""
    assert main(["report", str(proved), str(trained("--model=CNN8K")), "--live"]) == 0

    titles = [each["title"] for each in Page(here / "report.html").all("iframe")]
    assert titles == ["Draw for TinyModel", "Draw for CNN8K"]


def test_a_page_that_is_damaged_is_refused(run: Path, capsys: Said) -> None:
    """In one line that says what to do."""
    del run

    assert main(["report", "--live"]) == 2

    assert "net.html is no page of mnistlab export. Remove it, and it is written anew." in " ".join(
        capsys.readouterr().err.split()
    )


def test_a_run_without_weights_has_no_live_net(trained: Fit, capsys: Said) -> None:
    """That is told, and no report is written."""
    folder = trained()
    for path in [*folder.glob("checkpoints/*"), *folder.glob("*.safetensors")]:
        path.unlink()

    assert main(["report", "--live"]) == 2

    assert "this run has not written a checkpoint" in " ".join(capsys.readouterr().err.split())
    assert not (folder / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1200])
def test_a_stroke_is_answered_within_the_report(browser: Browser, proved: Path, width: int, *, dark: bool) -> None:
    """Its scripts may run there, and nothing is wider than the window."""
    assert main(["report", "--live"]) == 0
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.ask("Emulation.setEmulatedMedia", features=[scheme])
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=False)
    browser.open((proved / "report.html").as_uri())
    frame = "document.querySelector('iframe')"
    browser.evaluate(f"{frame}.scrollIntoView()")
    box: Any = browser.evaluate(f"(() => {{ const box = {frame}.getBoundingClientRect(); return [box.x, box.y]; }})()")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width  # type: ignore[operator]  # a number

    def shown() -> NDArray[np.float32]:
        """What stands beside the paper, or below it."""
        picture = imread(BytesIO(base64.b64decode(browser.ask("Page.captureScreenshot", format="png")["data"])))
        x, y = (0, int(box[1]) + 480) if width < 700 else (int(box[0]) + 340, int(box[1]))
        return picture[max(y, 0) : y + 300, x : x + 270]

    time.sleep(1)
    before = shown()
    for kind, (x, y) in [
        ("mousePressed", _STROKE[0]),
        *(("mouseMoved", at) for at in _STROKE),
        ("mouseReleased", _STROKE[-1]),
    ]:
        at = {"x": box[0] + 280 * x, "y": box[1] + 280 * y}
        browser.ask("Input.dispatchMouseEvent", type=kind, **at, button="left", clickCount=1)
    time.sleep(1)

    assert (shown() != before).any()
    assert browser.console == []


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--model=CNN8K",), ("--model=ViT38K",)])
def test_a_small_page_answers_as_the_whole_one(browser: Browser, trained: Fit, options: tuple[str, ...]) -> None:
    """To the bit, drawn by keys, with a name for each control."""
    run = trained(*options)
    assert main(["report", str(run), "--live"]) == 0
    (run / "small.html").write_text(unescape(small(Page(run / "report.html"))))
    found = []
    for name in ("net.html", "small.html"):
        browser.open((run / name).as_uri())
        browser.evaluate("(async () => { await ready; paper.focus(); })()")
        for key in (" ", *["ArrowUp"] * 5, *["ArrowRight"] * 5, " "):
            browser.ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=key if key == " " else "")
            browser.ask("Input.dispatchKeyEvent", type="keyUp", key=key)
        found.append(browser.evaluate("look(), Object.values(nets[0].parts.heads).map((each) => [...each])"))
        said = "new Promise((done) => setTimeout(() => done(byId('said').textContent), 700))"
        assert str(browser.evaluate(said))[0].isdigit()

    assert found[0] == found[1]
    unnamed = """[...document.querySelectorAll("button, input, [tabindex='0']")]
        .filter((each) => !(each.ariaLabel || each.textContent.trim() || each.labels?.length)).length"""
    assert browser.evaluate(unnamed) == 0
    assert browser.console == []


@pytest.mark.slow
def test_a_browser_has_nothing_to_complain_of(proved: Path) -> None:
    """Not in the frame either, whose console is one of its own; another script than those of the net is told of."""
    browser = find_browser()
    if browser is None:
        pytest.skip("needs chromium, chromium-browser or google-chrome on the path")
    assert main(["report", "--live"]) == 0
    path = proved / "report.html"

    def said() -> str:
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0")
        profile = f"--user-data-dir={proved / 'profile'}"
        command = [browser, *options, profile, "--virtual-time-budget=5000", "--dump-dom", path.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stderr

    assert "CONSOLE" not in said()
    path.write_text(path.read_text().replace("&lt;/body&gt;", "&lt;script&gt;1&lt;/script&gt;&lt;/body&gt;"))
    assert "CONSOLE" in said()
