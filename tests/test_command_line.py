"""Which class and which value count, through `fit --print_config`."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mnistlab.cli import main

Config = Callable[..., dict[str, Any]]


@pytest.fixture
def config(here: Path, capsys: pytest.CaptureFixture[str]) -> Config:
    """The configuration of `fit` with some arguments, and nothing left behind."""

    def resolved(*arguments: str) -> dict[str, Any]:
        assert main(["fit", *arguments, "--print_config"]) == 0
        assert not (here / "runs").exists()
        printed: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
        return printed

    return resolved


@pytest.fixture
def refused(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The message of a command that must be refused as a mistake in the input."""

    def message(*arguments: str) -> str:
        before = set(here.rglob("*"))
        assert main(["fit", *arguments]) == 2
        assert set(here.rglob("*")) == before
        return capsys.readouterr().err

    return message


def write(path: str, text: str) -> str:
    """Write a file and return the option that names it."""
    Path(path).write_text(text)
    return f"--config={path}"


TINY = "model:\n  class_path: TinyModel\n  init_args:\n    hidden_dim: 99\n"


def sizes(config: dict[str, Any]) -> tuple[str, int, int, float]:
    """The model's class and its sizes."""
    options = config["model"]["init_args"]
    name = config["model"]["class_path"].rpartition(".")[2]
    return name, options["hidden_dim"], options["layers"], options["dropout"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ("MediumModel", 512, 8, 0.2)),
        (["--model=SmallModel"], ("SmallModel", 256, 4, 0.1)),
        (["--model=SmallModel", "--model.hidden_dim=384"], ("SmallModel", 384, 4, 0.1)),
        (["--model.hidden_dim=384", "--model=SmallModel"], ("SmallModel", 384, 4, 0.1)),
        (["--model.hidden_dim=77"], ("MediumModel", 77, 8, 0.2)),
        (["--config=tiny.yaml"], ("TinyModel", 99, 2, 0.1)),
        (["--config=tiny.yaml", "--model=SmallModel"], ("SmallModel", 99, 4, 0.1)),
        (["--model=SmallModel", "--config=tiny.yaml"], ("SmallModel", 99, 4, 0.1)),
        (["--model", "SmallModel", "--model.hidden_dim", "384"], ("SmallModel", 384, 4, 0.1)),
        (["--model=mnistlab.models.SmallModel"], ("SmallModel", 256, 4, 0.1)),
        (["--model=mnistlab.SmallModel"], ("SmallModel", 256, 4, 0.1)),
        (["--model.class_path=SmallModel", "--model.init_args.layers=9"], ("SmallModel", 256, 9, 0.1)),
        (["--model={class_path: SmallModel, init_args: {layers: 9}}"], ("SmallModel", 256, 9, 0.1)),
        (["--model=TinyModel", "--model=SmallModel"], ("SmallModel", 256, 4, 0.1)),
        (["--model.layers=3", "--model.layers=5"], ("MediumModel", 512, 5, 0.2)),
    ],
)
def test_choosing_a_model_chooses_its_sizes_and_what_was_written_stays(
    config: Config, arguments: list[str], expected: tuple[str, int, int, float]
) -> None:
    """A size comes from whoever wrote it last, or from the class finally chosen."""
    write("tiny.yaml", TINY)

    assert sizes(config(*arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ("AdamW", 0.001, 0.01)),
        (["--model.optimizer=SGD"], ("SGD", 0.001, 0.0)),
        (["--model.optimizer=Adam"], ("Adam", 0.001, 0.0)),
        (["--model.optimizer.lr=0.5"], ("AdamW", 0.5, 0.01)),
        (["--model.optimizer.lr=0.5", "--model.optimizer=Adam"], ("Adam", 0.5, 0.0)),
        (["--model=TinyModel", "--model.optimizer.lr=5e-1"], ("AdamW", 0.5, 0.01)),
        (["--model.optimizer.weight_decay=0.3", "--model.optimizer=SGD", "--model=TinyModel"], ("SGD", 0.001, 0.3)),
    ],
)
def test_choosing_an_optimizer_chooses_its_defaults(
    config: Config, arguments: list[str], expected: tuple[str, float, float]
) -> None:
    """Nothing of AdamW's defaults leaks into another optimizer."""
    chosen = config(*arguments)["model"]["init_args"]["optimizer"]
    options = chosen["init_args"]

    assert (chosen["class_path"].rpartition(".")[2], options["lr"], options["weight_decay"]) == expected


@pytest.mark.parametrize(
    ("arguments", "option", "expected"),
    [
        (["--model.loss.label_smoothing=0.1"], "loss", ("torch.nn.CrossEntropyLoss", {"label_smoothing": 0.1})),
        (["--model.loss.delta=0.5", "--model.loss=HuberLoss"], "loss", ("torch.nn.HuberLoss", {"delta": 0.5})),
        (["--model.loss=HuberLoss"], "loss", ("torch.nn.HuberLoss", {"delta": 1.0})),
        (["--model.scheduler.warmup=0.3"], "scheduler", ("mnistlab.schedules.WarmupCosine", {"warmup": 0.3})),
        (
            ["--model.scheduler.step_size=3", "--model.scheduler=StepLR"],
            "scheduler",
            ("torch.optim.lr_scheduler.StepLR", {"step_size": 3, "gamma": 0.1}),
        ),
        (
            ["--model.scheduler=ReduceLROnPlateau", "--model.scheduler.monitor=val/acc"],
            "scheduler",
            ("mnistlab.schedules.ReduceLROnPlateau", {"monitor": "val/acc", "patience": 10}),
        ),
    ],
)
def test_losses_and_schedules_follow_the_same_rule(
    config: Config, arguments: list[str], option: str, expected: tuple[str, dict[str, object]]
) -> None:
    """Whatever takes a class has that class's defaults and what was written."""
    chosen = config(*arguments)["model"]["init_args"][option]

    assert chosen["class_path"] == expected[0]
    assert expected[1].items() <= chosen["init_args"].items()


def test_every_order_of_the_arguments_means_the_same(config: Config) -> None:
    """Values may stand before the class that they are for, at every level."""
    arguments = [
        "--model=TinyModel",
        "--model.hidden_dim=32",
        "--model.optimizer=SGD",
        "--model.optimizer.momentum=0.9",
    ]
    outcomes = [config(*order) for order in itertools.permutations(arguments)]

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0]["model"]["init_args"]["optimizer"]["init_args"]["momentum"] == 0.9


def test_files_count_from_left_to_right_and_the_command_line_last(config: Config) -> None:
    """The last one to write a value wins, wherever `--config` stands."""
    first = write("a.yaml", "model:\n  hidden_dim: 10\n  layers: 1\n  dropout: 0.5\n")
    second = write("b.yaml", "model:\n  hidden_dim: 20\n  layers: 2\n")

    assert sizes(config("--model.hidden_dim=30", first, second)) == ("MediumModel", 30, 2, 0.5)
    assert sizes(config(second, first)) == ("MediumModel", 10, 1, 0.5)


def test_all_spellings_of_a_file_mean_the_same(config: Config) -> None:
    """`class_path` and `init_args` may be written or left out, keys nested or dotted."""
    spellings = [
        "model:\n  class_path: TinyModel\n  init_args:\n    optimizer:\n      class_path: SGD\n      lr: 1e-2\n",
        "model:\n  class_path: mnistlab.models.TinyModel\n  optimizer: {class_path: torch.optim.SGD, lr: 0.01}\n",
        "model.optimizer.lr: 0.01\nmodel.optimizer: SGD\nmodel: TinyModel\n",
        "model.class_path: TinyModel\nmodel.init_args.optimizer.init_args.lr: 0.01\nmodel.init_args.optimizer: SGD\n",
    ]
    outcomes = [config(write(f"{number}.yaml", text)) for number, text in enumerate(spellings)]

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0]["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.01


def test_a_switch_tells_what_it_drops_and_where_that_was_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for each value that the new class has no place for; the others stay."""
    del here
    text = "model:\n  class_path: TinyModel\n  init_args:\n    optimizer:\n      class_path: SGD\n      init_args:\n"
    file = write("sgd.yaml", text + "        momentum: 0.9\n        lr: 0.2\n")

    assert main(["fit", file, "--model.optimizer=Adam", "--print_config"]) == 0

    printed = capsys.readouterr()
    options = yaml.safe_load(printed.out)["model"]["init_args"]["optimizer"]["init_args"]
    assert options["lr"] == 0.2
    assert options["weight_decay"] == 0.0
    (line,) = printed.err.splitlines()
    assert all(part in line for part in ("model.optimizer.momentum=0.9", "sgd.yaml:7:9", "Adam has no option momentum"))


def test_a_later_file_that_switches_the_data_tells_what_it_drops(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rule holds for data and between files."""
    del here
    letters = write("letters.yaml", "data:\n  class_path: EMNIST\n  init_args: {split: letters, batch_size: 64}\n")
    plain = write("plain.yaml", "data: MNIST\n")

    assert main(["fit", letters, plain, "--print_config"]) == 0

    printed = capsys.readouterr()
    assert yaml.safe_load(printed.out)["data"]["init_args"]["batch_size"] == 64
    assert printed.err.count("\n") == 2
    assert "data is MNIST (plain.yaml:1:1), not EMNIST (letters.yaml:2:3)" in printed.err
    assert "data.split=letters" in printed.err
    assert "letters.yaml:3:15" in printed.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model.optimizer.momentum=0.5", "--model.optimizer=Adam"],
        ["--model.optimizer=Adam", "--model.optimizer.momentum=0.5"],
        ["--data=MNIST", "--data.split=letters"],
        ["--model.loss=MSELoss", "--model.loss.label_smoothing=0.1"],
        ["--data.augment=null", "--data.augment.shift=0.1"],
        ["--model.scheduler=null", "--model.scheduler.warmup=0.1"],
    ],
)
def test_a_value_for_another_class_on_the_same_command_line_is_an_error(
    refused: Callable[..., str], arguments: list[str]
) -> None:
    """Nothing of one command contradicts itself in silence."""
    (value,) = (argument for argument in arguments if argument.split("=")[1] in ("0.5", "letters", "0.1"))

    assert refused(*arguments).startswith(f"mnistlab: {value}: ")


def test_a_class_chosen_again_on_the_same_command_line_drops_what_the_first_one_had(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a preset does that is appended to: the value was right when it was written."""
    del here
    first = ("--model.optimizer=SGD", "--model.optimizer.momentum=0.5", "--model.optimizer.lr=0.2")

    assert main(["fit", *first, "--model.optimizer=Adam", "--print_config"]) == 0

    printed = capsys.readouterr()
    assert yaml.safe_load(printed.out)["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.2
    assert printed.err.count("\n") == 1
    assert "--model.optimizer.momentum=0.5" in printed.err


def test_a_value_for_another_class_in_one_file_is_an_error(refused: Callable[..., str]) -> None:
    """Nor does anything of one file."""
    file = write("a.yaml", "data:\n  class_path: MNIST\n  init_args:\n    split: letters\n")

    assert "a.yaml:4:5: MNIST has no option split" in refused(file)


def test_environment_variables_have_no_effect(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Lightning's nor jsonargparse's."""
    undisturbed = config()
    for name in ("PL_TRAINER__MAX_EPOCHS", "PL_TRAINER_MAX_EPOCHS", "PL_FIT__TRAINER__MAX_EPOCHS", "PL_MAX_EPOCHS"):
        monkeypatch.setenv(name, "3")
    for name in ("PL_MODEL", "PL_FIT__MODEL", "PL_MODEL__CLASS_PATH"):
        monkeypatch.setenv(name, "TinyModel")
    monkeypatch.setenv("PL_CONFIG", "nowhere.yaml")
    assert config() == undisturbed

    monkeypatch.setenv("JSONARGPARSE_DEFAULT_ENV", "true")
    assert config() == undisturbed


@pytest.mark.parametrize(("written", "seed"), [("0", 0), ("7", 7), ("false", False), ("False", False), ("000", 0)])
def test_every_seed_that_is_written_counts(config: Config, written: str, seed: object) -> None:
    """Zero is a seed, and false sets none."""
    printed = config(f"--seed_everything={written}")["seed_everything"]

    assert (printed, type(printed)) == (seed, type(seed))


def test_a_seed_that_is_drawn_is_written_down(config: Config) -> None:
    """So that the printed configuration repeats the run."""
    assert type(config("--seed_everything=true")["seed_everything"]) is int


def test_an_option_without_a_value_means_true(config: Config) -> None:
    """Whatever stands after it, unless it is a value."""
    printed = config("--model.compile", "--model=TinyModel", "--run.test", "false")

    assert printed["model"]["init_args"]["compile"] is True
    assert printed["run"]["test"] is False


def test_negative_and_dashed_values_are_values(config: Config) -> None:
    """One dash does not make an option."""
    printed = config("--data.mean", "-0.7", "--run.name", "-x")

    assert printed["data"]["init_args"]["mean"] == -0.7
    assert printed["run"]["name"] == "-x"


def test_the_classes_of_the_data_reach_the_model(config: Config) -> None:
    """Letters are 26 classes, and nobody has to say so."""
    assert config("--data=EMNIST", "--data.split=letters")["model"]["init_args"]["num_classes"] == 26
    assert config("--data=EMNIST")["model"]["init_args"]["num_classes"] == 47


def callbacks(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The short names of the callbacks, and their options."""
    items = config["trainer"]["callbacks"] or []
    return [(item["class_path"].rpartition(".")[2], item["init_args"]) for item in items]


YAML_CALLBACKS = """
trainer:
  callbacks:
    - class_path: EarlyStopping
      init_args: {monitor: val/loss, patience: 5}
    - class_path: LearningRateMonitor
"""


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--trainer.callbacks=LearningRateMonitor"], ["LearningRateMonitor"]),
        (["--trainer.callbacks=[LearningRateMonitor, Timer]"], ["LearningRateMonitor", "Timer"]),
        (["--trainer.callbacks+=Timer", "--trainer.callbacks+=LearningRateMonitor"], ["Timer", "LearningRateMonitor"]),
        (["--trainer.callbacks=Timer", "--trainer.callbacks=LearningRateMonitor"], ["LearningRateMonitor"]),
        (["--config=c.yaml"], ["EarlyStopping", "LearningRateMonitor"]),
        (["--config=c.yaml", "--trainer.callbacks+=Timer"], ["EarlyStopping", "LearningRateMonitor", "Timer"]),
        (["--config=c.yaml", "--trainer.callbacks=Timer"], ["Timer"]),
        (["--config=c.yaml", "--trainer.callbacks=[]"], []),
        (["--config=c.yaml", "--trainer.callbacks=null"], []),
        (["--config=c.yaml", "--config=more.yaml"], ["EarlyStopping", "LearningRateMonitor", "Timer"]),
    ],
)
def test_callbacks_are_replaced_or_added(config: Config, arguments: list[str], names: list[str]) -> None:
    """`=` writes the list, `+=` adds to it, in files and on the command line."""
    write("c.yaml", YAML_CALLBACKS)
    write("more.yaml", "trainer:\n  callbacks+:\n    class_path: Timer\n")

    assert [name for name, _ in callbacks(config(*arguments))] == names


def test_options_belong_to_the_callback_before_them(config: Config) -> None:
    """So two of one kind can be told apart."""
    stop = ("--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=val/loss")
    printed = config(*stop, "--trainer.callbacks.patience=7", "--trainer.callbacks+=EarlyStopping",
                     "--trainer.callbacks.monitor=val/acc")  # fmt: skip

    (_, first), (_, second) = callbacks(printed)
    assert (first["monitor"], first["patience"]) == ("val/loss", 7)
    assert (second["monitor"], second["patience"]) == ("val/acc", 3)


def test_a_list_of_values_is_replaced_or_added_to(config: Config) -> None:
    """As lists of classes are."""
    assert config("--run.tags=[a, b]", "--run.tags+=c")["run"]["tags"] == ["a", "b", "c"]
    assert config("--run.tags+=a", "--run.tags=[b]")["run"]["tags"] == ["b"]


def test_class_weights_are_a_list_of_the_right_length(config: Config, refused: Callable[..., str]) -> None:
    """One for each class of the data."""
    right = config("--model.loss.weight=[1, 2, 3, 4, 5, 6, 7, 8, 9, 1e-1]")["model"]["init_args"]["loss"]
    assert right["init_args"]["weight"] == pytest.approx([1, 2, 3, 4, 5, 6, 7, 8, 9, 0.1])

    message = refused("--model.loss.weight=[1, 2, 3]")
    assert "weight" in message
    assert "10" in message


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--seed_everything=false", "--model.scheduler=null", "--run.tags=[a, b]"],
        ["--model=TinyModel", "--model.loss.weight=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "--model.optimizer=SGD"],
        ["--data=SyntheticDigits", "--data.augment=RandomDistortion", "--data.augment.fill=0", "--data.std=0.3"],
        ["--trainer.callbacks=[LearningRateMonitor]", "--trainer.logger=CSVLogger", "--trainer.logger.save_dir=x"],
        ["--trainer.max_time={hours: 1}", "--trainer.limit_train_batches=0.5", "--trainer.devices=1"],
        ["--model.scheduler=OneCycleLR", "--model.scheduler.max_lr=0.1", "--model.scheduler.total_steps=9"],
        ["--data=EMNIST", "--data.split=letters", "--run.name=on", "--run.checkpoint_every_n_steps=3"],
        ["--trainer.strategy=DDPStrategy", "--trainer.strategy.find_unused_parameters=true", "--trainer.devices=1"],
    ],
)
def test_the_printed_configuration_gives_itself_back(config: Config, arguments: list[str]) -> None:
    """What is saved as config.yaml alone says everything."""
    printed = config(*arguments)

    assert config(write("again.yaml", yaml.safe_dump(printed))) == printed


def test_one_batch_is_not_all_of_them_whatever_was_imported_before(here: Path) -> None:
    """Python remembers a union in the order in which it was first written, by whichever package."""
    code = (
        "from typing import Optional, Union; Optional[Union[float, int]]; from mnistlab import main; "
        "main(['fit', '--model=TinyModel', '--trainer.limit_val_batches=1', '--trainer.limit_test_batches=1.0', "
        "'--print_config'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True)

    assert "limit_val_batches: 1\n" in done.stdout
    assert "limit_test_batches: 1.0\n" in done.stdout
