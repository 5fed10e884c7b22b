"""`python peak.py MODULE ARG...` is `python -m MODULE ARG...`, and says at its end the most memory that it had."""

import atexit
import resource
import runpy
import sys
from pathlib import Path


def say_peak() -> None:
    """Say the most memory that this process had at once, in MiB.

    Linux counts what a process had before it became this program in `ru_maxrss`, but not in VmHWM.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        peak = int(line.split()[1]) / 2**10
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes
    print(f"@bench {peak:.1f}", flush=True)


if __name__ == "__main__":  # of any build: nothing of the lab is imported
    atexit.register(say_peak)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
