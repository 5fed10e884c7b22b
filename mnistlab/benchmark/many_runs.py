"""Ten thousand runs: how long a list of some of them takes, and a board of all."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from mnistlab.benchmark import peak
from mnistlab.benchmark.builds import Build
from mnistlab.benchmark.figures import Figure, Mark, Result
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.probes import said
from mnistlab.runs.folder import CONFIG, RECORD
from mnistlab.runs.index import INDEX
from mnistlab.runs.run import Run

_MANY, _CLASS, _QUICK = 10_000, 300, 400
_PEOPLE = 30
_SEED = 2026
_SETTLED_S = 2.5  # until what was written counts as written long ago
_COLD, _WARM, _PEAK_MIB = Mark(1.5), Mark(0.3), Mark(150)
_BOARD_OF_CLASS, _BOARD_OF_MANY = Mark(0.5), Mark(3)
_LIKE = ("fit", "--model=SDN8K", "--data=SyntheticDigits", "--data.train_size=600", "--data.val_size=100")
_MOMENT = ("--data.test_size=100", "--trainer.max_epochs=3")
_FILTER = ("runs", "--where=model.optimizer.lr>0.0095 and user=user3")


def many_runs(ground: Ground) -> Iterator[Result]:
    """Commands over folders of runs, each made of one that was trained, with values of its own."""
    build = ground.builds[0]
    many, rounds = (_QUICK, 2) if ground.quick else (_MANY, 5)
    with TemporaryDirectory(prefix="mnistlab-bench-") as folder:
        like = Path(folder) / "like"
        build.run(*_LIKE, *_MOMENT, f"--run.dir={like}")
        run = next(run for path in sorted(like.glob("*/*")) if (run := Run.find(path)))
        roots = {number: Path(folder) / f"{number}" for number in (many, min(_CLASS, many - 1))}
        for number, root in roots.items():
            _make(root, run, number)
        time.sleep(_SETTLED_S)
        asked = _Asked(build, roots[many], rounds, judged=not ground.quick)
        yield asked.seconds(f"runs with a filter, {many:,} runs, without an index", _FILTER, _COLD, anew=True)
        yield asked.seconds(f"runs with a filter, {many:,} runs", _FILTER, _WARM)
        yield asked.seconds(f"runs, {many:,} runs, 20 shown", ("runs", "--limit=20"))
        yield asked.memory(f"most memory of runs with a filter, {many:,} runs, without an index", _FILTER)
        for number, root in reversed(roots.items()):
            mark = _BOARD_OF_CLASS if number == _CLASS else _BOARD_OF_MANY
            board = ("board", f"--output={folder}/board.html")
            yield _Asked(build, root, rounds, asked.judged).seconds(f"board, {number:,} runs", board, mark)


@dataclass(frozen=True)
class _Asked:
    """Commands over a folder of runs."""

    build: Build
    root: Path
    rounds: int  # how often each is timed
    judged: bool  # whether there are as many as the marks are for

    def seconds(self, name: str, command: tuple[str, ...], mark: Mark | None = None, *, anew: bool = False) -> Result:
        """How long a command takes, with all that it begins with; `anew` without what was kept before."""
        values = []
        for _ in range(self.rounds):
            if anew:
                (self.root / INDEX).unlink(missing_ok=True)
            values.append(self.build.run(*command, f"--run.dir={self.root}").seconds)
        figure = Figure(values)
        return Result(name, figure.median, "s", f"{figure}, n = {len(values)}", self._mark(mark), {"seconds": figure})

    def memory(self, name: str, command: tuple[str, ...]) -> Result:
        """How much memory a command has at most that begins without an index."""
        (self.root / INDEX).unlink(missing_ok=True)
        done = self.build.python(peak.__file__, "mnistlab", *command, f"--run.dir={self.root}")
        (most,) = said(done.output)
        return Result(name, most, "MiB", f"{most:.0f} MiB", self._mark(_PEAK_MIB), {"most": Figure([most], "MiB")})

    def _mark(self, mark: Mark | None) -> Mark | None:
        return mark if self.judged else None


def _make(root: Path, like: Run, number: int) -> None:
    """Runs as a class makes them: the same net with other rates, widths and seeds, by several people."""
    draw = random.Random(_SEED)  # noqa: S311 - no secret
    begin, text = datetime.fromisoformat(like.started), like.read_configuration()
    rate = f"lr: {like.options['model.optimizer.lr']}"
    record = like.record
    for each in range(number):
        started = (begin + timedelta(seconds=each)).isoformat()
        best = {**like.part("metrics", "best"), "val/acc": round(draw.random(), 4)}
        own = {"user": f"user{each % _PEOPLE}", "started": started, "ended": started, "seed": each}
        metrics = {**like.part("metrics"), "best": best}
        folder = root / like.text("model") / f"{begin + timedelta(seconds=each):%Y%m%dT%H%M%SZ}-{each:06x}"
        folder.mkdir(parents=True)
        content = json.dumps({**record, **own, "metrics": metrics}, indent=2)
        (folder / RECORD).write_text(content, encoding="utf-8")
        chosen = text.replace(rate, f"lr: {draw.uniform(1e-4, 1e-2):.6f}")
        chosen = chosen.replace("seed_everything: 0", f"seed_everything: {each}")
        (folder / CONFIG).write_text(chosen, encoding="utf-8")
