"""What a sweep, its report and the lab from Python say of its best runs comes from one place."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mnistlab.runs.ranking import Ranking
from mnistlab.runs.run import Run

HEAD = "epoch,val/acc,val/loss\n"


def _sweep(folder: Path, metric: str, figures: Mapping[str, Sequence[Sequence[float]]], **said: Any) -> list[Run]:
    """A sweep with runs of two epochs; each says its validation losses, and then its accuracies."""
    seeds = max(map(len, figures.values()))
    plan = {"kind": "sweep", "metric": metric, "described": None, "seeds": [*range(seeds)], "folds": 0, **said}
    folder.joinpath("sweep.json").write_text(json.dumps(plan))
    runs = []
    for trial, seeded in figures.items():
        for seed, (*losses, first, last) in enumerate(seeded):
            run = folder / f"{trial}-seed-{seed}"
            run.mkdir()
            rows = [
                f"{epoch},{acc},{loss}" for epoch, (acc, loss) in enumerate(zip((first, last), losses, strict=True))
            ]
            (run / "metrics.csv").write_text(HEAD + "\n".join(rows) + "\n")
            at = first < last
            best = {"val/acc": max(first, last), "val/loss": losses[at]}
            record = {"status": "finished", "trial": trial, "metrics": {"best": best, "test": {"test/acc": 1 - first}}}
            (run / "run.json").write_text(json.dumps(record))
            runs.append(Run.of(run))
    return runs


def _change(run: Run, **fields: object) -> Run:
    (run.folder / "run.json").write_text(json.dumps({**run.record, **fields}))
    return Run.of(run.folder)


def test_choices_are_ranked_by_their_means(tmp_path: Path) -> None:
    """Not by their best run; the run that is shown is the best one of the best choice."""
    runs = _sweep(tmp_path, "val/acc", {"a": [(1, 1, 0.1, 0.99), (1, 1, 0.1, 0.5)], "b": [(1, 1, 0.1, 0.8)] * 2})
    ranking = Ranking.of(tmp_path)

    assert [choice.mean for choice in ranking.choices(runs)] == [0.8, pytest.approx(0.745)]
    assert ranking.best(runs) is runs[2]


def test_the_best_loss_of_the_epochs_counts(tmp_path: Path) -> None:
    """It need not be that of the epoch with the best accuracy, which the record tells of."""
    runs = _sweep(tmp_path, "val/loss", {"a": [(0.2, 0.9, 0.5, 0.6)], "b": [(0.5, 0.4, 0.5, 0.9)]})
    ranking = Ranking.of(tmp_path)

    assert [choice.mean for choice in ranking.choices(runs)] == [0.2, 0.4]
    assert ranking.best(runs) is runs[0]


def test_a_choice_that_lacks_a_seed_comes_after_the_others(tmp_path: Path) -> None:
    """Whether a run has failed, or was never begun; a comparison shows its models with what they have."""
    figures = {"a": [(1, 1, 0.1, 0.9)] * 3, "b": [(1, 1, 0.1, 0.8)] * 2, "c": [(1, 1, 0.1, 0.5)] * 3}
    runs = _sweep(tmp_path, "val/acc", figures)
    runs[0] = _change(runs[0], status="diverged")

    def order() -> list[str]:
        return [choice.runs[0].text("trial") for choice in Ranking.of(tmp_path).choices(runs)]

    assert order() == ["c", "a", "b"]
    (tmp_path / "sweep.json").write_text(json.dumps({"kind": "compare", "metric": "val/acc", "seeds": [0, 1, 2]}))
    assert order() == ["a", "b", "c"]


def test_models_are_ranked_by_their_tests_and_the_run_by_validation(tmp_path: Path) -> None:
    """So that the report of a comparison has its order, and nobody picks the luckiest test."""
    runs = _sweep(
        tmp_path, "test/acc", {"a": [(1, 1, 0.5, 0.9)], "b": [(1, 1, 0.1, 0.6), (1, 1, 0.2, 0.8)]}, kind="compare"
    )

    assert Ranking.of(tmp_path).best(runs) is runs[2]


def test_where_nothing_was_measured_none_is_the_best(tmp_path: Path) -> None:
    """A figure that is no number is none; it ranks last."""
    runs = _sweep(tmp_path, "val/loss", {"a": [(float("nan"), float("nan"), 0.1, 0.9)], "b": [(3, 2, 0.1, 0.2)]})
    ranking = Ranking.of(tmp_path)

    assert [choice.mean for choice in ranking.choices(runs)] == [2, None]
    assert ranking.best(runs) is runs[1]
    assert ranking.best(runs[:1]) is None
