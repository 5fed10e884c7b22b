"""`mnistlab bench`: its options and its help; what measures is imported when it is asked for."""

import time
from collections.abc import Sequence
from pathlib import Path

from mnistlab.commands.table import BENCH_SECTIONS
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, read_arguments
from mnistlab.text.layout import fitted
from mnistlab.text.nearest import suggestion

USAGE = """\
Usage: mnistlab bench [--quick] [--only=SECTION,...] [--seeds=N] [--output=FILE]
                      [--data=CLASS] [--data.OPTION=VALUE ...]

Measures how fast the lab is on this machine: fit as you run it, a plain loop
over the same net, and a template for Lightning that goes image by image, each
in its turn. Let nothing else run meanwhile; ten minutes at most.

  --quick   two minutes, with less of everything and without accuracy
  --only    epochs, augmentation, starts, memory, scaling, busy, accuracy, or
            several
  --seeds   how often Best is trained, 1 if not given; its mark asks for 5
  --output  a file for all figures as JSON, bench-TIME.json if not given
  --data    the data set, MNIST if not given; the accuracies are those of MNIST

A figure such as 1.25x is one time over another of the same minutes: medians,
[lowest to highest]. Marks are what the lab wants to reach: + reached, - missed."""


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab bench arguments`; 0 whatever is missed.

    Raises:
        LabError: If there is no such option or section, or something cannot be measured.
    """
    of_data = [argument for argument in arguments if argument.startswith("--data.")]
    own = [argument for argument in arguments if argument not in of_data]
    asked = read_arguments(command, own, switches=("quick",), takes_value=("only", "seeds", "output", "data"))
    if asked.names:
        raise LabError(
            f"`{asked.names[0]}`: {command} takes no names.{suggestion(asked.names[0], BENCH_SECTIONS, '--only=')}"
        )
    if "help" in asked.switches:
        print(fitted(USAGE))
        return 0
    sections, seeds, out = _sections(asked), _seeds(asked), _out(asked)
    from mnistlab.benchmark.reporting import measure  # noqa: PLC0415 - not for help

    data = [f"--data={asked.values.get('data', 'MNIST')}", *of_data]
    measure(sections, data, out, seeds=seeds, quick="quick" in asked.switches)
    return 0


def _sections(asked: Arguments) -> list[str]:
    usual = [name for name in BENCH_SECTIONS if "quick" not in asked.switches or name != "accuracy"]
    wanted = asked.values.get("only", ",".join(usual)).split(",")
    for name in wanted:
        if name not in BENCH_SECTIONS:
            hint = suggestion(name, BENCH_SECTIONS) or f" There are {', '.join(BENCH_SECTIONS)}."
            raise LabError(f"--only={asked.values['only']}: there is no section `{name}`.{hint}")
    return [name for name in BENCH_SECTIONS if name in wanted]


def _seeds(asked: Arguments) -> int:
    text = asked.values.get("seeds", "1")
    if not text.isdecimal() or not int(text):
        raise LabError(f"--seeds={text}: a number from 1 on is needed.")
    return int(text)


def _out(asked: Arguments) -> Path:
    out = Path(asked.values.get("output", f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json"))
    if out.exists():
        raise LabError(f"--output={out}: the file is there already, and nothing is written over. Name another.")
    if not out.absolute().parent.is_dir():
        raise LabError(f"--output={out}: there is no folder {out.absolute().parent}.")
    return out
