"""A training that comes to numbers that are none ends there, and goes on from where all was sound."""

import errno
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from support import BEST, LAST, record_of
from torch import Tensor

from mnistlab.classifier import Classifier
from mnistlab.cli import main

Fit = Callable[..., Path]
RUIN = ("--model.optimizer=SGD", "--model.optimizer.lr=1e30", "--model.scheduler=null")


def test_a_run_that_diverges_before_its_first_checkpoint_starts_anew_at_a_lower_rate(
    fit: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends at once, in one line; no weights are kept, and its record says how it has ended."""
    run = fit(*RUIN, "--trainer.max_epochs=3", code=1)

    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("mnistlab: in epoch 1 the loss is nan from batch ")
    assert line.endswith("Start anew at a lower rate: --model.optimizer.lr=0.01")
    record = record_of(run)
    assert record["status"] == record["segments"][-1]["status"] == "diverged"
    assert not list(run.glob("checkpoints/*"))


def test_what_is_printed_goes_on_from_the_last_sound_checkpoint(
    trained: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is left as it was, and so are the best weights; the run that goes on finishes."""
    run = trained()
    kept = {name: (run / name).read_bytes() for name in (LAST, BEST)}
    assert main(["fit", "--ckpt_path=last", "--trainer.max_epochs=3", "--model.optimizer.lr=1e30"]) == 1

    said = capsys.readouterr()
    assert "epoch     2/3" not in said.out
    assert said.err.startswith("mnistlab: in epoch 2 the ")
    assert {name: (run / name).read_bytes() for name in kept} == kept
    assert main(["runs", "--status=diverged"]) == 0
    assert "1 run in runs: fit, SyntheticDigits, diverged" in capsys.readouterr().out
    assert main(["runs", "show", "last"]) == 0
    command = said.err.splitlines()[-1].strip()
    assert command == f"mnistlab fit --ckpt_path={run.relative_to(Path.cwd())} --model.optimizer.lr=0.01"
    assert command in capsys.readouterr().out
    assert main(["report", "last"]) == 0
    assert "It has diverged. in epoch 2" in (run / "report.html").read_text()
    assert main(shlex.split(command)[1:]) == 0
    assert record_of(run)["status"] == "finished"
    assert record_of(run)["metrics"]["last"]["epoch"] == 2


def test_weights_that_are_no_numbers_are_never_kept(
    fit: Fit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though no loss has told of them: they are looked at before each checkpoint."""

    def spoil(model: Classifier, outputs: Any, batch: Any, batch_idx: int) -> None:
        del outputs, batch
        if model.current_epoch == 1 and batch_idx == 3:
            next(model.parameters()).data.view(-1)[0] = torch.nan

    monkeypatch.setattr(Classifier, "on_train_batch_end", spoil)
    run = fit("--trainer.max_epochs=3", code=1)
    assert "in epoch 2 the weights are no numbers (net." in capsys.readouterr().err
    for name in (LAST, BEST):
        contents = torch.load(run / name, weights_only=True)
        assert contents["epoch"] == 0
        assert all(weight.isfinite().all() for weight in contents["state_dict"].values())

    run = fit("--trainer.max_epochs=3", "--run.stop_when_nan=false")
    assert record_of(run)["status"] == "finished"
    assert record_of(run)["metrics"]["best"]["epoch"] == torch.load(run / LAST, weights_only=True)["epoch"] == 0


def test_a_step_that_a_scaler_leaves_out_is_no_divergence(
    fit: Fit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With scaled gradients a loss beyond the numbers of float16 is usual, and the weights stay as they were."""
    step = Classifier.training_step

    def overflowing(model: Classifier, batch: Any, batch_idx: int) -> Tensor:
        return step(model, batch, batch_idx) * (torch.inf if batch_idx == 1 else 1)

    monkeypatch.setattr(Classifier, "training_step", overflowing)
    scaled = [
        "--trainer.plugins=MixedPrecision",
        "--trainer.plugins.precision=16-mixed",
        "--trainer.plugins.device=cpu",
    ]
    capsys.readouterr()
    assert record_of(fit(*scaled))["status"] == "finished"
    assert "nothing more is learnt" not in capsys.readouterr().err
    assert record_of(fit(code=1))["status"] == "diverged"


def test_the_best_is_what_lies_on_the_disk(
    fit: Fit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A better epoch whose weights find no room is not the best."""
    save = Trainer.save_checkpoint

    def full(trainer: Trainer, path: Path, *args: Any, **kwargs: Any) -> None:
        if trainer.current_epoch == 1 and path.name == ".best.ckpt.tmp":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        save(trainer, path, *args, **kwargs)

    monkeypatch.setattr(Trainer, "save_checkpoint", full)
    run = fit("--trainer.max_epochs=2", code=1)
    best = record_of(run)["metrics"]["best"]
    assert (best["epoch"], record_of(run)["status"]) == (0, "failed")
    assert torch.load(run / BEST, weights_only=True)["epoch"] == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    assert f"{100 * best['val/acc']:.2f}" in capsys.readouterr().out
