"""`mnistlab inspect`: its options and its help, for which torch is not needed."""

from collections.abc import Sequence

from mnistlab.options.arguments import read_arguments
from mnistlab.text.layout import fitted

USAGE = """\
Usage: mnistlab inspect CHECKPOINT [--json] [--trust=PACKAGE] [--run.dir=runs]

Shows what is in a checkpoint and whether `test` would open it. Nothing in it is
run or imported.

  CHECKPOINT   a .ckpt or .safetensors file, the folder of a run, best, or last
  --json       for machines
  --trust      packages to count as allowed, as in `test`
  --run.dir    where best and last are looked for"""


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab inspect arguments`; the exit code.

    Raises:
        LabError: If there is no such option or checkpoint, or it holds more than tensors and plain data.
    """
    asked = read_arguments(command, arguments, switches=("json",), takes_value=("trust", "run.dir", "ckpt_path"))
    if "help" in asked.switches:
        print(fitted(USAGE))
        return 0
    from mnistlab.reports.checkpoint import inspect  # noqa: PLC0415 - brings torch in

    return inspect(asked)
