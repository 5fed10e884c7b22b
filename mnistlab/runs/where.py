"""`--where='model.optimizer.lr>0.001 and user=anna'`: what is wanted of runs, as one types it."""

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from mnistlab.errors import LabError
from mnistlab.runs.fields import Field, Fields
from mnistlab.runs.run import Run
from mnistlab.system.shapes import is_number
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import class_name, seconds_in, shown

Wanted = Callable[[Run], bool]
"""Whether a run is wanted."""

_TOKEN = re.compile(r"""\s*(?:(==|!=|<=|>=|[=<>~()])|"([^"]*)"|'([^']*)'|([^\s=<>~()!"']+))""")
_NOTHING = ("none", "null")
_DAYS_AGO = {"today": 0, "yesterday": 1}  # whose midnight is that of the clock here, not of Greenwich
_DAYS = re.compile(r"(\d+(?:\.\d+)?)([dw])")
_EXAMPLE = "--where='lr>=0.001 and user=anna'"
_SHARES = ("val_acc", "test_acc")  # which are shown in percent
_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def where(text: str, runs: Sequence[Run]) -> Wanted:
    """What an expression wants of a run: comparisons, joined with `and`, `or` and parentheses.

    `=`, `!=`, `<`, `<=`, `>`, `>=` compare numbers as numbers and words as words, `~` looks for a part of a word, in
    any case. Of several values with commas between them any will do; a word that no run has as it is typed is taken in
    any case.

    Args:
        text: The expression.
        runs: Those that may be named in it.

    Raises:
        LabError: If it is none, or names what no run has; it says where.
    """
    return _Reading(text, Fields(runs), runs).whole()


def check_where(text: str) -> None:
    """Refuse what is no expression, whatever the names in it mean.

    Raises:
        LabError: If it is none; it says where.
    """
    _Reading(text, _AnyFields([]), []).whole()


def since(text: str, now: datetime | None = None) -> str:
    """The time in UTC, as records have it, that a text means: `90m`, `12h`, `2d` or `1w` ago, `today`, or a date.

    Raises:
        LabError: If it means none.
    """
    now = now or datetime.now(UTC)
    days = _DAYS.fullmatch(text)
    seconds = seconds_in(text) if text[-1:] in ("h", "m", "s") else None
    try:
        if text in _DAYS_AGO:
            day = now.astimezone().date() - timedelta(days=_DAYS_AGO[text])
            return datetime.combine(day, time()).astimezone(UTC).isoformat()
        if days:
            return (now - timedelta(days=float(days[1]) * (7 if days[2] == "w" else 1))).isoformat()
        if seconds is not None:
            return (now - timedelta(seconds=seconds)).isoformat()
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        wanted = f"90m, 12h, 2d, 1w, today, yesterday or a date such as {now:%Y-%m-%d} is wanted"
        raise LabError(f"--since={text}: {wanted}.{suggestion(text, _DAYS_AGO)}") from error
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).replace(tzinfo=None).isoformat()


def meant(value: str, had: AbstractSet[str]) -> AbstractSet[str]:
    """What is there exactly as it is typed, else what differs from it in its case alone."""
    return {value} if value in had else {has for has in had if has.lower() == value.lower()}


class _AnyFields(Fields):
    """Any name means something."""

    def whole(self, name: str) -> str:
        """The name."""
        return name


@dataclass(frozen=True)
class _Token:
    """A word of an expression."""

    text: str
    at: int  # the place of its first character
    sign: bool  # whether it is a sign
    quoted: bool  # whether it stood in quotes


class _Reading:
    """Reads an expression from left to right.

    Args:
        text: The expression.
        fields: What may be named.
        runs: The runs.
    """

    def __init__(self, text: str, fields: Fields, runs: Sequence[Run]) -> None:
        self._text, self._fields, self._runs = text, fields, runs
        self.tokens = self._tokens()
        self.at = 0

    def whole(self) -> Wanted:
        """All of it."""
        wanted = self.any_of()
        if self.at < len(self.tokens):
            raise self.fault("`and` or `or` is wanted here")
        return wanted

    def any_of(self) -> Wanted:
        """Parts with `or` between them."""
        parts = [self._all_of()]
        while self._take("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda run: any(part(run) for part in parts)

    def fault(self, what: str, at: int | None = None) -> LabError:
        """What is said of a mistake at a place, by itself at the next word."""
        if at is None:
            at = self.tokens[self.at].at if self.at < len(self.tokens) else len(self._text)
        near = f"before `{self._text[at : at + 20]}`" if at < len(self._text) else "at the end"
        return LabError(f"--where={self._text}: {what}, {near} (character {at + 1}). Write it so: {_EXAMPLE}")

    def _tokens(self) -> list[_Token]:
        found: list[_Token] = []
        at, text = 0, self._text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                begins = at + len(text[at:]) - len(text[at:].lstrip())
                raise self.fault("this is no word, or a quote has no end", begins)
            kind = match.lastindex or 0
            found.append(_Token(match[kind], match.start(kind) - (kind in (2, 3)), kind == 1, kind in (2, 3)))
            at = match.end()
        return found

    def _take(self, word: str) -> bool:
        """Whether this word comes next, which is passed then."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        is_next = token is not None and token.text.lower() == word and not token.quoted
        self.at += is_next
        return is_next

    def _all_of(self) -> Wanted:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda run: all(part(run) for part in parts)

    def _one(self) -> Wanted:
        if self._take("("):
            inner = self.any_of()
            if not self._take(")"):
                raise self.fault("`)` is wanted here")
            return inner
        name = self._word("a name is wanted here")
        try:
            field = self._fields.field(name.text)
        except LabError as error:
            raise LabError(f"--where={self._text}: {error} (character {name.at + 1})") from error
        sign = self.tokens[self.at] if self.at < len(self.tokens) else None
        if sign is None or not sign.sign or sign.text in "()":
            raise self.fault("=, !=, <, <=, >, >= or ~ is wanted here")
        self.at += 1
        return self._compared(field, sign.text, name, self._word("a value is wanted here"))

    def _word(self, otherwise: str) -> _Token:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if token is None or token.sign:
            raise self.fault(otherwise)
        self.at += 1
        return token

    def _compared(self, field: Field, sign: str, name: _Token, value: _Token) -> Wanted:
        if sign == "~":
            part = value.text.lower()
            return lambda run: any(part in _words(each).lower() for each in _values(field(run)))
        if sign in _ORDERS:
            self._check_order(field, name, value)
            order = _ORDERS[sign]
            return lambda run: any(order(found) for found in _orders(_values(field(run)), value.text))
        texts = [value.text] if value.quoted else [each.strip() for each in value.text.split(",")]
        same = _same(field, texts, self._runs)
        return same if sign in ("=", "==") else lambda run: not same(run)

    def _check_order(self, field: Field, name: _Token, value: _Token) -> None:
        """Refuse to compare numbers with a word, and a share with what is meant in percent."""
        number = _number(value.text)
        if number is not None and number > 1 and self._fields.whole(name.text) in _SHARES:
            raise self.fault(f"{name.text} is from 0 to 1; {value.text}% is {number / 100:g}", value.at)
        if number is None and any(is_number(field(run)) for run in self._runs):
            raise self.fault(f"{name.text} is a number, and {value.text} is none", value.at)


def _values(value: object) -> Sequence[object]:
    """What a run has of a name, one or several."""
    return value if isinstance(value, list | tuple) else () if value is None else (value,)


def _same(field: Field, texts: Sequence[str], runs: Sequence[Run]) -> Wanted:
    """Whether a run has one of these values."""
    had = {_words(each) for run in runs for each in _values(field(run)) if not is_number(each)}
    words, numbers = {has for text in texts for has in meant(text, had)}, {_number(text) for text in texts} - {None}
    nothing = any(text.lower() in _NOTHING for text in texts)

    def same(run: Run) -> bool:
        values = _values(field(run))
        if not values:
            return nothing
        return any(each in numbers if is_number(each) else _words(each) in words for each in values)

    return same


def _orders(values: Sequence[object], text: str) -> Iterator[int]:
    """How each value stands to another one: below 0 before it. Numbers and words do not compare."""
    number = _number(text)
    for value in values:
        if not is_number(value):
            own, other = _words(value).lower(), text.lower()
            yield (own > other) - (own < other)
        elif number is not None:
            yield (value > number) - (value < number)


def _words(value: object) -> str:
    """A value as a word: of a class its name."""
    return class_name(value) if isinstance(value, str) else shown(value)


def _number(text: str) -> float | None:
    """A number as it is typed, of a share also in percent."""
    bare = text.removesuffix("%")
    try:
        return float(bare) / (1 if bare == text else 100)
    except ValueError:
        return None
