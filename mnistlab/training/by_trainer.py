"""Measuring with Lightning's trainer: several processes, a GPU, callbacks, classes of the user's own."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, cast

from torch import Tensor

from mnistlab.callbacks import Answering
from mnistlab.errors import tell
from mnistlab.options.settling import Settled
from mnistlab.sections.parts import prepare
from mnistlab.system.lightning_inside import quiet
from mnistlab.system.threads import threads
from mnistlab.system.torch_inside import spare_steps
from mnistlab.training.assemble import LabCLI, assemble
from mnistlab.training.checks import match_precision
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation
from mnistlab.training.means import Assembled, Looked, Means, Split


class ByTrainer(Means):
    """Lightning's trainer.

    Args:
        cli: All parts.
    """

    def __init__(self, cli: LabCLI) -> None:
        self._cli, self._answering = cli, Answering()
        cli.build_trainer(self._answering)
        self.speaks, self.processes = cli.trainer.is_global_zero, cli.trainer.world_size

    def limit(self, what: Looked) -> float:
        """How many batches are looked at."""
        limit: float = getattr(self._cli.trainer, f"limit_{what}_batches")
        return limit

    def match_precision(self) -> None:
        """Give the model the kind of numbers that the trainer computes with."""
        match_precision(self._cli)

    def at_work(self) -> AbstractContextManager[object]:
        """Compute with the threads that were chosen, and look after the other processes."""
        stack = ExitStack()
        stack.enter_context(threads(self._cli.configuration.threads))
        stack.enter_context(self._cli.group.watched(self._cli.trainer, lambda lost: tell(f"mnistlab: {lost}")))
        return stack

    def measured(self, split: Split) -> Mapping[str, float]:
        """What the trainer has logged."""
        function = self._cli.trainer.test if split == "test" else self._cli.trainer.validate
        (metrics,) = function(self._cli.model, self._cli.datamodule, verbose=False)
        self.answers = self._answering.batches
        return metrics

    def probabilities(self) -> Sequence[Mapping[str, Tensor]]:
        """What the trainer has predicted."""
        batches: Any = self._cli.trainer.predict(self._cli.model, self._cli.datamodule) or []
        return cast("Sequence[Mapping[str, Tensor]]", batches)


def assemble_with_trainer(invocation: Invocation, settled: Settled, found: Found | None) -> Assembled:
    """Build all parts.

    Raises:
        LabError: If one of them refuses its options.
    """
    quiet()  # by now Lightning is imported, which speaks up
    spare_steps()
    prepare()
    cli = assemble(invocation, settled, found)
    return Assembled(cli.configuration, cli.model, cli.datamodule, cli.folder, ByTrainer(cli))
