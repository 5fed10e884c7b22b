"""What is nearly a domain, and which one was probably meant."""

import re

from mnistlab.options.domains import domain_words
from mnistlab.text.nearest import nearest

_WORD = re.compile(r"([A-Za-z]{3,})[:=](.+)", re.DOTALL)
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_BOUNDS = re.compile(rf"{_NUMBER}\.\.{_NUMBER}(:{_NUMBER})?")
_QUOTES = "\"'"


def meant_domain(text: str) -> str | None:
    """The domain that a refused text was probably meant to be; None where it is like none.

    Args:
        text: What was written as a value.
    """
    bare = text.strip(_QUOTES)
    word = _WORD.fullmatch(bare)
    if word is not None:
        kind = next(iter(nearest(word[1], domain_words())), None)
        values = word[2].replace(";", ",") if kind == "choice" else word[2]
        bare = f"{kind}:{values}" if kind else bare
        return bare if kind and bare != text else None
    if _BOUNDS.fullmatch(bare):
        whole = not set(bare.replace("..", "")) & set(".eE")
        return f"{'int' if whole else 'float'}:{bare}"
    return None
