"""Where every value is from: `--print_config=origins`, and what a run prints before it starts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mnistlab.cli import main

Fit = Callable[..., Path]
Shown = Callable[..., str]


@pytest.fixture
def shown(here: Path, capsys: pytest.CaptureFixture[str]) -> Shown:
    """What a command prints that ends well."""
    del here

    def run(*arguments: str) -> str:
        assert main(arguments) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def comments(text: str) -> dict[str, str]:
    """The comment of each line, by the line without it."""
    pairs = [line.split(" # ", maxsplit=1) for line in text.splitlines() if " # " in line]
    return {line.strip(): comment for line, comment in pairs}


def test_every_value_says_where_it_is_from(shown: Shown) -> None:
    """A default of which class, which file and line, the command line, or the data."""
    Path("a.yaml").write_text("model:\n  class_path: TinyModel\n  init_args:\n    layers: 3\n")
    Path("b.py").write_text(
        "from torch.optim import SGD\nfrom mnistlab import Preset, config, SmallModel\n\n"
        "class B(Preset):\n    model = config(SmallModel, optimizer=config(SGD, lr=0.5))\n"
        "    trainer = {'max_epochs': 3}\n"
    )
    found = comments(
        shown(
            "fit", "--config=a.yaml", "--config=b.py", "--print_config=origins", "--model.dropout=0.5", "--data=EMNIST"
        )
    )

    assert found["class_path: mnistlab.models.SmallModel"] == "b.py:5 (B)"
    assert found["layers: 3"] == "a.yaml:4:5"
    assert found["dropout: 0.5"] == "--model.dropout=0.5"
    assert found["hidden_dim: 256"] == "default of SmallModel"
    assert found["num_classes: 47"] == "as EMNIST has"
    assert found["class_path: torch.optim.SGD"] == "b.py:5 (B)"
    assert found["lr: 0.5"] == "b.py:5 (B)"
    assert found["momentum: 0.0"] == "default of SGD"
    assert found["class_path: torch.nn.CrossEntropyLoss"] == "default of SmallModel"
    assert found["max_epochs: 3"] == "b.py:4 (B)"
    assert found["deterministic: true"] == "default of mnistlab"
    assert found["accumulate_grad_batches: 1"] == "default of Trainer"
    assert found["seed_everything: 0"] == "default of mnistlab"


def test_the_origins_are_comments_of_the_same_configuration(shown: Shown) -> None:
    """No value is without one, and it runs again."""
    arguments = ("--model=SmallModel", "--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val/loss")
    plain, told = (shown("fit", *arguments, switch) for switch in ("--print_config", "--print_config=origins"))

    assert yaml.safe_load(plain) == yaml.safe_load(told)
    assert [line.split("  # ")[0].rstrip() for line in told.splitlines()] == plain.splitlines()
    ends = (
        "- 0.",
        "init_args:",
        "trainer:",
        "run:",
        "data:",
        "model:",
        "head:",
        "loss:",
        "optimizer:",
        "scheduler:",
        "callbacks:",
    )
    assert not [
        line
        for line in told.splitlines()
        if line[0] != "#" and "  # " not in line and not line.strip().startswith(ends)
    ]
    Path("again.yaml").write_text(told)
    assert shown("fit", "--config=again.yaml", "--print_config") == plain


@pytest.mark.parametrize("text", ["word " * 40, "one\ntwo\n\nthree", "ü" * 100, "a # b", 'it\'s: "x"'])
def test_the_origin_of_a_text_on_several_lines_is_no_part_of_it(shown: Shown, text: str) -> None:
    """A long text is folded; the comment stands behind its end."""
    told = shown("fit", f"--model.init_from={text}", "--print_config=origins")

    assert yaml.safe_load(told)["model"]["init_args"]["init_from"] == text
    assert "  # --model.init_from=" in told


def test_a_checkpoint_is_named_as_the_origin(fit: Fit, shown: Shown) -> None:
    """For what it says; what is typed is the command line's."""
    folder = fit("--model.hidden_dim=8")
    text = shown("test", f"--ckpt_path={folder}", "--print_config=origins", "--model.dropout=0")
    found = comments(text)

    assert found["hidden_dim: 8"].startswith("checkpoint ")
    assert found["hidden_dim: 8"].endswith("best.ckpt")
    assert found["dropout: 0.0"] == "--model.dropout=0"


def test_a_run_begins_with_what_differs_from_the_defaults(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """And only that, each with its origin; a default that is typed is none."""
    Path("a.yaml").write_text("model:\n  hidden_dim: 8\n")
    fit("--config=a.yaml", "--model.layers=2", "--model.optimizer=SGD", "--seed_everything=3")
    lines = capsys.readouterr().out.splitlines()
    told = [line.split() for line in lines[1:] if line.startswith("  ")]

    assert ["model.hidden_dim", "8", "a.yaml:2:3"] in told
    assert ["model.optimizer", "SGD", "--model.optimizer=SGD"] in told
    assert ["seed_everything", "3", "--seed_everything=3"] in told
    assert "model.layers" not in {name for name, *_ in told}
    assert {name.partition(".")[0] for name, *_ in told} == {"seed_everything", "model", "data", "trainer"}
    assert lines.index(next(line for line in lines if line.startswith("epoch"))) > len(told)


def test_a_default_that_is_typed_over_a_preset_is_told(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Who typed it sees that it counts."""
    Path("a.yaml").write_text("model: {hidden_dim: 8, layers: 2}\n")
    fit("--config=a.yaml", "--model.hidden_dim=128", "--model.layers=2")
    told = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  model.")]

    assert told == [["model.hidden_dim", "128", "--model.hidden_dim=128"]]


def test_a_test_says_whose_weights_and_settings_it_takes(
    fit: Fit, shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checkpoint's, until something else is typed."""
    folder = fit("--model.hidden_dim=8")
    capsys.readouterr()
    told = [line.split() for line in shown("test", f"--ckpt_path={folder}", "--data.eval_batch_size=64").splitlines()]

    assert told[0] == ["weights", "of", str(folder / "checkpoints" / "best.ckpt")]
    assert ["model.hidden_dim", "8", "checkpoint"] in told
    assert ["data.eval_batch_size", "64", "--data.eval_batch_size=64"] in told


def test_a_value_of_print_config_that_is_none_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest one."""
    del here

    assert main(["fit", "--print_config=origin"]) == 2
    assert "Did you mean origins?" in capsys.readouterr().err
