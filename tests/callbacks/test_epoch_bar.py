"""The bar on a terminal."""

from pathlib import Path

import pytest
from lightning.pytorch import Trainer

from mnistlab import SyntheticDigits, TinyModel
from mnistlab.callbacks import EpochBar


@pytest.mark.usefixtures("here")
def test_the_bar_counts_epochs_from_one_and_batches_to_the_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """500 images in batches of 128 are 4 steps."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
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

    shown = capsys.readouterr().out
    assert all(text in shown for text in ("epoch 1/2", "epoch 2/2", "1/4", "4/4"))
    assert "epoch 0" not in shown
