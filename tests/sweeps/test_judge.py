"""`mnistlab judge`, from its arguments to its verdict."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from forked import Popen
from pages import Page

from mnistlab.cli import main
from mnistlab.runs.record import environment
from mnistlab.sweeps.judgement import Verdict, judge_pairs

BASELINE = ("--baseline.model=SDN8K", "--baseline.trainer.max_epochs=1", "--baseline.data.batch_size=16")
NOTHING = "--trainer.log_every_n_steps=7"
"""A change that changes no bit."""

Judge = Callable[..., dict[str, Any]]


@pytest.fixture
def arguments(small_data: tuple[str, ...]) -> tuple[str, ...]:
    """A baseline that is trained in a moment."""
    return (*(word.replace("--data", "--baseline.data") for word in small_data), *BASELINE)


@pytest.fixture
def judge(here: Path, arguments: tuple[str, ...], inline: None, capsys: pytest.CaptureFixture[str]) -> Judge:
    """What a judgement comes to."""
    del here, inline

    def run(*change: str, code: int) -> dict[str, Any]:
        own = any(word.startswith("--baseline=") for word in change)
        assert main(["judge", *(() if own else arguments), *change, "--json"]) == code, capsys.readouterr().err
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def figure(folder: str) -> float:
    """The best validation accuracy of a run."""
    best: float = json.loads((Path(folder) / "run.json").read_text())["metrics"]["best"]["val/acc"]
    return best


def test_a_change_that_is_better_is_found(judge: Judge) -> None:
    """Both sides are trained with the same seeds, and the figures are those of their runs."""
    found = judge("--baseline.model.optimizer.lr=0", "--model.optimizer.lr=0.02", "--max_pairs=8", code=0)

    assert found["verdict"] == "better"
    assert 0 < found["low"] < found["gain"] < found["high"]
    assert found["seeds"] == list(range(found["pairs"]))
    for (baseline, change), gain in zip(found["runs"], found["gains"], strict=True):
        assert gain == pytest.approx(100 * (figure(change) - figure(baseline)))
        seeds = {json.loads((Path(each) / "run.json").read_text())["seed"] for each in (baseline, change)}
        assert len(seeds) == 1


def test_the_same_change_the_other_way_round_is_worse(
    judge: Judge, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """By as much, without a sign; and the test images are left alone."""
    change = ("--baseline.model.optimizer.lr=0.02", "--model.optimizer.lr=0", "--max_pairs=8")
    found = judge(*change, code=3)

    assert found["verdict"] == "worse"
    assert main(["judge", *arguments, *change]) == 3
    last = capsys.readouterr().out.splitlines()[-1]
    said = f"worse by {-found['gain']:.2f} [{-found['high']:.2f} to {-found['low']:.2f}] points of val/acc"
    assert last == f"{said}, {found['pairs']} pairs, wrong verdicts at most 5 %"
    assert "test" not in json.loads((Path(found["runs"][0][1]) / "run.json").read_text())["metrics"]


def test_a_change_that_changes_nothing_is_no_difference(judge: Judge) -> None:
    """It is not better, and that is known after six pairs."""
    found = judge(NOTHING, "--max_pairs=7", code=3)

    assert (found["verdict"], found["gains"]) == ("no difference", [0.0] * 6)


def test_a_report_shows_the_pairs_and_how_the_interval_narrowed(judge: Judge, report: Callable[..., Page]) -> None:
    """One page, with the figures of the verdict and the method of its intervals."""
    found = judge("--baseline.model.optimizer.lr=0", "--model.optimizer.lr=0.02", "--max_pairs=8", code=0)
    page = report(str(Path(found["runs"][0][0]).parent))

    assert found["in_words"].startswith(f"better by {found['gain']:.2f} [{found['low']:.2f} to {found['high']:.2f}]")
    assert all(text in page.text for text in (found["in_words"], found["method"], "--model.optimizer.lr=0.02"))
    assert page.source.count("<tr>") == found["pairs"] + 1
    assert f"{found['low']:.2f} to {found['high']:.2f}" in page.text
    assert found["sides"]["change"] == "model.optimizer.lr=0.02"
    assert all(text in page.text for text in ("Baseline: model.optimizer.lr=0", "Change: model.optimizer.lr=0.02"))
    assert "gain, points of val/acc" in page.source
    assert not page.all("script")


def test_a_judgement_that_cannot_be_read_is_reported_as_its_runs(
    judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word says why; anyone may have written it."""
    found = judge(NOTHING, "--max_pairs=1", code=4)
    folder = Path(found["runs"][0][0]).parent
    for text, said in (("{", "cannot be read"), ('{"gains": [1]}', "is no judgement: it.in_words is missing.")):
        (folder / "judgement.json").write_text(text)
        assert main(["report", str(folder)]) == 0
        assert said in capsys.readouterr().err
        assert "2 finished" in (folder / "report.html").read_text()


def test_few_pairs_decide_nothing(judge: Judge, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """However far apart they are; with more of them it goes on, and trains nothing again."""
    change = ("--baseline.model.optimizer.lr=0", "--model.optimizer.lr=0.02")
    found = judge(*change, "--max_pairs=3", code=4)
    before = {path: path.read_text() for path in Path("runs").glob("*/*/run.json")}
    more = judge(*change, "--max_pairs=4", code=4)

    assert (found["verdict"], found["low"], found["pairs"]) == ("undecided", None, 3)
    assert found["more_pairs"]
    assert more["gains"][:3] == found["gains"]
    assert all(path.read_text() == text for path, text in before.items())
    assert len(before) == 6
    assert main(["judge", *arguments, *change, "--max_pairs=4"]) == 4
    assert re.search(
        r"not decided with --max_pairs=4: .* 4 pairs; about \d+ more would decide", capsys.readouterr().out
    )


def test_less_is_better_where_it_is(judge: Judge) -> None:
    """A loss that falls is a gain; so are seconds, of which no verdict is foreseen here."""
    by_loss = judge(
        "--baseline.model.optimizer.lr=0", "--model.optimizer.lr=0.02", "--max_pairs=8", "--metric=val/loss", code=0
    )
    assert by_loss["verdict"] == "better"
    assert by_loss["change"][0] < by_loss["baseline"][0]

    by_time = judge("--data.batch_size=8", "--metric=seconds", "--max_pairs=2", code=4)
    assert by_time["unit"] == "s"
    assert by_time["gains"] == [a - b for a, b in zip(by_time["baseline"], by_time["change"], strict=True)]


def test_a_run_is_a_baseline_and_is_not_trained_again(
    judge: Judge, trained: Callable[..., Path], change: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its configuration counts with its seed, and it is the first run of its side, where the commit is the same."""
    monkeypatch.setattr("mnistlab.sweeps.judge.environment", lambda: {**environment(), "git": None})
    folder = trained("--seed_everything=3")
    change(folder, git=None)
    found = judge("--baseline=last", NOTHING, "--max_pairs=2", code=4)

    assert found["seeds"] == [3, 4]
    assert found["runs"][0][0] == str(folder.relative_to(Path.cwd()))
    assert not list(Path("runs").glob("judge-*/baseline-seed-3"))
    assert found["gains"] == [0.0, 0.0]


def test_a_run_of_another_commit_is_trained_again(
    judge: Judge, trained: Callable[..., Path], change: Callable[..., None]
) -> None:
    """As one of another configuration is."""
    change(trained(), git={"commit": "0" * 40, "changed": False})

    found = judge("--baseline=last", NOTHING, "--max_pairs=1", code=4)

    assert found["runs"][0][0].endswith("baseline-seed-0")


def test_a_preset_is_a_baseline(judge: Judge, here: Path) -> None:
    """What stands beside it counts for both."""
    (here / "mine.yaml").write_text("model: {class_path: CNN8K, init_args: {dropout: 0.5}}\ndata: SyntheticDigits\n")
    beside = ("--baseline.data.train_size=600", "--baseline.trainer.max_epochs=1")
    found = judge("--baseline=mine.yaml", *beside, "--model.dropout=0.1", "--max_pairs=1", code=4)

    configured = [(Path(each) / "config.yaml").read_text() for each in found["runs"][0]]
    assert ["dropout: 0.5" in text for text in configured] == [True, False]
    assert all("train_size: 600" in text for text in configured)


@pytest.mark.parametrize(
    ("change", "said", "note"),
    [
        (
            ("--model.dropout=0.1", "--data.train_size=900"),
            ("mine.yaml (model.dropout=0.5, data.train_size=600)", "model.dropout=0.1, data.train_size=900"),
            "on other data (data.train_size=900). For both sides: --baseline.data.train_size=900",
        ),
        (
            ("--model.dropout=0.1", "--trainer.max_epochs=2"),
            ("mine.yaml (trainer.max_epochs=1, model.dropout=0.5)", "trainer.max_epochs=2, model.dropout=0.1"),
            "for another time (trainer.max_epochs=2). For both sides: --baseline.trainer.max_epochs=2",
        ),
        (
            ("--model.dropout=0.1", "--data.batch_size=64"),
            ("mine.yaml (model.dropout=0.5, data.batch_size=128)", "model.dropout=0.1, data.batch_size=64"),
            "",
        ),
        (
            ("--model.dropout=0.1", "--data.label_noise=0.1"),
            ("mine.yaml (model.dropout=0.5, data.label_noise=0.0)", "model.dropout=0.1, data.label_noise=0.1"),
            "on other data (data.label_noise=0.1). For both sides: --baseline.data.label_noise=0.1",
        ),
        (
            ("--data.train_size=900",),
            ("mine.yaml (data.train_size=600)", "data.train_size=900"),
            "",
        ),
    ],
    ids=["images", "length", "neither", "labels", "nothing else"],
)
def test_what_is_compared_is_said(
    here: Path,
    inline: None,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, ...],
    said: tuple[str, str],
    note: str,
) -> None:
    """Before anything is trained; a note that more than the net differs stands at the end too."""
    del inline
    (here / "mine.yaml").write_text("model: {class_path: CNN8K, init_args: {dropout: 0.5}}\ndata: SyntheticDigits\n")
    beside = ("--baseline.data.train_size=600", "--baseline.trainer.max_epochs=1", "--budget=0.01s")
    assert main(["judge", "--baseline=mine.yaml", *beside, *change]) == 4
    lines = capsys.readouterr().out.splitlines()

    assert lines[1:3] == [f"baseline  {said[0]}", f"change    {said[1]}"]
    assert [line for line in lines if line.startswith("note: ")] == [
        f"note: the change alone trains {note}"
    ] * 2 * bool(note)


def test_no_pair_begins_that_would_not_end_in_time(
    here: Path, arguments: tuple[str, ...], inline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """None at all, where the time is over before."""
    del inline
    assert main(["judge", *arguments, NOTHING, "--budget=0.01s"]) == 4
    assert "not decided in 0 s: no pair has ended" in capsys.readouterr().out
    assert not list(here.glob("runs/*/*/run.json"))


def test_a_side_that_fails_is_told(
    here: Path, arguments: tuple[str, ...], inline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the seed; nothing is decided then."""
    del here, inline
    assert main(["judge", *arguments, "--model.optimizer=SGD", "--model.optimizer.lr=1e30", "--max_pairs=1"]) == 1
    assert "change failed with seed 0: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model.dropout=0.3"], "--baseline is missing"),
        (
            ["--baseline=QuickTets", "--model.dropout=0.3"],
            "neither such a preset nor such a run. Did you mean QuickTest?",
        ),
        (["--baseline=QuickTest"], "there is nothing to judge"),
        (["--baseline=QuickTest", "--run.name=x"], "there is nothing to judge"),
        (["--baseline=QuickTest", "--model.dropuot=0.3"], "Did you mean"),
        (["--baseline=QuickTest", "--model.dropout=choice:0.1,0.2"], "judge trains both with one value"),
        (["--baseline=QuickTest", "--model.dropout=0.3", "--effect=x"], "--effect=x: a number"),
        (["--baseline=QuickTest", "--model.dropout=0.3", "--budget=soon"], "--budget=soon: a time"),
        (["--baseline=QuickTest", "--model.dropout=0.3", "--metric=test/acc"], "The test images are for the end."),
        (["--baseline=QuickTest", "--model.dropout=0.3", "--baseline.data.val_size=0"], "there are none"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    here: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is written."""
    assert main(["judge", *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(here.iterdir())


@pytest.mark.slow
def test_it_ends_with_its_verdict(
    here: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far before the most pairs; what was begun beyond is gone, and the same command says the same at once."""
    monkeypatch.setattr(subprocess, "Popen", Popen)  # workers begin at once
    sides = ["--baseline.model.optimizer.lr=0", "--model.optimizer.lr=0.02"]
    command = ["judge", *arguments, *sides, "--max_pairs=100", "--json"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    records = list(here.glob("runs/*/*/run.json"))

    assert found["pairs"] < 15
    assert len(records) < 200
    assert all(json.loads(path.read_text())["status"] == "finished" for path in records)
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_verdicts_follow_from_the_first_pairs_that_decide() -> None:
    """Later ones change nothing; an effect that is too small counts as none."""
    clear = [1.0, 1.1, 0.9, 1.0, 1.05, 0.95]
    first = judge_pairs(clear)
    assert first.verdict is Verdict.BETTER
    assert judge_pairs([*clear, -50.0]).gains == first.gains
    assert judge_pairs([-each for each in clear]).verdict is Verdict.WORSE
    small = [0.01, -0.012, 0.004, -0.007, 0.002, 0.001, -0.003]
    assert judge_pairs(small).verdict is Verdict.UNDECIDED
    assert judge_pairs(small, 0.05).verdict is Verdict.NO_DIFFERENCE
    assert judge_pairs([]).verdict is Verdict.UNDECIDED


def test_verdicts_are_seldom_wrong_and_soon_there() -> None:
    """Of courses without a difference at most 5 % are decided; two deviations are found in nine pairs, mostly."""
    rng = Random(0)  # noqa: S311 - no secret
    null = [judge_pairs([rng.gauss(0, 1) for _ in range(20)]).verdict for _ in range(400)]
    planted = [judge_pairs([rng.gauss(2, 1) for _ in range(9)]).verdict for _ in range(200)]

    assert sum(each is not Verdict.UNDECIDED for each in null) <= 0.05 * len(null)
    assert sum(each is Verdict.BETTER for each in planted) >= 0.8 * len(planted)
