"""Several heads from the command line to the table of metrics: losses, weights, and which head counts."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from mnistlab import CNN8K, MultiheadCNN422K, SyntheticDigits, TinyModel, config, main
from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.data import DigitTable, MeasuredLabels

Fit = Callable[..., Path]
Refusal = Callable[..., str]
Shown = Callable[..., dict[str, Any]]
MEASURED = "--data.labels=MeasuredLabels"
HEADS = ("digit", "thickness", "slant", "loops")


def rows(folder: Path) -> list[dict[str, float]]:
    """The table of a run, a row for each epoch."""
    table = csv.DictReader((folder / "metrics.csv").read_text(encoding="utf-8").splitlines())
    return [{name: float(value) for name, value in row.items()} for row in table]


def metrics(folder: Path) -> Any:
    """What the record of a run says was measured."""
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))["metrics"]


def newest(folder: Path) -> Path:
    """The run that came last."""
    return max(folder.glob("runs/*/*"), key=lambda run: run.stat().st_mtime_ns)


@pytest.fixture
def refusal(here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Refusal:
    """The one line with which a fit of TinyModel is refused; it leaves nothing behind."""

    def run(*arguments: str) -> str:
        before = set(here.rglob("*"))
        assert main(["fit", "--model=TinyModel", *small_data, *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert set(here.rglob("*")) == before
        return line

    return run


@pytest.fixture
def shown(here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Shown:
    """The options of the model in the configuration that is printed."""
    del here

    def run(*arguments: str) -> dict[str, Any]:
        assert main(["fit", *small_data, *arguments, "--print_config"]) == 0, capsys.readouterr().err
        configuration: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
        return configuration["model"]["init_args"]  # type: ignore[no-any-return]

    return run


# What is measured ----------------------------------------------------------------------------------------------------


def test_every_head_is_measured_and_the_first_one_counts(fit: Fit) -> None:
    """Accuracy and loss of each head in every split; `acc` is that of the digit, `loss` the sum."""
    folder = fit(MEASURED, "--model.loss_weights.slant=0.5", "--trainer.max_epochs=2")
    row, test = rows(folder)[-1], metrics(folder)["test"]

    for split, values in (("train", row), ("val", row), ("test", test)):
        assert {f"{split}/{head}_{name}" for head in HEADS for name in ("acc", "loss")} <= set(values)
        assert values[f"{split}/acc"] == values[f"{split}/digit_acc"]
        weighted = [values[f"{split}/{head}_loss"] * (0.5 if head == "slant" else 1) for head in HEADS]
        assert values[f"{split}/loss"] == pytest.approx(sum(weighted), rel=1e-4)


def test_one_label_has_no_names_in_its_metrics(trained: Fit) -> None:
    """`val/acc` says it."""
    assert not any(name.endswith(("label_acc", "digit_acc")) for name in rows(trained())[-1])


def test_the_best_checkpoint_is_that_of_the_primary_head(fit: Fit) -> None:
    """Which is the one named first: here one that only gets worse, while the other learns."""
    ruin = ("--model.loss_weights.loops=0", "--model.optimizer.lr=0.003", "--trainer.max_epochs=4")
    for names in ("{digit: 10, loops: 3}", "{loops: 3, digit: 10}"):
        folder = fit(MEASURED, f"--model.num_classes={names}", *ruin)
        table, primary = rows(folder), names[1:].partition(":")[0]
        accuracy = [row[f"val/{primary}_acc"] for row in table]

        assert [row["val/acc"] for row in table] == accuracy
        assert read_checkpoint(folder / "checkpoints" / "best.ckpt")["epoch"] == accuracy.index(max(accuracy))
        assert metrics(folder)["best"]["val/acc"] == max(accuracy)


@pytest.mark.parametrize(
    ("monitor", "mode", "threshold"),
    [("val/acc", "max", -1), ("val/loops_acc", "max", -1), ("val/loops_loss", "min", 99)],
)
def test_early_stopping_watches_any_head(fit: Fit, monitor: str, mode: str, threshold: int) -> None:
    """It ends the run once the metric is good enough, which here is at once."""
    options = {"monitor": monitor, "mode": mode, "stopping_threshold": threshold}
    typed = (f"--trainer.callbacks.{name}={value}" for name, value in options.items())
    folder = fit(MEASURED, "--trainer.callbacks=EarlyStopping", *typed, "--trainer.max_epochs=5")

    assert len(rows(folder)) == 1


def test_the_metrics_of_heads_are_known_before_training(refusal: Refusal) -> None:
    """A misspelt one is told with the nearest."""
    stop = ("--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/loop_acc")

    assert "no metric is called val/loop_acc. Did you mean val/loops_acc" in refusal(MEASURED, *stop)


def test_a_head_of_weight_0_learns_nothing(fit: Fit) -> None:
    """Its layer is as it was drawn, while the others move."""
    folder = fit(MEASURED, "--model.loss_weights.loops=0", "--model.optimizer.weight_decay=0", "--seed_everything=3")
    weights = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    other = fit(MEASURED, "--model.loss_weights.loops=0", "--model.optimizer.lr=0", "--seed_everything=3")
    drawn = read_checkpoint(other / "checkpoints" / "last.ckpt")["state_dict"]

    assert torch.equal(weights["net.heads.loops.weight"], drawn["net.heads.loops.weight"])
    assert not torch.equal(weights["net.heads.digit.weight"], drawn["net.heads.digit.weight"])


# Losses and weights by name ------------------------------------------------------------------------------------------


def test_a_head_takes_a_loss_of_its_own(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """With its options; the checkpoint alone is tested with the same ones."""
    options = ("--model.losses.thickness=SmoothL1Loss", "--model.losses.thickness.beta=0.5")
    folder = fit(MEASURED, *options, "--model.losses.loops=OrdinalRegressionLoss", "--model.loss_weights.thickness=2")
    first = metrics(folder)["test"]
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={folder}"]) == 0
    again = metrics(newest(Path.cwd()))
    assert {name: again[name] for name in first if name.startswith("test/")} == {
        name: value for name, value in first.items() if name.startswith("test/")
    }


@pytest.mark.parametrize("suffix", ["yaml", "py"])
def test_losses_are_written_in_presets_as_they_are_typed(shown: Shown, suffix: str) -> None:
    """In YAML and in Python; what is typed comes after it, name by name."""
    Path("a.yaml").write_text(
        "data: {class_path: SyntheticDigits, init_args: {labels: MeasuredLabels}}\n"
        "model:\n  class_path: TinyModel\n  init_args:\n    loss_weights: {digit: 2, loops: 0.5}\n    losses:\n"
        "      thickness: {class_path: SmoothL1Loss, init_args: {beta: 0.5}}\n      loops: FocalLoss\n",
        encoding="utf-8",
    )
    Path("a.py").write_text(
        "from torch.nn import SmoothL1Loss\n"
        "from mnistlab import Preset, SyntheticDigits, TinyModel, config\n"
        "from mnistlab.data import MeasuredLabels\n"
        "from mnistlab.losses import FocalLoss\n\n"
        "class A(Preset):\n"
        "    data = config(SyntheticDigits, labels=config(MeasuredLabels))\n"
        "    model = config(TinyModel, loss_weights={'digit': 2, 'loops': 0.5},\n"
        "        losses={'thickness': config(SmoothL1Loss, beta=0.5), 'loops': config(FocalLoss)})\n",
        encoding="utf-8",
    )
    typed = ("--model.losses.loops.gamma=1", "--model.losses.slant=MSELoss", "--model.loss_weights.loops=3")
    options = shown(f"--config=a.{suffix}", MEASURED, *typed)
    losses = {
        head: (loss["class_path"].rpartition(".")[2], loss["init_args"]) for head, loss in options["losses"].items()
    }

    assert losses["thickness"][0] == "SmoothL1Loss"
    assert losses["thickness"][1]["beta"] == 0.5
    assert losses["loops"] == ("FocalLoss", {"gamma": 1.0, "weight": None})
    assert losses["slant"][0] == "MSELoss"
    assert options["loss_weights"] == {"digit": 2, "loops": 3}


def test_a_node_builds_heads_and_losses() -> None:
    """In Python alone, without a command."""
    sizes = {"digit": 10, "loops": 3}
    model = config(
        TinyModel, num_classes=sizes, losses={"loops": config(nn.MSELoss)}, loss_weights={"loops": 2}
    ).build()

    assert model.objective.weights == {"digit": 1, "loops": 2}
    assert {head: tuple(logits.shape) for head, logits in model(torch.zeros(2, 1, 28, 28)).items()} == {
        "digit": (2, 10),
        "loops": (2, 3),
    }
    assert "MSELoss" in repr(model.objective.of("loops"))


def test_what_is_printed_is_read_again(shown: Shown, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole configuration with losses, weights and labels comes back the same, and tells where each is from."""
    typed = (MEASURED, "--model=TinyModel", "--model.losses.thickness=TriangularLoss", "--model.loss_weights.loops=2")
    options = shown(*typed)
    assert main(["fit", "--data=SyntheticDigits", *typed, "--print_config=origins"]) == 0
    text = capsys.readouterr().out
    (here / "printed.yaml").write_text(text, encoding="utf-8")

    assert shown("--config=printed.yaml") == options
    comments = [line.partition(" # ") for line in text.splitlines()]
    origins = {line.strip(): comment for line, _, comment in comments}
    assert origins["class_path: mnistlab.losses.TriangularLoss"] == "--model.losses.thickness=TriangularLoss"
    assert origins["width: 2.0"] == "default of TriangularLoss"
    assert origins["num_classes:"] == "as SyntheticDigits has"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model.losses=MSELoss",), "takes a class for each name. Write --model.losses.NAME=MSELoss."),
        (("--model.losses.thicknes=MSELoss",), "got thicknes. Did you mean thickness?"),
        (("--model.losses.thickness=MSELos",), "Did you mean MSELoss"),
        (("--model.losses.thickness=Adam",), "Adam"),
        (
            ("--model.losses.thickness=MSELoss", "--model.losses.thickness.beta=2"),
            "MSELoss has no option beta. It belongs",
        ),
        (("--model.losses.thickness.beta=2",), "model.losses.thickness has no class. Choose one"),
        (("--model.losses.loops=CTCLoss",), "CTCLoss"),
        (("--model.losses.loops=FocalLoss", "--model.losses.loops.weight=[1,2]"), "must hold 3 numbers"),
        (
            ("--model.loss_weights.digits=2",),
            "--model.loss_weights.digits=2: `loss_weights` must name heads, got digits",
        ),
        (("--model.loss_weights.digit=-2",), "each a number from 0 on or null, got digit: -2"),
        (("--model.loss_weights.digit=x",), "each a number from 0 on or null, got digit: x"),
        (("--model.loss_weights=2",), "each a number from 0 on or null, got 2"),
        (("--model.loss_weights={digit: 0, thickness: 0, slant: 0, loops: 0}",), "must not all be 0"),
        (("--model.num_classes={loops: 4}",), """or choose some: '--model.num_classes={"loops":3}'"""),
        (("--model.num_classes={loop: 3}",), """or choose some: '--model.num_classes={"digit":10}'"""),
        (("--model.num_classes=10",), """or choose some: '--model.num_classes={"digit":10}'"""),
        (
            ("--model.loss.weight=[1,1,1,1,1,1,1,1,1,1]",),
            "got 10 (head thickness). The loss is that of every head; --model.losses.HEAD=... is for one.",
        ),
        (
            ("--model.losses.digit=DistanceWeightedLoss", "--model.losses.digit.power=60"),
            "the loss cannot be used: it is inf where all logits are 0",
        ),
        (("--model.num_classes={}",), "must name a head, got none"),
    ],
)
def test_every_misfit_is_refused_before_training(refusal: Refusal, options: tuple[str, ...], said: str) -> None:
    """In one line, at the option, and no run is left behind."""
    assert said in refusal(MEASURED, *options)


OWN_HEADS = '''
from typing import Any
from torch import nn
from mnistlab import Classifier

class OneTensor{0}(Classifier):
    """Its net knows nothing of heads."""
    name = "one_tensor_{0}"
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

class OneNumber{0}(Classifier):
    """It takes a number of classes."""
    name = "one_number_{0}"
    def __init__(self, num_classes: int = 10, **kwargs: Any) -> None:
        super().__init__(num_classes=num_classes, **kwargs)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, num_classes))
'''


@pytest.fixture
def own_heads(here: Path) -> Callable[[str], str]:
    """The path of a model of the user's own that has one head."""
    stem = "".join(part for part in here.name if part.isalnum())
    (here / f"own_{stem}.py").write_text(OWN_HEADS.format(stem))
    return lambda name: f"own_{stem}.{name}{stem}"


def test_an_own_model_with_one_head_is_refused_on_several_labels(
    refusal: Refusal, own_heads: Callable[[str], str]
) -> None:
    """Before anything is trained: with what it has, what the data have, and what to do."""
    one_tensor = refusal(f"--model={own_heads('OneTensor')}", MEASURED)
    one_number = refusal(f"--model={own_heads('OneNumber')}", MEASURED)

    assert one_tensor.startswith(f"mnistlab: {MEASURED}: OneTensor")
    assert "has the heads digit, thickness, slant, loops, but its net gives one tensor of logits" in one_tensor
    assert one_tensor.endswith("""'--model.num_classes={"digit":10}'""")
    assert one_number.startswith(f"mnistlab: {MEASURED}: SyntheticDigits has 10 classes of digit, 5 classes of thick")
    assert (
        "has one head: its num_classes is one number. Choose data with one label, or --data.labels=null" in one_number
    )


def test_an_own_model_with_one_head_learns_the_label_that_is_chosen(fit: Fit, own_heads: Callable[[str], str]) -> None:
    """As the refusal says."""
    folder = fit(f"--model={own_heads('OneTensor')}", MEASURED, '--model.num_classes={"digit":10}')

    assert metrics(folder)["test"].keys() >= {"test/loss", "test/acc"}


def test_data_with_one_label_have_no_heads_to_name(refusal: Refusal) -> None:
    """A model of several heads says which data have them."""
    assert "There is one head, label: use `loss` for it." in refusal("--model.losses.thickness=MSELoss")
    message = refusal("--model=MultiheadCNN422K")

    assert "SyntheticDigits has 10 classes and no such thickness and smoothness" in message
    assert "Use --data=MultiheadMNIST or --data.labels=DigitTable" in message


def test_a_loss_that_counts_no_image_of_a_split_is_zero(fit: Fit) -> None:
    """Class weights may be 0 for all that is there; nothing is divided by it."""
    weights = "--model.losses.loops.weight=[0,0,0.5]"
    one = ("--data.eval_batch_size=1", "--trainer.limit_val_batches=1", "--data.labels.slant_bounds=[0]")
    folder = fit(MEASURED, "--model.losses.loops=CrossEntropyLoss", weights, *one)

    assert rows(folder)[0]["val/loops_loss"] == 0


# Which labels become heads -------------------------------------------------------------------------------------------


def test_a_mapping_chooses_among_the_labels_of_the_data(fit: Fit) -> None:
    """One of them, too: then it is the one that counts."""
    folder = fit(MEASURED, "--model.num_classes={loops: 3}", "--trainer.max_epochs=3")

    assert "net.heads.loops.weight" in read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    assert main(["predict", f"--ckpt_path={folder}"]) == 0
    header, *lines = (newest(Path.cwd()) / "predictions.csv").read_text(encoding="utf-8").splitlines()
    targets = [int(line.rpartition(",")[2]) for line in lines]
    assert header == "index,prediction,prob_0,prob_1,prob_2,target"
    assert set(targets) == {0, 1, 2}
    hits = sum(int(line.split(",")[1]) == target for line, target in zip(lines, targets, strict=True))
    assert metrics(folder)["test"]["test/acc"] == pytest.approx(hits / len(lines))


def test_the_first_label_chosen_stays_the_one_that_counts(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Also from the checkpoint, and where it comes after others in the alphabet and in the data."""
    folder = fit(MEASURED, "--model.num_classes={slant: 5, digit: 10}")
    official = SyntheticDigits(600, 200).read("test")
    slant = MeasuredLabels().label(official.images, official.targets["digit"])["slant"]
    largest = f"{100 * slant.bincount().max().item() / len(slant):.2f}"
    assert f"always naming the largest class: {largest} % (digit 10.00)" in capsys.readouterr().out
    trained = metrics(folder)["test"]
    assert main(["test", f"--ckpt_path={folder}"]) == 0
    tested = metrics(newest(Path.cwd()))

    assert trained["test/acc"] == tested["test/acc"] == tested["test/slant_acc"] != tested["test/digit_acc"]
    assert TinyModel.load_from_checkpoint(folder / "checkpoints" / "best.ckpt").primary == "slant"


def test_the_net_of_three_heads_keeps_its_own(shown: Shown) -> None:
    """With weights that a single one of them changes."""
    options = shown("--model=MultiheadCNN422K", "--data.labels=DigitTable", "--model.loss_weights.digit=2")

    assert options["num_classes"] == {"digit": 10, **DigitTable().heads}
    assert options["loss_weights"] == {"digit": 2, "thickness": 0.5, "smoothness": 0.5}
    assert sum(parameter.numel() for parameter in MultiheadCNN422K().net.parameters()) == 422_866


def test_heads_are_remembered_and_measured_on_data_that_have_them(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """A net of one head is measured by the digit on data with more labels; one of several needs them all."""
    single, several = fit(), fit(MEASURED)
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={single}", MEASURED]) == 0
    assert metrics(newest(Path.cwd()))["test/acc"] == metrics(single)["test"]["test/acc"]
    assert main(["test", f"--ckpt_path={several}", "--data.labels=null"]) == 2
    assert "Its weights do not fit this data" in capsys.readouterr().err


def test_a_continued_run_counts_all_heads_as_one_without_a_break(fit: Fit) -> None:
    """Bit for bit, the metrics of every head too."""
    options = (MEASURED, "--model.losses.loops=FocalLoss", "--model.scheduler=null")
    whole, parts = fit(*options, "--trainer.max_epochs=2"), fit(*options)

    assert main(["fit", f"--ckpt_path={parts}", "--trainer.max_epochs=2"]) == 0
    assert (parts / "metrics.csv").read_text(encoding="utf-8") == (whole / "metrics.csv").read_text(encoding="utf-8")


def test_every_architecture_carries_several_heads(fit: Fit) -> None:
    """A convolutional net as well, with a head that is swapped by a name."""
    folder = fit("--model=CNN8K", MEASURED, "--model.head=MLPHead", "--model.head.hidden_dim=7")
    model = CNN8K.load_from_checkpoint(folder / "checkpoints" / "best.ckpt")

    assert model.heads == {"digit": 10, **MeasuredLabels().heads}
    assert [layer.out_features for layer in model.net.heads["loops"].modules() if isinstance(layer, nn.Linear)] == [
        7,
        3,
    ]


def test_every_measured_label_is_learnt_better_than_guessed(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """By a tenth and more over always naming the largest class, and both are shown, by `fit` and by `test`."""
    size = ("--data.train_size=3000", "--data.test_size=500", "--data.val_size=100", "--data.batch_size=64")
    folder = fit("--model=CNN8K", MEASURED, *size, "--model.optimizer.lr=0.01", "--trainer.max_epochs=3")
    learnt = capsys.readouterr().out
    assert main(["test", f"--ckpt_path={folder}"]) == 0
    tested = capsys.readouterr().out
    official = SyntheticDigits(3000, 500).read("test")
    labels = {**official.targets, **MeasuredLabels().label(official.images, official.targets["digit"])}
    guessed = {head: labels[head].bincount().max().item() / len(official) for head in HEADS}

    shown = f"{100 * guessed['digit']:.2f} % ({', '.join(f'{head} {100 * guessed[head]:.2f}' for head in HEADS[1:])})"
    assert f"always naming the largest class: {shown}\n" in learnt
    for head in HEADS:
        accuracy = metrics(folder)["test"][f"test/{head}_acc"]
        assert accuracy > guessed[head] + 0.1, head
        largest = f"(always naming the largest class: {100 * guessed[head]:.2f} %)"
        assert any(
            line.split(maxsplit=3) == [f"test/{head}_acc", f"{100 * accuracy:.2f}", "%", largest]
            for line in tested.splitlines()
        )
