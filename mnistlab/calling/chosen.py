"""What a run was configured with, as a mapping and as it is written down."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mnistlab.calling.usual import USUAL
from mnistlab.reports.behind import Trust
from mnistlab.reports.markup import Markup, joined
from mnistlab.reports.one_run import configuration
from mnistlab.reports.shown import Shown
from mnistlab.runs.sheets import by_option
from mnistlab.text.nearest import suggestion

if TYPE_CHECKING:
    from mnistlab.runs.run import Run


class Chosen(Shown, Mapping[str, object]):
    """The values of all options, by full names and by the short ones of `lab.fit`: `run.config["epochs"]`.

    Args:
        run: The run.

    Raises:
        LabError: If its configuration is not there, or cannot be read.
    """

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._values = by_option(run.configuration)

    def __getitem__(self, name: str) -> object:
        """The value of an option.

        Raises:
            KeyError: If there is none of that name, or several end so.
        """
        if name in self._values:
            return self._values[name]
        if USUAL.get(name) in self._values:
            return self._values[USUAL[name]]
        ending = [each for each in self if each.endswith(f".{name}")]
        if len(ending) > 1:
            raise KeyError(f"{name}: several options end so: {', '.join(ending)}")
        if not ending:
            known = [*self, *(each.rpartition(".")[2] for each in self)]
            raise KeyError(f"{name}: the run has no such option.{suggestion(name, known)}")
        return self._values[ending[0]]

    def __iter__(self) -> Iterator[str]:
        """The names of the options."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many options there are."""
        return len(self._values)

    def html(self) -> Markup:
        """What is not at its default; all is folded below it."""
        return joined(configuration(self._run, Trust()))

    def lines(self) -> str:
        """As its file has it."""
        return self._run.read_configuration().rstrip()
