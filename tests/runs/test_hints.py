"""Every command that is proposed does as it is printed."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from support import only_run

from mnistlab.cli import main

Do = Callable[..., list[str]]

MODULE = """
from lightning.pytorch import Callback
from mnistlab import SDN8K
from mnistlab.trackers import Tracker

class HintedNet(SDN8K):
    name = "hinted_net"

class HintedStop(Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1 and not trainer.max_epochs == 3:
            raise KeyboardInterrupt

class HintedPlace(Tracker):
    def __init__(self, uri: str = "x") -> None: ...
    def begin(self, run): return "seen"
    def row(self, epoch, metrics): ...
    def end(self, run): ...
"""
ADDRESS = "http://eve:pw@host:1"
OWN = ("--model=hinted.HintedNet", "--logger=hinted.HintedPlace", f"--logger.uri={ADDRESS}", "--run.dir=my runs")
PROPOSED = re.compile(r"(?:^|: |  |`|A command comes first: )((?:\w+=\S+ )?mnistlab [a-z][^`]*?)`?\.?$", re.MULTILINE)
TABLES = ("models", "datasets", "losses", "optimizers", "schedules", "presets")


def proposed(text: str) -> list[str]:
    """The commands in a text, but for those with a gap to be filled."""
    return [each for each in PROPOSED.findall(text) if not re.search(r"\bID\b|\.\.\.", each)]


@pytest.fixture
def do(here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Do:
    """Run a command in a folder with classes of one's own, and give the commands that it proposes."""
    (here / "hinted.py").write_text(MODULE)

    def run(*arguments: str, code: int = 0) -> list[str]:
        capsys.readouterr()
        trains = arguments[0] in ("fit", "sweep", "compare") and not any("ckpt_path" in each for each in arguments)
        options = (*small_data, "--trainer.max_epochs=1") if trains else ()
        assert main([arguments[0], *options, *arguments[1:]]) == code, capsys.readouterr().err
        printed = capsys.readouterr()
        return proposed(printed.out + printed.err)

    return run


def done(command: str, code: int = 0) -> None:
    """Run a command as it is printed, but for variables of the environment before it."""
    words = shlex.split(command)
    while words[0] != "mnistlab":
        assert "=" in words.pop(0)
    assert main(words[1:]) == code, command


def test_of_a_run_of_ones_own_classes(do: Do) -> None:
    """With the packages that are to be trusted, at its end, when it is shown, and when it is as long as it shall be."""
    found = do("fit", *OWN)
    assert found == [f"mnistlab test '--ckpt_path={only_run(Path('my runs'))}' --trust=hinted"]
    shown = do("runs", "show", "last", "--run.dir=my runs")
    assert [each.split()[1] for each in shown] == ["fit", "fit", "test"]
    for command in dict.fromkeys([*found, *shown[1:]]):
        done(command)


def test_of_a_run_that_was_interrupted(do: Do) -> None:
    """Nor does it stop at the place of its tracker; `runs show` and `reproduce` say the same."""
    (first,) = do("fit", *OWN, "--trainer.max_epochs=2", "--trainer.callbacks+=hinted.HintedStop", code=130)
    shown = do("runs", "show", str(only_run(Path("my runs"))))
    (refused,) = do("reproduce", str(only_run(Path("my runs"))), code=2)

    assert "hinted,http://eve:***@host:1" in first
    assert first in shown
    assert first == refused
    done(f"{first} --trainer.max_epochs=3")


@pytest.mark.usefixtures("inline")
def test_of_a_sweep(do: Do) -> None:
    """Of the best trial, and of a comparison."""
    again, test, *_ = do("sweep", *OWN, "--model.optimizer.lr=choice:0.001,0.002", "--name=it")

    assert again.endswith(" --threads=1")
    assert "--trust=hinted" in test
    for command in (again, test):
        done(command)
    for command in do("compare", *OWN[1:], "--models=SDN8K", "--seeds=1"):
        done(command)


def test_of_runs_that_were_not_tested(do: Do) -> None:
    """They are to be tested before they are compared."""
    folders = [Path("my runs", each.parent.name, each.name) for each in _two_untested(do)]
    capital = do("runs", "diff", *map(str, folders))
    for command in capital:
        done(command)


def _two_untested(do: Do) -> list[Path]:
    for seed in (1, 2):
        do("fit", *OWN, "--run.test=false", f"--seed_everything={seed}")
    return sorted(Path("my runs").glob("*/*"))


def test_of_two_names_given_to_compare(do: Do) -> None:
    """They are those of runs."""
    for name in ("anna", "ben"):
        do("fit", "--model=SDN8K", f"--run.name={name}")
    (command,) = do("compare", "anna", "ben", code=2)

    assert command == "mnistlab runs diff anna ben"
    done(command)


def test_of_a_preset_that_is_to_be_swept(do: Do, here: Path) -> None:
    """The other command is one that runs."""
    (here / "many.yaml").write_text("model: SDN8K\nmodel.optimizer.lr: choice:0.001,0.002\n")
    (command,) = do("fit", "--config=many.yaml", code=2)

    assert command == "mnistlab sweep --config=many.yaml"


@pytest.mark.parametrize("table", TABLES)
def test_of_a_table(do: Do, table: str) -> None:
    """Each command below it is one that is understood."""
    found = do(table)

    assert found
    for command in found:
        done(command if "help" in command or "print_config" in command else f"{command} --print_config")


def test_a_misspelt_argument_of_a_class_is_told_with_its_options(here: Path) -> None:
    """In Python too, where no command line looks at it."""
    from mnistlab import EMNIST, SDN8K, TinyModel  # noqa: PLC0415

    with pytest.raises(TypeError, match=r"TinyModel has no option hiden_dim\. Did you mean hidden_dim\? It takes "):
        TinyModel(hiden_dim=3)
    with pytest.raises(TypeError, match=r"SDN8K has no option hidden\. "):
        SDN8K(hidden=3)
    with pytest.raises(TypeError, match=r"EMNIST has no option splt\. Did you mean split\?"):
        EMNIST(splt="letters")
    assert not list(here.iterdir())


@pytest.mark.parametrize("name", ["resting", "resting.py", "RestingNet"])
def test_a_file_of_ones_own_is_named_with_its_class(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The file is not run for it."""
    (here / "resting.py").write_text("raise SystemExit('it was run')\nclass RestingNet(X): ...\nclass Other: ...\n")

    assert main(["fit", f"--model={name}"]) == 2
    assert f"no model is called {name}. Did you mean --model=resting.RestingNet?" in capsys.readouterr().err
