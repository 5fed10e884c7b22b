"""A checkpoint alone says everything: model, loss, data, split and normalization."""

import csv
import json
import struct
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from support import quiet_trainer
from torch import Tensor, nn
from torch.optim import SGD
from torch.utils.data import DataLoader, TensorDataset

from mnistlab import MNIST, Classifier, SmallModel, SyntheticDigits, TinyModel, main
from mnistlab.errors import LabError

Fit = Callable[..., Path]
Digits = Callable[[], SyntheticDigits]

SMALL = {"train_size": 600, "test_size": 200, "val_size": 100}
SMALL_DATA = ("--data=SyntheticDigits", "--data.train_size=600", "--data.test_size=200", "--data.val_size=100")


def record(folder: Path) -> dict[str, Any]:
    """What is written down about a run."""
    read: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return read


def outcome(root: Path, *arguments: str) -> tuple[Path, dict[str, Any]]:
    """Run a command that measures something below `root`; the folder that it made, and its record."""
    before = set(root.glob("runs/*/*"))
    assert main(arguments) == 0
    (folder,) = set(root.glob("runs/*/*")) - before
    return folder, record(folder)


@pytest.fixture
def elsewhere(here: Path, trained: Fit, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Path, Path]]:
    """Train, then go to another folder; the run's folder and the new current one."""

    def prepare(*arguments: str) -> tuple[Path, Path]:
        run = trained(*arguments).resolve()
        there = here / "elsewhere"
        there.mkdir()
        monkeypatch.chdir(there)
        return run, there

    return prepare


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model=SmallModel", "--model.hidden_dim=48", "--model.layers=3", "--model.dropout=0.3"],
        ["--model.loss.weight=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "--model.loss.label_smoothing=0.1"],
        ["--model.loss=MSELoss", "--model.optimizer=SGD", "--model.scheduler=null"],
        ["--data.partition=pooled", "--data.partition_seed=3"],
        ["--data.mean=0.2", "--data.std=0.4", "--data.augment=RandomDistortion"],
        ["--data.draw_seed=5", "--data.eval_batch_size=64", "--seed_everything=11"],
    ],
)
def test_the_checkpoint_alone_gives_the_digits_of_fit(
    elsewhere: Callable[..., tuple[Path, Path]], arguments: list[str]
) -> None:
    """From another folder, by nothing but its path."""
    run, there = elsewhere(*arguments)
    before = contents(run)
    expected = {name: value for name, value in record(run)["metrics"]["test"].items() if name.startswith("test/")}

    folder, measured = outcome(there, "test", f"--ckpt_path={run}")

    assert measured["metrics"] == expected
    assert contents(run) == before
    assert folder.parts[: len(there.parts)] == there.parts


def test_a_file_a_folder_best_and_last_all_name_a_checkpoint(elsewhere: Callable[..., tuple[Path, Path]]) -> None:
    """`best` and `last` are looked for below `--run.dir`."""
    run, there = elsewhere("--trainer.max_epochs=2", "--model.optimizer.lr=0.01")
    root = run.parent.parent
    by_name = {}
    for name in (run, run / "checkpoints" / "best.ckpt", run / "checkpoints" / "last.ckpt"):
        by_name[name.name] = outcome(there, "test", f"--ckpt_path={name}")[1]
    for word in ("best", "last"):
        assert main(["test", f"--ckpt_path={word}", f"--run.dir={root}"]) == 0
        newest = max(root.glob("*/*"), key=lambda folder: str(record(folder)["started"]))
        by_name[word] = record(newest)

    best, last = by_name["best.ckpt"]["metrics"], by_name["last.ckpt"]["metrics"]
    assert by_name[run.name]["metrics"] == by_name["best"]["metrics"] == best
    assert by_name["last"]["metrics"] == last
    assert Path(by_name["last"]["checkpoint"]) == run / "checkpoints" / "last.ckpt"


def test_normalization_comes_from_the_checkpoint(elsewhere: Callable[..., tuple[Path, Path]]) -> None:
    """It is not measured again, although other images would give another mean."""
    run, there = elsewhere()

    folder, _ = outcome(there, "test", f"--ckpt_path={run}", "--data.draw_seed=9", "--data.train_size=300")

    tested = yaml.safe_load((folder / "config.yaml").read_text())["data"]["init_args"]
    saved = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["mnistlab"]["data"]["init_args"]
    assert (tested["mean"], tested["std"]) == (saved["mean"], saved["std"])
    assert tested["draw_seed"] == 9


def test_the_command_line_counts_more_than_the_checkpoint(elsewhere: Callable[..., tuple[Path, Path]]) -> None:
    """What is typed is what is measured and recorded."""
    run, there = elsewhere("--model.dropout=0.5")

    folder, measured = outcome(there, "test", f"--ckpt_path={run}", "--model.dropout=0", "--data.test_size=50")

    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["init_args"]["dropout"] == 0
    assert config["data"]["init_args"]["test_size"] == 50
    assert round(measured["metrics"]["test/acc"] * 50, 4).is_integer()


def test_another_loss_has_its_own_defaults(
    elsewhere: Callable[..., tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the checkpoint says only because it was a default is dropped in silence, what was written is told."""
    run, there = elsewhere("--model.loss.label_smoothing=0.1")
    capsys.readouterr()

    outcome(there, "test", f"--ckpt_path={run}", "--model.loss=MSELoss")

    (line,) = capsys.readouterr().err.splitlines()
    assert "model.loss.label_smoothing=0.1" in line


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--model=MediumModel"], "does not fit MediumModel"),
        (["--model.hidden_dim=64"], "(64, "),
        (["--model.layers=3"], "it has no net.backbone.blocks"),
        (["--data=EMNIST", "--data.split=letters"], "26"),
        (["--model.num_classes=7"], "num_classes is 7"),
    ],
)
@pytest.mark.parametrize("command", ["test", "fit"])
def test_a_contradiction_is_told_before_any_work(
    trained: Fit, here: Path, capsys: pytest.CaptureFixture[str], command: str, arguments: list[str], part: str
) -> None:
    """It leaves nothing behind."""
    run = trained()
    before = contents(here)
    capsys.readouterr()

    assert main([command, f"--ckpt_path={run}", *arguments]) == 2

    assert part in capsys.readouterr().err
    assert contents(here) == before


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_random_weights_are_measured_only_on_purpose(
    here: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Without a checkpoint and without `--untrained` there is nothing to measure."""
    assert main([command, *SMALL_DATA]) == 2
    assert "--untrained" in capsys.readouterr().err
    assert not list(here.iterdir())

    folder, _ = outcome(here, command, *SMALL_DATA, "--model=TinyModel", "--untrained")
    assert folder.is_dir()


def test_measuring_an_untrained_model_and_a_checkpoint_exclude_each_other(
    trained: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of the two was not meant."""
    assert main(["test", f"--ckpt_path={trained()}", "--untrained"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_validation_measures_the_images_that_were_held_out(elsewhere: Callable[..., tuple[Path, Path]]) -> None:
    """The same split, and the same digits as in training."""
    run, there = elsewhere("--data.partition_seed=4")

    _, measured = outcome(there, "validate", f"--ckpt_path={run}")

    best = record(run)["metrics"]["best"]
    assert measured["metrics"] == {name: best[name] for name in ("val/acc", "val/loss")}


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "BCEWithLogitsLoss"])
def test_predict_writes_a_table_that_agrees_with_the_test(
    elsewhere: Callable[..., tuple[Path, Path]], capsys: pytest.CaptureFixture[str], loss: str
) -> None:
    """A row per image; probabilities sum to 1, the prediction is the largest, the accuracy that of the test."""
    run, there = elsewhere(f"--model.loss={loss}", "--model.optimizer.lr=0.01")
    capsys.readouterr()

    folder, _ = outcome(there, "predict", f"--ckpt_path={run}")

    assert str((folder / "predictions.csv").relative_to(there)) in capsys.readouterr().out
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    probs = [[float(row[f"prob_{index}"]) for index in range(10)] for row in rows]
    predicted = [int(row["prediction"]) for row in rows]
    data = SyntheticDigits(**SMALL)
    assert [int(row["index"]) for row in rows] == list(range(200))
    assert [int(row["target"]) for row in rows] == data.read("test").targets["digit"].tolist()
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in probs)
    assert predicted == [row.index(max(row)) for row in probs]
    correct = sum(int(row["target"]) == prediction for row, prediction in zip(rows, predicted, strict=True))
    assert correct / 200 == pytest.approx(record(run)["metrics"]["test"]["test/acc"])


def write_idx(folder: Path, name: str, size: int, num_classes: int, first: int) -> None:
    """Files of one split in MNIST's own format, with random images."""
    generator = torch.Generator().manual_seed(size)
    images = torch.randint(256, (size, 28, 28), generator=generator, dtype=torch.uint8)
    labels = (torch.arange(size) % num_classes + first).to(torch.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">IIII", 2051, size, 28, 28)
    (folder / f"{name}-images-idx3-ubyte").write_bytes(head + bytes(images.flatten().tolist()))
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, size) + bytes(labels.tolist()))


def test_a_data_set_of_another_number_of_classes_is_found_again(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder, its split and its classes are in the checkpoint, wherever the command is given."""
    write_idx(here / "sets" / "EMNIST" / "raw", "emnist-letters-train", 260, 26, 1)
    write_idx(here / "sets" / "EMNIST" / "raw", "emnist-letters-test", 104, 26, 1)
    data = ("--data=EMNIST", "--data.split=letters", "--data.data_dir=sets", "--data.val_size=52")
    assert main(["fit", "--model=TinyModel", *data, "--trainer.max_epochs=1"]) == 0
    (run,) = here.glob("runs/*/*")
    there = here / "elsewhere"
    there.mkdir()
    monkeypatch.chdir(there)

    folder, measured = outcome(there, "test", f"--ckpt_path={run}")

    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["init_args"]["num_classes"] == 26
    assert config["data"]["init_args"]["split"] == "letters"
    expected = record(run)["metrics"]["test"]
    assert measured["metrics"] == {name: expected[name] for name in ("test/acc", "test/loss")}


@pytest.fixture
def learnt(here: Path) -> Iterator[Callable[..., dict[str, float]]]:
    """Fit a model with a plain Trainer, save `made.ckpt`, and return what the Trainer's own test says."""

    def train(model: Classifier, data: Any = None, loader: Any = None) -> dict[str, float]:
        trainer = quiet_trainer(here)
        trainer.fit(model, loader, datamodule=data)
        trainer.save_checkpoint(here / "made.ckpt")
        if data is None:
            return {}
        (metrics,) = trainer.test(model, data, verbose=False)
        return {name: float(f"{value:.7g}") for name, value in metrics.items()}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a plain Trainer says what the command line keeps off the screen
        yield train


def loader() -> DataLoader[tuple[Tensor, ...]]:
    """Random images, known to nobody."""
    torch.manual_seed(0)
    return DataLoader(TensorDataset(torch.rand(64, 1, 28, 28), torch.randint(10, (64,))), batch_size=32)


def test_a_model_made_in_python_tests_like_one_of_the_command_line(
    here: Path, learnt: Callable[..., dict[str, float]]
) -> None:
    """Plain values, classes and partials of classes are written down."""
    loss = partial(nn.CrossEntropyLoss, label_smoothing=0.1)
    model = SmallModel(hidden_dim=40, dropout=0.3, optimizer=partial(SGD, lr=0.1), loss=loss)
    expected = learnt(model, SyntheticDigits(**SMALL, partition="pooled"))

    folder, measured = outcome(here, "test", "--ckpt_path=made.ckpt")

    assert measured["metrics"] == expected
    options = yaml.safe_load((folder / "config.yaml").read_text())["model"]["init_args"]
    assert (options["hidden_dim"], options["layers"]) == (40, 4)
    assert options["optimizer"]["class_path"] == "torch.optim.SGD"
    assert options["optimizer"]["init_args"]["lr"] == 0.1
    assert options["loss"]["init_args"]["label_smoothing"] == 0.1


def test_what_cannot_be_written_down_is_asked_for_by_name(
    here: Path, learnt: Callable[..., dict[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The test works; to go on training, the optimizer and the loss must be said."""
    model = TinyModel(
        optimizer=lambda parameters: SGD(parameters, lr=0.1), loss=nn.CrossEntropyLoss(label_smoothing=0.1)
    )
    expected = learnt(model, SyntheticDigits(**SMALL))

    _, measured = outcome(here, "test", "--ckpt_path=made.ckpt")
    assert measured["metrics"]["test/acc"] == expected["test/acc"]

    capsys.readouterr()
    assert main(["fit", "--ckpt_path=made.ckpt", "--model.optimizer=SGD"]) == 2
    assert "--model.loss=" in capsys.readouterr().err
    assert main(["fit", "--ckpt_path=made.ckpt", "--model.loss=CrossEntropyLoss"]) == 2
    message = capsys.readouterr().err
    assert "--model.optimizer=" in message
    assert "lambda" in message

    _, measured = outcome(here, "test", "--ckpt_path=made.ckpt", "--model.loss=CrossEntropyLoss",
                          "--model.loss.label_smoothing=0.1")  # fmt: skip
    assert measured["metrics"] == expected


def test_a_model_made_in_python_goes_on_from_the_command_line(
    here: Path, learnt: Callable[..., dict[str, float]]
) -> None:
    """In a run folder of its own, since it has none."""
    learnt(SmallModel(hidden_dim=40), SyntheticDigits(**SMALL))

    _, continued = outcome(here, "fit", "--ckpt_path=made.ckpt", "--trainer.max_epochs=2")

    assert continued["metrics"]["last"]["epoch"] == 1
    assert len(continued["timings"]["epoch_seconds"]) == 1


def test_a_checkpoint_without_data_asks_for_them(
    here: Path, learnt: Callable[..., dict[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    """A bare DataLoader is known to nobody."""
    learnt(TinyModel(), loader=loader())

    assert main(["test", "--ckpt_path=made.ckpt"]) == 2
    assert "--data=" in capsys.readouterr().err
    assert not (here / "runs").exists()

    _, measured = outcome(here, "test", "--ckpt_path=made.ckpt", *SMALL_DATA)
    assert measured["data"] == "SyntheticDigits"


def test_load_from_checkpoint_gives_the_model_back(learnt: Callable[..., dict[str, float]]) -> None:
    """With its sizes, its weights and its loss; what is given counts more."""
    model = SmallModel(
        hidden_dim=40, optimizer=partial(SGD, lr=0.1), loss=partial(nn.CrossEntropyLoss, label_smoothing=0.1)
    )
    learnt(model, SyntheticDigits(**SMALL))

    loaded = SmallModel.load_from_checkpoint("made.ckpt")
    other = Classifier.load_from_checkpoint("made.ckpt", dropout=0.4)

    assert type(loaded) is type(other) is SmallModel
    assert loaded.recorded() == model.recorded()
    assert other.recorded().init_args["dropout"] == 0.4
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name])
        assert torch.equal(weight, other.state_dict()[name])


def test_load_from_checkpoint_says_what_it_does_not_know(learnt: Callable[..., dict[str, float]]) -> None:
    """A lambda is gone; the default takes its place with a warning, or what is given without one."""
    learnt(TinyModel(optimizer=lambda parameters: SGD(parameters, lr=0.1)), SyntheticDigits(**SMALL))

    with pytest.warns(UserWarning, match="optimizer was a lambda"):
        TinyModel.load_from_checkpoint("made.ckpt")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TinyModel.load_from_checkpoint("made.ckpt", optimizer=partial(SGD, lr=0.1))


def test_load_from_checkpoint_refuses_another_model(learnt: Callable[..., dict[str, float]]) -> None:
    """A checkpoint of TinyModel is no SmallModel."""
    learnt(TinyModel(), SyntheticDigits(**SMALL))

    with pytest.raises(LabError, match="SmallModel"):
        SmallModel.load_from_checkpoint("made.ckpt")


def test_the_path_of_files_is_valid_from_anywhere() -> None:
    """A data set remembers where its files are, not how that was typed."""
    recorded = MNIST(data_dir="sets").recorded().init_args["data_dir"]

    assert Path(str(recorded)).is_absolute()
