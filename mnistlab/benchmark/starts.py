"""How long commands take to start, over the imports that they cannot do without."""

import tempfile
from collections.abc import Iterator

from mnistlab.benchmark.figures import Figure, Mark, Result, ratio
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.probes import FirstStep, said
from mnistlab.benchmark.processes import PROGRAM, ended, importing

_LIGHT = Mark(0.25, 0.05)
_MISTAKE = Mark(0.06, 0.04)
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


def starts(ground: Ground) -> Iterator[Result]:
    """Seconds of whole commands, and to the first training step; each in its turn."""
    commands = {name: (*PROGRAM, *arguments) for name, arguments in LIGHT.items()}
    commands |= {_TORCH: importing("lightning.pytorch"), _CLI: importing("lightning.pytorch.cli")}
    probe = f"--trainer.callbacks={FirstStep.__module__}.{FirstStep.__qualname__}"
    options = ["--model=SDN68K", "--trainer.max_steps=3", "--run.test=false", probe]
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    first: list[float] = []
    mistaken: list[float] = []
    for number in range(2 if ground.quick else 3):
        times = {name: ended(command).seconds for name, command in commands.items() if number or name in LIGHT}
        refused = [ended([*PROGRAM, *arguments], code=2).seconds for arguments in MISTAKES]
        with tempfile.TemporaryDirectory() as folder:
            run = ended([*PROGRAM, "fit", *ground.data, *options, f"--run.dir={folder}"])
        if number:  # the first one fills the disk's cache
            for name, took in times.items():
                seconds[name].append(took)
            mistaken += refused
            first.append(said(run.output)[0] - run.begun)
    for name in LIGHT:
        command = "TAB after --model=S" if name == "TAB" else f"mnistlab {name}"
        yield ratio("start", (command, Figure(seconds[name])), (_TORCH, Figure(seconds[_TORCH])), _LIGHT)
    yield ratio("start", ("a mistake in a command", Figure(mistaken)), (_TORCH, Figure(seconds[_TORCH])), _MISTAKE)
    yield ratio("start", ("mnistlab fit to its first step", Figure(first)), (_CLI, Figure(seconds[_CLI])), _FIRST_STEP)
