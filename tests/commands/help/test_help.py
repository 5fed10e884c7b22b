"""Help is short, drawn from signatures and docstrings, and shows what counts beside it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mnistlab.catalogue import Catalogue, ClassEntry, load_catalogue
from mnistlab.cli import main
from mnistlab.commands.declaring.model import IN_A_LINE, all_commands

Shown = Callable[..., str]
COMMANDS = all_commands()
TRAINING = [name for name, command in COMMANDS.items() if command.shows]


@pytest.fixture
def shown(here: Path, capsys: pytest.CaptureFixture[str]) -> Shown:
    """What a command prints that ends well and leaves nothing behind."""

    def files() -> set[Path]:
        return {path for path in here.rglob("*") if path.is_file() and path.suffix != ".pyc"}

    def printed(*arguments: str) -> str:
        before = files()
        assert main(arguments) == 0
        assert files() == before
        outcome = capsys.readouterr()
        assert not outcome.err
        return outcome.out

    return printed


def classes_with_keys(catalogue: Catalogue) -> Iterator[tuple[str, ClassEntry]]:
    """Every class of mnistlab that can be chosen, with an option that takes it."""
    for section, part in catalogue.sections.items():
        owners = catalogue.kinds[part.kind].classes.values() if part.kind else [part.entry]
        keys = {part.kind: section} if part.kind else {}
        keys |= {
            option.kind: f"{section}.{option.name}"
            for owner in owners
            if owner
            for option in owner.options
            if option.kind
        }
        for kind, key in keys.items():
            for entry in catalogue.kinds[kind].classes.values():
                if entry.path.startswith("mnistlab."):
                    yield key, entry


def test_without_arguments_the_commands_are_listed(shown: Shown) -> None:
    """A line each, those of some groups in one, and a screen in all, as with `--help`, `-h` and `help`."""
    overview = shown()
    lines = overview.splitlines()

    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    for name, command in COMMANDS.items():
        if command.group in IN_A_LINE:
            line = lines[lines.index(command.group) + 1]
        else:
            (line,) = (line for line in lines if line.startswith(f"  {name} "))
        assert re.search(rf"\b{name}\b", line)
    assert shown("--help") == shown("-h") == shown("help") == overview


@pytest.mark.parametrize("command", TRAINING)
def test_the_help_of_a_command_fits_on_a_screen(shown: Shown, command: str) -> None:
    """It names what people use, and how to read on: 24 lines of 80 with the prompt, and no text is cut."""
    text = shown(command, "--help")

    for more in (["--data=EMNIST"], ["--model=ResidualMLP"], ["--ckpt_path=last"]):
        page = shown(command, *more, "--help")
        assert len(page.splitlines()) < 24
        assert max(map(len, page.splitlines())) <= 80
        assert not re.search(r"[^=]\.\.\.", page)
    for part in (
        "--config=",
        "--ckpt_path=",
        "--model=",
        "--data=",
        "--trainer.devices=",
        "--run.dir=",
        "--help=model",
    ):
        assert part in text
    assert text == shown(command, "-h") == shown("help", command)


def test_measuring_has_a_help_of_its_own(shown: Shown) -> None:
    """It is about the checkpoint, which says what model and data are; what is for training is left out."""
    text = shown("test", "--help")

    assert "--untrained" in text
    assert "--model=..." in text
    assert "max_epochs" not in text
    assert "optimizer.lr" not in text
    assert "--model=MediumModel" in shown("test", "--untrained", "--help")
    assert "--model=..." in shown("fit", "--ckpt_path=last", "--help")


def nested(config: dict[str, Any], key: str) -> object:
    """What a configuration says at a dotted key; of a class its name."""
    value: Any = config
    for part in key.split("."):
        value = value.get("init_args", value)[part]
    return value["class_path"].rpartition(".")[2] if isinstance(value, dict) and "class_path" in value else value


PRESET = """
from mnistlab import Preset, TinyModel, config

class Mine(Preset):
    model = config(TinyModel, layers=5)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model=SmallModel", "--data=EMNIST"],
        ["--model=mnistlab.models.TinyModel", "--model.dropout=0.3", "--model.optimizer=SGD"],
        ["--model.optimizer.lr", "0.5", "--data.augment=RandomDistortion", "--trainer.max_epochs=3"],
        ["--model.scheduler=null", "--run.name=mine", "--seed_everything=7", "--model.loss={class_path: MSELoss}"],
        ["--model.optimizer", "{class_path: SGD, init_args: {momentum: 0.9}}", "--trainer.max_steps", "-1"],
        ["--config=QuickTest", "--model.hidden_dim=64"],
        ["--config=Mine"],
        ["--config=saved.yaml"],
        ["--config=saved.yaml", "--model=SmallModel", "--model.optimizer=SGD", "--data=EMNIST"],
        ["--config=saved.yaml", "--model.hidden_dim=99", "--model=SmallModel", "--model.loss=MSELoss"],
    ],
)
def test_help_shows_what_would_count(shown: Shown, here: Path, arguments: list[str]) -> None:
    """Each value on the page, and on that of all options, is that of `--print_config` with the same arguments."""
    (here / "presets").mkdir()
    (here / "presets" / "mine.py").write_text(PRESET)
    (here / "saved.yaml").write_text(shown("fit", "--print_config"))
    config = yaml.safe_load(shown("fit", *arguments, "--print_config"))
    least = {"--help": 14, "--help=all": 75}

    for asked, count in least.items():
        page = values_on(shown("fit", *arguments, asked))
        assert len(page) >= count
        for key, value in page.items():
            counting = nested(config, key)
            assert value == counting or json.loads(value) == counting, key


def values_on(page: str) -> dict[str, str]:
    """The options of a page with the values that stand there, without those that are required."""
    return dict(re.findall(r"^  --((?:model|data|trainer|run|seed)[\w.]*)=(.*?)(?:  .*)?$", page, re.MULTILINE))


def test_each_callback_has_its_own_options(shown: Shown) -> None:
    """What was written for one of several is neither shown for the next nor a mistake."""
    several = ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/loss"]
    several += ["--trainer.callbacks.verbose=true", "--trainer.callbacks=ModelCheckpoint"]
    several += ["--trainer.callbacks.verbose=true", "--trainer.callbacks+=LambdaCallback"]
    several += ["--trainer.callbacks+=ModelCheckpoint"]

    page = shown("fit", *several, "--trainer.callbacks.help")

    assert "--trainer.callbacks.verbose=false" in page
    assert "--trainer.callbacks=[ModelCheckpoint,LambdaCallback,ModelCheckpoint]" in shown(
        "fit", *several, "--help=all"
    )


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ["--help=model"],
            ["MediumModel:", "--model.hidden_dim=512", "Width", "num_classes  (from the data)", "TinyModel"],
        ),
        (["--help", "model"], ["MediumModel:", "--model.hidden_dim=512"]),
        (["--model.help"], ["MediumModel:", "--model.hidden_dim=512"]),
        (["--model=SmallModel", "--model.help"], ["SmallModel:", "--model.hidden_dim=256"]),
        (["--model.help=TinyModel"], ["TinyModel:", "--model.hidden_dim=128", "--model.optimizer=AdamW"]),
        (["--model.help", "TinyModel"], ["TinyModel:", "--model.hidden_dim=128"]),
        (["--model.optimizer.help"], ["AdamW:", "--model.optimizer.lr=0.001", "SGD"]),
        (["--model.optimizer.help=SGD"], ["SGD:", "--model.optimizer.momentum=0"]),
        (["--model.scheduler.help"], ["WarmupCosine:", "--model.scheduler.warmup=0.1", "from 0 to 1", "Loshchilov"]),
        (["--model.scheduler.help=StepLR"], ["--model.scheduler.step_size  (required)"]),
        (["--model.loss.help=HuberLoss"], ["HuberLoss:", "--model.loss.delta=1.0"]),
        (["--model.losses.help"], ["--model.losses.NAME=CLASS takes", "FocalLoss"]),
        (["--model.losses.digit.help=FocalLoss"], ["FocalLoss:", "--model.losses.digit.gamma=2.0"]),
        (["--help=model.loss"], ["CrossEntropyLoss:", "--model.loss.weight=null", "list of numbers"]),
        (["--data.help=EMNIST"], ["EMNIST:", "--data.split=balanced", "letters", "--data.batch_size=128", "above 0"]),
        (["--data.augment.help"], ["RandomDistortion", "or null for none"]),
        (["--data.augment.help=RandomDistortion"], ["--data.augment.rotation=10.0", "degrees"]),
        (["--trainer.help"], ["--trainer.max_epochs=10", "--trainer.callbacks=null", "--trainer.logger=false"]),
        (["--trainer.callbacks.help"], ["EarlyStopping", "--trainer.callbacks+=CLASS"]),
        (["--trainer.callbacks.help=EarlyStopping"], ["--trainer.callbacks.monitor  (required)"]),
        (["--run.help"], ["--run.dir=runs", "--run.checkpoint_every_n_steps=null", "above 0 or null"]),
        (["--help=data.val_size"], ["--data.val_size=null", "Images held out", "a sixth"]),
        (["--help=seed_everything"], ["--seed_everything=0", "true draws one"]),
        (["--help=config"], ["--config=PRESET", "mnistlab presets"]),
        (["--debug.help"], ["--debug", "where an error comes from"]),
        (["--trainer.strategy.help"], ["takes auto, ddp,", "DDPStrategy"]),
        (["--trainer.logger.help"], ["takes true, false, or a class: CSVLogger", "or null for none"]),
    ],
)
def test_every_section_and_class_explains_itself(shown: Shown, arguments: list[str], parts: list[str]) -> None:
    """With types in words, values, and the names that may be chosen."""
    text = shown("fit", *arguments)

    assert all(part in text for part in parts), text
    assert max(map(len, text.splitlines())) <= 80
    for markup in ("typing.", "<class", ":class:", ":func:", "``"):
        assert markup not in text


def test_every_class_of_mnistlab_is_explained_on_a_page(shown: Shown) -> None:
    """Under 70 lines, with what it is and all of its options."""
    found = dict(classes_with_keys(load_catalogue()))

    assert {"model", "data", "data.augment", "model.scheduler"} <= set(found)
    for option_key, entry in classes_with_keys(load_catalogue()):
        key = f"{option_key}.digit" if option_key == "model.losses" else option_key
        owner = ["--model=Assembled"] if key == "model.backbone" else []
        text = shown("fit", *owner, f"--{key}.help={entry.name}")
        assert len(text.splitlines()) < 70
        assert text.startswith(f"{entry.name}: {entry.summary}"[:60])
        for option in entry.options:
            assert f"--{key}.{option.name}" in text
            assert option.text, f"{entry.name} does not say what {option.name} is"


def test_the_whole_help_has_every_option(shown: Shown) -> None:
    """Of all sections and the classes that are chosen, with whole texts."""
    text, catalogue = shown("fit", "--help=all"), load_catalogue()

    for name in ("model", "data", "trainer", "run"):
        section = catalogue.sections[name]
        entry = section.entry or catalogue.kinds[name].classes[section.default_class or ""]
        assert all(f"--{name}.{option.name}" in text for option in entry.options)
    assert "--model.optimizer.weight_decay=0.01" in text
    assert len(shown("fit", "--help=all", "--model.optimizer.help=SGD")) > len(
        shown("fit", "--model.optimizer.help=SGD")
    )


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--help=modle"], ["--help=modle", "Did you mean model?"]),
        (["--help=optimizer"], ["Did you mean --help=model.optimizer?"]),
        (["--help=lr"], ["Did you mean --help=model.optimizer.lr?"]),
        (["--help=SmallModel"], ["Did you mean --model.help=SmallModel?"]),
        (["--help=EarlyStopping"], ["Did you mean --trainer.callbacks.help=EarlyStopping?"]),
        (["--run.help=x"], ["--run takes no class. Write --run.help."]),
        (["--model.layers.help=3"], ["--model.layers takes no class. Write --model.layers.help."]),
        (["--help=model.optimzer"], ["MediumModel has no option optimzer", "Did you mean optimizer?"]),
        (["--help=model.optimizer.lrr"], ["AdamW has no option lrr", "Did you mean lr?"]),
        (["--help=model.hidden_dim.x"], ["hidden_dim has no options of its own"]),
        (["--model.help=TinyModle"], ["--model.help=TinyModle", "Did you mean TinyModel?", "LargeModel"]),
        (["--model.optimizer.help=Adm"], ["no optimizer is called Adm", "Did you mean Adam"]),
        (["--model=Smal", "--help"], ["--model=Smal:", "Did you mean SmallModel?"]),
        (["--config=QuikTest", "--help"], ["--config=QuikTest", "Did you mean QuickTest?"]),
        (["--model.help=no_module.Model"], ["--model.help=no_module.Model", "no module no_module"]),
        (["--model.optimizer.help=torch.nn.Linear"], ["not of the kind", "torch.optim.Optimizer"]),
        (["model=SmallModel", "--help"], ["Write --model=SmallModel"]),
    ],
)
def test_a_mistake_names_the_nearest_right_name(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], parts: list[str]
) -> None:
    """In one line, with exit code 2 and nothing on the standard output."""
    assert main(["fit", *arguments]) == 2

    outcome = capsys.readouterr()
    assert not outcome.out
    assert len(outcome.err.splitlines()) == 1
    assert all(part in outcome.err for part in parts), outcome.err
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--hlep"], "Did you mean --help?"),
        (["--verison"], "Did you mean --version?"),
        (["--model=SmallModel"], "A command comes first: mnistlab fit --model=SmallModel"),
        (["-x"], "`mnistlab --help` lists the commands."),
        (["help", "modles"], "Did you mean models?"),
    ],
)
def test_what_is_no_command_is_told_apart(arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option before the command, and a misspelt one."""
    assert main(arguments) == 2
    assert hint in capsys.readouterr().err


def test_help_names_its_topic_in_every_form(shown: Shown) -> None:
    """`help fit model` is `fit --help=model`; an empty topic is none."""
    assert shown("help", "fit", "model") == shown("fit", "--help=model")
    assert shown("fit", "--help=") == shown("fit", "--help")
    assert "--untrained" in shown("test", "--help=all")
    assert "--untrained" not in shown("fit", "--help=all")
    assert "--model=..." in shown("test", "--untrained=false", "--help")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in TRAINING])
def test_every_other_command_has_help_that_is_not_too_wide(shown: Shown, command: str) -> None:
    """The line that names a schema is as long as it is."""
    lines = [line for line in shown(command, "--help").splitlines() if "$schema=" not in line]

    assert max(map(len, lines)) <= 80
    assert len(lines) < 24


@pytest.mark.parametrize(
    ("argument", "note"),
    [
        ("--model.hiden_dim=3", "MediumModel has no option hiden_dim. Did you mean hidden_dim?"),
        ("--trainer.max_epoch=3", "Did you mean max_epochs"),
        ("--modle=SmallModel", "there is no option --modle. Did you mean --model?"),
        ("--run.name.x=3", "run.name is one value and has no part x"),
    ],
)
def test_a_misspelt_option_beside_help_is_noted(
    here: Path, capsys: pytest.CaptureFixture[str], argument: str, note: str
) -> None:
    """The page is shown all the same."""
    del here
    assert main(["fit", argument, "--help"]) == 0

    outcome = capsys.readouterr()
    assert "--model.hidden_dim=512" in outcome.out
    assert note in outcome.err


OWN = '''
from functools import partial
from typing import Any
from torch import nn
from torch.optim import SGD
from mnistlab import Classifier
from mnistlab.classifier.optimization import OptimizerCallable

class {name}Part(nn.Module):
    """A part of a model."""

class {name}Wide({name}Part):
    """A wide part.

    Args:
        channels: How many there are.
    """

    def __init__(self, channels: int = 3) -> None:
        super().__init__()

class {name}(Classifier):
    """A line, drawn by hand.

    Args:
        width: Of the line.
        part: What comes before it.
    """

    name = "{module}"

    def __init__(
        self,
        width: int = 31,
        part: {name}Part | None = None,
        optimizer: OptimizerCallable = partial(SGD, lr=0.7),
        **kwargs: Any,
    ) -> None:
        super().__init__(optimizer=optimizer, **kwargs)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, self.heads[self.primary]))
'''


def test_a_class_of_the_users_own_is_explained_the_same_way(
    here: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the classes that its options take; the module is imported, since it was named."""
    (here / "helped.py").write_text(OWN.format(name="Helped", module="helped"))
    monkeypatch.syspath_prepend(str(here))

    page = shown("fit", "--model.help=helped.Helped")
    assert page.startswith("Helped: A line, drawn by hand.\nClass: helped.Helped\n")
    assert "--model.width=31" in page
    assert "--model.optimizer=SGD" in page
    assert "--model.scheduler=WarmupCosine" in page
    nested_page = shown("fit", "--model=helped.Helped", "--model.part.help=HelpedWide")
    assert "--model.part.channels=3" in nested_page
    assert "How many there are." in nested_page
    screen = shown("fit", "--model=helped.Helped", "--model.width=5", "--help")
    assert "--model.width=5" in screen
    assert "Of the line" in screen
    assert "--model.optimizer.lr=0.7" in screen
    other = shown("fit", "--model=helped.Helped", "--model.optimizer=Adam", "--help")
    assert "--model.optimizer.lr=0.001" in other
    assert "Helped" not in shown("fit", "--help")


def test_a_tall_terminal_is_used(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The groups stand apart where that leaves everything on the screen."""
    dense = shown("fit", "--help")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    for lines in (24, 27, 28, 29, 50):
        monkeypatch.setenv("LINES", str(lines))
        page = shown("fit", "--help")
        assert len(page.splitlines()) < lines
        assert [line for line in page.splitlines() if line] == dense.splitlines()
    assert page.count("\n\n") == 7


def test_a_wide_terminal_is_used(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that are cut at 80 columns are whole at 120."""
    narrow = shown("fit", "--help")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    wide = shown("fit", "--help")

    assert "Probability of dropping a pixel, and a value of a block's branch" in wide
    assert wide != narrow
    assert max(map(len, wide.splitlines())) <= 120
    assert "\x1b" not in wide
    monkeypatch.setenv("COLUMNS", "400")
    data = [each["name"] for each in json.loads(shown("datasets", "--json")) if not each["default"]]
    assert f"Or {', '.join(data)}" in shown("fit", "--help")


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`mnistlab fit --help=trainer | head -1` ends quietly."""
    command = f"{sys.executable} -m mnistlab fit --help=trainer | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)  # noqa: S607

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Trainer")
