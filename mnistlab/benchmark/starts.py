"""How long commands take, over an import that templates cannot do without."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mnistlab.benchmark.builds import Build
from mnistlab.benchmark.figures import Figure, Mark, Result, ratio
from mnistlab.benchmark.loads import Load
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.probes import FirstStep, option, said

IMPORT = ("-c", "import lightning.pytorch.cli")

LIGHT = {
    "--version": ("--version",),
    "--help": ("--help",),
    "fit --help": ("fit", "--help"),
    "models": ("models",),
    "TAB": ("completion", "--complete", "bash", "mnistlab fit --model=S", ""),
}
"""The commands that only show something."""

MISTAKES = (
    ("fit", "--model.hiden_dim=3"),
    ("fit", "--model=SmalModel"),
    ("fit", "--model.dropout=1.5"),
    ("fit", "--model.init_from=none.ckpt"),
    ("fit", "--data.batch_size=many"),
    ("fit", "--trainer.max_epoch=3"),
    ("fit", "--config=Nonsense"),
    ("predict", "--untrained", "--data=MNST"),
    ("test", "--ckpt_path=none.ckpt"),
    ("explain",),
    ("sweep", "--model.hiden_dim=choice:64,128"),
    ("sweep", "--metric=val/x", "--seeds=2"),
    ("compare", "--models=SDN8,CNN8K"),
    ("fit", "--model.losses.digit=FocalLos"),
)
"""Commands that are refused: an option or a class misspelt, a value out of range, a file or a checkpoint missing."""

_TRAINED = "*/*/checkpoints"

Seconds = Callable[[Build, Sequence[str]], float]
"""Times a command of a build once, with the options of the data."""


class Start(NamedTuple):
    """A command, or several of a kind, that are timed."""

    mark: Mark  # over the import
    ways: Sequence[Seconds]  # how each is timed
    quick: bool = True  # whether also where there is little time


def _command(*arguments: str, code: int = 0) -> Seconds:
    return lambda build, _: build.run(*arguments, code=code).seconds


def _of_small_net(*arguments: str) -> Seconds:
    """A command over the runs of a small net."""
    return lambda build, data: build.run(*arguments, f"--run.dir={_small_net(build, data)}").seconds


def _diff(build: Build, data: Sequence[str]) -> float:
    first, second = (str(each.parent) for each in _small_net(build, data, runs=2).glob(_TRAINED))
    return build.run("runs", "diff", first, second).seconds


def _report(build: Build, data: Sequence[str]) -> float:
    return _of_small_net("report", "last", f"--output={build.scratch / 'report.html'}")(build, data)


def first_step(build: Build, data: Sequence[str]) -> float:
    """Seconds from the start of `fit` to the end of its first step."""
    options = ["--model=SDN68K", "--trainer.max_steps=3", "--run.test=false", option(FirstStep)]
    with TemporaryDirectory(dir=build.scratch) as folder:
        run = build.run("fit", *data, *options, f"--run.dir={folder}")
    return said(run.output)[0] - run.begun


def _record(build: Build, data: Sequence[str]) -> float:
    with TemporaryDirectory(dir=build.scratch) as folder:
        return build.run("fit", *data, "--config=Quick99", "--run.test=true", f"--run.dir={folder}").seconds


def _small_net(build: Build, data: Sequence[str], runs: int = 1) -> Path:
    """The folder with trained runs of a small net, which are trained when they are first wanted."""
    folder = build.scratch / "small"
    for _ in range(len(list(folder.glob(_TRAINED))), runs):
        build.run(*Load("SDN8K", 50, epochs=1).fit(data, folder))
    return folder


TEST, SHOW, FIRST_STEP, MISTAKE = "test of a small net", "runs show", "fit to its first step", "a mistake in a command"

_LONG = (TEST, FIRST_STEP)
_LIGHT, _MEASURED, _KEPT = Mark(0.25, 0.05), Mark(0.65, 0.5), Mark(0.4, 0.25)

STARTS = {
    **{"TAB after --model=S" if name == "TAB" else name: Start(_LIGHT, [_command(*LIGHT[name])]) for name in LIGHT},
    MISTAKE: Start(Mark(0.06, 0.04), [_command(*arguments, code=2) for arguments in MISTAKES]),
    TEST: Start(_MEASURED, [_of_small_net("test", "--ckpt_path=last")]),
    **{
        f"{name} of a small net": Start(_MEASURED, [_of_small_net(name, "--ckpt_path=last")], quick=False)
        for name in ("validate", "predict", "explain")
    },
    SHOW: Start(_KEPT, [_of_small_net("runs", "show", "last")]),
    "runs diff": Start(_KEPT, [_diff]),
    "report": Start(_KEPT, [_report], quick=False),
    FIRST_STEP: Start(Mark(0.85, 0.7), [first_step]),
    "fit --config=Quick99 with its test": Start(Mark(2.2, 1.8), [_record], quick=False),
}
"""What is timed, by name."""


def starts(ground: Ground) -> Iterator[Result]:
    """Seconds of whole commands, and to the first training step; each in its turn beside the import."""
    build, data = ground.builds[0], ground.data
    wanted = {name: start for name, start in STARTS.items() if start.quick or not ground.quick}
    took: dict[str, list[float]] = {name: [] for name in wanted}
    imports: dict[str, list[float]] = {name: [] for name in wanted}
    for number in range(2 if ground.quick else 3):
        imported = build.python(*IMPORT).seconds
        for name, start in wanted.items():
            if number:
                took[name] += [way(build, data) for way in start.ways]
                imports[name] += [imported] * len(start.ways)
            elif name not in _LONG or not ground.quick:  # the first round fills the caches; so does a trained net
                start.ways[0](build, data)
    for name, start in wanted.items():
        over, under = (name, Figure(took[name])), (IMPORT[1], Figure(imports[name]))
        yield ratio("start", over, under, start.mark, paired=True)
