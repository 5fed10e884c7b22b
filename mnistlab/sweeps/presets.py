"""What a comparison of presets tries: each by itself, under the conditions of all."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.command_line import from_arguments
from mnistlab.options.domains import Choice
from mnistlab.options.entries import Catalogue
from mnistlab.options.labels import Label
from mnistlab.options.swept import with_domain
from mnistlab.sweeps.sides import CHANGE, Sides
from mnistlab.sweeps.space import Assignment, Axis, Choose, Point, Space, content_of

CONFIG = "--config=choice:"
"""How a choice of presets begins; nobody may type it."""

_DIGITS = 6
"""Of the hash that tells a preset from the one that it was before a change."""


class Presets(Space):
    """A choice of presets: `--config=choice:A,B --threads=1` is `--config=A --threads=1`, and the same of B.

    What is typed for all counts before what a preset says.

    Args:
        arguments: Those of `fit`, one of them the choice.
        catalogue: What there is to choose from; if not given, what is imported.

    Raises:
        LabError: If there is no such preset, or two are called the same.
    """

    def __init__(self, arguments: Sequence[str], catalogue: Catalogue | None = None) -> None:
        self._conditions = [word for word in arguments if not word.startswith(CONFIG)]
        super().__init__(self._conditions, catalogue)
        chosen = [word for word in arguments if word.startswith(CONFIG)]
        entries = [with_domain(entry) for entry in from_arguments(chosen)]
        found = [(entry, entry.domain) for entry in entries if isinstance(entry.domain, Choice)]
        self._axes = [Axis("config", replace(entry, domain=None), domain) for entry, domain in found]
        self._names = [str(each.written[0].value) for _, domain in found for each in domain.candidates]
        self._stems = _stems(self._names)

    def every(self, values: Callable[[Axis], Iterable[Label]]) -> Iterator[Assignment]:
        """One assignment for each preset."""
        del values
        return map(self._assignment, self._names)

    def probes(self, without: Collection[tuple[str, Label]] = ()) -> Iterator[Assignment]:
        """The same, without presets that are known to be wrong."""
        return (self._assignment(name) for name in self._names if ("config", name) not in without)

    def assign(self, choose: Choose) -> Assignment:
        """Take one of them."""
        return self._assignment(str(choose(self._axes[0])))

    def has(self, point: Point) -> bool:
        """Whether it is one of these presets, and says what it says here: somebody else's is called the same."""
        name = str(point.get("config"))
        return name in self._stems and self._assignment(name).point == point

    def _assignment(self, name: str) -> Assignment:
        stem = self._stems[name]
        point: Mapping[str, Label] = {"config": name, "content": stem.rpartition("-")[2]}
        return Assignment(point, [f"--config={name}", *self._conditions], {"config": f"--config={name}"}, stem)


def space_of(arguments: Sequence[str], catalogue: Catalogue | None = None) -> Space:
    """What some arguments leave open."""
    if CHANGE in arguments:
        return Sides(arguments, catalogue)
    of_presets = any(word.startswith(CONFIG) for word in arguments)
    return Presets(arguments, catalogue) if of_presets else Space(arguments, catalogue)


def title_of(name: str) -> str:
    """What a preset is called in a table: `Wide` for `presets/Wide.yaml`, and for `wide.py:Wide`."""
    return Path(name.rpartition(":")[2] or name).stem


def _stems(names: Sequence[str]) -> dict[str, str]:
    """What the runs of each preset are called; of one that has changed meanwhile otherwise."""
    titles = [title_of(name) for name in names]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice is not None:
        both = " and ".join(name for name, title in zip(names, titles, strict=True) if title == twice)
        raise LabError(f"--presets: {both} are both called {twice}. Compare one of them, or rename it.")
    content = {name: content_of(Space([f"--config={name}"]))[:_DIGITS] for name in names}
    return {name: f"{title}-{content[name]}" for name, title in zip(names, titles, strict=True)}
