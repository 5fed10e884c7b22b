"""`mnistlab sweep`."""

from functools import partial

from mnistlab.commands.declaring.model import MANY, Command, Work
from mnistlab.commands.help.sweeping import sweep_options
from mnistlab.errors import announce
from mnistlab.options.arguments import Arguments


def _sweep(asked: Arguments) -> Work:
    announce("checking all values before anything is trained ...")
    from mnistlab.sweeps.typed import asked_sweep  # noqa: PLC0415 - not for help

    typed = asked_sweep(asked.values, asked.others)
    from mnistlab.sweeps.sweep import sweep  # noqa: PLC0415 - brings torch in

    own = (f"--{name}={value}" for name, value in asked.values.items())
    return partial(sweep, typed, ["sweep", *asked.others, *own])


COMMAND = Command(
    "try many values of any options, and lose nothing",
    _sweep,
    MANY,
    order=1,
    usage="[--trials=40] [--workers=2] ... and the options of fit",
    about="""\
Trains with many values of any options of fit: a value becomes a domain.
  --model.hidden_dim=choice:128,256    one of these; classes and null too
  --model.layers=int:2..8              whole numbers; a step: int:64..512:64
  --model.optimizer.lr=log:1e-4..1e-2  also float:0..0.5, float:0..1:0.1, logint""",
    options=sweep_options,
    like="fit",
)
