"""The names most like a misspelt one."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known names most like `name`, the best first, at most three."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    begin = sorted(lower for lower in by_lower if name and lower.startswith(name.lower()) and lower not in close)
    return [by_lower[lower] for lower in [*close, *begin][:3]]


def suggestion(name: str, known: Iterable[str], prefix: str = "") -> str:
    """' Did you mean A or B?', or nothing where no known name is near."""
    close = [prefix + candidate for candidate in nearest(name, known)]
    return f" Did you mean {' or '.join(close)}?" if close else ""
