"""Long names in little room, of which no two look the same."""

from collections.abc import Iterable
from itertools import groupby, takewhile

MARK = "…"
"""Stands where something was left out."""


def told_apart(names: Iterable[str], most: int) -> dict[str, str]:
    """Names in at most so many characters, cut in the middle.

    Those that would look the same even so are cut up to where they begin to differ; if that does not help they stay
    whole.

    Args:
        names: The names.
        most: So many characters, at least 8.
    """
    every = sorted({*names})
    found = {name: name if len(name) <= most else _without_middle(name, most) for name in every}
    for same in _looking_alike(found):
        both = zip(min(same), max(same), strict=False)
        begin = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
        found |= {name: name if len(name) <= most else _from(name, begin, most) for name in same}
    return found | {name: name for same in _looking_alike(found) for name in same}


def _looking_alike(found: dict[str, str]) -> list[list[str]]:
    """The names that look as another one does, together with that."""
    groups = [[*same] for _, same in groupby(sorted(found, key=lambda name: found[name]), found.__getitem__)]
    return [same for same in groups if len(same) > 1]


def _without_middle(name: str, most: int) -> str:
    start = most // 3
    return f"{name[:start]}{MARK}{name[start + len(MARK) - most :]}"


def _from(name: str, begin: int, most: int) -> str:
    """The first letters of a name, and what stands from a place on."""
    start = most // 3
    if begin <= start:
        return f"{name[: most - len(MARK)]}{MARK}"
    end = begin + most - start - 2 * len(MARK)
    return f"{name[:start]}{MARK}{name[begin:end]}{MARK if end < len(name) else ''}"
