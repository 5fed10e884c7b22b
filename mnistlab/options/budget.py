"""A time in place of a number of epochs, as it is written, with what a run has decided to end then."""

import re
from typing import NamedTuple

from mnistlab.text.values import duration, seconds_in

ENDLESS = 2**31 - 1
"""The steps of a run of which nothing is decided yet."""

_TURN = re.compile(r"(\d+):(\d+)/(\d+)")


class Turn(NamedTuple):
    """What was decided at a step."""

    step: int  # steps of the optimizer that had been made
    end: int  # after how many of them the run ends
    every: int  # epochs from one validation to the next

    def __str__(self) -> str:
        """As it is written down."""
        return f"{self.step}:{self.end}/{self.every}"


def read_budget(text: str) -> tuple[float, list[Turn]]:
    """The seconds of a budget, and what a run has decided with it: `60s`, or `60s 0:9000/1 80:2400/1`.

    Raises:
        ValueError: If it is none.
    """
    typed, *rest = text.split() or [""]
    seconds, turns = seconds_in(typed), [_TURN.fullmatch(word) for word in rest]
    if not seconds or None in turns:
        raise ValueError("a time is wanted, such as 10m, 90s or 1h30m.")
    return seconds, [Turn(*map(int, turn.groups())) for turn in turns if turn]


def budget_in_words(text: str) -> str:
    """The time of a budget: `6 s`, `10 min 00 s`."""
    seconds, _ = read_budget(text)
    return f"{seconds:g} s" if seconds < 60 else duration(seconds, 0)  # noqa: PLR2004 - a minute
