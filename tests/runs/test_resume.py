"""A run that was killed goes on as if nothing had happened."""

import itertools
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from forked import Popen
from lightning.pytorch import Trainer
from support import BEST, LAST, differences, only_run, outcome, record_of

from mnistlab.classifier import Classifier
from mnistlab.cli import main

STEPS_PER_EPOCH = 4
RUN = ("--model=TinyModel", "--trainer.max_epochs=3", "--data.augment=RandomDistortion")
"""Three epochs of four steps with dropout, augmentation and the schedule that follows the run's length."""

EVERY_STEP = "--run.checkpoint_every_n_steps=1"

Killer = Callable[[], AbstractContextManager[object]]


class Killed(BaseException):
    """Ends a run where it stands; no handler of the program catches it."""


def _at_step(number: int) -> Killer:
    """Kill before the optimizer step of this number, the first being 0."""
    step = Classifier.training_step

    def training_step(self: Classifier, *args: Any) -> Any:
        if self.trainer.global_step == number:
            raise Killed
        return step(self, *args)

    return lambda: mock.patch.object(Classifier, "training_step", training_step)


def _in_validation(epoch: int) -> Killer:
    """Kill in the validation after this epoch."""
    step = Classifier.validation_step

    def validation_step(self: Classifier, *args: Any) -> None:
        if self.trainer.current_epoch == epoch:
            raise Killed
        step(self, *args)

    return lambda: mock.patch.object(Classifier, "validation_step", validation_step)


def _in_checkpoint(number: int) -> Killer:
    """Kill when half of this checkpoint, the first being 0, is on the disk."""
    save = Trainer.save_checkpoint

    def killer() -> AbstractContextManager[object]:
        count = itertools.count()

        def save_checkpoint(self: Trainer, filepath: Path, *args: Any, **kwargs: Any) -> None:
            save(self, filepath, *args, **kwargs)
            if next(count) == number:
                os.truncate(filepath, filepath.stat().st_size // 2)
                raise Killed

        return mock.patch.object(Trainer, "save_checkpoint", save_checkpoint)

    return killer


def _before_file(number: int) -> Killer:
    """Kill just before this file, the first being 0, takes its name."""
    replace = Path.replace

    def killer() -> AbstractContextManager[object]:
        count = itertools.count()

        def counted(self: Path, target: Path) -> Path:
            if next(count) >= number:
                raise Killed
            return replace(self, target)

        return mock.patch.object(Path, "replace", counted)

    return killer


class Lab:
    """Runs one configuration, undisturbed once and killed as often as asked for."""

    def __init__(self, root: Path, data: tuple[str, ...]) -> None:
        self.data = data
        self._root = root
        self._undisturbed: dict[tuple[str, ...], dict[str, Any]] = {}

    def undisturbed(self, *arguments: str) -> dict[str, Any]:
        """The outcome of a run that nobody disturbs."""
        if arguments not in self._undisturbed:
            root = self._root / f"undisturbed{len(self._undisturbed)}"
            assert self._fit(root, arguments) == 0
            self._undisturbed[arguments] = outcome(only_run(root))
        return self._undisturbed[arguments]

    def killed(self, root: Path, killer: Killer, *arguments: str) -> Path:
        """The folder of a run that was killed."""
        with killer(), pytest.raises(Killed):
            self._fit(root, arguments)
        return only_run(root)

    def survives(self, root: Path, killer: Killer, *arguments: str) -> None:
        """Kill a run, continue it, and compare it with the undisturbed one, bit for bit."""
        folder = self.killed(root, killer, *arguments)

        assert main(["fit", f"--ckpt_path={folder}"]) == 0

        assert only_run(root) == folder
        assert differences(outcome(folder), self.undisturbed(*arguments)) == []

    def _fit(self, root: Path, arguments: tuple[str, ...]) -> int:
        return main(["fit", *RUN, *self.data, f"--run.dir={root}", *arguments])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, small_data: tuple[str, ...]) -> Lab:
    """The undisturbed runs are made once."""
    return Lab(tmp_path_factory.mktemp("lab"), small_data)


EDGE = STEPS_PER_EPOCH
MOMENTS = {
    "step 0": _at_step(0),
    "step 1": _at_step(1),
    "edge - 1": _at_step(EDGE - 1),
    "edge": _at_step(EDGE),
    "edge + 1": _at_step(EDGE + 1),
    "mid-epoch": _at_step(EDGE + 2),
    "the last step": _at_step(3 * EDGE - 1),
    "the first validation": _in_validation(0),
    "a later validation": _in_validation(1),
    "writing a checkpoint": _in_checkpoint(2),
}


EVERY_OTHER = pytest.param("--run.checkpoint_every_n_steps=2", marks=pytest.mark.slow)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("every", ["", EVERY_STEP, EVERY_OTHER])
def test_a_killed_run_ends_like_an_undisturbed_one(lab: Lab, tmp_path: Path, moment: str, every: str) -> None:
    """Weights, optimizer, generators, every row of the table and the best metrics agree bit for bit."""
    lab.survives(tmp_path, MOMENTS[moment], *filter(None, [every]))


@pytest.mark.slow
def test_a_run_survives_a_kill_before_each_of_its_files(lab: Lab, tmp_path: Path) -> None:
    """Between two files that belong together the run can be killed too."""
    arguments = ("--run.checkpoint_every_n_steps=3",)
    lab.undisturbed()  # draws the images, which are files too
    with mock.patch.object(Path, "replace", autospec=True, side_effect=Path.replace) as replace:
        lab.undisturbed(*arguments)
    files = replace.call_count

    assert files > 12
    for number in range(1, files - 1):  # before the first file there is no run, after the last it has ended
        lab.survives(tmp_path / str(number), _before_file(number), *arguments)


@pytest.mark.parametrize("moment", ["edge", "edge + 1", "a later validation"])
@pytest.mark.parametrize(
    "options",
    [
        ("--model.scheduler=StepLR", "--model.scheduler.step_size=1"),
        ("--model.scheduler=OneCycleLR", "--model.scheduler.max_lr=0.01", "--model.scheduler.total_steps=12"),
        ("--model.scheduler=ReduceLROnPlateau", "--model.scheduler.patience=0", "--model.scheduler.threshold=0.5"),
        ("--model.scheduler=null", "--model.optimizer=SGD", "--model.optimizer.momentum=0.9"),
        ("--trainer.val_check_interval=0.5",),
        ("--trainer.val_check_interval=2", "--trainer.limit_train_batches=3"),
        ("--trainer.check_val_every_n_epoch=2",),
        ("--trainer.accumulate_grad_batches=3",),
        ("--trainer.max_steps=10",),
        ("--data.val_size=0",),
    ],
    ids=" ".join,
)
def test_every_way_of_training_can_be_continued(
    lab: Lab, tmp_path: Path, moment: str, options: tuple[str, ...]
) -> None:
    """Schedules of each kind, several validations in an epoch or none, accumulated gradients, a number of steps."""
    if "validation" in moment and any("val_size" in option for option in options):
        pytest.skip("nothing is validated")

    lab.survives(tmp_path, MOMENTS[moment], EVERY_STEP, *options)


def test_a_run_can_be_killed_again_and_again(lab: Lab, tmp_path: Path) -> None:
    """Each continuation may be killed too."""
    folder = lab.killed(tmp_path, _at_step(2), EVERY_STEP)
    for step in (5, 6, 10):
        with _at_step(step)(), pytest.raises(Killed):
            main(["fit", f"--ckpt_path={folder}"])

    assert main(["fit", f"--ckpt_path={folder}"]) == 0

    assert differences(outcome(folder), lab.undisturbed(EVERY_STEP)) == []
    assert [segment["first_step"] for segment in record_of(folder)["segments"]] == [0, 2, 5, 6, 10]


def test_without_a_checkpoint_the_run_starts_anew(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says so, and the folder stays the same."""
    folder = lab.killed(tmp_path, _at_step(3))
    assert not (folder / LAST).exists()

    assert main(["fit", f"--ckpt_path={folder}"]) == 0

    assert "has no checkpoint yet: the run starts anew" in capsys.readouterr().err
    assert only_run(tmp_path) == folder


def test_a_run_at_its_end_without_a_checkpoint_is_not_trained_over(
    trained: Callable[..., Path], told: Callable[..., str]
) -> None:
    """As one of a sweep is, or of folds; what can be done is said, and nothing of it is changed."""
    folder = trained()
    for name in (LAST, BEST):
        (folder / name).unlink()
    before = (folder / "run.json").read_bytes()

    error = told("fit", f"--ckpt_path={folder}", "--trainer.max_epochs=2", code=2)
    assert "has come to its end, and no checkpoint is kept from which it could go on" in error
    assert f"mnistlab reproduce {folder}" in error
    assert f"--model.init_from={folder}" in error
    assert (folder / "run.json").read_bytes() == before


@pytest.mark.parametrize("name", ["last", "the folder", "the file"])
def test_a_run_continues_in_its_own_folder(lab: Lab, tmp_path: Path, name: str) -> None:
    """`last`, the folder and the file mean the same run."""
    folder = lab.killed(tmp_path, _at_step(6))
    path = {"last": "last", "the folder": folder, "the file": folder / LAST}[name]

    assert main(["fit", f"--ckpt_path={path}", f"--run.dir={tmp_path}"]) == 0

    assert only_run(tmp_path) == folder
    assert differences(outcome(folder), lab.undisturbed()) == []


def test_a_run_can_be_continued_from_its_best_checkpoint(lab: Lab, tmp_path: Path) -> None:
    """It was written in a validation, whose figures the epoch's row still gets."""
    folder = lab.killed(tmp_path, _at_step(6))

    assert main(["fit", f"--ckpt_path={folder / BEST}"]) == 0

    assert differences(outcome(folder), lab.undisturbed()) == []


def test_last_is_never_a_test_nor_a_run_without_a_checkpoint(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fit --ckpt_path=last` finds the newest training run that can be continued."""
    monkeypatch.chdir(tmp_path)
    wanted = lab.killed(tmp_path / "runs", _at_step(6))
    with _at_step(0)(), pytest.raises(Killed):
        main(["fit", f"--config={wanted / 'config.yaml'}", "--run.dir=runs"])
    assert main(["test", f"--ckpt_path={wanted}", "--run.dir=runs"]) == 0

    assert main(["fit", "--ckpt_path=last"]) == 0

    assert len(list(Path("runs").glob("tiny/*"))) == 3
    assert differences(outcome(wanted), lab.undisturbed()) == []


def test_what_is_typed_wins_and_is_a_new_segment(lab: Lab, tmp_path: Path) -> None:
    """More epochs and another dropout: the folder's configuration is the base, the record has both commands."""
    assert lab.undisturbed()["step"] == 12
    folder = lab.killed(tmp_path, _at_step(6))

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=4", "--model.dropout=0.5"]) == 0

    first, second = record_of(folder)["segments"]
    assert (first["first_step"], second["first_step"]) == (0, 4)
    assert "--trainer.max_epochs=4 --model.dropout=0.5" in second["command"]
    assert [row.split(",")[0] for row in (folder / "metrics.csv").read_text().splitlines()[1:]] == ["0", "1", "2", "3"]
    assert "dropout: 0.5" in (folder / "config.yaml").read_text()
    assert "max_epochs: 4" in (folder / "config.yaml").read_text()


def test_a_finished_run_can_be_made_longer(lab: Lab, tmp_path: Path) -> None:
    """Its table goes on where it ended."""
    assert main(["fit", *RUN, *lab.data, f"--run.dir={tmp_path}"]) == 0
    folder = only_run(tmp_path)
    rows = (folder / "metrics.csv").read_text()

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=5"]) == 0

    longer = (folder / "metrics.csv").read_text()
    assert longer.startswith(rows)
    assert len(longer.splitlines()) == 6
    assert record_of(folder)["metrics"]["last"]["step"] == 20


def test_a_finished_run_stays_what_it_is(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Continuing it says so and changes no weights, table or metrics, with and without the test at the end."""
    assert main(["fit", *RUN, *lab.data, f"--run.dir={tmp_path}"]) == 0
    folder = only_run(tmp_path)
    before = outcome(folder)

    assert main(["fit", f"--ckpt_path={folder}"]) == 0
    assert "Nothing was left to train" in capsys.readouterr().out
    assert differences(outcome(folder), before) == []
    assert main(["fit", f"--ckpt_path={folder}", "--run.test=false"]) == 0
    assert differences(outcome(folder), before) == []


@pytest.mark.parametrize(
    ("length", "changed", "longer"),
    [
        ([], ["--model.dropout=0.5"], "--trainer.max_epochs=6"),
        ([], ["--data.train_size=300", "--model.optimizer.lr=0.5"], "--trainer.max_epochs=6"),
        (["--trainer.max_steps=6"], ["--model.optimizer=SGD"], "--trainer.max_steps=12"),
    ],
    ids=["model", "data", "steps"],
)
def test_what_a_run_at_its_end_is_not_trained_with_is_refused(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str], length: list[str], changed: list[str], longer: str
) -> None:
    """Its record would say otherwise than it was; nothing of it changes."""
    assert main(["fit", *RUN, *lab.data, *length, f"--run.dir={tmp_path}"]) == 0
    folder = only_run(tmp_path)
    before = (folder / "run.json").read_text()

    assert main(["fit", f"--ckpt_path={folder}", *changed]) == 2

    told = capsys.readouterr().err.splitlines()[-1]
    assert all(option in told for option in changed)
    assert f"the run has come to its end, and nothing would be trained with it. {longer} lets it go on." in told
    assert (folder / "run.json").read_text() == before


def test_a_run_that_ended_before_its_test_says_what_it_was_trained_as(lab: Lab, tmp_path: Path) -> None:
    """Where and with how many images it was trained stays in its record, whoever tests it."""
    assert main(["fit", *RUN, *lab.data, f"--run.dir={tmp_path}", "--run.test=false"]) == 0
    folder = only_run(tmp_path)
    before = record_of(folder)
    record = {**before, "machine": {**before["machine"], "processor": "another"}}
    (folder / "run.json").write_text(json.dumps(record))

    assert main(["fit", f"--ckpt_path={folder}", "--run.test=true"]) == 0

    after = record_of(folder)
    assert after["metrics"]["test"]["checkpoint"] == "best"
    assert (after["machine"], after["train_images"]) == (record["machine"], before["train_images"])
    assert len(after["segments"]) == 2


def test_a_run_that_goes_on_cannot_be_made_shorter(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An end that it has passed is refused, and the run stays what it is."""
    assert main(["fit", *RUN, *lab.data, f"--run.dir={tmp_path}"]) == 0
    folder = only_run(tmp_path)
    before = outcome(folder)

    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=1"]) == 2

    assert "--trainer.max_epochs=1: the run has come to epoch 3 already." in capsys.readouterr().err
    assert differences(outcome(folder), before) == []


@pytest.mark.parametrize("batch_size", [32, 50, 128, 256, 500])
def test_the_batch_size_may_change_within_an_epoch(lab: Lab, tmp_path: Path, batch_size: int) -> None:
    """The rest of the epoch is trained on in batches of the new size, and validated."""
    folder = lab.killed(tmp_path, _at_step(6), EVERY_STEP)
    seen: list[int] = []
    step = Classifier.training_step

    def training_step(self: Classifier, batch: Any, batch_idx: int) -> Any:
        seen.append(len(batch[0]))
        return step(self, batch, batch_idx)

    with mock.patch.object(Classifier, "training_step", training_step):
        assert main(["fit", f"--ckpt_path={folder}", f"--data.batch_size={batch_size}"]) == 0

    assert sum(seen) == (500 - 2 * 128) + 500
    assert max(seen) <= batch_size
    rows = (folder / "metrics.csv").read_text().splitlines()
    assert len(rows) == 4
    assert all(row.count(",") == rows[0].count(",") and ",," not in row for row in rows)


def test_a_failed_continuation_leaves_the_record_as_it_was(lab: Lab, tmp_path: Path) -> None:
    """Metrics and timings of the run outlive a continuation that never began."""
    folder = lab.killed(tmp_path, _at_step(6))
    before = record_of(folder)
    checkpoint = torch.load(folder / LAST, weights_only=True)
    checkpoint["optimizer_states"][0]["param_groups"] *= 2
    torch.save(checkpoint, folder / LAST)

    assert main(["fit", f"--ckpt_path={folder}"]) == 1

    after = record_of(folder)
    assert after["status"] == "failed"
    assert after["metrics"] == before["metrics"]
    assert after["timings"] == before["timings"]
    assert after["segments"][-1]["status"] == "failed"


KILLS = {"first step": ("training_step", 0), "edge": ("training_step", EDGE), "within": ("training_step", 6)}
KILLS |= {"validation": ("validation_step", 8)}
DRIVER = """
import os, signal, sys
from pathlib import Path
from mnistlab.classifier import Classifier
from mnistlab.cli import main

root, kills, *arguments = sys.argv[1:]

def ended(*arguments):
    child = os.fork()
    if not child:
        sys.exit(main(["fit", *arguments]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for name, (place, moment) in eval(kills).items():
    step = getattr(Classifier, place)

    def killing(self, *args):
        if self.trainer.global_step == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self, *args)

    setattr(Classifier, place, killing)
    assert ended(f"--run.dir={root}/{name}", *arguments) == -signal.SIGKILL
    setattr(Classifier, place, step)
    assert ended(f"--ckpt_path={next(Path(root, name).glob('*/*'))}") == 0
"""


@pytest.mark.slow
def test_sigkill_loses_nothing(lab: Lab, tmp_path: Path) -> None:
    """A process that the system kills, continued by another process, ends like an undisturbed one in a third."""
    command = [sys.executable, "-c", DRIVER, str(tmp_path), repr(KILLS), *RUN, *lab.data, EVERY_STEP]
    assert Popen(command).wait(240) == 0

    for name in KILLS:
        assert differences(outcome(only_run(tmp_path / name)), lab.undisturbed(EVERY_STEP)) == [], name
