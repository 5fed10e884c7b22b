"""What a sweep tries: the options that have a domain, and the command of one choice of their values."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice

from mnistlab.errors import LabError
from mnistlab.options.command_line import from_arguments
from mnistlab.options.domains import Domain
from mnistlab.options.entries import Catalogue
from mnistlab.options.labels import Label, as_typed
from mnistlab.options.notation import Plain, as_written
from mnistlab.options.settling import Settled
from mnistlab.options.swept import candidates_of, chooses_class, reads_as_domain
from mnistlab.options.written import STEERING, Key, Source, Written
from mnistlab.training.invocation import Invocation
from mnistlab.training.typed import settled_by

Point = Mapping[str, Label]
"""The value of each axis that counts, by name; of a choice the label."""


class UnsureError(Exception):
    """Some of what was written must be imported before anything can be said of it."""


@dataclass(frozen=True)
class Axis:
    """An option with a domain."""

    name: str  # the option, with the candidate of another axis that it belongs to: `model.hidden_dim[SmallModel]`
    entry: Written
    domain: Domain  # what its values are taken from


_TEXTS = ("name", "dir", "tags")  # options of how a run is kept that take any text

Choose = Callable[[Axis], Label]
"""Takes a value for an axis; of a choice the label."""


@dataclass(frozen=True)
class Assignment:
    """One choice of values."""

    point: Point  # the value of each axis
    arguments: Sequence[str]  # what is typed after `mnistlab fit`
    places: Mapping[str, str]  # where each axis is written
    stem: str = ""  # what its runs are called, where that is no number and no model


class Space:
    """What the arguments of a sweep leave open.

    `--model=choice:SDN8K,TinyModel --model.hidden_dim=choice:64,128` has two axes and three assignments, since SDN8K
    takes no hidden_dim: `{"model": "SDN8K"}`, and `{"model": "TinyModel", "model.hidden_dim": 64}`, typed
    `--model=TinyModel --model.hidden_dim=64`, or 128.

    Args:
        arguments: Those of `fit`, some of them with a domain in place of a value.
        catalogue: What there is to choose from; if not given, what is imported.

    Raises:
        LabError: If what they say cannot be read.
    """

    def __init__(self, arguments: Sequence[str], catalogue: Catalogue | None = None) -> None:
        self._catalogue = catalogue
        _refuse_swept_steering(arguments)
        self.invocation = Invocation("fit", arguments, sweeping=True)
        self._layers = layers = [self.invocation.kit, *self.invocation.files, self.invocation.typed]
        # of several values for one option the last one counts, so that a preset's domain may be typed over
        last = {entry.key: entry for layer in layers for entry in layer if not entry.append}
        axes = [Axis(each.name, each, each.domain) for each in last.values() if isinstance(each.domain, Domain)]
        self.axes = sorted(axes, key=lambda axis: _rank(axis.entry))
        _refuse_steering(self.invocation)
        _refuse_keeping(self.axes)
        _refuse_in_lists(self.axes, layers)
        self._keys = {entry.key for layer in layers for entry in layer}
        self._steering = _steering(arguments)
        self._variants: dict[tuple[tuple[str, Label], ...], Settled] = {}

    def says(self, name: str) -> bool:
        """Whether an option has been written, on the command line or in a preset."""
        return any(entry.name == name for layer in self._layers for entry in layer)

    def assign(self, choose: Choose) -> Assignment:
        """Take a value for every axis that counts with the classes that have been taken so far."""
        point: dict[str, Label] = {}
        written: list[Written] = []
        places: dict[str, str] = {}

        def placed(axis: Axis) -> Label:
            places[axis.name] = axis.entry.where
            return choose(axis)

        for axis in self.axes:
            if self._counts(axis.entry, point):
                written += _taken(axis, placed, point)
        # what is typed for a class that was not taken would be refused as unknown: it is not typed again
        dropped = {id(entry) for entry, _ in self._variant(point).dropped}
        own = {axis.entry.key for axis in self.axes}
        fixed = [each for each in self.invocation.typed if each.key not in own and id(each) not in dropped]
        return Assignment(point, [*self._steering, *self._arguments(fixed), *map(as_argument, written)], places)

    def _arguments(self, fixed: Sequence[Written]) -> Iterator[str]:
        """What is typed for options without a domain; what stands in brackets or in a file as it was, if all counts."""
        kept = {id(entry) for entry in fixed}
        broken = {id(entry.whole) for entry in self.invocation.typed if id(entry) not in kept}
        said: set[int] = set()
        for entry in fixed:
            whole = entry if entry.whole is None or id(entry.whole) in broken else entry.whole
            if id(whole) not in said:
                yield as_argument(whole)
            said.add(id(whole))

    def every(self, values: Callable[[Axis], Iterable[Label]]) -> Iterator[Assignment]:
        """All assignments of some values of each axis, asked for one by one; there may be no end to them."""
        return self._walk([], values)

    def probes(self, without: Collection[tuple[str, Label]] = ()) -> Iterator[Assignment]:
        """Enough assignments to meet all classes together, and each value of a choice and both ends of an interval.

        Args:
            without: Values of axes, by name, that are left out, unless none is left.
        """

        def good(axis: Axis) -> list[Label]:
            ends = [*axis.domain.ends()]
            return [value for value in ends if (axis.name, value) not in without] or ends[:1]

        seen: set[tuple[str, Label, tuple[Label, ...]]] = set()
        for base in self.every(lambda axis: good(axis) if self.chooses_class(axis) else good(axis)[:1]):
            yield base
            for name in base.point:
                owners = tuple(value for other, value in base.point.items() if name.startswith(f"{other}."))
                for each in self._others(name, base, good):
                    place = (name, each.point[name], owners)
                    if place not in seen:
                        seen.add(place)
                        yield each

    def has(self, point: Point) -> bool:
        """Whether a choice of values is one of these, and not of another command that has begun under the same name."""
        del point
        return True

    def chooses_class(self, axis: Axis) -> bool:
        """Whether other options belong to what is taken for an axis."""
        return chooses_class(axis.entry, self._keys)

    def _others(self, name: str, base: Assignment, values: Callable[[Axis], list[Label]]) -> Iterator[Assignment]:
        """The assignments that differ from a base in the value of one axis that takes no class."""
        seen: dict[str, Axis] = {}

        def choose(axis: Axis) -> Label:
            seen[axis.name] = axis
            return base.point[axis.name]

        self.assign(choose)
        if self.chooses_class(seen[name]):
            return
        for value in values(seen[name])[1:]:
            point = {**base.point, name: value}
            yield self.assign(lambda axis, point=point: point[axis.name])  # type: ignore[misc]  # a default is no argument

    def _walk(self, taken: Sequence[Label], values: Callable[[Axis], Iterable[Label]]) -> Iterator[Assignment]:
        """All assignments that begin with the values in `taken`.

        Which axes count after these is known only by taking the first value of each: with `["TinyModel"]` the first is
        `TinyModel, 64`, and the others follow, the innermost axis changed first: `TinyModel, 128`.
        """
        asked: list[Axis] = []

        def choose(axis: Axis) -> Label:
            asked.append(axis)
            return taken[len(asked) - 1] if len(asked) <= len(taken) else next(iter(values(axis)))

        assignment = self.assign(choose)
        yield assignment
        chosen = list(assignment.point.values())
        for place in reversed(range(len(taken), len(asked))):
            for value in islice(values(asked[place]), 1, None):
                yield from self._walk([*chosen[:place], value], values)

    def _counts(self, entry: Written, point: Point) -> bool:
        """Whether an option is one of the classes that have been taken."""
        return all(dropped.key != entry.key for dropped, _ in self._variant(point).dropped)

    def _variant(self, point: Point) -> Settled:
        """The configuration with the classes that have been taken; what belongs to another class is dropped in it."""
        chosen = {axis.name: point[axis.name] for axis in self.axes if axis.name in point and self.chooses_class(axis)}
        key = tuple(chosen.items())
        if key not in self._variants:
            expanded = [[part for each in layer for part in self._expanded(each, chosen)] for layer in self._layers]
            self._variants[key] = self._settled(expanded)
        return self._variants[key]

    def _settled(self, layers: Sequence[Sequence[Written]]) -> Settled:
        """What was written, by the catalogue where there is one.

        Raises:
            UnsureError: If some of it must be imported first.
        """
        if self._catalogue is not None:
            settled = settled_by(self._catalogue, layers, self.invocation.trusted)
            if settled is None:
                raise UnsureError
            return settled
        from mnistlab.options.imported import settle  # noqa: PLC0415 - brings torch in
        from mnistlab.sections.parts import TopLevel, sections  # noqa: PLC0415 - brings torch in

        return settle(TopLevel, sections(), layers, self.invocation.trusted)

    def _expanded(self, entry: Written, chosen: Point) -> list[Written]:
        """An entry as it is settled: of a choice of classes all, the one that has been taken last."""
        if not chooses_class(entry, self._keys):
            return [entry]
        # all are written before the one that counts, so that an option of any of them is known and none is misspelt
        heads = [replace(each.written[0], key=entry.key) for each in candidates_of(entry)]
        labels = [each.label for each in candidates_of(entry)]
        taken = heads[labels.index(chosen[entry.name])] if chosen.get(entry.name, ...) in labels else heads[0]
        return [*(head for head in heads if head is not taken), taken]


def content_of(space: Space) -> str:
    """A hash of what the presets and the kit say that a sweep builds on: one that has changed makes another sweep."""
    kit = [entry for entry in space.invocation.kit if entry.key[0] != "run"]
    layers = [kit, *space.invocation.files, space.invocation.sweep]
    said = [[entry.name, str(entry.domain or as_typed(entry.value)), entry.append] for each in layers for entry in each]
    return sha256(json.dumps(said).encode()).hexdigest()


def _rank(entry: Written) -> tuple[int, int]:
    """Choices before what may depend on them, the outer before the inner."""
    return (0 if candidates_of(entry) else 1, len(entry.key))


def _taken(axis: Axis, choose: Choose, point: dict[str, Label]) -> list[Written]:
    """What is written for the value that is taken for an axis, and for the axes below it."""
    value = choose(axis)
    point[axis.name] = value
    key, where = axis.entry.key, axis.entry.where
    written: list[Written] = []
    taken = [each.written for each in candidates_of(axis.entry) if each.label == value]
    for part in taken[0] if taken else [Written((), value, Source.COMMAND_LINE, where)]:
        whole = replace(part, key=(*key, *part.key))
        if isinstance(part.domain, Domain):
            written += _taken(Axis(f"{whole.name}[{as_typed(value)}]", whole, part.domain), choose, point)
        else:
            written.append(whole)
    return written


def as_argument(entry: Written) -> str:
    """An option as it is typed."""
    text = as_typed(entry.value)
    is_text = isinstance(entry.value, str) and not isinstance(entry.value, Plain)
    is_read = reads_as_domain(text) or isinstance(as_written(text), Plain)
    protected = f"literal:{text}" if is_text and is_read else text
    return f"--{entry.name}{'+' if entry.append else ''}={protected}"


def _refuse_swept_steering(arguments: Sequence[str]) -> None:
    """Refuse a choice of what configures nothing by itself, such as presets."""
    for entry in from_arguments(arguments):
        if entry.name in STEERING and isinstance(entry.value, str) and reads_as_domain(entry.value):
            what = "a preset" if entry.name == "config" else f"--{entry.name}"
            raise LabError(f"{entry.where}: {what} cannot be swept. Sweep options instead: --model=choice:A,B.")


def _refuse_keeping(axes: Sequence[Axis]) -> None:
    """Refuse several values of how a run is kept."""
    for entry in (axis.entry for axis in axes):
        if entry.key[0] == "run":
            literal = f" The text itself is --{entry.name}=literal:{entry.domain}" if entry.key[-1] in _TEXTS else ""
            raise LabError(f"{entry.where}: {entry.name} says how a run is kept, and cannot be swept.{literal}")


def _refuse_steering(invocation: Invocation) -> None:
    """Refuse what only one command can be told."""
    said = ["ckpt_path"] if invocation.ckpt_path is not None else []
    said += [name for name in ("print_config", "untrained") if invocation.switches[name]]
    if said:
        raise LabError(f"--{said[0]} is for one run; a sweep and a comparison make many, each of its own.")


def _refuse_in_lists(axes: Sequence[Axis], layers: Sequence[Sequence[Written]]) -> None:
    """Refuse options of one of several classes in a list: which of them is meant follows from the order only."""
    lists = {entry.key for layer in layers for entry in layer if entry.append}
    for entry in (axis.entry for axis in axes):
        if any(entry.key[:end] in lists for end in range(1, len(entry.key) + 1)):
            raise LabError(f"{entry.where}: it belongs to one of several classes in a list, which cannot be swept.")


def _steering(arguments: Sequence[str]) -> list[str]:
    """The options that configure nothing, as they were typed."""
    steering: list[Key] = [(name,) for name in STEERING]
    return [
        f"--{entry.name}" + ("" if entry.value is True else f"={entry.value}")
        for entry in from_arguments(arguments)
        if entry.key in steering
    ]
