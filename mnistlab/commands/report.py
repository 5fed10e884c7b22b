"""`mnistlab report`."""

from functools import partial
from typing import TYPE_CHECKING

from mnistlab.commands.declaring.model import MANY, Command, Work
from mnistlab.options.arguments import PACKAGES, RUN_DIR, Arguments, Option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mnistlab.reports.charts import Chart


def _report(asked: Arguments) -> Work:
    from mnistlab.reports.wanted import wanted  # noqa: PLC0415 - not for help

    found = wanted(asked)
    from mnistlab.reports.writing import report  # noqa: PLC0415 - brings matplotlib in

    return partial(report, found, _plots)


def _plots(folder: "Path") -> "Sequence[Chart]":
    from mnistlab.sweeps.figures import charts_of  # noqa: PLC0415 - brings the database in

    return charts_of(folder)


COMMAND = Command(
    "write a page about runs or a sweep",
    _report,
    MANY,
    order=5,
    about="""\
Writes a page about a run: its curves, what it mistakes for what, how far its
confidence can be trusted, its worst mistakes, and how to repeat it. It puts
several runs side by side; of a sweep it shows the trials and the best run, of
a judgement the pairs and how the interval narrowed. It is one HTML file that
opens in any browser, without a network. A run that has a page of
`mnistlab draw` is linked to it.""",
    names=(
        Option(
            "RUN",
            "last, an id, or a run's folder",
            "[RUN...|SWEEP]",
            default="the newest training run",
            completes="runs or folders",
        ),
        Option("SWEEP", "A sweep, a comparison or a judgement, by its name or its folder"),
    ),
    options=(
        Option(
            "output",
            "The file",
            "FILE",
            default="report.html in the folder of the run or of the sweep; of several runs in the current folder",
            completes=".html",
        ),
        Option("figures", "Its figures too, as files for a paper", "FOLDER", completes="folder"),
        Option(
            "format",
            "What these are written as",
            "FORMATS",
            "mnistlab.reports.wanted:FORMATS",
            "pdf",
            "{part} is none of {values}",
            several=True,
        ),
        Option("live", "Lay in a small page to draw on; of a sweep its best run's"),
        PACKAGES,
        RUN_DIR,
    ),
)
