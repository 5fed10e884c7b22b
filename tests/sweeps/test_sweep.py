"""`mnistlab sweep`, from its arguments to its runs."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import record_of

from mnistlab.cli import main

Sweep = Callable[..., list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("inline")


def records(root: Path) -> list[dict[str, Any]]:
    """The records of all runs, by the names of their folders."""
    return [json.loads(path.read_text()) for path in sorted(root.glob("runs/*/*/run.json"))]


@pytest.fixture
def sweep(here: Path, small_data: tuple[str, ...]) -> Sweep:
    """Sweep over TinyModel for an epoch; the records of the runs."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        base = [] if any(each.startswith(("--model=", "--config=")) for each in arguments) else ["--model=TinyModel"]
        assert main(["sweep", *base, *small_data, "--trainer.max_epochs=1", *arguments]) == 0
        return records(here)

    return run


def test_a_grid_takes_every_choice_of_values_once(sweep: Sweep) -> None:
    """Every run says which values it has, and has them."""
    found = sweep("--model.hidden_dim=choice:16,32", "--model.layers=int:1..2")

    points = [(each["point"]["model.hidden_dim"], each["point"]["model.layers"]) for each in found]
    assert sorted(points) == [(16, 1), (16, 2), (32, 1), (32, 2)]
    assert {each["status"] for each in found} == {"finished"}
    assert len({each["parameters"] for each in found}) == 4


def test_a_small_space_is_tried_once(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """More trials than there are choices of values would be the same ones again."""
    found = sweep("--model.hidden_dim=choice:16,32", "--trials=6")

    assert sorted(each["point"]["model.hidden_dim"] for each in found) == [16, 32]
    said = capsys.readouterr()
    assert "2 trials by grid" in said.out
    assert "cut from 6 to 2: there are no further choices of values" in said.err


def test_an_option_of_one_class_is_tried_with_that_class_only(sweep: Sweep) -> None:
    """The others are trained without it, and once."""
    found = sweep(
        "--model=choice:TinyModel,SDN8K",
        "--model.hidden_dim=choice:16,32",
        "--model.optimizer=choice:SGD,AdamW",
        "--model.optimizer.momentum=choice:0,0.9",
    )

    points = [tuple(each["point"].values()) for each in found]
    models, optimizers = [("TinyModel", 16), ("TinyModel", 32), ("SDN8K",)], [("SGD", 0), ("SGD", 0.9), ("AdamW",)]
    assert sorted(map(str, points)) == sorted(str((*one, *other)) for one in models for other in optimizers)
    assert all(("model.hidden_dim" in each["point"]) == (each["class"] == "TinyModel") for each in found)


def test_a_trial_proposes_no_checkpoint_that_the_sweep_removes(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how good it was."""
    sweep("--model.hidden_dim=choice:16")

    log = capsys.readouterr().err
    assert "best  val acc" in log
    assert "Test it again" not in log


def test_one_trial_is_told_as_one(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """Not as trials."""
    sweep("--model.hidden_dim=choice:16")

    assert ": 1 trial by grid" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to sweep"),
        (["--run.name=choice:a,b"], "run.name says how a run is kept"),
        (["--run.dir=choice:a,b"], "--run.dir=literal:choice:a,b"),
        (["--config=choice:QuickTest,FullTraining"], "a preset cannot be swept"),
        (["--model.hidden_dim=choice:16,32", "--trials=0"], "trials"),
        (["--model.hidden_dim=choice:16,32", "--trails=3"], "Did you mean --trials"),
        (["--model.hidden_dim=choice:16,32", "--sampler=gird"], "grid"),
        (["--model.dropout=float:0..0.5", "--sampler=grid"], "too many"),
        (["--model.hidden_dim=choice:16,32", "--metric=test/acc"], "The test images are for the end"),
        (["--model.hidden_dim=choice:16,32", "--data.val_size=0"], "compares by validation images"),
        (["--seed_everything=choice:0,1"], "--seeds=5"),
        (["--model.hidden_dim=choice:16,32", "--pruner=median", "--seeds=2"], "nothing is stopped early"),
        (["--model.hidden_dim=choice:16,32", "--ckpt_path=last"], "is for one run"),
        (["--model.hidden_dim=choice:16,32", "--print_config"], "is for one run"),
        (["--model.hidden_dim=choice:16,32", "--name={x}"], "a name for a folder"),
        (["--model.hidden_dim=choice:16,32", f"--name={'x' * 300}"], "a name for a folder"),
        (["--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.patience=choice:1,2"], "in a list"),
        (["--data.partition_seed=int:0..10000000", "--sampler=grid"], "too many"),
        (["--model.hidden_dim=choice:16,32", "--name=a/b"], "a name for a folder"),
        (["--model.hidden_dim=choice:16,32", "--storage=mysql:x"], "no address of a database"),
        (["--trainer.callbacks+=choice:EarlyStopping,LearningRateMonitor"], "added to a list"),
    ],
)
def test_what_cannot_be_swept_is_refused(
    refused_sweep: Callable[..., list[str]], arguments: list[str], said: str
) -> None:
    """With the reason and the way out."""
    assert said in " ".join(refused_sweep("--model=TinyModel", *arguments))


def test_one_run_takes_no_domain(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An option of any type: text would take it in silence."""
    assert main(["fit", "--model=TinyModel", "--run.name=choice:a,b"]) == 2

    assert "`mnistlab sweep` tries several" in capsys.readouterr().err
    assert not list(here.iterdir())


def test_seeds_are_runs_of_their_own(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """Counted from the seed, and told as a mean with its deviation."""
    found = sweep("--seeds=3", "--seed_everything=5", "--model.hidden_dim=choice:16,32")

    assert sorted(each["seed"] for each in found) == [5, 5, 6, 6, 7, 7]
    assert "(n=3)" in capsys.readouterr().out


def test_a_seed_of_a_sweep_is_the_run_that_fit_makes(sweep: Sweep, fit: Callable[..., Path]) -> None:
    """The command at the end gives the same figures to the bit."""
    alone = json.loads((fit("--model.hidden_dim=16", "--seed_everything=1") / "run.json").read_text())
    found = sweep("--seeds=2", "--model.hidden_dim=choice:16")

    best = next(each["metrics"]["best"] for each in found if each.get("sweep") and each["seed"] == 1)
    assert best == alone["metrics"]["best"]


def test_the_same_command_again_trains_nothing(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """And more trials are added to what is there."""
    arguments = ["--model.dropout=float:0..0.5", "--sampler=random"]
    first = sweep(*arguments, "--trials=2")
    again = sweep(*arguments, "--trials=3")

    assert "2 of 3 trials are there already" in capsys.readouterr().out
    assert len(again) == 3
    assert again[:2] == first


def test_a_random_search_draws_by_the_number_of_the_trial(sweep: Sweep, here: Path) -> None:
    """Not by who takes it: a sweep of another name draws the same."""
    sweep("--model.dropout=float:0..0.5", "--sampler=random", "--trials=3", "--name=one")
    both = sweep("--model.dropout=float:0..0.5", "--sampler=random", "--trials=3", "--name=two")

    points = {name: [each["point"] for each in both if each["sweep"] == name] for name in ("one", "two")}
    assert points["one"] == points["two"]
    assert len({each["model.dropout"] for each in points["one"]}) == 3
    assert (here / "runs/one/plots/history.svg").is_file()


def test_a_sweep_of_that_name_with_something_else_is_refused(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """Its trials would not be comparable; `--allow_drift` says that it does not matter."""
    sweep("--model.hidden_dim=choice:16", "--name=mine")
    other = ["sweep", "--model=TinyModel", "--data=SyntheticDigits", "--name=mine", "--seeds=2"]
    assert main(other) == 2
    said = capsys.readouterr().err
    assert "--model.hidden_dim=choice:16, now without" in said
    assert "1 seed, now 2 seeds" in said
    assert main([*other, "--allow_drift"]) == 2
    capsys.readouterr()

    plan = Path("runs/mine/sweep.json")
    said = json.loads(plan.read_text())
    plan.write_text(json.dumps({**said, "identity": {**said["identity"], "torch": "1.0"}}))
    base = ["--model=TinyModel", *said["arguments"][1:]]
    assert main(["sweep", *base, "--name=mine"]) == 2
    assert "torch" in capsys.readouterr().err
    assert main(["sweep", *base, "--name=mine", "--allow_drift"]) == 0


def test_weights_of_the_best_trials_are_kept(sweep: Sweep, here: Path) -> None:
    """And of no other; a checkpoint to continue from only while a trial is unfinished."""
    found = sweep("--model.hidden_dim=choice:8,16,32,64", "--keep=2")

    ranked = sorted(found, key=lambda each: -each["metrics"]["best"]["val/acc"])
    kept = {path.parent.name for path in here.glob("runs/*/*/model.safetensors")}
    assert kept == {each["trial"] for each in ranked[:2]}
    assert not list(here.rglob("*.ckpt"))
    assert main(["test", f"--ckpt_path={next(here.glob('runs/*/*/model.safetensors')).parent}"]) == 0


def test_a_trial_that_promises_little_is_stopped(sweep: Sweep) -> None:
    """It says so in its record and is not tested."""
    found = sweep(
        "--model.optimizer.lr=choice:1e-2,1e-7",
        "--trainer.max_epochs=4",
        "--pruner=halving",
        "--run.test=true",
        "--sampler=grid",
    )

    by_rate = {each["point"]["model.optimizer.lr"]: each for each in found}
    assert by_rate["1e-2"]["status"] == "finished"
    assert by_rate["1e-7"]["status"] == "pruned"
    assert by_rate["1e-7"]["metrics"]["last"]["epoch"] < 3
    assert "test" not in by_rate["1e-7"]["metrics"]


def test_the_test_images_are_left_alone(sweep: Sweep) -> None:
    """A sweep compares by validation images, unless it is told to test."""
    assert all("test" not in each["metrics"] for each in sweep("--model.hidden_dim=choice:16,32"))


def test_a_loss_that_is_no_number_costs_one_trial(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told; the other goes on."""
    found = sweep("--model.optimizer=SGD", "--model.optimizer.lr=choice:0.01,1e30", "--model.scheduler=null")

    assert [each["status"] for each in found] == ["finished", "diverged"]
    assert "failed: in epoch 1 the loss is nan from batch" in capsys.readouterr().out


def test_a_preset_in_python_defines_a_sweep_with_conditions(sweep: Sweep, here: Path) -> None:
    """Domains stand in place of values; what belongs to a candidate stands within it."""
    (here / "presets").mkdir()
    (here / "presets/wide.py").write_text(
        "from torch.optim import SGD\n\nfrom mnistlab import Preset, SDN8K, TinyModel, choice, config\n\n\n"
        "class Wide(Preset):\n"
        '    """Widths of two models."""\n\n'
        "    model = choice(config(TinyModel, hidden_dim=choice(16, 32), layers=1), config(SDN8K, optimizer=SGD))\n"
        "    sweep = {'name': 'wide', 'keep': 1}\n"
    )

    found = sweep("--config=Wide")

    configurations = [
        yaml.safe_load(path.read_text())["model"] for path in sorted(here.glob("runs/wide/*/config.yaml"))
    ]
    assert [each["point"].get("model.hidden_dim[TinyModel]") for each in found] == [16, 32, None]
    assert [each["init_args"].get("hidden_dim") for each in configurations[:2]] == [16, 32]
    assert [each["init_args"].get("layers") for each in configurations[:2]] == [1, 1]
    assert configurations[2]["init_args"]["optimizer"]["class_path"] == "torch.optim.SGD"
    assert len(list(here.glob("runs/wide/*/model.safetensors"))) == 1


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_candidate_of_a_preset_may_have_domains_without_end(
    sweep: Sweep, refused_sweep: Callable[..., list[str]], here: Path, sampler: str
) -> None:
    """They are searched, in the places where they count; a grid says which one it cannot take."""
    (here / "widths.py").write_text(
        "from torch.optim import SGD\n\nfrom mnistlab import Preset, SDN8K, TinyModel, choice, config, interval\n\n\n"
        "class Widths(Preset):\n"
        '    """Widths of two models."""\n\n'
        "    model = choice(\n"
        "        config(TinyModel, hidden_dim=interval(16, 64, log=True)),\n"
        "        config(SDN8K, optimizer=config(SGD, lr=choice(0.03, 0.1))),\n"
        "    )\n"
        "    sweep = {'trials': 4, 'pruner': 'median'}\n"
    )
    (line,) = refused_sweep("--config=widths.py", "--sampler=grid")
    found = sweep("--config=widths.py", f"--sampler={sampler}")

    assert "widths.py:10 (Widths): a grid takes every value of model.hidden_dim[TinyModel]" in line
    assert len(found) == len({json.dumps(each["point"]) for each in found}) == 4
    names = {"TinyModel": "model.hidden_dim[TinyModel]", "SDN8K": "model.optimizer.lr[SDN8K]"}
    assert all(list(each["point"]) == ["model", names[each["class"]]] for each in found)


def test_a_preset_that_is_a_sweep_is_not_trained_in_silence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`fit` would take one of its values; it says what to do instead."""
    (here / "wide.yaml").write_text("model:\n  class_path: TinyModel\n  init_args:\n    hidden_dim: choice:16,32\n")

    assert main(["fit", "--config=wide.yaml"]) == 2
    assert "mnistlab sweep --config=wide.yaml" in capsys.readouterr().err
    assert main(["fit", "--config=wide.yaml", "--model.hidden_dim=16", "--print_config"]) == 0
    assert "hidden_dim: 16" in capsys.readouterr().out


def test_a_yaml_preset_is_a_sweep_too(sweep: Sweep, here: Path) -> None:
    """With the same words as on the command line."""
    (here / "wide.yaml").write_text(
        "model:\n  class_path: choice:TinyModel,SDN8K\n  init_args:\n    hidden_dim: choice:16,32\n"
        "sweep:\n  name: wide\n"
    )

    found = sweep("--config=wide.yaml")

    assert [tuple(each["point"].values()) for each in found] == [("TinyModel", 16), ("TinyModel", 32), ("SDN8K",)]


def test_the_summary_gives_the_command_of_the_best(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """Copied and run, it trains the same."""
    found = sweep("--model.hidden_dim=choice:8,64", "--trainer.max_epochs=2")
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("Train the best again"))

    words = line.partition("mnistlab ")[2].split()
    assert main(words) == 0

    best = max(found, key=lambda each: each["metrics"]["best"]["val/acc"])
    again = json.loads(next(Path("runs/tiny").glob("*/run.json")).read_text())
    assert again["metrics"]["best"] == best["metrics"]["best"]


def test_a_preset_that_has_changed_makes_another_sweep(sweep: Sweep, here: Path) -> None:
    """Its trials would not be comparable with those of before."""
    preset = here / "mine.yaml"
    preset.write_text("model:\n  class_path: TinyModel\n  init_args:\n    hidden_dim: choice:16,32\n")
    sweep("--config=mine.yaml")
    preset.write_text("model:\n  class_path: TinyModel\n  init_args:\n    hidden_dim: choice:16,32\n    layers: 1\n")
    sweep("--config=mine.yaml")

    assert len(list(here.glob("runs/sweep-*"))) == 2


def test_runs_without_their_database_are_taken_for_what_they_are(
    sweep: Sweep, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those with the same values count; others are told, and nothing is written over them."""
    sweep("--model.hidden_dim=choice:16,32", "--name=it")
    before = {path: path.read_text() for path in here.glob("runs/it/*/run.json")}
    for file in here.glob("runs/it/sweep.db*"):
        file.unlink()
    record = here / "runs/it/trial-0001/run.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "point": {"model.hidden_dim": 8}}))
    text = record.read_text()
    sweep("--model.hidden_dim=choice:16,32", "--name=it")

    assert "1 finished, 1 failed" in capsys.readouterr().out
    assert record.read_text() == text
    kept = here / "runs/it/trial-0000/run.json"
    assert kept.read_text() == before[kept]


def test_seeds_are_counted_from_that_of_a_preset(sweep: Sweep, here: Path) -> None:
    """As `fit` would take it."""
    (here / "mine.yaml").write_text("seed_everything: 42\n")

    assert [each["seed"] for each in sweep("--config=mine.yaml", "--seeds=2", "--model.hidden_dim=choice:16")] == [
        42,
        43,
    ]


def test_a_choice_that_lost_a_seed_is_not_the_best(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """The mean of those that are left says nothing of the others."""
    sweep("--model.hidden_dim=choice:16,32", "--seeds=2", "--name=it", "--metric=val/loss")
    (best,) = re.findall(r"ckpt_path=runs/it/(trial-\d+)-seed", capsys.readouterr().out)
    removed = Path(f"runs/it/{best}-seed-0/run.json")
    removed.write_text(json.dumps({**json.loads(removed.read_text()), "point": {}}))
    for file in Path("runs/it").glob("sweep.db*"):
        file.unlink()
    sweep("--model.hidden_dim=choice:16,32", "--seeds=2", "--name=it", "--metric=val/loss")

    out = capsys.readouterr().out
    assert "3 finished, 1 failed" in out
    assert f"/it/{best}" not in out.partition("Test it: ")[2]


def test_the_sweep_and_its_report_call_the_same_run_the_best(
    sweep: Sweep, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the choice with the best mean the run with the best value."""
    sweep("--model.hidden_dim=choice:16,32", "--seeds=2", "--name=it")
    (best,) = re.findall(r"Test it: +mnistlab test --ckpt_path=(\S+)", capsys.readouterr().out)
    assert main(["report", "it"]) == 0

    page = (here / "runs/it/report.html").read_text()
    accuracies = {run.name: record_of(run)["metrics"]["best"]["val/acc"] for run in here.glob("runs/it/trial-*")}
    own = {name: value for name, value in accuracies.items() if name[:10] == Path(best).name[:10]}
    assert f"--ckpt_path={best}" in page
    assert own[Path(best).name] == max(own.values())


def test_a_trial_that_was_removed_is_trained_again(sweep: Sweep, here: Path) -> None:
    """By the same command, to the same figures."""
    first = sweep("--model.hidden_dim=choice:16,32", "--name=it")
    shutil.rmtree(here / "runs/it/trial-0001")
    again = sweep("--model.hidden_dim=choice:16,32", "--name=it")

    assert [each["metrics"] for each in again] == [each["metrics"] for each in first]


def test_what_has_failed_can_be_tried_again(sweep: Sweep, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by itself: it would fail again."""
    arguments = ["--model.hidden_dim=choice:16,32", "--name=it"]
    sweep(*arguments)
    record = here / "runs/it/trial-0001/run.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "point": {}}))
    for file in here.glob("runs/it/sweep.db*"):
        file.unlink()
    sweep(*arguments)
    shutil.rmtree(record.parent)
    sweep(*arguments)
    assert not record.exists()
    sweep(*arguments, "--retry_failed")

    assert record.exists()
    assert "2 finished" in capsys.readouterr().out.rpartition("kept in")[2]


def test_a_broken_checkpoint_costs_its_epochs_only(sweep: Sweep, here: Path) -> None:
    """The run begins anew."""
    (first,) = sweep("--model.hidden_dim=choice:16", "--name=it")
    folder = here / "runs/it/trial-0000"
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "status": "interrupted"}))
    (folder / "checkpoints/last.ckpt").write_bytes(b"half")
    for file in here.glob("runs/it/sweep.db*"):
        file.unlink()
    (again,) = sweep("--model.hidden_dim=choice:16", "--name=it")

    assert again["status"] == "finished"
    assert again["metrics"]["best"] == first["metrics"]["best"]


def test_a_sweep_may_be_moved(sweep: Sweep, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its folder of runs, and whatever that is called."""
    sweep("--model.hidden_dim=choice:16,32", "--name=it", "--run.dir=a 50%? {b}")
    (here / "a 50%? {b}").rename(here / "other")
    sweep("--model.hidden_dim=choice:16,32", "--name=it", "--run.dir=other")

    assert "2 of 2 trials are there already" in capsys.readouterr().out


def test_the_lowest_loss_is_the_best(sweep: Sweep, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The value of a trial is the lowest of its epochs, in the table and in the weights that are kept."""
    sweep(
        "--model.optimizer.lr=choice:1e-4,1e-2", "--metric=val/loss", "--trainer.max_epochs=3", "--keep=1", "--name=it"
    )
    tables = {path.parent.name: path.read_text().splitlines() for path in here.glob("runs/it/*/metrics.csv")}
    column = next(iter(tables.values()))[0].split(",").index("val/loss")
    lowest = {name: min(float(line.split(",")[column]) for line in lines[1:]) for name, lines in tables.items()}
    best = min(lowest, key=lambda name: lowest[name])

    out = capsys.readouterr().out
    assert re.search(rf"^  {best} +{lowest[best]:.4f}", out, re.MULTILINE)
    assert [path.parent.name for path in here.glob("runs/it/*/model.safetensors")] == [best]
