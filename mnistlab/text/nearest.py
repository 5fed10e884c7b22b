"""The names most like a misspelt one."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches

_MUCH = 0.2  # by so much less like it than the best one, a name is no longer worth a guess


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> list[str]:
    """The known names most like `name`, the best first, at most three.

    Args:
        name: What was written.
        known: What there is.
        likeness: How like it a name must be, from 0 to 1; those that begin with `name` are always taken.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_lower, n=3, cutoff=likeness)
    ratios = {each: SequenceMatcher(None, each, name.lower()).ratio() for each in close}
    close = [each for each in close if ratios[each] > ratios[close[0]] - _MUCH]
    begin = sorted(lower for lower in by_lower if name and lower.startswith(name.lower()) and lower not in close)
    return [by_lower[lower] for lower in [*close, *begin][:3]]


def sharing_words(name: str, known: Iterable[str]) -> list[str]:
    """The known names that have all words of `name`, the shortest first: `max_epochs` for `epoch`.

    If there are none, those that consist of words of `name`, the longest first: `batch_size` for `train_batch_size`.
    """
    by_words = {candidate: set(_words(candidate)) for candidate in known}
    wanted = set(_words(name))
    more = [candidate for candidate, words in by_words.items() if wanted <= words]
    less = [candidate for candidate, words in by_words.items() if words <= wanted]
    if more:
        return sorted(more, key=lambda candidate: len(by_words[candidate]))
    return sorted(less, key=lambda candidate: -len(by_words[candidate]))


def suggestion(name: str, known: Iterable[str], prefix: str = "") -> str:
    """' Did you mean A or B?', or nothing where no known name is near."""
    return said(nearest(name, known), prefix)


def said(names: Sequence[str], prefix: str = "") -> str:
    """' Did you mean A or B?', or nothing where there are no names."""
    return f" Did you mean {' or '.join(prefix + name for name in names)}?" if names else ""


def _words(name: str) -> list[str]:
    """The words of a name, in the singular."""
    return [word.removesuffix("s") for word in name.lower().split("_")]
