"""The schema that editors get takes every preset that mnistlab takes, and flags what it would refuse."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import url2pathname

import pytest
import yaml
from jsonschema import Draft7Validator

from mnistlab.catalogue import load_catalogue
from mnistlab.catalogue.editors import schema_line, schema_path
from mnistlab.catalogue.yaml_schema import schema_text
from mnistlab.cli import main
from mnistlab.options.entries import OptionEntry
from mnistlab.options.kinds import schema_of

ROOT = Path(__file__).parents[2]

Fit = Callable[..., Path]


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    """The schema of what is installed."""
    schema = json.loads(schema_text(load_catalogue()))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def complaints(validator: Draft7Validator, text: str) -> list[str]:
    """What an editor would underline."""
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


ACCEPTED = [
    "model: SmallModel",
    "model: mnistlab.models.SmallModel",
    "model: {class_path: SmallModel, init_args: {hidden_dim: 64}}",
    "model: {class_path: SmallModel, init_args: null}",
    "model: {class_path: mnistlab.models.SmallModel, hidden_dim: 64}",
    "model: {class_path: SmallModel, hidden_dim: 64, init_args: {layers: 2}}",
    "model: {hidden_dim: 64, optimizer: {class_path: SGD, momentum: 0.9}, scheduler: null}",
    "model: {optimizer: SGD, optimizer.lr: 0.1}",
    "model: {init_args.hidden_dim: 64, init_args: {layers: 3}}",
    "model.layers: 4\nmodel.optimizer.lr: 0.1\nmodel.optimizer: Adam\ntrainer.max_epochs: 3",
    "model.class_path: SmallModel\nmodel.init_args.hidden_dim: 3\nmodel.init_args.optimizer.init_args.lr: 0.1",
    "model: {num_classes: {digit: 10, parity: 2}}",
    "model: {loss: {class_path: CrossEntropyLoss, label_smoothing: 0.1}}",
    "data: MultiheadMNIST\nmodel: {losses: {thickness: MSELoss, digit: {class_path: FocalLoss, gamma: 1}}}",
    "data: MultiheadMNIST\nmodel: {losses.digit: FocalLoss, losses.digit.gamma: 1}",
    "model: {losses: null}",
    "model: {loss: {weight: [1, 2.5, 1, 1, 1, 1, 1, 1, 1, 1]}}",
    "model: {optimizer: {class_path: AdamW, betas: [0.9, 0.99]}}",
    "data: {batch_size: 8}",
    "data: {class_path: EMNIST, split: letters}",
    "data: {augment: {class_path: RandomDistortion, rotation: 5}}",
    "data: {augment: RandomDistortion}\ndata.augment.rotation: 5",
    "trainer: {callbacks: EarlyStopping}",
    "trainer: {callbacks: [Timer, {class_path: EarlyStopping, init_args: {monitor: val/loss}}]}",
    "trainer: {callbacks: {class_path: EarlyStopping, monitor: val/loss}}",
    "trainer: {callbacks+: {class_path: EarlyStopping, monitor: val/loss}}",
    "trainer.callbacks+: Timer",
    "trainer: {callbacks: null, logger: false, accelerator: cpu, precision: bf16-mixed, devices: 2}",
    "trainer: {logger: [CSVLogger, {class_path: TensorBoardLogger, save_dir: logs}]}",
    "trainer: {max_time: {hours: 1}, gradient_clip_val: 1}",
    "trainer: null",
    "run: {name: mine, tags: [a, b]}",
    "logger: mlflow",
    "logger: null\nmodel: tinymodel",
    "logger: {class_path: WandB, project: mine}",
    "logger: [MLflow, {class_path: mnistlab.trackers.TensorBoard, init_args: {dir: logs}}]",
    "logger: MLflow\nlogger.uri: http://localhost:5000",
    "logger+: tensorboard",
    "logger: {class_path: my.Tracker, anything: 1}",
    "seed_everything: true",
    "sweep: {trials: 5, sampler: tpe, retry_failed: true, name: null}",
    "sweep: null\nsweep.trials: 5",
    "base: QuickTest",
    "base: [QuickTest, DryRun]\nmodel: SmallModel",
    "base: null",
    "ckpt_path: null\nweights_only: null\nverbose: true\nreturn_predictions: null\nconfig: null",
    "optimizer: {class_path: SGD, init_args: {lr: 0.1}}\nlr_scheduler: null",
    "fit: {model: SmallModel, trainer: {max_epochs: 3}}\ntest: null",
    "model: {class_path: my_models.LinearModel, width: 3}",
    "model: my_models.LinearModel\nmodel.width: 3",
    "model: {optimizer: my.Optimizer, optimizer.speed: 3}",
    "model: {optimizer: {class_path: my.SGD, init_args: {speed: 3}}}",
    "trainer: {callbacks: [{class_path: my.Callback, anything: 1}]}",
]

REFUSED = [
    "modell: SmallModel",
    "model: SmalModel",
    "model: mnistlab.models.SmalModel",
    "model: {class_path: SmalModel}",
    "model: {class_path: SmallModel, init_args: {hiden_dim: 64}}",
    "model: {class_path: SmallModel, hiden_dim: 64}",
    "model: {hiden_dim: 64}",
    "model: {hidden_dim: wide}",
    "model: {hidden_dim: 0}",
    "model: {class_path: SmallModel, init_args: {dropout: 1.5}}",
    "model: {scheduler_interval: day}",
    "model: {compile: 3}",
    "model: null",
    "model: 3",
    "model: [SmallModel]",
    "model: {optimizer: null}",
    "model: {optimizer: {class_path: SGD, init_args: {rho: 0.9}}}",
    "model: {optimizer: {class_path: torch.optim.SGD, rho: 0.9}}",
    "model: {optimizer: SDG}",
    "model: {losses: FocalLoss}",
    "model: {losses: {digit: FocalLos}}",
    "model: {losses: {digit: {class_path: FocalLoss, gama: 1}}}",
    "model: {optimizer: {class_path: AdamW, betas: [0.9]}}",
    "model: {optimizer: {class_path: AdamW, betas: [high, low]}}",
    "model: {optimizer.lrr: 0.1}",
    "model: {optimizer.lr: fast}",
    "model.leyers: 4",
    "model.layers: four",
    "model.optimizer.lrr: 0.1",
    "model.init_args.hiden_dim: 3",
    "model.optimizer: SDG",
    "data: {class_path: MNIST, split: letters}",
    "data: {augment: {class_path: RandomDistortion, rotatoin: 5}}",
    "trainer: {max_epoch: 3}",
    "trainer: {max_epochs: five}",
    "trainer: {precision: 17}",
    "trainer: {callbacks: [EarlyStoping]}",
    "trainer: {callbacks: [{class_path: EarlyStopping, patients: 3}]}",
    "trainer: {callbacks: [{monitor: val/loss}]}",
    "trainer: {logger: maybe}",
    "trainer.max_epoch: 3",
    "run: {directory: x}",
    "logger: mlfow",
    "logger: {class_path: mlflow, project: mine}",
    "logger: MLflow\nlogger.url: http://localhost:5000",
    "run: {test: 3}",
    "seed_everything: -1",
    "sweep: {trails: 5}",
    "sweep: {sampler: tpx}",
    "sweep: {seeds: 0}",
    "sweep: {keep: 'choice:1,2'}",
    "sweep.trails: 5",
    "config: QuickTest",
    "base: 3.5",
    "base: {name: QuickTest}",
    "base: [[QuickTest]]",
    "optimizer: SDG",
    "fit: {modell: SmallModel}",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_every_form_that_is_read_is_accepted(validator: Draft7Validator, text: str) -> None:
    """Short names and paths, options at three places, dotted keys, lists, null, and classes of one's own."""
    assert not complaints(validator, text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_would_be_refused_is_flagged(validator: Draft7Validator, text: str) -> None:
    """Misspelt keys, wrong types and values, unknown classes, options of another class."""
    assert complaints(validator, text)


@pytest.mark.parametrize("text", [text for text in ACCEPTED if not re.search("my|TensorBoard|num_classes", text)])
def test_the_program_takes_what_is_accepted(here: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema is no laxer than the program, for every form above that needs no other module and no other data."""
    (here / "preset.yaml").write_text(text)
    more = ["--trainer.callbacks.monitor=val/loss"] if text == "trainer: {callbacks: EarlyStopping}" else []
    more += ["--data=EMNIST"] if "augment" not in text and "split" in text else []

    assert main(["fit", "--config=preset.yaml", "--trainer.accelerator=cpu", *more, "--print_config"]) == 0, (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("text", REFUSED)
def test_the_program_refuses_what_is_flagged(here: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema is no stricter than the program."""
    (here / "preset.yaml").write_text(text)
    of_sweep = text.startswith("sweep")
    swept = ["sweep", "--model.dropout=choice:0.1,0.2", "--data=SyntheticDigits"]

    assert main([*(swept if of_sweep else ["fit", "--print_config"]), "--config=preset.yaml"]) == 2
    assert ("preset.yaml:1:" in capsys.readouterr().err) or not of_sweep


def test_every_class_with_its_defaults_is_accepted(validator: Draft7Validator) -> None:
    """No default is of a type that the schema refuses."""
    catalogue = load_catalogue()

    def written(options: list[OptionEntry]) -> dict[str, object]:
        return {option.name: option.default for option in options if not option.required and schema_of(option.takes)}

    for kind, owner in (
        ("model", None),
        ("data", None),
        ("optimizer", "model"),
        ("scheduler", "model"),
        ("loss", "model"),
    ):
        for name, entry in catalogue.kinds[kind].classes.items():
            part = {kind: {"class_path": name, "init_args": written(list(entry.options))}}
            config = {owner: part} if owner else part
            assert not list(validator.iter_errors(config)), name
    callbacks = [
        {"class_path": name, "init_args": written(list(entry.options))}
        for name, entry in catalogue.kinds["callbacks"].classes.items()
    ]
    assert not list(validator.iter_errors({"trainer": {"callbacks": callbacks}}))


@pytest.mark.parametrize("path", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_presets_are_accepted(validator: Draft7Validator, path: Path) -> None:
    """Each of them."""
    assert not complaints(validator, path.read_text(encoding="utf-8"))


def test_the_files_of_the_guide_to_presets_are_accepted(validator: Draft7Validator) -> None:
    """Those that are YAML."""
    texts = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/presets.md").read_text(encoding="utf-8"), re.DOTALL)

    assert texts
    assert not [complaint for text in texts for complaint in complaints(validator, text)]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model=TinyModel", "--model.optimizer=SGD", "--model.loss=MSELoss", "--model.scheduler=null"],
        ["--data=SyntheticDigits", "--data.augment=RandomDistortion", "--trainer.max_time=00:01:00:00"],
        ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/loss", "--trainer.callbacks+=Timer"],
        ["--trainer.logger=CSVLogger", "--trainer.logger.save_dir=logs"],
        ["--config=QuickTest", "--model.optimizer=LBFGS", "--model.scheduler=StepLR", "--model.scheduler.step_size=1"],
    ],
)
def test_whole_configurations_are_accepted(
    validator: Draft7Validator, arguments: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--print_config` says every option there is, with its default."""
    del here
    assert main(["fit", *arguments, "--print_config"]) == 0
    text = capsys.readouterr().out

    assert "trainer:" in text
    assert not complaints(validator, text)


def test_what_a_run_saves_is_accepted(validator: Draft7Validator, fit: Fit) -> None:
    """Its config.yaml."""
    assert not complaints(validator, (fit() / "config.yaml").read_text(encoding="utf-8"))


def test_a_sweep_is_accepted(validator: Draft7Validator) -> None:
    """With domains in place of values and of classes; a misspelt option beside them is flagged."""
    model = "model:\n  class_path: choice:TinyModel,SDN8K\n  init_args:\n    hidden_dim: choice:16,32\n"
    text = f"{model}sweep:\n  trials: 3\n"

    assert not complaints(validator, text)
    assert complaints(validator, text.replace("hidden_dim", "hiden_dim"))
    assert complaints(validator, text.replace("choice:16,32", "chance:16,32"))


def test_the_command_prints_or_writes_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of moderate size, and the line for a preset that names it."""
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert main(["schema", "--output=my schema.json"]) == 0
    said = capsys.readouterr().out

    assert (here / "my schema.json").read_text(encoding="utf-8") == printed
    assert json.loads(printed)["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert len(printed.encode()) < 850_000
    assert f"# yaml-language-server: $schema={here.as_uri()}/my%20schema.json" in said


def test_the_kept_schema_is_the_printed_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Its line names a file that is there; the help shows the line."""
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    path, line = schema_path(), schema_line()

    assert path is not None
    assert line is not None
    assert path.read_text(encoding="utf-8") == printed
    assert url2pathname(line.partition("$schema=file://")[2]) == str(path)
    assert main(["schema", "--help"]) == 0
    assert line in capsys.readouterr().out


def test_a_saved_configuration_names_the_schema(fit: Callable[..., Path]) -> None:
    """In its second line, by a path that is there."""
    load_catalogue()
    second = (fit() / "config.yaml").read_text(encoding="utf-8").splitlines()[1]

    assert second == schema_line()
    assert Path(url2pathname(second.partition("$schema=file://")[2])).is_file()


def test_a_cache_that_cannot_be_written_means_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no error."""
    catalogue = load_catalogue()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("mnistlab.catalogue.editors.present_catalogue", lambda: catalogue)

    assert schema_path() is None
    assert schema_line() is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.json"], "Write it to a file with --output=FILE"),
        (["--ouput=x"], "Did you mean --output"),
        (["--output=no/such/x.json"], "no/such/x.json cannot be written"),
    ],
)
def test_mistakes_are_named(here: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    del here
    assert main(["schema", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_making_it_imports_nothing_heavy() -> None:
    """It is made before a run saves its configuration, and by a command of its own."""
    script = "import sys; from mnistlab import main; main(['schema']); print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)

    names = {name.partition(".")[0] for name in done.stdout.partition("LOADED")[2].split()}
    assert "json" in names
    assert not names & {"torch", "lightning", "jsonargparse", "numpy"}
