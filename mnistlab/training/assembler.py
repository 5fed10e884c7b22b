"""What builds the parts of a command that measures, imported once it is decided what models are derived from."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mnistlab.options.settling import Settled
from mnistlab.system.lightning_inside import quiet
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation
from mnistlab.training.settled import settled_from

if TYPE_CHECKING:
    from mnistlab.training.means import Assembled


class Net(NamedTuple):
    """One of several nets that are asked about the same images."""

    name: str  # what stands before its columns
    invocation: Invocation  # as if it were asked alone
    found: Found
    settled: Settled


def settled_here(invocation: Invocation, found: Found | None, known: Settled | None) -> tuple[Found | None, Settled]:
    """What was found, without places that only another machine has, and the configuration that comes of it."""
    from mnistlab.training.elsewhere import here  # noqa: PLC0415 - what its classes derive from is decided by now

    there = here(found, invocation)
    same = there is None or found is None or there.layer == found.layer
    return there, settled_from(invocation, there, known if same else None)


def assembler(*, directly: bool) -> Callable[[Invocation, Settled, Found | None], "Assembled"]:
    """What builds the parts of a command that measures, imported: with Lightning's trainer, or without."""
    if directly:
        from mnistlab.training.directly import assemble_directly  # noqa: PLC0415 - as above

        return assemble_directly
    from mnistlab.training.by_trainer import assemble_with_trainer  # noqa: PLC0415 - brings Lightning in

    quiet()  # its import lets it speak
    return assemble_with_trainer
