"""`--print_config=skip_default` and `presets save`: just what is not at its default, as a preset."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mnistlab.cli import main

Told = Callable[..., str]
Fit = Callable[..., Path]


@pytest.fixture
def told(here: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """What a command prints: of one that fails the error."""
    del here

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(arguments) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


def test_a_preset_has_what_differs_and_no_more(told: Told) -> None:
    """Of a class the short name, and it alone where nothing of it differs."""
    text = told(
        "fit", "--model=SmallModel", "--model.layers=3", "--data=SyntheticDigits", "--print_config=skip_default"
    )

    assert yaml.safe_load(text) == {
        "model": {"class_path": "SmallModel", "init_args": {"layers": 3}},
        "data": "SyntheticDigits",
    }


def test_what_was_typed_and_is_the_default_does_not_differ(told: Told) -> None:
    """Nor does the default model, by its name."""
    typed = ("--model=MediumModel", "--trainer.max_epochs=10", "--model.optimizer=AdamW")

    assert told("fit", *typed, "--print_config=skip_default") == "{}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "--model=ViT38K --model.optimizer=SGD --model.optimizer.lr=0.1 --model.scheduler=null",
        "--model=TinyModel --model.loss=FocalLoss --model.loss.gamma=1.5 --model.head=MLPHead --seed_everything=7",
        "--config=Best --model.optimizer.lr=0.002",
        "--config=DetectAnomaly --data=EMNIST --data.split=letters",
        "--model=MultiheadCNN422K --data=MultiheadMNIST --model.losses.digit=FocalLoss --model.loss_weights.digit=2",
        "--trainer.callbacks=EarlyStopping --trainer.callbacks.monitor=val/loss --trainer.callbacks+=Timer",
        "--data=SyntheticDigits --data.augment=RandomDistortion --data.augment.rotation=5 --data.labels=MeasuredLabels",
        "--logger=MLflow --logger.experiment=one --run.tags=a,b --run.name=null",
        "--trainer.logger=CSVLogger --trainer.logger.save_dir=logs --trainer.max_time=00:01:00:00 --threads=1",
        "--run.name=literal:choice:1,2 --run.tags=[choice] --model.metrics=Top3Accuracy",
    ],
)
def test_a_preset_says_the_same_again(told: Told, arguments: str) -> None:
    """Every value of the configuration, whatever is chosen."""
    typed = arguments.split()
    Path("preset.yaml").write_text(told("fit", *typed, "--print_config=skip_default"))

    assert told("fit", "--config=preset.yaml", "--print_config") == told("fit", *typed, "--print_config")


def test_a_run_becomes_a_preset(trained: Fit, told: Told) -> None:
    """With what it was configured with, and what to expect in a comment."""
    folder = trained("--model.dropout=0.25")
    told("presets", "save", "Mine", f"--from={folder}")
    again = yaml.safe_load(told("fit", "--config=Mine", "--print_config"))

    assert again == yaml.safe_load((folder / "config.yaml").read_text())
    assert "TinyModel on SyntheticDigits: " in told("presets")


def test_a_preset_of_a_run_is_not_the_run(trained: Fit, told: Told) -> None:
    """Its name and its folder are its own."""
    folder = trained("--run.name=first", "--run.tags=quick")
    told("presets", "save", "Mine", f"--from={folder}")
    data = yaml.safe_load(Path("presets/Mine.yaml").read_text())

    assert data["run"] == {"tags": "quick"}


def test_a_preset_that_is_there_stays(trained: Fit, told: Told) -> None:
    """The other name is to be chosen by the user."""
    folder = trained()
    Path("presets").mkdir()
    Path("presets/Mine.yaml").write_text("model: SDN8K\n")

    assert "there is a preset Mine in presets/Mine.yaml" in told("presets", "save", "Mine", f"--from={folder}", code=2)
    assert Path("presets/Mine.yaml").read_text() == "model: SDN8K\n"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["Mine"], "presets save needs a run: mnistlab presets save Mine --from=last"),
        (["--from=last"], "presets save takes one name, got none"),
        (["A", "B", "--from=last"], "got 2: A, B"),
        (["a/b", "--from=last"], "a name of letters, digits and _"),
        (["Mine", "--form=last"], "Did you mean --from?"),
        (["Mine", "--from=nowhere"], "nowhere"),
    ],
)
def test_what_is_missing_is_told(told: Told, arguments: list[str], part: str) -> None:
    """With the command that would be right."""
    assert part in told("presets", "save", *arguments, code=2)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("model: evil.Net\n", "If you trust it, add --trust=evil"),
        ("trainer:\n  default_root_dir: /somewhere/else\n", "which lies neither here nor in the folder of the run"),
        ("base: evil.yaml\n", "there is no option base"),
    ],
)
def test_the_run_of_a_stranger_gains_nothing_as_a_preset(trained: Fit, told: Told, line: str, part: str) -> None:
    """A preset is trusted, so that it has only what the run might say itself; nothing is imported."""
    folder = trained()
    Path("evil.py").write_text("raise SystemExit('imported')\n")
    (folder / "config.yaml").write_text(line)

    assert part in told("presets", "save", "Mine", f"--from={folder}", code=2)
    assert not Path("presets").exists()


def test_the_record_of_a_stranger_ends_no_comment(trained: Fit, told: Told) -> None:
    """What would stand behind the end of a line would be trusted."""
    folder = trained()
    record = folder / "run.json"
    record.write_text(record.read_text().replace('"TinyModel"', '"Tiny\\nmodel: evil.Net"'))
    told("presets", "save", "Mine", f"--from={folder}")

    assert "evil" not in yaml.safe_load(Path("presets/Mine.yaml").read_text())["model"]


def test_whoever_trusts_a_run_may_save_it(trained: Fit, told: Told) -> None:
    """By the package that it names."""
    folder = trained()
    Path("kind.py").write_text(
        "from mnistlab import TinyModel\n\n\nclass Net(TinyModel):\n    '''A net.'''\n\n    name = 'kind'\n"
    )
    (folder / "config.yaml").write_text("model: kind.Net\ndata: mnistlab.SyntheticDigits\n")
    told("presets", "save", "Mine", f"--from={folder}", "--trust=kind")

    assert yaml.safe_load(Path("presets/Mine.yaml").read_text()) == {"model": "kind.Net", "data": "SyntheticDigits"}
