"""What a judgement tries: a baseline, and the same with a change."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from mnistlab.options.command_line import from_arguments
from mnistlab.options.domains import Choice
from mnistlab.options.entries import Catalogue
from mnistlab.options.labels import Label
from mnistlab.options.swept import with_domain
from mnistlab.sweeps.space import Assignment, Axis, Choose, Space

CHANGE = "--change=true"
"""What stands between the options of the baseline and those of the change; nobody may type it."""

BASELINE, CHANGED = "baseline", "change"
"""The two sides, as their runs are called."""

_SHARED = ("--run.", "--trust", "--debug", "--logger")
"""How options begin that change nothing about a training."""


class Sides(Space):
    """`--config=A --change=true --model.dropout=0.3` is `--config=A`, and `--config=A --model.dropout=0.3`.

    Args:
        arguments: Those of `fit` for the baseline, `CHANGE`, and those of the change.
        catalogue: What there is to choose from; if not given, what is imported.

    Raises:
        LabError: If what they say cannot be read.
    """

    def __init__(self, arguments: Sequence[str], catalogue: Catalogue | None = None) -> None:
        at = list(arguments).index(CHANGE)
        both = [*arguments[:at], *(word for word in arguments[at:] if word.startswith(_SHARED))]
        own = changes(arguments)
        super().__init__([*both, *own], catalogue)
        self._sides = {BASELINE: both, CHANGED: [*both, *own]}
        entries = map(with_domain, from_arguments([f"--side=choice:{BASELINE},{CHANGED}"]))
        self._axis = next(Axis("side", each, each.domain) for each in entries if isinstance(each.domain, Choice))

    def every(self, values: Callable[[Axis], Iterable[Label]]) -> Iterator[Assignment]:
        """Both."""
        del values
        return map(self._assignment, self._sides)

    def probes(self, without: Collection[tuple[str, Label]] = ()) -> Iterator[Assignment]:
        """Both: what is wrong with the baseline is met first."""
        del without
        return map(self._assignment, self._sides)

    def assign(self, choose: Choose) -> Assignment:
        """Take one of them."""
        return self._assignment(str(choose(self._axis)))

    def _assignment(self, side: str) -> Assignment:
        return Assignment({"side": side}, self._sides[side], {"side": side}, side)


def changes(arguments: Sequence[str]) -> list[str]:
    """The options in which the two sides differ."""
    at = list(arguments).index(CHANGE)
    return [word for word in arguments[at + 1 :] if not word.startswith(_SHARED)]
