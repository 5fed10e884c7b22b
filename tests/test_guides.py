"""What the README and the guides in docs/ show runs, and what they name is there."""

import re
import shlex
import struct
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

from mnistlab.cli import main

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GUIDES = (
    "training",
    "nets",
    "presets",
    "answers",
    "images",
    "sweeps",
    "runs",
    "speed",
)  # the others have tests of their own
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_QUICK: tuple[str, ...] = (
    "--trainer.max_epochs=1",
    "--trainer.limit_train_batches=2",
    "--trainer.limit_test_batches=1",
)
_FEW = ("--data.train_size=1200", "--data.test_size=200", "--data.val_size=200")


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise in MNIST's format."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    generator = torch.Generator().manual_seed(0)
    for part, size in (("train", 1200), ("t10k", 200)):
        images = torch.randint(0, 256, (size, 28 * 28), dtype=torch.uint8, generator=generator)
        labels = torch.arange(size).remainder(10).to(torch.uint8)
        header = struct.pack(">IIII", 0x803, size, 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.numpy().tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, size) + labels.numpy().tobytes())
    monkeypatch.setenv("MNISTLAB_DATA_DIR", str(tmp_path / "data"))


def _draw_pictures(folder: Path) -> None:
    """The pictures that it has answered."""
    picture = Image.new("L", (90, 120), 230)
    ImageDraw.Draw(picture).line((45, 20, 40, 100), fill=30, width=8)
    (folder / "scans").mkdir()
    for name in ("photo.jpg", "sheet.png", "scans/one.png"):
        picture.save(folder / name)


def _quick(line: str) -> list[str]:
    arguments = shlex.split(line)[1:]
    trains = arguments[0] in ("fit", "sweep", "compare", "audit") and "--help" not in line and ".help" not in line
    timed = ["--budget=1s" if word.startswith("--budget=") else word for word in arguments]
    quick = _QUICK
    if trains and timed != arguments:
        arguments, quick = timed, _QUICK[1:]
    judged = ("--max_pairs=1", *(word.replace("--", "--baseline.") for word in _QUICK))
    fewer = {
        "sweep": ("--trials=2",),
        "compare": ("--seeds=1",),
        "bench": ("--only=augmentation",),
        "judge": judged,
    }.get(arguments[0], ())
    drawn = "--data=SyntheticDigits" in arguments
    return [*arguments, *(quick if trains else ()), *(_FEW if trains and drawn else ()), *fewer]


@pytest.mark.usefixtures("small_mnist", "inline")
@pytest.mark.parametrize(
    "page", [README, *(ROOT / "docs" / f"{name}.md" for name in GUIDES)], ids=lambda page: page.stem
)
def test_every_command_and_every_snippet_runs(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, page: Path
) -> None:
    """They run in the order in which they stand on their page, each on what the ones before have left.

    Whoever reads a guide has trained a net before.
    """
    monkeypatch.setenv("HOME", str(here))  # completion is installed there
    monkeypatch.setattr("webbrowser.open", lambda _: True)
    _draw_pictures(here)
    assert page is README or main(_quick("mnistlab fit --model=SDN8K")) == 0
    commands = 0
    for language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        named = re.match(r"# ([\w/]+\.\w+)\n", text)
        if named:
            (here / named[1]).parent.mkdir(exist_ok=True)
            (here / named[1]).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, page.name, "exec"), {})  # noqa: S102 - it is ours
        for line in text.splitlines() if language == "bash" else []:
            if line.startswith("mnistlab "):
                commands += 1
                undecided = 4 * line.startswith("mnistlab judge")  # one pair decides nothing
                assert main(_quick(line)) == undecided, f"{line}\n{capsys.readouterr().err}"

    assert commands > 0


def test_the_first_two_commands_install_and_then_train_and_test() -> None:
    """They need nothing but Python and pip; .ci/run takes them from the README and runs them as they stand."""
    blocks = [text for language, text in _BLOCK.findall(README.read_text(encoding="utf-8")) if language == "bash"]

    assert [line.split(" && ")[0] for line in blocks[:2]] == [line.split(" && ")[0] for line in blocks[:1]] * 2
    assert "mnistlab fit --data=SyntheticDigits" in blocks[0]
    assert "pytest" in blocks[1]


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the project, and to a heading in it where one is named."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, heading = link.partition("#")
        if not name.startswith("http"):
            target = page.parent / name if name else page
            assert target.is_file(), link
            assert not heading or heading in _headings(target), link


def _headings(page: Path) -> list[str]:
    """The headings of a page as addresses have them."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines]
