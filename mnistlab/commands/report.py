"""`mnistlab report`: its options and its help, for which torch is not needed."""

from collections.abc import Sequence

from mnistlab.options.arguments import read_arguments
from mnistlab.text.layout import fitted

USAGE = """\
Usage: mnistlab report [RUN...|SWEEP] [--output=FILE] [--trust=PACKAGE]
                       [--run.dir=runs]

Writes a page about a run: its curves, what it mistakes for what, how far its
confidence can be trusted, its worst mistakes, and how to repeat it. It puts
several runs side by side, and of a sweep it shows the trials and the best run.
It is one HTML file that opens in any browser, without a network.

  RUN        last, an id, or a run's folder (default the newest training run)
  SWEEP      a sweep or a comparison, by its name or its folder
  --output   the file (default report.html in the folder of the run or of the
             sweep; of several runs in the current folder)
  --trust    packages that the configuration of a run may name, as in `test`
  --run.dir  where runs are looked for"""


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab report arguments`; the exit code.

    Raises:
        LabError: If there is no such option or run, or the page cannot be written.
    """
    asked = read_arguments(command, arguments, takes_value=("output", "trust", "run.dir"))
    if "help" in asked.switches:
        print(fitted(USAGE))
        return 0
    from mnistlab.reports.writing import report  # noqa: PLC0415 - brings torch and matplotlib in

    print(f"wrote {report(asked)}")
    return 0
