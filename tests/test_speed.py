"""What makes a step cheap keeps its meaning; how fast it is, `mnistlab bench` says."""

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from lightning.pytorch import Callback
from support import quiet_trainer
from torch import nn
from torch.nn import functional as F
from torch.utils import deterministic
from torch.utils.data import DataLoader, TensorDataset

from mnistlab import SDN8K, SyntheticDigits, ViT38K
from mnistlab.classifier.metrics import Accuracy, CalibrationError, Counts, EpochLoss, Top3Accuracy
from mnistlab.losses import as_loss

Fit = Callable[..., Path]
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to find")
CAREFUL = "PYTORCH_NVML_BASED_CUDA_CHECK"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the libraries that are opened."""
    names: list[str] = []
    plain = ctypes.CDLL.__init__

    def opening(self: Any, name: Any, *arguments: Any, **more: Any) -> None:
        names.append(str(name))
        plain(self, name, *arguments, **more)

    monkeypatch.setattr(ctypes.CDLL, "__init__", opening)
    return names


class Listening(Callback):
    """Notes which libraries are opened from the first step of a training on."""

    during: ClassVar[list[str]] = []
    opened: ClassVar[list[str]] = []

    def on_train_start(self, *_: Any) -> None:
        """Forget what was opened before."""
        self.opened.clear()

    def on_train_end(self, *_: Any) -> None:
        """Keep what was opened."""
        self.during[:] = [*self.opened, "end"]


@NO_GPU
def test_no_step_of_a_run_looks_for_a_gpu(fit: Fit, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning has torch open NVIDIA's library at each step of Adam."""
    monkeypatch.setenv(CAREFUL, "1")
    monkeypatch.setattr(Listening, "opened", opened)

    fit(f"--trainer.callbacks={__name__}.Listening")

    assert Listening.during == ["end"]


def test_a_model_without_a_command_leaves_torch_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What spares a run some steps is a setting of the whole process, which in a notebook is the user's own."""
    monkeypatch.setenv(CAREFUL, "1")
    monkeypatch.setattr(deterministic, "fill_uninitialized_memory", True)
    data = SyntheticDigits(train_size=600, test_size=50, val_size=50)

    quiet_trainer(tmp_path).fit(SDN8K(), datamodule=data)

    assert os.environ[CAREFUL] == "1"
    assert deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]


@NO_GPU
def test_adam_still_looks_for_a_gpu_by_itself(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it does not, `spare_steps` in torch_inside.py need not care."""
    monkeypatch.setenv(CAREFUL, "1")
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.ones(1)

    torch.optim.AdamW([weight]).step()

    assert opened
    assert os.environ[CAREFUL] == "1"


_FAULTS = """
import os, resource
import torch
import lightning.pytorch  # as in every command
from mnistlab.system.thrift import keep_freed_memory
child = os.fork()
if child:
    os.waitpid(child, 0)
    keep_freed_memory()
def use():
    [torch.ones(20_000_000) for _ in range(3)]
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, flush=True)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's C library knows the setting")
def test_freed_memory_is_used_again() -> None:
    """Without a new page from the system; once this is so by itself, `keep_freed_memory` in thrift.py can go."""
    done = subprocess.run([sys.executable, "-c", _FAULTS], capture_output=True, check=True)
    usual, kept = map(int, done.stdout.split())

    assert usual > 10 * kept


METRICS = (EpochLoss(), Accuracy(), Top3Accuracy(), CalibrationError())
LOSS = as_loss(torch.nn.CrossEntropyLoss, 10)


def test_counts_do_not_depend_on_where_an_epoch_was_interrupted() -> None:
    """To the last bit, wherever it was."""
    generator = torch.Generator().manual_seed(0)
    batches = [
        (torch.rand((), generator=generator), 7.0, torch.randn(7, 10, generator=generator), torch.arange(7))
        for _ in range(200)
    ]
    whole = Counts(METRICS, LOSS)
    for batch in batches:
        whole.add(*batch)
    expected = whole.sums()
    assert expected["acc"][1] == 1_400
    assert expected["acc"][0] == sum(int((logits.argmax(1) == target).sum()) for _, _, logits, target in batches)

    for pause in (1, 63, 64, 65, 150):
        first = Counts(METRICS, LOSS)
        for batch in batches[:pause]:
            first.add(*batch)
        then = Counts(METRICS, LOSS, first.sums())
        for batch in batches[pause:]:
            then.add(*batch)
        assert all(torch.equal(sums, expected[name]) for name, sums in then.sums().items())


def test_counts_add_up_losses_by_their_weights() -> None:
    """Weights may be tensors, those of classes."""
    counts = Counts((EpochLoss(), Accuracy()), LOSS)
    logits, target = torch.eye(3), torch.tensor([0, 1, 1])
    counts.add(torch.tensor(2.0), torch.tensor(3.0), logits, target)
    counts.add(torch.tensor(1.0), torch.tensor(0.5), logits, target)

    assert counts.sums()["loss"].tolist() == [6.5, 3.5, 2.0]
    assert counts.sums()["acc"].tolist() == [4.0, 6.0]


def test_a_model_still_registers_what_is_set_on_it() -> None:
    """Plain values are set without torch's detour, parts of a net are not."""
    model = SDN8K()

    model.extra = nn.Linear(1, 1)
    model.scale = nn.Parameter(torch.zeros(1))
    model.note = "first"
    model.note = "second"
    model.register_buffer("kept", torch.zeros(1))
    model.kept = None

    assert {"extra.weight", "scale"} <= dict(model.named_parameters()).keys()
    assert model.note == "second"
    assert "kept" not in model.state_dict()
    model.scale = None
    assert "scale" not in dict(model.named_parameters())
    with pytest.raises(TypeError, match="cannot assign"):
        model.extra = "a word"


def test_bfloat16_attention_on_a_cpu_is_that_of_float32() -> None:
    """It is computed in float32 there, forwards and backwards."""
    torch.manual_seed(0)
    net = ViT38K().net.eval()
    images, target = torch.randn(4, 1, 28, 28), torch.arange(4)
    exact = net(images)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(images)

    torch.testing.assert_close(rough.float(), exact, atol=0.05, rtol=0.05)
    F.cross_entropy(rough.float(), target).backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in net.parameters() if parameter.grad is not None)


def test_a_batch_that_is_on_its_device_stays_what_it_is() -> None:
    """Any other is moved as Lightning does."""
    data = SyntheticDigits(train_size=20, test_size=5, val_size=5)
    batch = (torch.zeros(2, 1, 28, 28), {"digit": torch.zeros(2)})

    assert data.transfer_batch_to_device(batch, torch.device("cpu"), 0) is batch
    moved: Any = data.transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert moved[0].device.type == moved[1]["digit"].device.type == "meta"


def test_a_run_that_is_timed_by_lightning_is_timed(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """A profiler that is asked for takes the place of the idle one."""
    fit("--trainer.profiler=TimeTable")

    assert "run_training_batch" in capsys.readouterr().out


def test_what_is_not_a_batch_of_the_lab_is_moved(tmp_path: Path) -> None:
    """A loader of one's own may give plain tensors."""
    images, target = torch.rand(16, 1, 28, 28), torch.arange(16) % 10
    loader = DataLoader(TensorDataset(images, target), batch_size=8)

    trainer = quiet_trainer(tmp_path)
    trainer.fit(SDN8K(), loader, loader)

    assert trainer.global_step == 2
