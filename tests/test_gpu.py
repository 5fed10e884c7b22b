"""On a GPU: the set is moved once, and no step waits for the device. Skipped where there is none."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from support import quiet_trainer

from mnistlab import CNN8K, ImageData, SyntheticDigits, main
from mnistlab.data import RandomDistortion

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def digits() -> SyntheticDigits:
    """A small set, distorted in every way."""
    return SyntheticDigits(
        train_size=2_000, test_size=100, val_size=200, batch_size=16, augment=RandomDistortion(elastic=1.0)
    )


class Watching(Callback):
    """Lets each step fail that waits for the device, once the first ones are made."""

    def __init__(self) -> None:
        self.devices: set[str] = set()
        self.addresses: set[int] = set()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Watch from here."""
        del pl_module
        self.devices |= {batch[0].device.type, *(target.device.type for target in batch[1].values())}
        data: ImageData = trainer.datamodule
        (images,) = {part.images.data_ptr() for part in [data.rows_of("train")[0]]}
        self.addresses.add(images)
        if batch_idx > 4:
            torch.cuda.set_sync_debug_mode("error")

    def on_train_batch_end(self, *_: Any) -> None:
        """To here."""
        torch.cuda.set_sync_debug_mode("default")


def test_no_step_waits_for_the_device(tmp_path: Path) -> None:
    """Metrics, schedule, augmentation and all."""
    watching = Watching()
    trainer = quiet_trainer(tmp_path, accelerator="gpu", devices=1, callbacks=[watching])

    trainer.fit(CNN8K(channels_last=True), datamodule=digits())

    assert trainer.global_step > 100
    assert watching.devices == {"cuda"}
    assert len(watching.addresses) == 1
    assert trainer.callback_metrics["train/loss"].isfinite()


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
@pytest.mark.usefixtures("here")
def test_a_run_on_a_gpu_is_tested_on_a_cpu(precision: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The checkpoint does not remember where it was trained."""
    small = ["--data=SyntheticDigits", "--data.train_size=2000", "--data.test_size=100", "--data.val_size=200"]
    options = ["--trainer.accelerator=gpu", f"--trainer.precision={precision}", "--trainer.max_epochs=2"]

    assert main(["fit", "--model=CNN8K", *small, *options]) == 0
    assert main(["test", "--ckpt_path=last", "--trainer.accelerator=cpu", "--trainer.precision=32-true"]) == 0

    assert "test/acc" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_a_run_on_a_gpu_repeats_itself() -> None:
    """Bit for bit, in one place."""
    small = ["--data=SyntheticDigits", "--data.train_size=2000", "--data.test_size=100", "--data.val_size=200"]
    tables = []
    for name in ("a", "b"):
        options = [f"--run.dir={name}", "--trainer.accelerator=gpu", "--trainer.max_epochs=2", *small]
        assert main(["fit", "--model=CNN8K", *options]) == 0
        tables.append(next(Path(name).glob("*/*/metrics.csv")).read_text())

    assert tables[0] == tables[1]
