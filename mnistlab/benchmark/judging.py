"""How often a judgement is wrong where nothing has changed, and how many pairs it takes where something has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.benchmark.figures import Figure, Found, Mark, Result, Series
from mnistlab.benchmark.peers import Ground
from mnistlab.runs.run import Run
from mnistlab.runs.statistics import ERROR
from mnistlab.sweeps.apart import tell_apart
from mnistlab.sweeps.judgement import Judgement, Verdict, judge_pairs

_PAIRS = 20  # as many as `mnistlab judge` trains at most
_COURSES, _PLANTED = 5_000, 1_000  # simulated judgements of each kind
_RUNS, _REAL = 400, 200  # real runs, and the judgements that are drawn of them
_TABLE = (4, 3)  # models in a comparison, and seeds of each
_SEED = 2026
_MOST = Mark(100 * ERROR)
_EFFECTS = (1, 2, 3)  # in standard deviations of a difference
_TRAINED = ("--model=SDN8K", "--trainer.max_epochs=1", "--trainer.limit_train_batches=20", "--run.test=false")

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Values]

_KINDS: Mapping[str, Draw] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "of two exponentials": lambda rng, size: rng.exponential(size=size) - rng.exponential(size=size),
    "t with 3 degrees of freedom": lambda rng, size: rng.standard_t(3, size=size),
    "whole images, deviation of one": lambda rng, size: rng.normal(size=size).round(),
    "one image more or less": lambda rng, size: rng.choice([-1.0, 1.0], size=size),
    "skewed, exponential less its mean": lambda rng, size: rng.exponential(size=size) - 1,
}
"""Differences with a mean of 0; all but the last are as likely one way as the other, as where nothing has changed."""

_RULES: Mapping[str, Callable[[Values, Values], Any]] = {
    "one run each": lambda a, b: a[:, 0] > b[:, 0],
    "better with each of two seeds": lambda a, b: (a > b)[:, :2].all(axis=1),
    "both of two runs better than both": lambda a, b: a[:, :2].min(axis=1) > b[:, :2].max(axis=1),
    "bootstrap of three seeds": lambda a, b: (a > b)[:, :3].all(axis=1),  # 1 of 27 draws has the least one only
}
"""How others decide that a change is better."""


def judging(ground: Ground) -> Iterator[Found]:
    """Simulated differences, and those of real runs."""
    share = 10 if ground.quick else 1
    rng = np.random.default_rng(_SEED)
    for kind, draw in _KINDS.items():
        judged = list(map(judge_pairs, draw(rng, (_COURSES // share, _PAIRS)).tolist()))
        symmetric = not kind.startswith("skewed")
        yield _wrong(f"simulated judgements of no difference, {kind}", judged, _MOST if symmetric else None)
    yield _others(rng, _COURSES // share)
    yield _tables(np.random.default_rng(_SEED), _COURSES // share)
    yield _found("normal differences", lambda size: rng.normal(size=size), _PLANTED // share)
    with TemporaryDirectory(prefix="mnistlab-bench-") as folder:
        values = _trained(ground, Path(folder), _RUNS // share)
    pool = np.array(values)

    def differ(size: tuple[int, int]) -> Values:
        runs: Values = np.stack([rng.permutation(pool)[: 2 * size[1]] for _ in range(size[0])])
        return runs[:, ::2] - runs[:, 1::2]

    pairs = min(_PAIRS, len(pool) // 2)
    judged = list(map(judge_pairs, differ((_REAL, pairs)).tolist()))
    yield _wrong(f"judgements of no difference, pairs drawn of {len(pool)} runs", judged, _MOST)
    spread = float(pool.std() * np.sqrt(2))
    yield _found(f"those runs, of a deviation of {100 * spread:.2g} points", lambda size: differ(size) / spread, _REAL)


def _wrong(name: str, judged: Sequence[Judgement], mark: Mark | None) -> Result:
    number = {verdict: sum(each.verdict is verdict for each in judged) for verdict in Verdict}
    wrong = number[Verdict.BETTER] + number[Verdict.WORSE]
    how = f"{wrong} of {len(judged):,} wrong, {number[Verdict.BETTER]} better and {number[Verdict.WORSE]} worse"
    return Result(name, 100 * wrong / len(judged), "%", how, mark)


def _others(rng: np.random.Generator, courses: int) -> Result:
    """What other rules call better where nothing has changed."""
    a, b = rng.normal(size=(2, courses, 3))
    shares = {name: Figure([100 * float(rule(a, b).mean())], "%") for name, rule in _RULES.items()}
    how = ", ".join(f"{name} {figure}" for name, figure in shares.items())
    worst = max(figure.median for figure in shares.values())
    return Result(
        f"called better where nothing has changed, by other rules, {courses:,} times", worst, "%", how, None, shares
    )


def _tables(rng: np.random.Generator, number: int) -> Result:
    """In how many comparisons of models that are alike two of them are told apart."""
    models, seeds = _TABLE
    drawn = rng.normal(size=(number, models, seeds)) + rng.normal(size=(number, 1, seeds))
    found = [tell_apart([dict(enumerate(row)) for row in each]) for each in drawn.tolist()]
    wrong = sum(any(gap.told for gap in each.gaps.values()) for each in found)
    single = sum(gap.found.p_value < ERROR for each in found for gap in each.gaps.values())
    pairs = sum(len(each.gaps) for each in found)
    how = f"{wrong} of {number:,} wrong; without a correction {100 * single / pairs:.2g} % of the pairs"
    name = f"comparisons of {models} models that are alike with {seeds} seeds, of which two are told apart"
    return Result(name, 100 * wrong / number, "%", how)


def _found(name: str, draw: Callable[[tuple[int, int]], Values], courses: int) -> Series:
    """In how many pairs an effect is found."""
    rows = []
    for effect in _EFFECTS:
        judged = list(map(judge_pairs, (draw((courses, _PAIRS)) + effect).tolist()))
        took = np.sort([len(each.gains) if each.verdict is Verdict.BETTER else np.inf for each in judged])
        found = 100 * float(np.isfinite(took).mean())
        rows.append([effect, float(took[len(took) // 2]), float(took[int(0.9 * len(took))]), found])
    head = ("effect, deviations", "pairs, median", "90 % by", f"found in {_PAIRS}, %")
    return Series(f"an effect found, {name}, {courses:,} judgements each", head, rows)


def _trained(ground: Ground, folder: Path, number: int) -> list[float]:
    """The validation accuracy of a small net with many seeds."""
    ground.builds[0].run("sweep", *ground.data, *_TRAINED, f"--seeds={number}", f"--run.dir={folder}")
    found = [run.val_acc for run in map(Run.of, folder.glob("*/*-seed-*"))]
    return [value for value in found if value is not None]
