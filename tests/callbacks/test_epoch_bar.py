"""The bar on a terminal."""

import re
from pathlib import Path

import pytest
from lightning.pytorch import Trainer
from rich.console import Console

from mnistlab import SyntheticDigits, TinyModel
from mnistlab.callbacks import EpochBar
from mnistlab.cli import main


@pytest.mark.usefixtures("here")
def test_the_bar_counts_epochs_from_one_and_batches_to_the_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """500 images in batches of 128 are 4 steps."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    console = Console(width=50)
    for module in ("mnistlab.callbacks.epoch_bar", "rich.progress"):
        monkeypatch.setattr(f"{module}.get_console", lambda: console)
    monkeypatch.setattr("mnistlab.callbacks.epoch_bar._REFRESH_S", 0.0)
    trainer = Trainer(
        max_epochs=2,
        callbacks=[EpochBar()],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        accelerator="cpu",
        default_root_dir=tmp_path,
    )
    trainer.fit(TinyModel(), datamodule=SyntheticDigits(train_size=600, test_size=200, val_size=100))

    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().out)
    assert all(text in shown for text in ("epoch 1/2", "epoch 2/2", "1/4", "4/4"))
    assert "epoch 0" not in shown
    validated = [line.split()[-2] for line in shown.splitlines() if line.startswith("validating")]
    assert validated == ["0/1", "1/1", "0/1", "1/1"]
    assert max(map(len, shown.splitlines())) <= 50


@pytest.mark.usefixtures("here")
def test_where_there_is_no_terminal_a_line_comes_at_least_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], small_data: tuple[str, ...]
) -> None:
    """Of each part of the epoch and of the test; a shorter epoch has its own line only."""
    quick = ["fit", "--model=SDN8K", *small_data, "--trainer.max_epochs=1"]
    assert main(quick) == 0
    assert "step 1/4" not in capsys.readouterr().out
    monkeypatch.setattr("mnistlab.callbacks.epoch_bar._SILENCE_S", 0.0)
    assert main(quick) == 0

    lines = "\n".join(capsys.readouterr().out.splitlines())
    assert re.search(
        r"^epoch 1/1  step 4/4  loss \d\.\d{4}  \d s\nepoch 1/1  validating 1/1  \d s\nepoch     1/1",
        lines,
        re.MULTILINE,
    )
    assert re.search(r"^testing 1/1  \d s$", lines, re.MULTILINE)
