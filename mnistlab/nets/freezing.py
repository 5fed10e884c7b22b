"""Parts of a net by name, to be trained or not."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from torch import nn

from mnistlab.text.nearest import suggestion

_MOST = 12  # names that are listed


def within(net: nn.Module, parts: Iterable[str], option: str = "parts") -> set[str]:
    """The names of parts of a net with all modules and parameters in them.

    Args:
        net: The net.
        parts: Their names below it.
        option: What messages call them.

    Raises:
        ValueError: If a name is not that of a part.
    """
    known = [name for name, _ in (*net.named_modules(), *net.named_parameters()) if name]
    found: set[str] = set()
    for part in parts:
        inner = {name for name in known if name == part or name.startswith(f"{part}.")}
        if not inner:
            raise ValueError(_no_part(part, known, option))
        found |= inner
    return found


def named(parts: str | list[str] | None) -> list[str]:
    """The parts in a list, or in a text with commas between them."""
    given = parts.split(",") if isinstance(parts, str) else parts or []
    return [part.strip() for part in given if part.strip()]


def set_trainable(net: nn.Module, frozen: AbstractSet[str]) -> None:
    """Train every parameter of a net but those named."""
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name not in frozen)


def rest(net: nn.Module, frozen: AbstractSet[str]) -> None:
    """Put the modules named, each by itself, in evaluation mode: their dropout and running statistics rest too."""
    for name, module in net.named_modules():
        if name in frozen:
            module.training = False


def _no_part(part: str, known: list[str], option: str) -> str:
    top = [name for name in known if name.count(".") <= 1]
    listed = ", ".join([*top[:_MOST], *(["..."] if len(top) > _MOST else [])])
    return f"`{option}` must name parts of the net, got {part}.{suggestion(part, known)} There are {listed}."
