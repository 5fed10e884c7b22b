"""What is typed for a run that goes on acts as it would in a fresh run that has come this far, or is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support import differences, only_run, outcome, rates, record_of

from mnistlab.cli import main

Fit = Callable[..., Path]


def schedule(name: str, **options: object) -> tuple[str, ...]:
    """A schedule as it is typed."""
    return (f"--model.scheduler={name}", *(f"--model.scheduler.{option}={value}" for option, value in options.items()))


CYCLIC = {"base_lr": 1e-4, "cycle_momentum": "false"}
SCHEDULES = {
    "none": schedule("null"),
    "cosine": schedule("WarmupCosine", warmup_epochs="null"),
    "cosine by epochs": (*schedule("WarmupCosine", warmup_epochs=1), "--model.scheduler_interval=epoch"),
    "other cosine": schedule("WarmupCosine", warmup=0.5, min_lr=1e-5),
    "steps": schedule("StepLR", step_size=1, gamma=0.5),
    "steps of batches": (*schedule("StepLR", step_size=3, gamma=0.5), "--model.scheduler_interval=step"),
    "milestones": schedule("MultiStepLR", milestones="[3,4]"),
    "other milestones": schedule("MultiStepLR", milestones="[1,2,4]"),
    "linear": schedule("LinearLR", total_iters=3),
    "torch's cosine": schedule("CosineAnnealingLR", T_max=4),
    "restarts": schedule("CosineAnnealingWarmRestarts", T_0=2),
    "other restarts": schedule("CosineAnnealingWarmRestarts", T_0=3),
    "cyclic": schedule("CyclicLR", max_lr=1e-2, step_size_up=5, **CYCLIC),
    "other cyclic": schedule("CyclicLR", max_lr=2e-2, step_size_up=3, **CYCLIC),
    "one cycle": schedule("OneCycleLR", max_lr=1e-2, total_steps=16),
    "longer cycle": schedule("OneCycleLR", max_lr=2e-2, total_steps=32),
    "plateau": schedule("ReduceLROnPlateau", patience=0, threshold=0.5),
    "patient plateau": schedule("ReduceLROnPlateau", patience=1, threshold=0.9, factor=0.3),
}
BOTH = ("--model.scheduler_interval=auto", "--trainer.max_epochs=4")
"""Typed before, so that it counts where a schedule does not say otherwise."""


class Lab:
    """Trains TinyModel; an epoch has four steps. What is asked for twice is trained once."""

    def __init__(self, root: Path, data: tuple[str, ...]) -> None:
        self._root, self._data = root, data
        self._fresh: dict[tuple[str, ...], Path] = {}

    def fresh(self, *arguments: str) -> Path:
        """The folder of a run, which is only looked at."""
        if arguments not in self._fresh:
            root = self._place()
            options = [f"--run.dir={root}", "--run.test=false", *arguments]
            assert main(["fit", "--model=TinyModel", *self._data, *options]) == 0
            self._fresh[arguments] = only_run(root)
        return self._fresh[arguments]

    def new(self, *arguments: str) -> Path:
        """The folder of a run that can be gone on with."""
        fresh = self.fresh(*arguments)
        return Path(shutil.copytree(fresh, self._place() / fresh.parent.name / fresh.name))

    def _place(self) -> Path:
        return self._root / str(len(list(self._root.iterdir())))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, small_data: tuple[str, ...]) -> Lab:
    """Runs that several tests look at."""
    return Lab(tmp_path_factory.mktemp("runs"), small_data)


SAME = [(name, name) for name in SCHEDULES if "other" not in name]
CHANGED = [
    ("cosine", "none"),
    ("cosine", "steps"),
    ("cosine", "other cosine"),
    ("cosine", "cosine by epochs"),
    ("cosine by epochs", "cosine"),
    ("steps", "cosine"),
    ("steps", "steps of batches"),
    ("milestones", "other milestones"),
    ("restarts", "other restarts"),
    ("cyclic", "other cyclic"),
    ("one cycle", "longer cycle"),
    ("one cycle", "cosine"),
    ("plateau", "patient plateau"),
    ("none", "plateau"),
]


@pytest.mark.parametrize(
    ("before", "after"), [*CHANGED, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in SAME)]
)
def test_a_schedule_stands_where_a_fresh_one_would(lab: Lab, before: str, after: str) -> None:
    """From the first epoch after the break on, whatever schedule the run began with; here it becomes longer too."""
    folder = lab.new(*SCHEDULES[before], "--trainer.max_epochs=2")

    assert main(["fit", f"--ckpt_path={folder}", *BOTH, *SCHEDULES[after]]) == 0

    assert rates(folder)[2:] == rates(lab.fresh(*BOTH, *SCHEDULES[after]))[2:]


LENGTHS = ["cosine", "cosine by epochs", "cyclic", "steps of batches"]
CHANGES = [
    "--data.batch_size=256",
    "--data.batch_size=64",
    "--trainer.accumulate_grad_batches=3",
    "--trainer.limit_train_batches=3",
    "--data.val_size=300",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("cosine", "--trainer.max_epochs=2"),
        *(pytest.param(name, "--trainer.max_steps=6", marks=pytest.mark.slow) for name in LENGTHS),
        *(pytest.param(name, "--trainer.max_epochs=2", marks=pytest.mark.slow) for name in LENGTHS[1:]),
    ],
)
def test_steps_of_another_size_leave_the_schedule_in_its_place(lab: Lab, name: str, stop: str, change: str) -> None:
    """Epochs have more or fewer steps then; the run is as far as a fresh one after as many epochs, also within one."""
    folder = lab.new(*SCHEDULES[name], "--trainer.max_epochs=4", stop)

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_steps=-1", "--trainer.max_epochs=4", change]) == 0

    assert rates(folder)[2:] == rates(lab.fresh(*SCHEDULES[name], "--trainer.max_epochs=4", change))[2:]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ((), 0.01 / 4),
        (("--model.optimizer.lr=0.08",), 0.08 / 4),
        (("--model.scheduler=null",), 0.01),
        (("--model.scheduler.gamma=0.1",), 0.01 / 100),
        (("--model.optimizer=Adam", "--model.optimizer.lr=0.02"), 0.02 / 4),
    ],
)
def test_the_learning_rate_follows_what_is_typed(lab: Lab, typed: tuple[str, ...], expected: float) -> None:
    """The place in the schedule stays, whatever the rate and the optimizer are."""
    folder = lab.new(
        "--model.optimizer=SGD", "--model.optimizer.lr=0.01", *SCHEDULES["steps"], "--trainer.max_epochs=2"
    )

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=3", *typed]) == 0

    assert rates(folder) == pytest.approx([0.01, 0.005, expected])


@pytest.mark.parametrize("again", ["--config={}/config.yaml", "--ckpt_path={}"])
def test_the_defaults_of_a_run_do_not_follow_into_another_class(
    trained: Fit, again: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run writes all its values down; only those that somebody chose are kept when the class changes."""
    folder = trained("--model.optimizer.lr=0.003")
    capsys.readouterr()

    assert main(["fit", again.format(folder), "--model.optimizer=SGD", "--print_config"]) == 0

    config = yaml.safe_load(capsys.readouterr().out)
    options = config["model"]["init_args"]["optimizer"]["init_args"]
    assert options["lr"] == 0.003
    assert options["weight_decay"] == 0


@pytest.mark.parametrize(("name", "first_step"), [("best", 4), ("last", 12)])
def test_best_and_last_mean_what_they_say_for_fit_too(fit: Fit, here: Path, name: str, first_step: int) -> None:
    """The run goes on where that checkpoint was written: before the rate ruined everything, or after."""
    ruin = ("--model.scheduler=StepLR", "--model.scheduler.step_size=1", "--model.scheduler.gamma=100")
    folder = fit("--model.optimizer.lr=0.003", *ruin, "--trainer.max_epochs=3")
    assert here in folder.parents

    assert main(["fit", f"--ckpt_path={name}", "--trainer.max_epochs=4", "--model.scheduler.gamma=1"]) == 0

    assert record_of(folder)["segments"][-1]["first_step"] == first_step


# What cannot change --------------------------------------------------------------------------------------------------


def test_a_cycle_that_is_too_short_is_refused_as_in_a_fresh_run(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where nobody has typed it for this part of the run; nothing is changed."""
    folder = fit(*schedule("OneCycleLR", max_lr=0.01, total_steps=4))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=2"]) == 2

    assert "OneCycleLR ends after 4 steps, but the run has 8 steps." in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_option_that_needs_what_was_not_kept_is_refused(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """The largest second moments so far are known to AMSGrad only; nothing is changed."""
    folder = trained()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=2", "--model.optimizer.amsgrad=true"]) == 2

    assert "AdamW cannot go on with these options and what the run has kept" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_epoch_does_not_become_shorter_than_what_was_seen_of_it(
    fit: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three batches of an epoch have been seen, of which there shall be two."""
    folder = fit("--trainer.max_steps=3", "--model.scheduler=null")
    capsys.readouterr()

    again = ["fit", f"--ckpt_path={folder}", "--trainer.max_steps=-1"]
    assert main([*again, "--trainer.limit_train_batches=2"]) == 2

    assert "has seen 3 batches, and an epoch has no more than 2 now" in capsys.readouterr().err
    assert main(again) == 0


# Callbacks -----------------------------------------------------------------------------------------------------------

STOPPING = ("--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/acc", "--trainer.callbacks.mode=min")


def test_a_patience_that_is_typed_counts(fit: Fit) -> None:
    """The accuracy is expected to fall, so no epoch improves on the first."""
    learning = ("--model.optimizer.lr=0.003", "--model.scheduler=null", "--trainer.max_epochs=9")
    folder = fit(*STOPPING, "--trainer.callbacks.patience=1", *learning)
    stopped = len(rates(folder))

    assert main(["fit", f"--ckpt_path={folder}"]) == 0
    assert len(rates(folder)) == stopped

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.callbacks.patience=3"]) == 0
    assert len(rates(folder)) == len(rates(fit(*STOPPING, "--trainer.callbacks.patience=3", *learning))) > stopped


def test_a_run_goes_on_without_an_average_from_its_own_weights(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """As if there had been none; that it is left out is said."""
    constant = ("--model.scheduler=null", "--trainer.max_epochs=2")
    plain = fit(*constant)
    averaged = fit("--model.scheduler=null", "--trainer.callbacks=WeightAveraging")
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={averaged}", "--trainer.callbacks=null", "--trainer.max_epochs=2"]) == 0

    assert "note: the run goes on without what WeightAveraging has kept" in capsys.readouterr().err
    assert outcome(averaged)["weights"].keys() == outcome(plain)["weights"].keys()
    assert differences({"weights": outcome(averaged)["weights"]}, {"weights": outcome(plain)["weights"]}) == []
