"""The page of a trained net, as a browser shows it."""

import base64
import json
import shutil
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from mnistlab import SyntheticDigits
from mnistlab.classifier import Classifier
from mnistlab.cli import main
from mnistlab.export.browser import Browser, find_browser
from mnistlab.export.document import parts_of

Fit = Callable[..., Path]
Said = pytest.CaptureFixture[str]

_CNN = ("--model=CNN8K",)
_SEVEN = """
begin(45, 40, 11);
for (let at = 0; at <= 10; at++) extend(45 + 8 * at, 40);
for (let at = 0; at <= 12; at++) extend(125 - 4 * at, 40 + 8 * at);
drawing.stroke = null;
"""
_SHOWN = "await new Promise((done) => { const wait = () => (waiting ? setTimeout(wait) : done()); wait(); });"


@pytest.fixture
def run(trained: Fit) -> Path:
    """A trained net with maps."""
    return trained(*_CNN)


@pytest.fixture
def page(run: Path) -> Path:
    """Its page."""
    assert main(["export", str(run), "--format=html"]) == 0
    return run / "net.html"


def done(browser: Browser, statements: str) -> Any:
    """What statements return on the page that is open, once all is shown."""
    return browser.evaluate(f"(async () => {{ await ready; {statements} }})()")


def the_test_images(run: Path) -> tuple[Tensor, Tensor]:
    """The test images, and what the net says of them."""
    data = SyntheticDigits(train_size=600, test_size=200, val_size=100)
    data.setup("test")
    model = Classifier.load_from_checkpoint(run / "checkpoints" / "best.ckpt").eval()
    images = data.test_images().images
    with torch.no_grad():
        return images, model(data.normalize(images)).softmax(dim=1)


@pytest.mark.slow
@pytest.mark.parametrize("options", [_CNN, (), ("--model=ViT38K",), ("--model=CompactCNN62K",)])
def test_a_browser_answers_every_test_image_as_the_net_does(
    browser: Browser, trained: Fit, options: tuple[str, ...]
) -> None:
    """Not one otherwise, no probability off by 1e-5, and the page says so itself of those that it holds."""
    run = trained(*options)
    assert main(["export", str(run), "--format=html"]) == 0
    images, probs = the_test_images(run)
    browser.open((run / "net.html").as_uri())

    text = base64.b64encode(images.numpy().tobytes()).decode()
    found = base64.b64decode(done(browser, f"return answerPacked({json.dumps(text)});"))

    assert np.frombuffer(found, np.float32).reshape(-1, 10) == pytest.approx(probs.numpy(), abs=1e-5)
    checked = done(
        browser, "check(); return [nets[0].agreeing(), nets[0].tests.labels.length, byId('checked').textContent];"
    )
    assert checked[0] == checked[1] >= 30
    assert f"{checked[0]} of {checked[0]} test images" in checked[2]


def test_a_page_is_tried_before_it_has_its_name(run: Path, capsys: Said) -> None:
    """On all test images, in node or in Chromium; it may be measured again as any checkpoint."""
    if not (shutil.which("node") or find_browser()):
        pytest.skip("needs node or Chromium")
    assert main(["export", str(run), "--format=html"]) == 0

    assert "Each has answered 200 test images" in " ".join(capsys.readouterr().out.split())
    assert main(["test", f"--model_file={run / 'net.html'}", f"--trust={run / 'net.html'}"]) == 0


def test_a_page_that_nothing_here_can_try_says_so(run: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written, for it tries itself where it is opened; another form would be refused."""
    monkeypatch.setattr(shutil, "which", lambda _: None)

    assert main(["export", str(run), "--format=html"]) == 0

    said = capsys.readouterr()
    assert "is not tried on the test images: neither node nor Chromium is here" in " ".join(said.err.split())
    assert "Each has answered" not in said.out
    assert (run / "net.html").is_file()


@pytest.mark.slow
def test_a_page_tried_in_chromium_alone_is_as_good(run: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no node."""
    which = shutil.which
    if find_browser() is None:
        pytest.skip("needs Chromium")
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "node" else which(name))

    assert main(["export", str(run), "--format=html"]) == 0

    assert "Each has answered 200 test images" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_a_stroke_is_answered(browser: Browser, page: Path) -> None:
    """By mouse or by keys: what the net sees, its answer, a bar for each class, and a word for who listens."""
    browser.open(page.as_uri())
    box = done(browser, "const box = paper.getBoundingClientRect(); return [box.left, box.top, box.width];")
    at = {"left": box[0] + 0.3 * box[2], "top": box[1] + 0.25 * box[2]}

    def mouse(kind: str, x: float, y: float) -> None:
        browser.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    mouse("mousePressed", at["left"], at["top"])
    for step in range(10):
        mouse("mouseMoved", at["left"] + step * 0.04 * box[2], at["top"])
    mouse("mouseReleased", at["left"] + 0.36 * box[2], at["top"])

    told = done(browser, f"{_SHOWN} return [views[0].best.textContent, views[0].seen.width, drawing.steps.length];")
    assert told[0].isdigit()
    assert told[1] == 28
    sums = done(
        browser, "return Object.values(nets[0].parts.heads).map((each) => each.reduce((sum, one) => sum + one, 0));"
    )
    assert sums == [pytest.approx(1, abs=1e-5)]
    done(browser, "await new Promise((done) => setTimeout(done, 700));")
    assert done(browser, "return byId('said').textContent;").startswith(told[0])

    before = told[2]
    done(browser, "byId('clear').click(); paper.focus();")
    for key in (" ", *["ArrowRight"] * 5, " "):
        browser.ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=key if key == " " else "")
        browser.ask("Input.dispatchKeyEvent", type="keyUp", key=key)
    assert done(browser, f"{_SHOWN} return [drawing.steps.length, drawing.steps.at(-1).points.length];")[1] >= 6
    assert done(browser, f"undo(); {_SHOWN} return views[0].best.textContent;") == ""
    assert before
    assert browser.console == []


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_a_page_fits_and_has_nothing_to_complain_of(browser: Browser, page: Path, *, dark: bool) -> None:
    """From 360 to 1400 pixels, light and dark, with all that it shows."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.ask("Emulation.setEmulatedMedia", features=[scheme])
    for width in (360, 390, 768, 1024, 1400):
        browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        browser.open(page.as_uri())
        done(browser, f"{_SEVEN} turn(1); {_SHOWN}")
        assert done(browser, "return document.documentElement.scrollWidth;") <= width
        paper = done(browser, "return getComputedStyle(document.body).backgroundColor;")
        assert paper == ("rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)")
        unnamed = """return [...document.querySelectorAll("button, input, select, [tabindex='0']")]
            .filter((each) => !(each.ariaLabel || each.textContent.trim() || each.labels?.length)).length;"""
        assert done(browser, unnamed) == 0

    assert browser.console == []


@pytest.mark.slow
def test_test_images_are_shown_as_the_net_knows_them(browser: Browser, run: Path, page: Path) -> None:
    """Byte for byte, with their class."""
    browser.open(page.as_uri())
    images, probs = the_test_images(run)

    for number in range(3):
        told = done(
            browser,
            f"turn(1); {_SHOWN} return [[...views[0].image], byId('tested').textContent, views[0].best.textContent];",
        )
        assert told[0] == images[number].flatten().tolist()
        assert told[1].startswith(f"{number + 1} of ")
        assert told[2] == str(int(probs[number].argmax()))


@pytest.mark.slow
def test_the_stages_are_those_of_the_net_and_can_be_switched_off(browser: Browser, run: Path, page: Path) -> None:
    """Each channel of a map and each neuron; all on again gives the answer of before."""
    browser.open(page.as_uri())
    images, _ = the_test_images(run)
    data = SyntheticDigits(train_size=600, test_size=200, val_size=100)
    data.setup("test")
    model = Classifier.load_from_checkpoint(run / "checkpoints" / "best.ckpt").eval()
    with torch.no_grad():
        wanted = model.features(data.normalize(images[:1]))  # type: ignore[operator]  # of a net with stages

    arrays = "Object.entries(nets[0].parts.stages).map(([name, each]) => [name, [...each]])"
    found = done(browser, f"turn(1); {_SHOWN} return Object.fromEntries({arrays});")
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        assert found[name] == pytest.approx(values.flatten().tolist(), abs=1e-4)

    before = done(browser, "return [...nets[0].parts.heads.label];")
    told = "[[...nets[0].parts.heads.label], byId('pointed').textContent]"
    off = done(browser, f"views[0].drawers[0].toggle(0); {_SHOWN} return {told};")
    assert off[0] != before
    assert off[1].endswith("off")
    assert done(browser, f"byId('all-on').click(); {_SHOWN} return [...nets[0].parts.heads.label];") == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "method"),
    [
        (_CNN, "gradcam"),
        (("--model=ConvNeXt18K",), "gradcam"),
        (("--model=EfficientNet22K",), "gradcam"),
        ((), "gradient"),
        (("--model=ViT38K",), "attention"),
    ],
)
def test_the_heat_is_that_of_explain(
    browser: Browser, trained: Fit, options: tuple[str, ...], method: Literal["gradcam", "gradient", "attention"]
) -> None:
    """By the method that suits the net."""
    run = trained(*options)
    assert main(["export", str(run), "--format=html"]) == 0
    browser.open((run / "net.html").as_uri())
    images, _ = the_test_images(run)
    data = SyntheticDigits(train_size=600, test_size=200, val_size=100)
    data.setup("test")
    wanted = Classifier.load_from_checkpoint(run / "checkpoints" / "best.ckpt").explain(
        data.normalize(images[:1]), method
    )

    looked = "nets[0].looked(largest(nets[0].parts.heads.label))"
    found = done(browser, f"turn(1); {_SHOWN} return [nets[0].heat.method, nets[0].heat.shape, [...{looked}]];")

    assert found[0] == method
    small = torch.tensor(found[2], dtype=torch.float32).view(1, 1, *found[1])
    whole = torch.nn.functional.interpolate(small, wanted.shape[-2:], mode="bilinear", align_corners=False)[0, 0]
    assert (whole / whole.max().clamp(min=1e-30)).numpy() == pytest.approx(wanted[0].numpy(), abs=1e-4)


@pytest.mark.slow
def test_the_most_similar_training_image_of_one_is_itself(browser: Browser, page: Path) -> None:
    """By the last features, and with its class."""
    browser.open(page.as_uri())

    nearest = done(
        browser,
        "const net = nets[0]; net.answer(net.image(net.similar, 7)); return [net.nearest(3), net.similar.labels[7]];",
    )

    assert nearest[0][0]["number"] == 7
    assert nearest[0][0]["label"] == nearest[1]
    assert nearest[0][0]["likeness"] > 0.999


@pytest.mark.slow
def test_what_was_drawn_is_a_test_set(browser: Browser, page: Path, run: Path, here: Path, capsys: Said) -> None:
    """An npz that --data=Images reads, with the class that was said."""
    browser.open(page.as_uri())
    images = done(
        browser,
        f"""
        const images = [];
        for (const label of [7, 7, 1]) {{ {_SEVEN} {_SHOWN} byId("class").selectedIndex = label;
            images.push([...views[0].image]); keep(); }}
        return images;""",
    )
    text = done(browser, "return btoa(String.fromCharCode(...new Uint8Array(await savedDigits().arrayBuffer())));")
    (here / "my-digits.npz").write_bytes(base64.b64decode(text))

    with np.load(here / "my-digits.npz") as kept:
        assert kept["y_test"].tolist() == ["7", "7", "1"]
        assert kept["x_test"].reshape(3, -1).tolist() == images
    capsys.readouterr()
    assert main(["test", f"--ckpt_path={run}", "--data=Images", "--data.path=my-digits.npz"]) == 0


@pytest.mark.slow
def test_two_nets_stand_side_by_side(browser: Browser, trained: Fit, here: Path, capsys: Said) -> None:
    """One page, one drawing, two answers."""
    runs = [str(trained(*_CNN)), str(trained())]

    assert main(["export", *runs, "--format=html"]) == 0

    assert "net.html: 2 nets side by side" in capsys.readouterr().out
    assert len(parts_of(here / "net.html")) == 2
    browser.open((here / "net.html").as_uri())
    told = done(
        browser, f"{_SEVEN} {_SHOWN} return views.map((view) => [view.net.about.model, view.best.textContent]);"
    )
    assert [model for model, _ in told] == ["CNN8K", "TinyModel"]
    assert all(answer.isdigit() for _, answer in told)
    assert browser.console == []


def test_several_nets_are_for_a_page_only(trained: Fit, capsys: Said) -> None:
    """No other form holds them."""
    runs = [str(trained(*_CNN)), str(trained())]

    assert main(["export", *runs, "--format=c"]) == 2

    assert "only a page holds 2 nets. Use --format=html, or name one run." in " ".join(capsys.readouterr().err.split())


def test_draw_opens_the_page_of_the_newest_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written the first time, and only opened the second."""
    seen: list[str] = []
    monkeypatch.setattr(webbrowser, "open", seen.append)

    assert main(["draw"]) == 0
    made = (run / "net.html").stat().st_mtime_ns
    assert main(["draw", str(run)]) == 0

    assert seen == [(run / "net.html").as_uri()] * 2
    assert (run / "net.html").stat().st_mtime_ns == made


@pytest.mark.parametrize("words", [(), ("last",), ("best",)])
def test_draw_without_a_run_says_how_to_make_one(here: Path, capsys: Said, words: tuple[str, ...]) -> None:
    """In ten seconds."""
    del here

    assert main(["draw", *words]) == 2

    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith(f"mnistlab: {words[0] if words else 'last'}: looked in runs")
    assert said.endswith("`mnistlab fit --config=Quick99` trains a net in ten seconds.")


@pytest.mark.parametrize("command", ["draw", "export"])
def test_a_run_that_is_not_there_is_called_as_it_was_typed(run: Path, capsys: Said, command: str) -> None:
    """Also beside one that is there, and before anything is written."""
    assert main([command, str(run), "lasst", *(["--format=html"] if command == "export" else [])]) == 2

    assert "mnistlab: lasst: there is no such file. Did you mean last?" in " ".join(capsys.readouterr().err.split())
    assert not (run / "net.html").exists()


def test_draw_where_there_is_no_browser_says_where_the_page_is(
    page: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a session by ssh."""
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    capsys.readouterr()

    assert main(["draw"]) == 0

    assert f"no browser is found here. Open {page.relative_to(Path.cwd())} in one." in capsys.readouterr().err


def test_a_page_of_a_small_net_is_small_and_asks_nobody(trained: Fit) -> None:
    """600 kB for CompactCNN62K, no address in it, and a policy under which nothing could be fetched."""
    run = trained("--model=CompactCNN62K")
    assert main(["export", str(run), "--format=html"]) == 0
    text = (run / "net.html").read_text()

    assert len(text.encode()) <= 600_000
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text
