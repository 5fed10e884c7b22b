"""`python -m mnistlab.benchmark.forking BATCHES THREADS CLASS...`: what nets cost, a line of JSON each.

Torch is imported once; each net then has a process of its own that is forked off, so that none has the memory, or the
kernels, of another.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from mnistlab.system.purpose import be_the_program, only_measure

if TYPE_CHECKING:
    from mnistlab.benchmark.cost_of import Cost


def main(batches: Sequence[int], threads: int, paths: Sequence[str]) -> None:
    """Say what each of some classes costs; of one that cannot be measured why not."""
    be_the_program()
    only_measure()
    from mnistlab.benchmark.cost_of import measure  # noqa: PLC0415 - how torch is imported is decided by now

    for path in paths:
        _forked(partial(measure, path, batches, threads or None))


def _forked(work: Callable[[], "Cost"]) -> None:
    """Say in JSON what a process of its own finds out, or why it cannot."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code:
            _say({"problem": f"its process has ended with {code}"})
        return
    try:
        found: Mapping[str, object] = asdict(work())
    except BaseException as error:  # noqa: BLE001 - nothing may go on as if it were the parent
        found = {"problem": str(error) or type(error).__name__}
    _say(found)
    os._exit(0)


def _say(found: Mapping[str, object]) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1].split(",")], int(sys.argv[2]), sys.argv[3:])
