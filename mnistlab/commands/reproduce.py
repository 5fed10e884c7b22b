"""`mnistlab reproduce`: its options and its help, for which torch is not needed."""

from collections.abc import Sequence

from mnistlab.errors import LabError
from mnistlab.options.arguments import read_arguments
from mnistlab.text.layout import fitted

USAGE = """\
Usage: mnistlab reproduce RUN [--json] [--trust=PACKAGE] [--run.dir=runs]
       [--debug]

Trains once more with the configuration, the seed and the threads of a run, and
says whether every figure and every weight is the same to the bit; if not, what
differs: versions, commit, machine, threads, metrics.

  RUN          an id (mnistlab runs), a run's folder, or last
  --json       for machines
  --trust      packages to count as allowed, as in `test`
  --run.dir    where runs are looked for and the new one is kept
  --debug      show where an error comes from

The exit code is 0 if all is the same, 1 if something differs."""


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab reproduce arguments`; the exit code.

    Raises:
        LabError: For what a user can mend.
    """
    asked = read_arguments(command, arguments, switches=("json", "debug"), takes_value=("trust", "run.dir"))
    if "help" in asked.switches:
        print(fitted(USAGE))
        return 0
    if len(asked.names) != 1:
        raise LabError("name one run: mnistlab reproduce last. `mnistlab runs` lists them.")
    from mnistlab.training.reproduce import reproduce  # noqa: PLC0415 - brings torch in

    options = [f"--trust={asked.values['trust']}"] if "trust" in asked.values else []
    options += ["--debug"] if "debug" in asked.switches else []
    return reproduce(asked.names[0], asked.root, options, for_machines="json" in asked.switches)
