"""Options with a domain: what is written in place of a value is read, and which options belong to which class."""

import re
from collections.abc import Iterable
from dataclasses import replace

from mnistlab.errors import LabError
from mnistlab.options.domains import Candidate, Domain, domain_words
from mnistlab.options.written import Key, Written
from mnistlab.text.nearest import nearest

_WORD = re.compile(r"(\w+):(.*)", re.DOTALL)
LITERAL = "literal:"
"""What stands before a text that is no domain."""

_NEAR = re.compile(r"([A-Za-z]{3,})[:=](.+)", re.DOTALL)
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_BOUNDS = re.compile(rf"{_NUMBER}\.\.{_NUMBER}(:{_NUMBER})?")
_QUOTES = "\"'"


def reads_as_domain(text: str) -> bool:
    """Whether a text would be read as a domain, or as one that is meant as it stands."""
    match = _WORD.fullmatch(text)
    return (match is not None and match[1] in domain_words()) or text.startswith(LITERAL)


def with_domain(entry: Written) -> Written:
    """What was written, with its domain where its text is one; without `literal:` where that says that it is none.

    The value is then one of the domain, so that all else can be worked out without knowing of domains.

    Raises:
        LabError: If the text begins like a domain and is none.
    """
    if entry.domain is not None or not isinstance(entry.value, str):
        return entry
    if entry.value.startswith(LITERAL):
        return replace(entry, value=entry.value.removeprefix(LITERAL))
    match = _WORD.fullmatch(entry.value)
    kind = domain_words().get(match[1]) if match else None
    if match is None or kind is None:
        return entry
    if entry.append:
        raise LabError(f"{entry.where}: what is added to a list cannot be swept. Sweep the whole list, or an option.")
    try:
        domain = kind.parse(match[1], match[2], entry)
    except ValueError as why:
        raise LabError(f"{entry.where.rstrip(':')}: {why} Write {kind.words[match[1]]}.") from None
    return replace(entry, value=domain.first, domain=domain)


def candidates_of(entry: Written) -> tuple[Candidate, ...]:
    """The values of an entry that may be classes; nothing where it is no choice."""
    return entry.domain.candidates if isinstance(entry.domain, Domain) else ()


def chooses_class(entry: Written, keys: Iterable[Key]) -> bool:
    """Whether other options belong to what is taken for an entry, so that its candidates are classes.

    Args:
        entry: What was written.
        keys: Of all that was written.
    """
    candidates, key = candidates_of(entry), entry.key
    if not candidates:
        return False
    below = any(other[: len(key)] == key and other != key for other in keys)
    return below or len(key) == 1 or any(len(each.written) > 1 for each in candidates)


def alternatives(entry: Written) -> list[Written]:
    """What was written as if every value of its choice had been: options of each class among them find their class."""
    parts = [each.written[0] for each in candidates_of(entry)]
    return [replace(part, key=entry.key, domain=entry.domain) for part in parts] or [entry]


def meant_domain(text: str) -> str | None:
    """The domain that a refused text was probably meant to be; None where it is like none.

    Args:
        text: What was written as a value.
    """
    bare = text.strip(_QUOTES)
    word = _NEAR.fullmatch(bare)
    if word is not None:
        kind = next(iter(nearest(word[1], domain_words())), None)
        values = word[2].replace(";", ",") if kind == "choice" else word[2]
        bare = f"{kind}:{values}" if kind else bare
        return bare if kind and bare != text else None
    if _BOUNDS.fullmatch(bare):
        whole = not set(bare.replace("..", "")) & set(".eE")
        return f"{'int' if whole else 'float'}:{bare}"
    return None
