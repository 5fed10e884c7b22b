"""What all tests share."""

import gc
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pages import Page
from support import only_run

from mnistlab.cli import main
from mnistlab.export.browser import Browser, find_browser
from mnistlab.sweeps import trying
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.worker import work

SMALL_DATA = ("--data=SyntheticDigits", "--data.train_size=600", "--data.test_size=200", "--data.val_size=100")
"""A data set that is drawn in a moment; with the default batch of 128 an epoch has 4 steps."""

gc.disable()  # while everything is imported, of which nothing is garbage

Fit = Callable[..., Path]
Change = Callable[..., None]


def pytest_collection_finish() -> None:
    """Keep what was imported out of every later search for garbage: there are a million such objects."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Draw each synthetic set once a session, and leave the user's own cache alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_waiting() -> Iterator[None]:
    """Nobody pulls the plug, so no file must reach the disk; and no plugin of Lightning is installed meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr("lightning.fabric.utilities.registry.entry_points", cache(entry_points))
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tests are small; threads would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _one_seed() -> None:
    """A test that draws numbers draws the same, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def small_data() -> tuple[str, ...]:
    """The options of a data set that is drawn in a moment."""
    return SMALL_DATA


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, in which Python leaves nothing of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


@pytest.fixture
def fit(here: Path) -> Fit:
    """Train TinyModel for a moment and return the folder of the run."""

    def run(*arguments: str, code: int = 0) -> Path:
        before = set(here.glob("runs/*/*"))
        assert main(["fit", "--model=TinyModel", *SMALL_DATA, "--trainer.max_epochs=1", *arguments]) == code
        (folder,) = set(here.glob("runs/*/*")) - before
        return folder

    return run


@pytest.fixture
def told(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints: of one that fails the error."""
    del here

    def run(*arguments: str, code: int = 0) -> str:
        assert main(arguments) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


@pytest.fixture
def resolved(told: Callable[..., str]) -> Callable[..., Any]:
    """What `fit` would be configured with."""
    return lambda *arguments: yaml.safe_load(told("fit", *arguments, "--print_config"))


@pytest.fixture(scope="session")
def _once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Train TinyModel for a moment, each choice of options once a session, without a word."""
    kept: dict[tuple[str, ...], Path] = {}

    def run(*arguments: str) -> Path:
        if arguments not in kept:
            root = tmp_path_factory.mktemp("once")
            told = io.StringIO()
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()), redirect_stderr(told):
                patch.chdir(root)
                ended = main(["fit", "--model=TinyModel", *SMALL_DATA, "--trainer.max_epochs=1", *arguments])
            assert ended == 0, told.getvalue()
            kept[arguments] = only_run(root / "runs")
        return kept[arguments]

    return run


@pytest.fixture
def trained(here: Path, _once: Callable[..., Path]) -> Fit:
    """As `fit`, for tests that only need a run: a copy of one that is trained once a session, with the same options."""

    def run(*arguments: str) -> Path:
        source = _once(*arguments)
        torch.manual_seed(0)
        folder = here.joinpath("runs", *source.parts[-2:])
        shutil.copytree(source, folder)
        return folder

    return run


@pytest.fixture
def refused_sweep(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """The lines of a message that refuses a sweep before anything is written."""

    def message(*arguments: str) -> list[str]:
        before = set(here.rglob("*"))
        assert main(["sweep", *small_data, *arguments]) == 2
        assert set(here.rglob("*")) == before
        return capsys.readouterr().err.splitlines()

    return message


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real MNIST."""
    folder = os.environ.get("MNISTLAB_DATA_DIR")
    if not folder or not (Path(folder) / "MNIST" / "raw").is_dir():
        pytest.skip("needs the real MNIST: set MNISTLAB_DATA_DIR to a folder with MNIST/raw in it")
    return Path(folder).resolve()


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[..., Page]:
    """Write a report and read the page that it says it has written."""

    def written(*arguments: str) -> Page:
        capsys.readouterr()
        assert main(["report", *arguments]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        assert out.startswith("wrote ")
        return Page(Path(out.removeprefix("wrote ").strip()))

    return written


@pytest.fixture
def change() -> Change:
    """Change the record of a run."""

    def changed(folder: Path, **fields: Any) -> None:
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**record, **fields}))

    return changed


class _Here:
    """A team that works in this process: no seconds for imports. The real one is for the slow tests."""

    def __init__(self, plan: Plan, size: int) -> None:
        del size
        self._plan = plan

    def work(self, study: Study, look: Callable[[], Any]) -> None:
        """Do all jobs."""
        del study
        with redirect_stdout(sys.stderr):  # as the real ones, which write into a file
            work(self._plan)
        look()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A Chromium on this machine."""
    path = find_browser()
    if path is None:
        pytest.skip("needs chromium, chromium-browser or google-chrome on the path")
    with Browser(path) as found:
        yield found


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trials run in the process of the test, in which there is too much to search for garbage after each."""
    monkeypatch.setattr(trying, "Team", _Here)
    monkeypatch.setattr("mnistlab.sweeps.worker.gc.collect", lambda: 0)
