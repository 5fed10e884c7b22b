"""Values to choose from: what is written in place of one value where many are to be tried.

On the command line and in YAML a domain is text: `choice:128,256,384`, `int:64..512:64` (with a step),
`logint:16..1024`, `float:0..0.5`, `log:1e-4..1e-2`. In Python it is what `choice` and `interval` give. `literal:`
before a text says that it is none (`swept.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, isfinite, log
from random import Random
from typing import TYPE_CHECKING, ClassVar, Self

from mnistlab.options.labels import Label, as_typed, label_of
from mnistlab.options.notation import as_written
from mnistlab.options.written import Source, Written

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    Distribution = CategoricalDistribution | FloatDistribution | IntDistribution

_LONGEST = 10_000
"""Values of an axis of a grid."""


@dataclass(frozen=True)
class Candidate:
    """One value of a choice.

    Attributes:
        label: What it is called in tables; no two of a choice are called the same.
        written: What it says, with keys as they stand below the option; the first is the value itself, the others are
            options of the class that it names, and may have domains of their own.
    """

    label: Label
    written: tuple[Written, ...]


class Domain:
    """What a sweep takes the values of an option from. A derived class is found by its words, and needs no list.

    It reads its text, says it again (`str`) and lists its values; the rest follows, unless it says otherwise.

    Attributes:
        words: What its text begins with, each with how to write it.
        candidates: Its values where they may be classes with options of their own.
    """

    words: ClassVar[Mapping[str, str]] = {}
    candidates: tuple[Candidate, ...] = ()

    @classmethod
    def parse(cls, word: str, text: str, entry: Written) -> "Domain":
        """Read what stands after a word.

        Args:
            word: One of `words`.
            text: What stands after its colon.
            entry: The option with all of it.

        Raises:
            ValueError: If it is none, with a sentence that says why.
        """
        raise NotImplementedError

    def values(self) -> Sequence[Label] | None:
        """Every value, in order; None where there are too many for a grid."""
        raise NotImplementedError

    def ends(self) -> Sequence[Label]:
        """The values that are checked before a sweep begins: all, or the smallest and the largest."""
        return self.values() or ()

    @property
    def first(self) -> object:
        """A value as it is written."""
        return self.ends()[0]

    def shuffled(self, draw: Random) -> Iterator[Label]:
        """The values in a random order, each once; where there is no end to them there is always another one."""
        yield from draw.sample(self.ends(), len(self.ends()))

    def distribution(self) -> "Distribution":
        """The values as Optuna describes them."""
        from optuna.distributions import CategoricalDistribution  # noqa: PLC0415 - nothing else here needs it

        return CategoricalDistribution(self.ends())

    def exact(self, value: Label) -> Label:
        """A value that Optuna has taken, without what rounding has added."""
        return value

    @property
    def scale(self) -> str | None:
        """That of its axis of a plot, as matplotlib calls it; None where each value has a name there."""
        return None

    def place(self, value: Label) -> float:
        """Where a value stands on an axis of a plot."""
        return self.ends().index(value)


@dataclass(frozen=True)
class Choice(Domain):
    """Some values, one of which is taken.

    Attributes:
        candidates: The values, at least one.
    """

    words: ClassVar[Mapping[str, str]] = {"choice": "each value once: choice:128,256"}

    candidates: tuple[Candidate, ...]

    def __str__(self) -> str:
        """As it is typed."""
        return f"choice:{','.join(as_typed(each.label) for each in self.candidates)}"

    @classmethod
    def parse(cls, word: str, text: str, entry: Written) -> Domain:
        """Values between commas."""
        values, where = _split(text), entry.where.rstrip(":")
        twice = next((value for index, value in enumerate(values) if value in values[:index]), None)
        if not all(values) or twice is not None:
            what = f"has {twice} twice" if twice is not None else "has an empty value" if any(values) else "is empty"
            raise ValueError(f"this {word} {what}.")
        command = entry.source is Source.COMMAND_LINE
        places = [f"--{entry.name}={value}" if command else where for value in values]
        found = [replace(entry, key=(), value=as_written(v), where=w) for v, w in zip(values, places, strict=True)]
        return cls.among([(each,) for each in found])

    @classmethod
    def among(cls, values: Sequence[tuple[Written, ...]]) -> Self:
        """A choice among values, called as they are typed; of two called alike one with a number."""
        labels: list[Label] = []
        for written in values:
            label = label_of(written[0].value)
            labels.append(label if label not in labels else f"{label}#{len(labels) + 1}")
        return cls(tuple(Candidate(label, written) for label, written in zip(labels, values, strict=True)))

    def values(self) -> Sequence[Label]:
        """What each is called."""
        return [each.label for each in self.candidates]

    @property
    def first(self) -> object:
        """The value itself, not what it is called."""
        return self.candidates[0].written[0].value


@dataclass(frozen=True)
class Interval(Domain):
    """All numbers between two, both included.

    Attributes:
        low: The smallest.
        high: The largest.
        step: The distance between two of them; None for 1 or, with fractions, for any.
        log: Whether every factor is as likely as every other.
        whole: Whether they are whole numbers.
    """

    words: ClassVar[Mapping[str, str]] = {
        "int": "int:64..512, or int:64..512:64 with a step",
        "float": "float:0..0.5, or float:0..0.5:0.1 with a step",
        "log": "log:1e-4..1e-2",
        "logint": "logint:16..1024",
    }

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        """As it is typed."""
        kind = ("logint" if self.log else "int") if self.whole else ("log" if self.log else "float")
        return f"{kind}:{self.low}..{self.high}" + (f":{self.step}" if self.step is not None else "")

    @classmethod
    def parse(cls, word: str, text: str, entry: Written) -> Domain:
        """Two numbers with two dots between them, and a step after a colon."""
        del entry
        bounds, _, step = text.partition(":")  # "64..512:64" -> "64..512", "64"
        low, dots, high = bounds.partition("..")
        whole = word in ("int", "logint")
        number = int if whole else float
        try:
            domain = cls(number(low), number(high), number(step) if step else None, word.startswith("log"), whole)
        except ValueError:
            what = "two numbers" if not low or not high else "whole numbers" if whole else "numbers"
            raise ValueError(f"`{word}` takes {what}.") from None
        why = domain.refusal()
        if why or not dots:
            raise ValueError(f"`{word}` {why}.")
        return domain

    def refusal(self) -> str | None:
        """Why there is nothing to take between these numbers."""
        if not (isfinite(self.low) and isfinite(self.high)):
            return "takes finite numbers"
        if self.low >= self.high:
            return f"needs a smaller number first, got {self.low} and {self.high}"
        if self.log and self.low <= 0:
            return f"takes numbers above 0, got {self.low}"
        if self.log and self.step is not None:
            return "takes no step, since it counts in factors"
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            return f"needs a step between 0 and {self.high - self.low}, got {self.step}"
        return None

    @property
    def count(self) -> int | None:
        """How many numbers there are; None where there is no end to them."""
        if self.step is None and not self.whole:
            return None
        return int((self.high - self.low) / (self.step or 1) + 1e-9) + 1  # 0.3 / 0.1 is a little less than 3

    def values(self) -> Sequence[Label] | None:
        """Every number, unless factors are drawn."""
        if self.log or self.count is None or self.count > _LONGEST:
            return None
        return [self._nth(index) for index in range(self.count)]

    def ends(self) -> Sequence[Label]:
        """The smallest and the largest."""
        return [self.low, self.high]

    def shuffled(self, draw: Random) -> Iterator[Label]:
        """Numbers at random, of those that were not taken yet."""
        seen: set[float] = set()
        while len(seen) != self.count:
            value = self._drawn(draw)
            if value not in seen:
                seen.add(value)
                yield value

    def distribution(self) -> "Distribution":
        """Whole numbers or any."""
        from optuna.distributions import FloatDistribution, IntDistribution  # noqa: PLC0415 - as above

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def exact(self, value: Label) -> Label:
        """The number of so many steps."""
        return value if self.step is None else self._nth(round((self.place(value) - self.low) / self.step))

    @property
    def scale(self) -> str:
        """Factors are equally far from each other."""
        return "log" if self.log else "linear"

    def place(self, value: Label) -> float:
        """At itself."""
        assert isinstance(value, int | float)
        return value

    def _nth(self, index: int) -> int | float:
        """One of numbers that have a distance, the smallest one first."""
        value = self.low + index * (self.step or 1)  # 3 * 0.1 is 0.30000000000000004
        return int(value) if self.whole else float(f"{value:.12g}")

    def _drawn(self, draw: Random) -> int | float:
        """A number, each as likely as every other, or each factor."""
        if self.log:
            margin = 0.5 if self.whole else 0.0  # half of a whole number belongs to either neighbour
            value = exp(draw.uniform(log(self.low - margin), log(self.high + margin)))
            return min(max(round(value) if self.whole else value, self.low), self.high)
        return draw.uniform(self.low, self.high) if self.count is None else self._nth(draw.randrange(self.count))


def domain_words() -> Mapping[str, type[Domain]]:
    """The words that a domain begins with, each with the class that reads it."""
    return {word: cls for cls in Domain.__subclasses__() for word in cls.words}


def _split(text: str) -> Sequence[str]:
    """The parts between commas that stand in no brackets: `1,[2,3]` has two."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "[{(") - (char in "]})")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]
