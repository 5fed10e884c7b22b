"""The lab from Python goes the way of the command line, and shows what that shows."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import LAST

import mnistlab as lab
from mnistlab.checkpoints.reading import read_checkpoint

DATA = {"train_size": 600, "test_size": 200, "val_size": 100}
Fit = Callable[..., Path]

SAME_BEFORE_AND_AFTER = """
import mnistlab as lab, os, sys, signal, random, warnings, logging, torch, numpy, matplotlib
torch.manual_seed(3); random.seed(4); numpy.random.seed(5)
every = logging.root.manager.loggerDict
known = set(every)  # what others set as they are imported is theirs
def logs():
    return {name: each for name, each in every.items() if name in known or "lightning" in name}
def state():
    return [str(each) for each in (
        torch.get_num_threads(), torch.get_default_dtype(), torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(), torch.get_float32_matmul_precision(),
        torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_rng_state().tolist(),
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic,
        torch.utils.deterministic.fill_uninitialized_memory, random.getstate(), numpy.random.get_state(),
        sorted(os.environ.items()), sys.excepthook, sys.path, warnings.filters, warnings.showwarning,
        [signal.getsignal(each) for each in signal.valid_signals()],
        sorted((name, each.level) for name, each in logs().items() if hasattr(each, "level") and each.level),
        logging.root.level, dict.copy(matplotlib.rcParams), os.getcwd())]
before = state()
names = dict(data="SyntheticDigits", train_size=600, test_size=200, val_size=100)
def same(what):
    for old, new in zip(before, state(), strict=True):
        assert old == new, (what, old[:300], new[:300])
class Net(torch.nn.Sequential):
    def __init__(self): super().__init__(torch.nn.Flatten(), torch.nn.Linear(784, 10))
if __name__ == "__main__":
    lab.fit(Net, epochs=1, threads=1, **names); same("fit of a class of the session")
run = lab.fit("TinyModel", epochs=1, threads=1, **names); same("fit")
lab.test(run); same("test")
lab.predict(run); same("predict")
lab.report(run); same("report")
for wrong in ({"hidden_dim": -1}, {"optimizer": "SGD", "momentum": -1.0}, {"monitor": 1}):
    try: lab.fit("TinyModel", **wrong, **names)
    except lab.LabError: same(wrong)
    else: raise AssertionError(wrong)
print("ALL THE SAME")
"""


def small(model: object = "TinyModel", **more: object) -> lab.Run:
    """A run of a moment."""
    said: dict[str, Any] = {"epochs": 1, **DATA, **more}
    run: lab.Run = lab.fit(model, data="SyntheticDigits", **said)
    return run


@pytest.fixture
def run(trained: Fit) -> lab.Run:
    """A run that is there."""
    return lab.Run.of(trained())


def test_the_same_seed_gives_the_bits_of_the_command_line(fit: Fit) -> None:
    """Metrics and weights."""
    one = small(hidden_dim=48, lr=3e-3, seed=7)
    other = fit("--model.hidden_dim=48", "--model.optimizer.lr=0.003", "--seed_everything=7")

    assert (one.folder / "metrics.csv").read_bytes() == (other / "metrics.csv").read_bytes()
    weights, others = (read_checkpoint(each / LAST)["state_dict"] for each in (one.folder, other))
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_two_threads_train_one_after_the_other(here: Path) -> None:
    """Each has the bits of its seed, as if it were alone."""
    del here
    alone = {seed: small(seed=seed).folder / "metrics.csv" for seed in (1, 2)}

    with ThreadPoolExecutor(2) as pool:
        together = dict(zip(alone, pool.map(lambda seed: small(seed=seed).folder, alone), strict=True))

    for seed, table in alone.items():
        assert (together[seed] / "metrics.csv").read_bytes() == table.read_bytes()


def test_each_command_gives_what_it_shows(run: lab.Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures, rows, pictures, files; shown they are what the command prints."""
    tested, table, picture = lab.test(run), lab.predict("last"), lab.explain(run, images=2)

    assert tested["test/acc"] == run.test_acc == lab.Run.of(tested.folder).test_acc
    assert run.test() == tested
    assert repr(tested).startswith("TinyModel on the test images of SyntheticDigits")
    assert 0 < lab.validate(run, batch_size=64)["val/acc"] < 1
    assert len(table) == 200
    assert {"index", "prediction", "target"} <= set(table[0])
    assert isinstance(table[0]["prob_0"], float)
    assert picture._repr_png_().startswith(b"\x89PNG")
    page, net = lab.report(run, output="page.html"), lab.export(run, output="net.c")
    assert (page, net) == (Path("page.html").absolute(), Path("net.c").absolute())
    assert page.is_file()
    assert Path("net.c").is_file()
    assert "weights of" not in repr(tested)
    listed = lab.runs(command="fit")
    assert [each.folder.name for each in listed] == [run.folder.name]  # type: ignore[attr-defined] # a run
    assert "TinyModel" in repr(listed)
    assert lab.runs(by="model")[0]["n"] == 1  # type: ignore[index] # a row
    assert "wrote" not in capsys.readouterr().out


def test_what_is_shown_is_a_table_in_a_notebook(run: lab.Run) -> None:
    """With the figures as people read them."""
    accuracy = f"{100 * (run.test_acc or 0):.2f} %"
    tested, listed, answers = (each._repr_html_() for each in (run.test(), lab.runs(), lab.predict(run)))

    assert f'<th scope="row">test/acc</th><td class="number">{accuracy}</td>' in tested
    assert f">{run.folder.name}</th>" in listed
    assert f'<td class="number">{accuracy}</td>' in listed
    assert ">and 180 more rows<" in answers
    assert not hasattr(lab.explain(run, images=1), "_repr_html_")


def test_pictures_are_answered(run: lab.Run, here: Path) -> None:
    """By the file, each sign a row."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - only here

    picture = Image.new("L", (90, 120), 230)
    ImageDraw.Draw(picture).line((45, 20, 40, 100), fill=30, width=8)
    picture.save(here / "one.png")
    answers = lab.predict(run, here / "one.png")

    assert len(answers) == 1
    assert answers[0]["file"] == str(here / "one.png")
    assert lab.predict(run, picture).probs == pytest.approx(run.predict(picture).probs)
    assert len(lab.predict("last", torch.zeros(2, 28, 28, dtype=torch.uint8)).labels) == 2
    with pytest.raises(lab.LabError, match="got an empty name"):
        run.predict("")


def test_a_run_does_by_itself_what_calls_do_with_it(run: lab.Run) -> None:
    """And knows the short names that those take."""
    assert run.validate() == lab.validate(run)
    assert run.report().is_absolute()
    assert run.explain(images=1).path.is_file()
    with pytest.raises(lab.LabError, match="There are pt2, onnx"):
        run.export(format="nope")
    assert (run.config["epochs"], run.config["seed"]) == (run.config["trainer.max_epochs"], 0)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"lr": [1e-3, -1.0]}, "--model.optimizer.lr=-1.0: "),
        ({"options": {"model.hidden_dim": [8, -1]}}, "--model.hidden_dim=-1: hidden_dim"),
        ({"hidden_dim": range(8, -1, -8)}, "--model.hidden_dim=0: hidden_dim"),
        ({"lr": np.array([1e-3, -1.0])}, "--model.optimizer.lr=-1.0: "),
        (
            {"optimizer": [torch.optim.SGD, "Adan"]},
            "--model.optimizer=Adan: no optimizer is called Adan.",
        ),
        ({"betas": (0.9, 0.99)}, "there is nothing to sweep"),
        ({"lr": []}, "lr: values to be tried are wanted, got an empty list."),
    ],
)
def test_a_list_is_values_that_a_sweep_tries(here: Path, said: dict[str, Any], line: str) -> None:
    """A range and an array too, of classes as of numbers, and each value is checked; a tuple is one value."""
    with pytest.raises(lab.LabError) as error:
        lab.sweep("TinyModel", **said)

    assert str(error.value).startswith(line)
    assert not any(here.iterdir())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"hiden_dim": 3}, "hiden_dim: fit has no such option with the classes that are chosen. Did you mean hidden_"),
        ({"hidden_dim": 2.5}, "--model.hidden_dim=2.5: hidden_dim of TinyModel must be a whole number above 0"),
        ({"options": {"model.hiden_dim": 3}}, "--model.hiden_dim=3: TinyModel has no option hiden_dim. Did you mean"),
        ({"scheduler": "StepLR", "step_size": "x"}, "--model.scheduler.step_size=x: step_size of StepLR must be a"),
        (
            {"learning_rate": 0.1},
            "learning_rate: fit has no such option with the classes that are chosen. Did you mean lr?",
        ),
        ({"n_epochs": 3}, "n_epochs: fit has no such option with the classes that are chosen. Did you mean epochs?"),
        (
            {"gpu": True},
            'gpu: fit has no such option with the classes that are chosen. Did you mean devices or accelerator="gpu"?',
        ),
        ({"shuffle": True}, "shuffle: fit has no such option with the classes that are chosen. Training images are sh"),
        ({"options": ["lr"]}, 'options: a mapping is wanted, such as {"model.optimizer.lr": 1e-3}; got [\'lr\'].'),
        ({"options": {3: 4}}, 'options: each is called by its name, as in {"model.optimizer.lr": 1e-3}; got 3.'),
        ({"data": "digits.npz"}, "--data=digits.npz: a data set is wanted, not a path. Write --data=Images --data.p"),
        ({"train_size": 10**9, "data": "SyntheticDigits"}, "--data.train_size=1000000000: `train_size` must be at mos"),
        ({"print_config": True}, "print_config: what would count is printed by the command line: mnistlab fit"),
        ({"options": {"trainer.max_epochs": 2}, "epochs": 1}, ""),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, dict) else "",
)  # fmt: skip
def test_a_mistake_is_the_line_of_the_command_as_an_exception(here: Path, said: dict[str, Any], told: str) -> None:
    """Without the way that it has come, and nothing is written."""
    if not told:  # the later one counts, as on the command line
        assert small(**{**said, "epochs": 1}).epochs == 1
        return
    with pytest.raises(lab.LabError) as error:
        lab.fit("TinyModel", **said)

    assert str(error.value).startswith(told)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None
    assert error.value._render_traceback_() == [f"LabError: {error.value}"]
    assert not any(here.iterdir())


def test_a_short_name_of_several_options_is_told_with_them(here: Path) -> None:
    """Of a callback and of a schedule here."""
    del here
    with pytest.raises(lab.LabError) as error:
        lab.fit("TinyModel", {"trainer.callbacks": ["EarlyStopping"]}, scheduler="ReduceLROnPlateau", patience=3)

    assert str(error.value) == (
        "patience: is model.scheduler.patience or trainer.callbacks.patience meant? "
        "Say which: options={'model.scheduler.patience': ...}."
    )


def test_numbers_between_which_there_are_none_are_told() -> None:
    """Where they are said, before any command."""
    with pytest.raises(lab.LabError, match="`interval` needs a smaller number first, got"):
        lab.interval(1e-2, 1e-4)
    with pytest.raises(lab.LabError, match="`choice` needs values"):
        lab.choice()


def test_values_arrive_with_their_types(here: Path) -> None:
    """None, true, lists, mappings, paths, numbers and texts that look like one."""
    run = small(
        options={"run.name": "010", "trainer.gradient_clip_val": None, "model.optimizer.betas": [0.8, 0.99]},
        dir=here / "elsewhere",
        tags=["a", "1"],
        lr="1e-3",
        amsgrad=True,
    )

    written = {entry.name: entry.value for entry in run.configuration}
    assert run.folder.parent.parent == here / "elsewhere"
    assert (run.name, run.tags) == ("010", ("a", "1"))
    assert float(str(written["model.optimizer.lr"])) == 0.001
    assert written["model.optimizer.amsgrad"] == "true"


def test_nothing_that_a_call_sets_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of torch, numpy, Python's generator, warnings, signals, variables, hooks and logs; after a failure neither."""
    del here
    exec(compile(SAME_BEFORE_AND_AFTER, "same.py", "exec"), {})  # noqa: S102 - it stands here

    assert "ALL THE SAME" in capsys.readouterr().out


@pytest.mark.slow
def test_nothing_that_the_first_call_imports_leaves_a_setting(here: Path) -> None:
    """Lightning sets some as it is imported."""
    command = [sys.executable, "-c", SAME_BEFORE_AND_AFTER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=here, check=False)

    assert "ALL THE SAME" in done.stdout, done.stderr[-2000:]


def test_an_interruption_leaves_a_run_that_goes_on(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded as interrupted, and named by the exception."""
    del here
    from mnistlab.training.screen import Screen  # noqa: PLC0415 - only here

    row = Screen.row

    def interrupted(self: Screen, metrics: dict[str, float]) -> None:
        row(self, metrics)
        monkeypatch.setattr(Screen, "row", row)
        raise KeyboardInterrupt

    monkeypatch.setattr(Screen, "row", interrupted)
    with pytest.raises(lab.Interrupted, match=r"interrupted. Go on with:\n  lab.Run.of\('runs/") as error:
        small(epochs=2)
    assert error.value.folder is not None
    run = lab.Run.of(error.value.folder)

    assert run.status == "interrupted"
    gone_on = run.resume(epochs=3)
    assert (gone_on.folder, gone_on.status, gone_on.epochs) == (run.folder, "finished", 3)


def test_a_run_that_goes_on_with_other_images_says_what_its_validation_is_worth(
    run: lab.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some of them it may have learnt."""
    run.resume(epochs=2)
    assert "trained on" not in capsys.readouterr().err
    run.resume(epochs=3, train_size=500)

    assert "note: train_size is 500, and was 600: other images are held out for val" in capsys.readouterr().err


def test_before_the_first_checkpoint_there_is_nothing_to_go_on_with(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is proposed; a notebook shows the line alone."""
    del here

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mnistlab.runs.keeper.Keeper.on_train_epoch_start", interrupted, raising=False)
    with pytest.raises(lab.Interrupted) as error:
        small()

    assert str(error.value) == "interrupted. Nothing was kept to go on with."
    assert error.value._render_traceback_() == [f"Interrupted: {error.value}"]


def test_what_is_interrupted_before_a_run_is_there_names_none(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept, and that is said."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lab.SyntheticDigits, "prepare_data", interrupted)
    with pytest.raises(lab.Interrupted, match=r"^interrupted before anything was kept\.$") as error:
        small()

    assert error.value.folder is None
    assert not any(here.iterdir())


def test_a_run_is_taken_up_by_whatever_names_it(run: lab.Run) -> None:
    """Its id, `last`, its folder, itself; what names none is told, and None is not the newest one."""
    for which in ("last", run.folder.name, run.folder.name.rpartition("-")[2], run.folder, str(run.folder), run):
        assert lab.Run.of(which).folder == run.folder
    with pytest.raises(lab.LabError, match="nowhere"):
        lab.Run.of("nowhere")
    none: Any = None
    for call in (lab.Run.of, lab.test, lab.validate, lab.predict, lab.explain, lab.export, lab.report):
        with pytest.raises(lab.LabError, match=r"^a run is wanted, its id, its folder, or \"last\" .*; got None\.$"):
            call(none)


@pytest.mark.parametrize("form", ["npz", "parquet"])
def test_answers_in_a_file_are_the_command_lines(run: lab.Run, form: str) -> None:
    """Rows are what Python gets; it is told before anything is asked."""
    before = {*run.folder.parent.iterdir()}
    with pytest.raises(lab.LabError, match=f"--format={form}"):
        lab.predict(run, format=form)
    assert {*run.folder.parent.iterdir()} == before


@pytest.mark.parametrize("name", ["max_epochs", "max_steps"])
def test_a_training_of_nothing_is_refused(here: Path, name: str) -> None:
    """In a line, and nothing is kept."""
    with pytest.raises(lab.LabError) as error:
        lab.fit("TinyModel", {f"trainer.{name}": 0}, data="SyntheticDigits", **DATA)

    assert str(error.value) == f"--trainer.{name}=0: {name} must be above 0, or nothing is learnt."
    assert not (here / "runs").exists()


def test_a_time_is_given_as_python_has_it(here: Path) -> None:
    """A `timedelta`; none of it is refused as on the command line."""
    with pytest.raises(lab.LabError, match="max_time=00:00:00:00: max_time must be above 0"):
        lab.fit("TinyModel", {"trainer.max_time": timedelta(0)}, data="SyntheticDigits", **DATA)
    assert not (here / "runs").exists()

    options = {"trainer.max_time": timedelta(days=1, seconds=5400), "trainer.max_epochs": 1}
    run = lab.fit("TinyModel", options | {f"data.{name}": size for name, size in DATA.items()}, data="SyntheticDigits")

    assert run.config["trainer.max_time"] == "01:01:30:00"


@pytest.mark.usefixtures("inline")
def test_many_runs_are_called_too(here: Path) -> None:
    """A sweep, a comparison, a judgement, and folds."""
    del here
    quick: dict[str, Any] = {"data": "SyntheticDigits", "epochs": 1, "limit_train_batches": 2, **DATA}
    swept = lab.sweep("TinyModel", hidden_dim=[16, 32], **quick)
    compared = lab.compare(["TinyModel", lab.SDN8K], seeds=1, **quick)

    assert len(swept.runs) == 2
    assert swept.best in swept.runs
    assert [swept[number] for number in range(len(swept))] == list(swept.runs)
    assert repr(swept).startswith(f"2 runs in {swept.folder.relative_to(Path.cwd())}, the best trial-")
    assert [row["model"] for row in compared] == ["TinyModel", "SDN8K"]
    assert "TinyModel" in repr(compared)
    assert '<td class="number">135,562</td>' in compared._repr_html_()
    assert '<th scope="col">hidden_dim</th>' in swept._repr_html_()


@pytest.mark.usefixtures("inline")
def test_a_change_is_judged_and_folds_are_trained(here: Path) -> None:
    """The verdict is what the command says, whatever its exit code; folds are runs."""
    del here
    quick: dict[str, Any] = {
        "data": "SyntheticDigits",
        "epochs": 1,
        "limit_train_batches": 2,
        "train_size": 600,
        "test_size": 200,
    }
    full = {
        "data": "SyntheticDigits",
        "trainer.max_epochs": 1,
        "trainer.limit_train_batches": 2,
        "data.train_size": 600,
    }
    sides = {f"baseline.{name}": value for name, value in {"model": "TinyModel", "data.test_size": 200, **full}.items()}
    judged = lab.judge(options=sides, model="TinyModel", hidden_dim=16, max_pairs=1, **quick)
    folds = lab.fit("TinyModel", folds=2, **quick)

    assert (judged.verdict, judged.better) == ("undecided", False)
    assert repr(judged).startswith("not decided with --max_pairs=1: ")
    assert [run.folder.name for run in folds.runs] == ["fold-0", "fold-1"]


def test_packages_with_the_name_of_a_command_are_called_too(here: Path) -> None:
    """In either order, in a process that has imported neither."""
    ways = [
        "import mnistlab.runs.run; assert len(lab.runs()) == 0; assert lab.runs.run.Run",
        "assert len(lab.runs()) == 0; import mnistlab.runs.run; assert len(lab.runs()) == 0; assert lab.runs.run.Run",
        "from mnistlab import export; import mnistlab.export; assert callable(export) and callable(lab.export)",
    ]
    for way in ways:
        command = [sys.executable, "-c", f"import mnistlab as lab; {way}"]
        subprocess.run(command, check=True, timeout=60, cwd=here)


def test_the_package_is_imported_in_a_moment() -> None:
    """Without torch; 50 ms, here the best of five."""
    script = "import time; begun = time.perf_counter(); import mnistlab; print(time.perf_counter() - begun)"
    times = [
        float(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout) for _ in range(5)
    ]

    assert min(times) < 0.05
