"""How long commands take to start, over the imports that they cannot do without."""

from collections.abc import Iterator
from pathlib import Path

from mnistlab.benchmark.figures import Figure, Mark, Result, ratio
from mnistlab.benchmark.fitting import Setting
from mnistlab.benchmark.probes import FirstStep, said
from mnistlab.benchmark.processes import PROGRAM, ended, importing

_LIGHT = Mark(0.25, 0.05)
_FIRST_STEP = Mark(1.15, 1.05)
_TORCH, _CLI = "import lightning.pytorch", "import lightning.pytorch.cli"

LIGHT = {
    "--version": ("--version",),
    "--help": ("--help",),
    "fit --help": ("fit", "--help"),
    "models": ("models",),
    "TAB": ("completion", "--complete", "bash", "mnistlab fit --model=S", ""),
}
"""The commands that only show something."""


def starts(setting: Setting, rounds: int, folder: Path) -> Iterator[Result]:
    """Seconds of whole commands, and to the first training step; each in its turn.

    Args:
        setting: The data set.
        rounds: How often; once more before, which does not count, all but the mere imports fill the disk's cache.
        folder: Where the runs may lie.

    Raises:
        RunFailedError: If a command fails.
    """
    commands = {name: (*PROGRAM, *arguments) for name, arguments in LIGHT.items()}
    commands |= {_TORCH: importing("lightning.pytorch"), _CLI: importing("lightning.pytorch.cli")}
    probe = f"--trainer.callbacks={FirstStep.__module__}.{FirstStep.__qualname__}"
    options = ["--model=SDN68K", "--trainer.max_steps=3", "--run.test=false", f"--run.dir={folder}", probe]
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    first: list[float] = []
    for number in range(rounds + 1):
        times = {name: ended(command).seconds for name, command in commands.items() if number or name in LIGHT}
        run = ended([*PROGRAM, "fit", *setting.data, *options])
        if number:
            for name, took in times.items():
                seconds[name].append(took)
            first.append(said(run.output)[0] - run.begun)
    for name in LIGHT:
        command = "TAB after --model=S" if name == "TAB" else f"mnistlab {name}"
        yield ratio("start", (command, Figure(seconds[name])), (_TORCH, Figure(seconds[_TORCH])), _LIGHT)
    yield ratio("start", ("mnistlab fit to its first step", Figure(first)), (_CLI, Figure(seconds[_CLI])), _FIRST_STEP)
