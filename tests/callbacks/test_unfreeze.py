"""Frozen parts that are trained from some epoch on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from support import quiet_trainer

from mnistlab import SyntheticDigits, TinyModel, main
from mnistlab.callbacks import Unfreeze
from mnistlab.checkpoints.reading import read_checkpoint

Fit = Callable[..., Path]
pytestmark = pytest.mark.filterwarnings("ignore:Found .* in eval mode")  # the frozen ones
CALLBACK = ("--model.freeze=backbone", "--trainer.callbacks=Unfreeze")


class Watch(Callback):
    """Notes after each epoch which parts are not as they were before it."""

    def __init__(self) -> None:
        self.changed: list[set[str]] = []
        self.resting: list[bool] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember the weights."""
        del trainer
        self.before = {name: tensor.clone() for name, tensor in pl_module.state_dict().items()}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare."""
        del trainer
        state = pl_module.state_dict()
        names = {name for name in state if not torch.equal(state[name], self.before[name])}
        self.changed.append({".".join(name.split(".")[1:3]) for name in names})
        self.resting.append(any(not module.training for module in pl_module.modules()))


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_parts_rest_until_their_epoch(tmp_path: Path, epoch: int) -> None:
    """And change from it on, with their running statistics and their dropout."""
    watch = Watch()
    trainer = quiet_trainer(tmp_path, max_epochs=3, callbacks=[Unfreeze(epoch=epoch), watch])
    trainer.fit(TinyModel(freeze="backbone"), SyntheticDigits(600, 200, val_size=100))

    every = {"backbone.stem", "backbone.blocks", "backbone.norm", "heads.label"}
    assert watch.changed == [every if number >= epoch else {"heads.label"} for number in range(3)]
    assert watch.resting == [number < epoch for number in range(3)]


def test_parts_are_unfrozen_in_turn(tmp_path: Path) -> None:
    """The last stage first, each callback with its epoch."""
    watch = Watch()
    callbacks = [Unfreeze(1, ["backbone.norm", "backbone.blocks"]), Unfreeze(2, "backbone.stem"), watch]
    trainer = quiet_trainer(tmp_path, max_epochs=3, callbacks=callbacks)
    trainer.fit(TinyModel(freeze="backbone"), SyntheticDigits(600, 200, val_size=100))

    upper = {"heads.label", "backbone.norm", "backbone.blocks"}
    assert watch.changed == [{"heads.label"}, upper, {*upper, "backbone.stem"}]


def test_a_run_that_is_continued_is_the_same_to_the_bit(fit: Fit) -> None:
    """Whether it stopped before the parts were unfrozen or after that."""
    options = (*CALLBACK, "--trainer.callbacks.epoch=2", "--model.scheduler=null")
    whole = fit(*options, "--trainer.max_epochs=4")
    weights = read_checkpoint(whole / "checkpoints" / "last.ckpt")["state_dict"]
    for epochs in (1, 3):
        parts = fit(*options, f"--trainer.max_epochs={epochs}")
        assert main(["fit", f"--ckpt_path={parts}", "--trainer.max_epochs=4"]) == 0

        table = (parts / "metrics.csv").read_text(encoding="utf-8")
        assert table == (whole / "metrics.csv").read_text(encoding="utf-8")
        state = read_checkpoint(parts / "checkpoints" / "last.ckpt")["state_dict"]
        assert all(torch.equal(state[name], tensor) for name, tensor in weights.items())


STOP = """
from pathlib import Path
from lightning.pytorch import Callback

class Stop(Callback):
    def on_train_batch_end(self, trainer, *_, **__):
        if trainer.global_step == 6 and not Path("stopped").exists():
            Path("stopped").touch()
            raise KeyboardInterrupt
"""


def test_a_run_that_is_continued_within_an_epoch_is_the_same_to_the_bit(
    here: Path, fit: Fit, small_data: tuple[str, ...]
) -> None:
    """An epoch has 4 steps; in the second one, in which the parts are trained already, it is interrupted."""
    (here / "stop_in_the_midst.py").write_text(STOP)
    options = ("--model=TinyModel", *small_data, *CALLBACK, "--model.scheduler=null", "--trainer.max_epochs=3")
    whole = fit(*options)
    stopping = ("--trainer.callbacks+=stop_in_the_midst.Stop", "--run.checkpoint_every_n_steps=1", "--run.name=parts")
    assert main(["fit", *options, *stopping]) == 130
    (parts,) = set(here.glob("runs/*/*")) - {whole}
    assert main(["fit", f"--ckpt_path={parts}", "--trust=stop_in_the_midst"]) == 0

    assert (parts / "metrics.csv").read_text(encoding="utf-8") == (whole / "metrics.csv").read_text(encoding="utf-8")


def test_a_trained_net_is_tested_as_ever(fit: Fit) -> None:
    """The callback has nothing to do there."""
    folder = fit(*CALLBACK, "--trainer.max_epochs=2")

    assert main(["test", f"--ckpt_path={folder}"]) == 0
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"] == "finished"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--trainer.callbacks=Unfreeze",),
            "Unfreeze needs a net with frozen parts, but none is frozen. Add --model.fre",
        ),
        (
            (*CALLBACK, "--trainer.callbacks.parts=backbon"),
            "--trainer.callbacks.parts=backbon: `parts` must name parts of the net, got backbon. Did you mean backbone",
        ),
        (
            (*CALLBACK, "--trainer.callbacks.parts=heads"),
            "--trainer.callbacks.parts=heads: `parts` of Unfreeze must name what is frozen, got heads.",
        ),
        ((*CALLBACK, "--trainer.callbacks.epoch=-1"), "a whole number from 0 on, got -1"),
    ],
)
def test_what_would_fail_only_in_that_epoch_is_refused(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    """Before training, in one line; no run is left behind."""
    assert main(["fit", "--model=TinyModel", *small_data, *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()

    assert said in line
    assert not list(here.glob("runs/*/*"))
