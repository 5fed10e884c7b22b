"""Presets: by name or by file, in YAML and in Python, merged from left to right, checked when they are read."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mnistlab import Preset, SmallModel, config, preset
from mnistlab.cli import main
from mnistlab.errors import LabError
from mnistlab.presets.finding import list_presets

Shown = Callable[..., dict[str, object]]
Printed = Callable[..., tuple[int, str, str]]

HEAD = """
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping
from torch.optim import SGD, Adam
from mnistlab import Preset, SmallModel, SyntheticDigits, TinyModel, config
"""


@pytest.fixture
def printed(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Printed:
    """The exit code and the output of a command, in a process that has seen no other folder."""
    del here
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "presets"]:
        monkeypatch.delitem(sys.modules, name)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def shown(printed: Printed) -> Shown:
    """The whole configuration that a command would run."""

    def run(*arguments: str) -> dict[str, object]:
        code, out, err = printed("fit", "--print_config", *arguments)
        assert code == 0, err
        data: dict[str, object] = yaml.safe_load(out)
        return data

    return run


def part(data: object, *keys: str) -> object:
    """A value deep inside a configuration."""
    for key in keys:
        assert isinstance(data, dict)
        data = data[key]
    return data


def write(name: str, text: str) -> None:
    """Write a preset of the project folder."""
    Path("presets").mkdir(exist_ok=True)
    Path("presets", name).write_text(text if name.endswith(".yaml") else HEAD + text)


def test_a_preset_is_taken_by_its_name(shown: Shown) -> None:
    """YAML by the name of its file, Python by the name of its class; those shipped and those of this folder."""
    write("mine.yaml", "trainer:\n  max_epochs: 3\n")
    write("several.py", "class Wide(Preset):\n    model = config(SmallModel, hidden_dim=96)\n")

    assert part(shown("--config=QuickTest"), "data", "init_args", "batch_size") == 8
    assert part(shown("--config=LimitedRun"), "trainer", "limit_train_batches") == 20
    assert part(shown("--config=mine"), "trainer", "max_epochs") == 3
    assert part(shown("--config=Wide"), "model", "init_args", "hidden_dim") == 96


def test_presets_are_merged_from_left_to_right_and_the_command_line_wins(shown: Shown) -> None:
    """YAML and Python alike, in any order of the arguments."""
    write("a.yaml", "model:\n  hidden_dim: 32\n  layers: 3\n  dropout: 0.3\n")
    write("b.py", "class B(Preset):\n    model = config(TinyModel, hidden_dim=48, layers=5)\n")

    left = part(shown("--model.layers=1", "--config=a", "--config=B"), "model", "init_args")
    right = part(shown("--config=B", "--config=a", "--model.layers=1"), "model", "init_args")

    assert isinstance(left, dict)
    assert isinstance(right, dict)
    assert (left["hidden_dim"], left["layers"], left["dropout"]) == (48, 1, 0.3)
    assert (right["hidden_dim"], right["layers"], right["dropout"]) == (32, 1, 0.3)


def test_two_presets_that_differ_are_told(printed: Printed) -> None:
    """With both places and the one that counts; not where the command line decides, nor where they agree."""
    write("a.yaml", "trainer:\n  max_epochs: 3\nseed_everything: 1\n")
    write("b.py", "class B(Preset):\n    trainer = config(Trainer, max_epochs=4)\n    seed_everything = 1\n")

    told = printed("fit", "--config=a", "--config=B", "--print_config")[2]
    decided = printed("fit", "--config=a", "--config=B", "--print_config", "--trainer.max_epochs=5")[2]

    assert "trainer.max_epochs is 4 (presets/b.py:7 (B)), not 3 (presets/a.yaml:2:3)" in told
    assert "seed_everything" not in told
    assert not decided


def test_lists_and_classes_that_differ_are_told_too(printed: Printed) -> None:
    """A list of classes that a later one replaces, not one that it adds to; a class is one however it is spelt."""
    write(
        "a.py",
        """
class A(Preset):
    model = config(SmallModel, optimizer=SGD)
    trainer = config(Trainer, callbacks=[config(EarlyStopping, monitor="val/loss")])
""",
    )
    write("b.yaml", "model:\n  class_path: SmallModel\n  init_args:\n    optimizer: SGD\n")
    write("c.yaml", "trainer:\n  callbacks:\n  - class_path: LearningRateMonitor\n")
    write("d.yaml", "trainer:\n  callbacks+: LearningRateMonitor\n")

    told = printed("fit", "--config=A", "--config=b", "--config=c", "--print_config")[2]
    added = printed("fit", "--config=A", "--config=b", "--config=d", "--print_config")[2]

    assert "trainer.callbacks is [LearningRateMonitor] (presets/c.yaml:2:3), not [EarlyStopping] (presets/a.py" in told
    assert told.count("the later one counts") == 1
    assert not added


def test_a_preset_of_this_folder_hides_a_shipped_one_and_says_so(printed: Printed, shown: Shown) -> None:
    """With both files."""
    write("QuickTest.yaml", "data:\n  batch_size: 16\n")

    assert part(shown("--config=QuickTest"), "data", "init_args", "batch_size") == 16
    note = printed("fit", "--config=QuickTest", "--print_config")[2]
    assert "presets/QuickTest.yaml" in note
    assert note.count("QuickTest.yaml") == 2


def test_what_a_preset_in_python_says_its_yaml_says_too(shown: Shown) -> None:
    """What `--print_config` gives for it gives the same configuration again."""
    write(
        "all.py",
        """
class All(Preset):
    seed_everything = 7
    data = config(SyntheticDigits, train_size=600, test_size=100, val_size=100, augment=None)
    model = config(SmallModel, hidden_dim=64, optimizer=config(SGD, lr=0.5), scheduler=None)
    trainer = config(Trainer, max_epochs=2, callbacks=[config(EarlyStopping, monitor="val/loss", patience=1)])
    run = {"name": "all", "tags": ["a", "b"]}
""",
    )
    said = shown("--config=All")
    Path("all.yaml").write_text(yaml.safe_dump(said))

    assert shown("--config=all.yaml") == said
    assert part(said, "model", "init_args", "optimizer", "init_args", "lr") == 0.5
    assert part(said, "model", "init_args", "scheduler") is None
    assert part(said, "run", "tags") == ["a", "b"]


def test_a_python_preset_trains_as_its_yaml_does(fit: Callable[..., Path]) -> None:
    """To the bit."""
    write("quick.py", "class Quick(Preset):\n    model = config(TinyModel, hidden_dim=8, dropout=0.5)\n")
    first = fit("--config=Quick")
    second = fit(f"--config={first / 'config.yaml'}")

    assert (first / "metrics.csv").read_bytes() == (second / "metrics.csv").read_bytes()


def test_a_preset_builds_on_another(shown: Shown) -> None:
    """What both write is merged, what is computed counts, and what begins with an underscore is the preset's own."""
    write(
        "line.py",
        """
class Base(Preset):
    _lr = 0.25
    model = config(SmallModel, hidden_dim=64, optimizer=config(SGD, lr=_lr / 2, momentum=0.9))
    trainer = {"max_epochs": 4}

class Wide(Base):
    model = Base.model.clone(hidden_dim=Base.model.hidden_dim * 2)
    trainer = config(Trainer, gradient_clip_val=1.0)
""",
    )
    wide = shown("--config=Wide")

    assert part(wide, "model", "init_args", "hidden_dim") == 128
    assert part(wide, "model", "init_args", "optimizer", "init_args", "lr") == 0.125
    assert part(wide, "model", "init_args", "optimizer", "init_args", "momentum") == 0.9
    assert part(wide, "trainer", "max_epochs") == 4
    assert part(wide, "trainer", "gradient_clip_val") == 1.0


def test_a_preset_can_derive_from_one_of_another_file(shown: Shown) -> None:
    """It is found by its name too."""
    write("base.py", "class Base(Preset):\n    trainer = config(Trainer, max_epochs=4)\n")
    write("more.py", "from presets.base import Base\n\nclass More(Base):\n    seed_everything = 3\n")

    assert part(shown("--config=More"), "trainer", "max_epochs") == 4
    assert {"Base", "More"} <= {entry.name for entry in list_presets()}


def test_a_class_switch_in_a_later_preset_keeps_what_fits_and_tells_the_rest(printed: Printed) -> None:
    """As on the command line."""
    write("a.py", "class A(Preset):\n    model = config(SmallModel, optimizer=config(SGD, lr=0.5, momentum=0.9))\n")
    write("b.yaml", "model:\n  optimizer: Adam\n")

    _, out, err = printed("fit", "--config=A", "--config=b", "--print_config")

    assert part(yaml.safe_load(out), "model", "init_args", "optimizer", "init_args", "lr") == 0.5
    assert "momentum" in err
    assert "dropped" in err


def test_a_mapping_in_python_is_spelt_as_in_yaml(shown: Shown) -> None:
    """Nested, with the path of a class, with nodes in it, and with a plus that adds to a list."""
    write(
        "a.py",
        """
class A(Preset):
    model = {
        "class_path": SmallModel,
        "init_args": {"optimizer": {"momentum": 0.9, "class_path": "SGD", "init_args": {"lr": 0.5}}},
    }
    trainer = {"callbacks": [{"class_path": "EarlyStopping", "init_args": {"monitor": "val/loss"}}]}

class B(A):
    model = {"optimizer": {"lr": 0.25}, "scheduler": None}
    trainer = {"callbacks": {"patience": 7}}

class C(B):
    trainer = {"callbacks+": [config(EarlyStopping, monitor="val/acc"), "LearningRateMonitor"]}
""",
    )
    write(
        "same.yaml",
        """
model:
  class_path: SmallModel
  init_args:
    optimizer: {class_path: SGD, init_args: {lr: 0.25, momentum: 0.9}}
    scheduler: null
trainer:
  callbacks:
  - {class_path: EarlyStopping, init_args: {monitor: val/loss, patience: 7}}
  - {class_path: EarlyStopping, init_args: {monitor: val/acc}}
  - {class_path: LearningRateMonitor}
""",
    )

    assert shown("--config=C") == shown("--config=same")


def test_a_value_that_a_child_leaves_without_its_class_is_told_once(printed: Printed) -> None:
    """And only of the preset that is taken."""
    write(
        "a.py",
        """
class A(Preset):
    model = config(SmallModel, optimizer=config(SGD, momentum=0.9))

class B(A):
    model = {"optimizer": Adam}
""",
    )

    assert printed("fit", "--config=B", "--print_config")[2].count("momentum=0.9 is dropped") == 1
    assert "dropped" not in printed("fit", "--config=A", "--print_config")[2]
    with pytest.warns(UserWarning, match="momentum=0.9 is dropped"):
        preset("B")


def test_a_preset_is_the_clone_of_another(shown: Shown) -> None:
    """Found by its name as a class is, whether the other stands here or comes with mnistlab; so are its children."""
    write(
        "a.py",
        """
from mnistlab import Preset as Basis, preset

class Base(Basis):
    model = config(SmallModel, hidden_dim=64)

Wide = Base.clone({"model.hidden_dim": 128})

class Wider(Wide.clone(seed_everything=5)):
    model = Wide.model.clone(layers=Wide.model.layers + 1)

Quick = preset("QuickTest").clone({"trainer.max_epochs": 3})
_node = Base.model.clone(layers=1)
""",
    )
    wider = shown("--config=Wider")

    assert part(wider, "model", "init_args", "hidden_dim") == 128
    assert part(wider, "model", "init_args", "layers") == 5
    assert part(wider, "seed_everything") == 5
    assert part(shown("--config=Quick"), "data", "init_args", "batch_size") == 8
    assert part(shown("--config=Quick"), "trainer", "max_epochs") == 3
    assert [entry.name for entry in list_presets() if entry.path.name == "a.py"] == ["Base", "Wide", "Wider", "Quick"]


@pytest.mark.parametrize("name", ["torch", "yaml", "random", "mnistlab", "lightning", "my-file", "my.file", "größe"])
def test_the_name_of_a_file_takes_no_modules_place(shown: Shown, name: str) -> None:
    """Here and in the folder of presets; of a module that is imported already nothing is lost."""
    before = sys.modules.get(name)
    text = f"{HEAD}class X(Preset):\n    model = config(SmallModel, hidden_dim=33)\n"
    Path(f"{name}.py").write_text(text)
    Path("presets").mkdir()
    Path("presets", f"{name}.py").write_text(text)

    assert part(shown(f"--config={name}.py"), "model", "init_args", "hidden_dim") == 33
    assert part(shown("--config=X"), "model", "init_args", "hidden_dim") == 33
    assert before is None or sys.modules.get(name) is before


def test_files_of_one_name_in_two_folders_are_two(shown: Shown) -> None:
    """A model in each is its own."""
    for folder, width in (("one", 3), ("two", 4)):
        Path(folder).mkdir()
        Path(folder, "its-own.py").write_text(
            f"""{HEAD}
class Own{folder}(TinyModel):
    name = "of_{folder}"

    def __init__(self, hidden_dim: int = {width}, **kwargs):
        super().__init__(hidden_dim=hidden_dim, **kwargs)

class X(Preset):
    model = Own{folder}
"""
        )
    said = shown("--config=two/its-own.py", "--config=one/its-own.py")

    assert part(said, "model", "init_args", "hidden_dim") == 3


def test_of_several_presets_in_a_file_one_is_named(shown: Shown, printed: Printed) -> None:
    """As `file.py:Name`; of one alone the file is enough."""
    write("two.py", "class A(Preset):\n    seed_everything = 1\n\nclass B(Preset):\n    seed_everything = 2\n")
    write("one.py", "class C(Preset):\n    seed_everything = 3\n")

    assert shown("--config=presets/two.py:B")["seed_everything"] == 2
    assert shown("--config=presets/one.py")["seed_everything"] == 3
    code, _, err = printed("fit", "--config=presets/two.py")
    assert code == 2
    assert "--config=presets/two.py:A" in err


@pytest.mark.parametrize(
    ("text", "argument", "parts"),
    [
        ("", "QuikTest", ["QuikTest", "Did you mean QuickTest?", "FullTraining", "Fine"]),
        ("", "nowhere.yaml", ["no file nowhere.yaml"]),
        ("", "presets", ["presets: this is a folder"]),
        ("", "presets/wrong.py:Fein", ["has no preset Fein", "Did you mean Fine?"]),
        ("import nothing_of_this_name", "presets/wrong.py:Fine", ["wrong.py:8: ", "nothing_of_this_name"]),
        ("class X(Preset):\n    model = TinyModle", "X", ["wrong.py:9: ", "TinyModle"]),
        ("class X(Preset:\n", "presets/wrong.py:X", ["wrong.py:8:", "not Python"]),
        ("class X(Preset):\n    modle = TinyModel", "X", ["wrong.py:8 (X)", "no section modle", "mean model?"]),
        ("class X(Preset):\n    def f(self): pass", "X", ["wrong.py:8 (X)", "no section f", "underscore"]),
        ("class X(Preset):\n    model = config(TinyModel, hiden_dim=3)", "X", ["wrong.py:9 (X)", "mean hidden_dim?"]),
        ("class X(Preset):\n    model = config(TinyModel, hidden_dim=-3)", "X", ["wrong.py:9 (X)", "above 0, got -3"]),
        ("class X(Preset):\n    model = config(TinyModel, 3)", "X", ["wrong.py:9 (X)", "without a name"]),
        ("class X(Preset):\n    model = config(TinyModel, loss=lambda: 0)", "X", ["wrong.py:9 (X)", "a lambda"]),
        ("class X(Preset):\n    model = config(TinyModel, optimizer=TinyModel)", "X", ["wrong.py:9 (X)", "Optimizer"]),
        ("class X(Preset):\n    model = 3", "X", ["wrong.py:8 (X)", "name of a class"]),
        ("class X(Preset):\n    data = TinyModel", "X", ["wrong.py:8 (X)", "ImageData"]),
        ("class X(Preset):\n    trainer = TinyModel", "X", ["wrong.py:8 (X)", "options of Trainer"]),
        ("class X(Preset):\n    trainer = {'max_epoch': 3}", "X", ["wrong.py:8 (X)", "mean max_epochs?"]),
        ("class X(Preset):\n    trainer = {'max_epochs': 'x'}", "X", ["wrong.py:8 (X)", "whole number", "got x"]),
        ("import sys\nsys.exit(3)", "presets/wrong.py:Fine", ["wrong.py:9: ", "SystemExit: 3."]),
        ("raise RuntimeError('a\\nb.')", "presets/wrong.py:Fine", ["wrong.py:8: ", "RuntimeError: a b.\n"]),
        ("assert False", "presets/wrong.py:Fine", ["failed: AssertionError.\n"]),
        ("\0", "presets/wrong.py:Fine", ["wrong.py: this is not Python: source code"]),
        ("class X(Preset):\n    model = SmallModel()", "X", ["wrong.py:8 (X)", "model is a SmallModel built in"]),
        (
            "class X(Preset):\n    trainer = {'callbacks': [EarlyStopping(monitor='val/loss')]}",
            "X",
            ["wrong.py:8 (X)", "callbacks is a EarlyStopping built in"],
        ),
        ("class X(Preset):\n    trainer = {'class_path': 'Trainer'}", "X", ["wrong.py:8 (X)", "a group of options"]),
        (
            "class X(Preset):\n    trainer = config(Trainer, callbacks=[EarlyStopping])",
            "X",
            ["wrong.py:9 (X)", "EarlyStopping needs monitor"],
        ),
    ],
)
def test_a_mistake_in_a_preset_is_told_with_its_place(
    printed: Printed, text: str, argument: str, parts: list[str]
) -> None:
    """File and line, and the class in Python; nothing else is printed."""
    write("wrong.py", "class Fine(Preset):\n    pass\n" + text)

    code, out, err = printed("fit", f"--config={argument}")

    assert code == 2
    assert not out
    assert err.count("\n") == 1
    assert [word for word in parts if word not in err] == [], err
    assert not any(word in err for word in ("Traceback", "<class"))


def test_a_mistake_in_a_file_beside_is_told_with_that_file(printed: Printed) -> None:
    """Not with the line that imports it."""
    write("beside.py", "x = 1 / 0\n")
    write("a.py", "from presets.beside import x\n\nclass A(Preset):\n    pass\n")

    code, _, err = printed("fit", "--config=A")

    assert code == 2
    assert "presets/beside.py:6: running it failed: ZeroDivisionError" in err


def test_a_mistake_in_a_linked_file_is_told_with_the_link(printed: Printed) -> None:
    """It is what the user named."""
    Path("real.py").write_text(f"{HEAD}class A(Preset):\n    pass\n\nx = 1 / 0\n")
    Path("presets").mkdir()
    Path("presets", "link.py").symlink_to("../real.py")

    assert "presets/link.py:9: running it failed" in printed("fit", "--config=A")[2]


def test_a_wrong_value_is_told_even_if_a_later_preset_repairs_it(printed: Printed) -> None:
    """Each preset is right by itself."""
    write("a.yaml", "trainer:\n  max_epochs: many\n")

    code, _, err = printed("fit", "--config=a", "--trainer.max_epochs=3")

    assert code == 2
    assert "presets/a.yaml:2:3" in err


def test_several_presets_of_one_name_are_told_apart(printed: Printed) -> None:
    """None of them is taken in silence."""
    write("Twice.yaml", "seed_everything: 1\n")
    write("other.py", "class Twice(Preset):\n    seed_everything = 2\n")

    code, _, err = printed("fit", "--config=Twice", "--print_config")

    assert code == 2
    assert "presets/Twice.yaml" in err
    assert "presets/other.py" in err


def test_a_list_of_presets_runs_nothing(printed: Printed) -> None:
    """Only the file that is named is run."""
    write("bomb.py", "from pathlib import Path\nPath('RUN').touch()\n\nclass Bomb(Preset):\n    '''It ticks.'''\n")

    (bomb,) = (entry for entry in list_presets() if entry.name == "Bomb")
    printed("fit", "--config=Bomm")

    assert bomb.description == "It ticks."
    assert not Path("RUN").exists()
    assert printed("fit", "--config=Bomb", "--print_config")[0] == 0
    assert Path("RUN").exists()


def test_a_file_that_is_no_python_spoils_no_list(printed: Printed) -> None:
    """The others are still found, and the list says what is wrong with it."""
    write("broken.py", "class (")

    assert [entry.problem for entry in list_presets() if entry.path.name == "broken.py"] == ["line 6: invalid syntax"]
    assert printed("fit", "--config=QuickTest", "--print_config")[0] == 0


def test_what_no_parser_takes_spoils_no_list(printed: Printed) -> None:
    """Nor does a pipe, which would never end."""
    write("deep.py", "(" * 100 + "-" * 200_000 + "1")
    os.mkfifo("presets/pipe.yaml")

    assert next(entry.problem for entry in list_presets() if entry.path.name == "deep.py")
    assert "pipe" not in {entry.name for entry in list_presets()}
    assert printed("presets")[0] == 0


def test_every_shipped_preset_describes_itself() -> None:
    """And the required ones are there."""
    shipped = {entry.name: entry.description for entry in list_presets()}

    assert {"QuickTest", "FullTraining", "DryRun", "LimitedRun", "OverfitBatches", "ProfiledRun"} <= set(shipped)
    assert all(len(text) > 20 for text in shipped.values())


_SWEPT = {"LearningCurve": ["--data.train_size=choice:300,400,500,600"], "LabelNoise": []}
"""Presets that are sweeps, with what makes them smaller."""


@pytest.mark.parametrize("name", [entry.name for entry in list_presets() if entry.name not in _SWEPT])
def test_every_shipped_preset_runs(printed: Printed, small_data: tuple[str, ...], name: str) -> None:
    """By its name, on a small set, with at most two epochs."""
    epochs = part(yaml.safe_load(printed("fit", f"--config={name}", "--print_config")[1]), "trainer", "max_epochs")
    short = [] if isinstance(epochs, int) and epochs <= 2 else ["--trainer.max_epochs=2"]

    code, out, err = printed("fit", f"--config={name}", "--model=TinyModel", *small_data, *short)

    assert code == 0, err
    assert "epoch     1/" in out
    if name == "ProfiledRun":
        assert "run_training_epoch" in out


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("name", "smaller"), _SWEPT.items())
def test_every_shipped_sweep_draws_its_curve(
    printed: Printed, here: Path, small_data: tuple[str, ...], name: str, smaller: list[str]
) -> None:
    """Over the one option that it varies."""
    short = ["--trainer.max_epochs=1", "--seeds=1"]
    code, _, err = printed("sweep", f"--config={name}", "--model=SDN8K", *small_data, *smaller, *short)

    assert code == 0, err
    assert len([*here.glob("runs/*/plots/curve-*.svg")]) == 1


def test_a_model_in_a_preset_file_is_trained_and_tested(printed: Printed, small_data: tuple[str, ...]) -> None:
    """Its checkpoint is as little trusted as any that names a class from elsewhere."""
    write(
        "own.py",
        """
from torch import nn
from mnistlab import Classifier

class Linear(Classifier):
    '''One layer.'''
    name = "linear_in_a_preset"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

class Own(Preset):
    model = Linear
    trainer = config(Trainer, max_epochs=1)
""",
    )

    assert printed("fit", "--config=Own", *small_data)[0] == 0
    assert "--trust=presets" in printed("test", "--ckpt_path=last")[2]
    assert printed("test", "--ckpt_path=last", "--trust=presets")[0] == 0


@pytest.mark.usefixtures("here")
def test_a_preset_is_cloned_with_a_change_deep_inside() -> None:
    """The one it was made from stays as it is."""
    quick = preset("QuickTest")
    changed = quick.clone({"model.optimizer.lr": 0.5, "trainer.max_epochs": 2}, model=SmallModel)

    assert (changed.model.optimizer.lr, changed.trainer.max_epochs, changed.data.batch_size) == (0.5, 2, 8)
    assert changed.model.hidden_dim == 256
    assert (quick.model.optimizer.lr, quick.trainer.max_epochs) == (0.001, 5)
    with pytest.raises(LabError, match=r"no section modl\. Did you mean model"):
        quick.clone({"modl.optimizer.lr": 0.5})
    with pytest.raises(LabError, match=r"test_presets.py:\d+: AdamW has no option lrr"):
        quick.clone({"model.optimizer.lrr": 0.5})


@pytest.mark.usefixtures("here")
def test_a_preset_builds_its_model() -> None:
    """A plain one, with as many classes as the data have; each time a new one."""
    letters = preset("QuickTest").clone({"data": "EMNIST", "data.split": "letters", "model.hidden_dim": 8})

    model, other = letters.build(), letters.build()

    assert model.heads == {"label": 26}
    assert model is not other
    assert not {id(tensor) for tensor in model.parameters()} & {id(tensor) for tensor in other.parameters()}


def test_a_file_that_reads_a_preset_of_its_own_is_told(printed: Printed) -> None:
    """It would read itself for ever."""
    write(
        "a.py", "from mnistlab import preset\n\nclass A(Preset):\n    pass\n\nB = preset('A').clone(model=SmallModel)\n"
    )

    code, _, err = printed("fit", "--config=B")

    assert code == 2
    assert "presets/a.py:11: presets/a.py is being read. Use the class itself" in err


@pytest.mark.usefixtures("here")
def test_a_preset_never_changes() -> None:
    """A section that is set would not count; a value of its own may be."""

    class Mine(Preset):
        model = config(SmallModel, layers=2)

    with pytest.raises(AttributeError, match=r"Mine\.clone\(model=\.\.\.\)"):
        Mine.model = config(SmallModel, layers=3)
    with pytest.warns(UserWarning, match="momentum=0.9 is dropped") as told:
        Mine.clone({"model.optimizer": "SGD", "model.optimizer.momentum": 0.9}).clone({"model.optimizer": "Adam"})

    assert Mine.model.layers == 2
    assert {warning.filename for warning in told} == {__file__}


@pytest.mark.usefixtures("here")
def test_a_preset_of_ones_own_is_checked_where_it_is_written() -> None:
    """In a notebook as in a file."""

    class Mine(Preset):
        model = config(SmallModel, layers=2)

    assert Mine.model.layers == 2
    assert Mine.trainer.max_epochs == 10
    with pytest.raises(LabError, match="no section data_set"):
        type("Wrong", (Preset,), {"data_set": SmallModel})


def test_a_file_that_has_changed_is_read_anew(shown: Shown) -> None:
    """In one process too."""
    write("a.py", "class A(Preset):\n    seed_everything = 1\n")
    assert shown("--config=A")["seed_everything"] == 1
    write("a.py", "class A(Preset):\n    seed_everything = 2\n")
    os.utime("presets/a.py", ns=(0, 0))
    assert shown("--config=A")["seed_everything"] == 2
