"""Values to choose from: what is written in place of one value where many are to be tried.

On the command line and in YAML a domain is text: `choice:128,256,384`, `int:64..512:64` (with a step),
`logint:16..1024`, `float:0..0.5`, `log:1e-4..1e-2`. In Python it is what `choice` and `interval` give. `literal:`
before a text says that it is none.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, TypeVar

from mnistlab.errors import LabError
from mnistlab.options.composing import dump
from mnistlab.options.notation import as_written
from mnistlab.options.written import Key, Source, Written

T = TypeVar("T")
N = TypeVar("N", int, float)

KINDS = ("choice", "int", "float", "log", "logint")
"""The words that a domain begins with."""

_DOMAIN = re.compile(rf"({'|'.join(KINDS)}):(.*)", re.DOTALL)
_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_LITERAL = "literal:"
_KNOWN = ("mnistlab.", "torch.", "lightning.")
_FORMS = {
    "int": "int:64..512, or int:64..512:64 with a step",
    "logint": "logint:16..1024",
    "float": "float:0..0.5, or float:0..0.5:0.1 with a step",
    "log": "log:1e-4..1e-2",
}


@dataclass(frozen=True)
class Candidate:
    """One value of a choice.

    Attributes:
        label: What it is called in tables; no two of a choice are called the same.
        written: What it says, with keys as they stand below the option; the first is the value itself, the others are
            options of the class that it names, and may have domains of their own.
    """

    label: str | int | float | bool | None
    written: tuple[Written, ...]


@dataclass(frozen=True)
class Choice:
    """Some values, one of which is taken.

    Attributes:
        candidates: The values, at least one.
    """

    candidates: tuple[Candidate, ...]

    def __str__(self) -> str:
        """As it is typed."""
        return f"choice:{','.join(as_typed(each.label) for each in self.candidates)}"


@dataclass(frozen=True)
class Values:
    """What `choice` was given, before it is known of which option these are values.

    Attributes:
        values: Plain values, classes or nodes.
    """

    values: tuple[object, ...]


@dataclass(frozen=True)
class Interval:
    """All numbers between two, both included.

    Attributes:
        low: The smallest.
        high: The largest.
        step: The distance between two of them; None for 1 or, with fractions, for any.
        log: Whether every factor is as likely as every other.
        whole: Whether they are whole numbers.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        """As it is typed."""
        kind = ("logint" if self.log else "int") if self.whole else ("log" if self.log else "float")
        return f"{kind}:{self.low}..{self.high}" + (f":{self.step}" if self.step is not None else "")


Domain = Choice | Interval


if TYPE_CHECKING:

    def choice(*values: T) -> T:
        """Some values or classes, one of which a sweep takes; for a type checker one of them."""

    def interval(low: N, high: N, *, step: N | None = None, log: bool = False) -> N:
        """All numbers between two, one of which a sweep takes; for a type checker one of them."""

else:

    def choice(*values: object) -> Values:
        """Some values, one of which a sweep takes: `config(SmallModel, hidden_dim=choice(128, 256))`.

        Args:
            *values: Plain values, classes, or nodes, which may hold domains of their own.

        Raises:
            ValueError: If there are none.
        """
        if not values:
            raise ValueError("`choice` needs values to choose from.")
        return Values(values)

    def interval(low: float, high: float, *, step: float | None = None, log: bool = False) -> Interval:
        """All numbers between two, one of which a sweep takes: `config(Adam, lr=interval(1e-4, 1e-2, log=True))`.

        Args:
            low: The smallest.
            high: The largest; where both are whole, so are all.
            step: The distance between two of them.
            log: Whether every factor is as likely as every other.

        Raises:
            ValueError: If there is nothing between them.
        """
        whole = isinstance(low, int) and isinstance(high, int) and not isinstance(step, float)
        domain = Interval(low, high, step, log, whole)
        why = _refusal(domain)
        if why:
            raise ValueError(f"`interval` {why}.")
        return domain


def reads_as_domain(text: str) -> bool:
    """Whether a text would be read as a domain, or as one that is meant as it stands."""
    return _DOMAIN.fullmatch(text) is not None or text.startswith(_LITERAL)


def with_domain(entry: Written) -> Written:
    """What was written, with its domain where its text is one; without `literal:` where that says that it is none.

    The value is then one of the domain, so that all else can be worked out without knowing of domains.

    Raises:
        LabError: If the text begins like a domain and is none.
    """
    if entry.domain is not None or not isinstance(entry.value, str):
        return entry
    if entry.value.startswith(_LITERAL):
        return replace(entry, value=entry.value.removeprefix(_LITERAL))
    match = _DOMAIN.fullmatch(entry.value)
    if match is None:
        return entry
    if entry.append:
        raise LabError(f"{entry.where}: what is added to a list cannot be swept. Sweep the whole list, or an option.")
    domain = _parsed(match[1], match[2], entry)
    return replace(entry, value=first_of(domain), domain=domain)


def first_of(domain: Domain) -> object:
    """One value of a domain."""
    return domain.candidates[0].written[0].value if isinstance(domain, Choice) else domain.low


def chooses_class(entry: Written, keys: Iterable[Key]) -> bool:
    """Whether other options belong to what is taken for an entry, so that its candidates are classes.

    Args:
        entry: What was written.
        keys: Of all that was written.
    """
    if not isinstance(entry.domain, Choice):
        return False
    key = entry.key
    below = any(other[: len(key)] == key and other != key for other in keys)
    return below or len(key) == 1 or any(len(each.written) > 1 for each in entry.domain.candidates)


def alternatives(entry: Written) -> list[Written]:
    """What was written as if every value of its choice had been: options of each class among them find their class."""
    if not isinstance(entry.domain, Choice):
        return [entry]
    return [replace(each.written[0], key=entry.key, domain=entry.domain) for each in entry.domain.candidates]


def labelled(values: Sequence[tuple[Written, ...]]) -> Choice:
    """A choice among values, called as they are typed, a class by its name; of two called alike one with a number."""
    labels: list[str | int | float | bool | None] = []
    for written in values:
        value = written[0].value
        scalar = value if value is None or isinstance(value, int | float | bool) else as_typed(value)
        label = _short(scalar) if isinstance(scalar, str) else scalar
        label = _number(label) if isinstance(label, str) else label
        labels.append(label if label not in labels else f"{label}#{len(labels) + 1}")
    return Choice(tuple(Candidate(label, written) for label, written in zip(labels, values, strict=True)))


def as_typed(value: object) -> str:
    """A value as it is typed on the command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return dump(value, flow=True).strip()
    return repr(value) if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    """A class by its name; of somebody's own the whole path, for another module may have one of that name."""
    is_known = _CLASS_PATH.fullmatch(text) and text.startswith(_KNOWN)
    return text.rpartition(".")[2] if is_known else text


def _number(text: str) -> str | int | float:
    """The number that a text is, if it would be typed just so."""
    for kind in (int, float):
        try:
            if repr(kind(text)) == text and isfinite(kind(text)):
                return kind(text)
        except ValueError:
            continue
    return text


def _parsed(kind: str, text: str, entry: Written) -> Domain:
    where = entry.where.rstrip(":")
    if kind == "choice":
        values = _split(text)
        twice = next((value for index, value in enumerate(values) if value in values[:index]), None)
        if not all(values) or twice is not None:
            what = f"has {twice} twice" if twice is not None else "has an empty value" if any(values) else "is empty"
            raise LabError(f"{where}: this choice {what}. Write each value once: choice:128,256.")
        command = entry.source is Source.COMMAND_LINE
        places = [f"--{entry.name}={value}" if command else where for value in values]
        found = [replace(entry, key=(), value=as_written(v), where=w) for v, w in zip(values, places, strict=True)]
        return labelled([(each,) for each in found])
    bounds, _, step = text.partition(":")
    low, dots, high = bounds.partition("..")
    whole, log = kind in ("int", "logint"), kind in ("log", "logint")
    try:
        number = int if whole else float
        domain = Interval(number(low), number(high), number(step) if step else None, log, whole)
    except ValueError:
        raise LabError(f"{where}: {_what_for(kind, low, high, whole=whole)} Write {_FORMS[kind]}.") from None
    why = _refusal(domain)
    if why or not dots:
        raise LabError(f"{where}: `{kind}` {why}. Write {_FORMS[kind]}.")
    return domain


def _what_for(kind: str, low: str, high: str, *, whole: bool) -> str:
    if not low or not high:
        return f"`{kind}` takes two numbers."
    return f"`{kind}` takes {'whole ' if whole else ''}numbers."


def _refusal(domain: Interval) -> str | None:
    if not (isfinite(domain.low) and isfinite(domain.high)):
        return "takes finite numbers"
    if domain.low >= domain.high:
        return f"needs a smaller number first, got {domain.low} and {domain.high}"
    if domain.log and domain.low <= 0:
        return f"takes numbers above 0, got {domain.low}"
    if domain.log and domain.step is not None:
        return "takes no step, since it counts in factors"
    if domain.step is not None and not 0 < domain.step <= domain.high - domain.low:
        return f"needs a step between 0 and {domain.high - domain.low}, got {domain.step}"
    return None


def _split(text: str) -> Sequence[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "[{(") - (char in "]})")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]
