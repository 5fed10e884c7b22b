"""Where the time of a run went, on one screen; and a profiler that takes none."""

import time
from contextlib import AbstractContextManager, nullcontext

from lightning.pytorch.profilers import PassThroughProfiler, SimpleProfiler

from mnistlab.options.numbers import PositiveInt


class TimeTable(SimpleProfiler):
    """The parts of a run that took longest, in seconds and per cent; some contain others.

    Args:
        rows: How many parts are shown.
    """

    def __init__(self, rows: PositiveInt = 15) -> None:
        super().__init__()
        self.rows = rows
        self._speaks = True

    def setup(self, stage: str, local_rank: int | None = None, log_dir: str | None = None) -> None:
        """Take part in a run; of several processes the first one speaks."""
        super().setup(stage, local_rank, log_dir)
        self._speaks = not local_rank

    def describe(self) -> None:
        """Print the table."""
        if self._speaks:
            print(self.summary())

    def summary(self) -> str:
        """The table as text: seconds in all, per cent of the time since the start, calls, the part."""
        elapsed = time.monotonic() - self.start_time
        sums = {name: (sum(seconds), len(seconds)) for name, seconds in self.recorded_durations.items()}
        longest = sorted(sums.items(), key=lambda item: item[1][0], reverse=True)[: self.rows]
        lines = [
            f"  {total:9.3f} s {100 * total / elapsed:5.1f} % {calls:8,}  {name}" for name, (total, calls) in longest
        ]
        return "\n".join([f"  {elapsed:9.3f} s 100.0 %    calls  since the start", *lines])


class NoProfiler(PassThroughProfiler):
    """Measures nothing and costs nothing.

    Lightning asks a profiler about fifty times a step; its own idle one makes a generator each time.
    """

    abstract = True  # the lab uses it by itself
    _NOTHING = nullcontext()

    def profile(self, action_name: str) -> AbstractContextManager[None]:  # type: ignore[override]
        """Do nothing."""
        return self._NOTHING
