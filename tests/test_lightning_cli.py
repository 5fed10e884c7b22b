"""A plain LightningCLI program of somebody's own writes checkpoints that the lab can read."""

import sys
from pathlib import Path

import pytest
from lightning.pytorch.cli import LightningCLI

from mnistlab import ImageData
from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.classifier import Classifier
from mnistlab.cli import main
from mnistlab.options.specification import unrecorded


@pytest.mark.filterwarnings("ignore")  # Lightning's own, in a program that is not the lab
def test_its_checkpoint_says_all_that_it_was_made_with(
    here: Path, small_data: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Head, optimizer and schedule are functions of jsonargparse's there; the config.yaml there is not the lab's."""
    monkeypatch.setattr(sys, "argv", ["program"])
    trainer = ("--trainer.max_epochs=1", "--trainer.logger=false", "--trainer.accelerator=cpu")
    model = ("--model=TinyModel", "--model.optimizer=SGD", "--model.optimizer.lr=0.05", "--model.scheduler=StepLR")
    arguments = ["fit", *model, "--model.scheduler.step_size=1", *small_data, *trainer]
    LightningCLI(Classifier, ImageData, subclass_mode_model=True, subclass_mode_data=True, args=arguments)

    (path,) = (here / "checkpoints").glob("*.ckpt")
    model_record = read_checkpoint(path)["mnistlab"]["model"]
    assert unrecorded(model_record) == {}
    assert model_record["init_args"]["optimizer"]["class_path"] == "torch.optim.SGD"
    assert model_record["init_args"]["optimizer"]["init_args"]["lr"] == 0.05
    assert model_record["init_args"]["head"]["class_path"] == "mnistlab.nets.LinearHead"
    assert main(["test", f"--ckpt_path={path}"]) == 0
    assert main(["fit", f"--ckpt_path={path}", "--trainer.max_epochs=2"]) == 0
