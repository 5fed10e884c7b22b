"""`mnistlab bench`."""

import time
from functools import partial

from mnistlab.commands.declaring.model import Command, Work
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, Option

_SECTIONS = (
    "epochs",
    "augmentation",
    "starts",
    "memory",
    "scaling",
    "busy",
    "accuracy",
    "pictures",
    "own",
    "judging",
    "runs",
)
_BESIDE = ("epochs", "starts", "sweeps", "memory", "accuracy")
"""What is measured beside another build."""


def _bench(asked: Arguments) -> Work:
    from pathlib import Path  # noqa: PLC0415 - not for help

    quick = "quick" in asked.switches
    sections, other = (_BESIDE, "with") if "against" in asked.values else (_SECTIONS, "without")
    usual = [name for name in sections if name not in ("judging", "runs") and not (quick and name == "accuracy")]
    wanted = asked.values["only"].split(",") if "only" in asked.values else usual
    for name in wanted:
        if name not in sections:
            raise LabError(f"--only={name}: {other} --against there are {', '.join(sections)}.")
    out = Path(asked.values.get("output", f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json"))
    if out.exists():
        raise LabError(f"--output={out}: the file is there already, and nothing is written over. Name another.")
    if not out.absolute().parent.is_dir():
        raise LabError(f"--output={out}: there is no folder {out.absolute().parent}.")
    from mnistlab.benchmark.checkouts import find_checkout  # noqa: PLC0415 - not for help

    checkout = find_checkout(asked.values["against"]) if "against" in asked.values else None
    from mnistlab.benchmark.measuring import measure  # noqa: PLC0415 - not for help

    chosen = [name for name in sections if name in wanted]
    data = [f"--data={asked.values.get('data', 'MNIST')}", *asked.others]
    return partial(measure, chosen, data, out, checkout, seeds=int(asked.values.get("seeds", "1")), quick=quick)


COMMAND = Command(
    "measure how fast the lab is on this machine",
    _bench,
    order=3,
    about="""\
Measures how fast the lab is on this machine: fit as you run it, a plain loop
over the same net, and a template for Lightning that goes image by image, each
in its turn. With --against it measures this build and another one by turns, in
whole commands. Let nothing else run meanwhile; a quarter of an hour at most.""",
    options=(
        Option("quick", "Two minutes, with less of everything and without accuracy"),
        Option(
            "against",
            "Another build, by a folder with its mnistlab/ or a git revision of this one",
            "REV_OR_PATH",
            completes="folder",
        ),
        Option(
            "only",
            "One or several of",
            "SECTION,...",
            (*_SECTIONS, "sweeps"),
            "",
            "there is no section `{part}`",
            several=True,
        ),
        Option(
            "seeds",
            "How often Best is trained; its mark asks for 5",
            "N",
            default="1",
            wanted="a number from 1 on is needed",
        ),
        Option("output", "A file for all figures as JSON", "FILE", default="bench-TIME.json", completes=".json"),
        Option(
            "data",
            "The data set, with its options as --data.OPTION=VALUE; the accuracies are those of MNIST",
            "CLASS",
            default="MNIST",
            completes="data",
            parts=True,
        ),
    ),
    notes="""\
A figure such as 1.25x is one time over another of the same minutes: medians,
[lowest to highest]. Marks are what the lab wants to reach: + reached, - missed.""",
)
