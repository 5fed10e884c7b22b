"""Every class of Lightning that help offers works, or is refused in one line that names the way out."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest
import yaml
from lightning.pytorch import Trainer
from safetensors.torch import load_file
from torch import distributed

from mnistlab.cli import main
from mnistlab.options.classes import candidates, listed
from mnistlab.options.signatures import options
from mnistlab.sections.parts import prepare
from mnistlab.sections.unsuited import UNSUITED
from mnistlab.training.loss_watch import LossWatch

Fit = Callable[..., Path]

KINDS = ("callbacks", "logger", "plugins", "profiler", "strategy", "accelerator")
"""The options of the trainer that take a class."""

GIVEN = {
    "BitsandbytesPrecision": ["mode=nf4"],
    "CSVLogger": ["save_dir=logs"],
    "EarlyStopping": ["monitor=val/loss"],
    "FSDPPrecision": ["precision=bf16-true"],
    "MixedPrecision": ["precision=bf16-mixed", "device=cpu"],
    "MLFlowLogger": ["tracking_uri=sqlite:///mlflow.db"],
    "ModelPruning": ["pruning_fn=l1_unstructured", "amount=0.3"],
    "SingleDeviceXLAStrategy": ["device=0"],
    "SingleTPUStrategy": ["device=0"],
    "SLURMEnvironment": ["auto_requeue=false"],
    "TensorBoardLogger": ["save_dir=logs"],
    "WandbLogger": ["offline=true"],
}
"""What a class cannot do without."""

BESIDE = {
    "DeviceStatsMonitor": ["--trainer.logger=true"],
    "LearningRateMonitor": ["--trainer.logger=true"],
    "Unfreeze": ["--model.freeze=backbone"],
}
"""What else must be said."""

REFUSED = {
    "CometLogger": "comet",
    "BitsandbytesPrecision": "bitsandbytes",
    "CUDAAccelerator": "not available",
    "DeepSpeedStrategy": "pip install -U deepspeed",
    "FSDPStrategy": "requires a GPU",
    "LSFEnvironment": "LSB_DJOB_RANKFILE",
    "MPIEnvironment": "mpi4py",
    "MPSAccelerator": "not available",
    "ThroughputMonitor": "batch_size_fn=",
    "TransformerEnginePrecision": "weights_dtype",
}
"""What needs something that is not here, and what the refusal says of it; what is for TPUs needs torch_xla."""


UNCONTINUED = ("ModelPruning",)
"""What trains, but cannot go on."""


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """What others leave in the process goes with the test: variables, threads, a group of processes, a run of wandb."""
    before = dict(os.environ)
    os.environ["OMP_NUM_THREADS"] = "1"  # or a strategy for several processes chooses how many
    yield
    os.environ.clear()
    os.environ.update(before)
    if distributed.is_initialized():
        distributed.destroy_process_group()
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()


def offered() -> list[tuple[str, str]]:
    """Each class that an option of the trainer takes; those of other tests are not offered."""
    prepare()
    slots = {kind: options(Trainer)[kind].slot for kind in KINDS}
    known = {kind: candidates(slot.bases) for kind, slot in slots.items() if slot}
    ours = ("mnistlab.", "lightning.")
    return [
        (kind, name)
        for kind, slot in slots.items()
        if slot
        for name in listed(slot.bases)
        if known[kind][name][0].__module__.startswith(ours)
    ]


def typed(kind: str, name: str) -> list[str]:
    """What is typed to use it."""
    own = (f"--trainer.{kind}.{option}" for option in GIVEN.get(name, ()))
    return [f"--trainer.{kind}={name}", *own, *BESIDE.get(name, ())]


def same(first: Path, second: Path) -> None:
    """Two runs have the same metrics and the same weights."""
    assert (first / "metrics.csv").read_text() == (second / "metrics.csv").read_text()
    then, now = load_file(first / "model.safetensors"), load_file(second / "model.safetensors")
    assert then.keys() == now.keys()
    assert all(then[name].equal(now[name]) for name in then)


def interrupt(watch: LossWatch, row: Mapping[str, float]) -> NoReturn:
    """What the user does after the first epoch."""
    del watch, row
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what others say about their own
@pytest.mark.parametrize(("kind", "name"), offered(), ids=lambda part: part)
def test_every_class_works_or_says_what_it_lacks(
    fit: Fit, kind: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trained; a run that is interrupted after an epoch and goes on, and one from config.yaml, are the same."""
    if name in REFUSED or "XLA" in name or "TPU" in name:
        assert main(["fit", "--data=SyntheticDigits", *typed(kind, name)]) == 2
        (message,) = capsys.readouterr().err.splitlines()
        assert message.startswith(f"mnistlab: --trainer.{kind}")
        assert REFUSED.get(name, "torch_xla") in message
        return
    whole = fit(*typed(kind, name), "--trainer.max_epochs=2")
    assert main(["reproduce", str(whole)]) == 0
    assert "Unable to serialize" not in (whole / "config.yaml").read_text()
    if name == "PyTorchProfiler":  # it outlives an interrupted run, until the process ends
        return
    with monkeypatch.context() as patch:
        patch.setattr(LossWatch, "row", interrupt)
        again = fit(*typed(kind, name), "--trainer.max_epochs=2", code=130)
    capsys.readouterr()
    if name in UNCONTINUED:
        assert main(["fit", f"--ckpt_path={again}"]) == 2
        assert f"a run with {name} cannot go on" in capsys.readouterr().err
        return
    assert main(["fit", f"--ckpt_path={again}"]) == 0
    same(whole, again)


@pytest.mark.parametrize("cls", UNSUITED, ids=lambda cls: cls.__name__)
def test_what_does_not_serve_is_refused_by_name(here: Path, capsys: pytest.CaptureFixture[str], cls: type) -> None:
    """The line names the option, the reason and the way out; nothing is written."""
    kinds = {kind: slot for kind in KINDS if (slot := options(Trainer)[kind].slot) and issubclass(cls, slot.bases)}
    option = f"trainer.{next(iter(kinds))}" if kinds else "model.scheduler"

    assert main(["fit", f"--{option}={cls.__name__}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"mnistlab: --{option}={cls.__name__}: {cls.__name__} {UNSUITED[cls]}"
    assert not list(here.iterdir())
    assert all(cls.__name__ not in listed(slot.bases) for slot in kinds.values())


def test_what_is_derived_from_a_refused_class_is_taken(fit: Fit, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is somebody's own, and says what it does."""
    (here / "own_callbacks.py").write_text(
        "from lightning.pytorch.callbacks import BaseFinetuning\n\n\n"
        "class Later(BaseFinetuning):\n"
        "    def freeze_before_training(self, pl_module):\n        pass\n\n"
        "    def finetune_function(self, pl_module, epoch, optimizer):\n        pass\n"
    )
    monkeypatch.syspath_prepend(here)

    assert fit("--trainer.callbacks=own_callbacks.Later").is_dir()


def test_a_default_that_is_an_object_is_left_to_its_class(fit: Fit) -> None:
    """And what was typed stands as it was typed: jsonargparse has no text for a function that has a name here."""
    pruned = fit(*typed("callbacks", "ModelPruning"))

    (pruning,) = yaml.safe_load((pruned / "config.yaml").read_text())["trainer"]["callbacks"]
    assert pruning["init_args"]["pruning_fn"] == "l1_unstructured"
    assert "Unable to serialize" not in str(pruning)
    assert main(["reproduce", str(pruned)]) == 0


def test_an_option_may_have_a_class_or_a_text_by_default(fit: Fit) -> None:
    """RichProgressBar's theme is an object of texts that may be objects."""
    folder = fit("--trainer.callbacks=RichProgressBar", "--trainer.callbacks.theme.description=red")

    (bar,) = yaml.safe_load((folder / "config.yaml").read_text())["trainer"]["callbacks"]
    theme = bar["init_args"]["theme"]["init_args"]
    assert (theme["description"], theme["time"]) == ("red", "dim")
    assert main(["reproduce", str(folder)]) == 0


def test_names_that_are_gone_are_not_offered() -> None:
    """Lightning keeps classes under old names that cannot be imported."""
    slot = options(Trainer)["plugins"].slot
    assert slot is not None

    assert "DoublePrecision" in candidates(slot.bases)
    assert "DoublePrecisionPlugin" not in candidates(slot.bases)


@pytest.mark.parametrize("half", [["--trainer.val_check_interval=0.5"], ["--trainer.check_val_every_n_epoch=2"]])
def test_a_metric_of_training_is_looked_at_when_it_is_there(fit: Fit, half: list[str]) -> None:
    """At the end of each epoch, whenever it is validated: the loss falls, and training ends after the second."""
    watching = ["monitor=train/loss", "mode=max", "patience=1"]
    folder = fit(
        "--trainer.callbacks=ModelCheckpoint",
        "--trainer.callbacks.monitor=train/loss",
        "--trainer.callbacks+=EarlyStopping",
        *(f"--trainer.callbacks.{option}" for option in watching),
        "--trainer.max_epochs=6",
        *half,
    )

    assert len((folder / "metrics.csv").read_text().splitlines()) == 3
    assert len(list((folder / "checkpoints").glob("epoch=*.ckpt"))) == 1


def test_what_lightning_writes_lies_in_the_folder_of_the_run(fit: Fit, here: Path) -> None:
    """Unless a place is typed; a run that goes on writes there too, and knows its best checkpoint again."""
    folder = fit("--trainer.callbacks=ModelCheckpoint", "--trainer.callbacks.monitor=val/loss", "--trainer.logger=true")

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=2"]) == 0
    assert main(["test", f"--ckpt_path={folder}", "--trainer.logger=true"]) == 0
    assert sorted(path.name for path in here.iterdir()) == ["runs"]
    assert len(list(folder.rglob("epoch=*.ckpt"))) == 1
    fit("--trainer.logger=true", "--trainer.default_root_dir=elsewhere")
    assert (here / "elsewhere" / "lightning_logs").is_dir()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--trainer.callbacks=LearningRateMonitor", "Add --trainer.logger=true."),
        ("--trainer.callbacks=DeviceStatsMonitor", "Add --trainer.logger=true."),
        ("--trainer.logger=MLFlowLogger", "Use --logger=mlflow"),
        ("--trainer.logger=CometLogger", "pip install -U 'comet-ml"),
        ("--trainer.callbacks=ModelCheckpoint --trainer.callbacks.save_last=true", "keeps last.ckpt and best.ckpt"),
        ("--trainer.callbacks=ModelCheckpoint --trainer.callbacks.filename=best", "--trainer.callbacks.dirpath=..."),
        ("--trainer.callbacks=ModelCheckpoint --trainer.callbacks.monitor=val/accuracy", "Did you mean val/acc?"),
        ("--trainer.callbacks=LambdaCallback --trainer.callbacks.on_fit_start=print", "a function by its dotted path"),
        ("--trainer.limit_test_batches=0", "add --run.test=false."),
        ("--trainer.limit_test_batches=0.1", "the test has 1 batches, of which that is none."),
    ],
)
def test_what_would_fail_late_is_refused_before_training(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], typed: str, said: str
) -> None:
    """In one line, at the option, with the way out; nothing is written."""
    words = typed.split()

    assert main(["fit", "--model=TinyModel", *small_data, *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith((f"mnistlab: {words[0]}: ", f"mnistlab: {words[-1]}: "))
    assert said in line
    assert not list(here.iterdir())


@pytest.mark.parametrize(("command", "option"), [("test", "limit_test_batches"), ("validate", "limit_val_batches")])
def test_nothing_can_be_measured_on_no_images(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    """It is said before any work."""
    assert main([command, "--untrained", "--model=TinyModel", *small_data, f"--trainer.{option}=0"]) == 2
    assert f"{command} has no images: trainer.{option} is 0." in capsys.readouterr().err
    assert not list(here.iterdir())


def test_a_schedule_of_schedules_is_a_function_in_python(fit: Fit, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the refusal of SequentialLR says."""
    (here / "own_models.py").write_text(
        "from torch.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR\n\n"
        "from mnistlab.models import TinyModel\n\n\n"
        "def warm(optimizer):\n"
        "    parts = [ConstantLR(optimizer, 0.1), ExponentialLR(optimizer, 0.5)]\n"
        "    return SequentialLR(optimizer, parts, milestones=[1])\n\n\n"
        "class Warm(TinyModel):\n"
        "    name = 'own_warm'\n\n"
        "    def __init__(self, hidden_dim: int = 16):\n"
        "        super().__init__(hidden_dim=hidden_dim, scheduler=warm)\n"
    )
    monkeypatch.syspath_prepend(here)
    folder = fit("--model=own_models.Warm", "--trainer.max_epochs=2")

    lrs = [row.split(",")[2] for row in (folder / "metrics.csv").read_text().splitlines()[1:]]
    assert lrs == ["0.0001", "0.001"]
    assert main(["test", f"--ckpt_path={folder}", "--trust=own_models"]) == 0
    assert main(["fit", f"--ckpt_path={folder}", "--trust=own_models", "--trainer.max_epochs=3"]) == 0


@pytest.mark.parametrize(
    ("ended", "option"),
    [
        (["--trainer.max_steps=2"], "trainer.max_steps"),
        ([], "trainer.max_epochs"),
    ],
)
def test_the_option_that_has_ended_a_run_is_named(
    trained: Fit, capsys: pytest.CaptureFixture[str], ended: list[str], option: str
) -> None:
    """Only another value of that one extends it."""
    folder = trained()
    capsys.readouterr()
    assert main(["fit", f"--ckpt_path={folder}", *ended]) == 0

    assert f"--{option}=... extends it." in capsys.readouterr().out


@pytest.mark.parametrize("precision", ["64-true", "bf16-true"])
def test_a_run_in_another_precision_goes_on_from_its_very_weights(
    fit: Fit, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    """Lightning would round those of double precision when it reads them."""
    options = (f"--trainer.precision={precision}", "--trainer.max_epochs=2")
    whole = fit(*options)
    with monkeypatch.context() as patch:
        patch.setattr(LossWatch, "row", interrupt)
        again = fit(*options, code=130)
    assert main(["fit", f"--ckpt_path={again}"]) == 0

    same(whole, again)
