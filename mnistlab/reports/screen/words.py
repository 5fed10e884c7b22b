"""Lines that a stranger may have written part of."""

from collections.abc import Iterable

from mnistlab.errors import visible
from mnistlab.text.layout import fitted


def say(lines: Iterable[str]) -> None:
    """Print lines; a stranger may have written part of them."""
    print(fitted("\n".join(map(visible, lines))))
