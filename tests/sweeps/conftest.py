"""What tests of sweeps share."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import pytest

from mnistlab.sweeps import trying
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.worker import work


class _Here:
    """A team that works in this process: no seconds for imports. The real one is for the slow tests."""

    def __init__(self, plan: Plan, size: int) -> None:
        del size
        self._plan = plan

    def work(self, study: Study, look: Callable[[], Any]) -> None:
        """Do all jobs."""
        del study
        with redirect_stdout(sys.stderr):  # as the real ones, which write into a file
            work(self._plan)
        look()


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trials run in the process of the test."""
    monkeypatch.setattr(trying, "Team", _Here)
