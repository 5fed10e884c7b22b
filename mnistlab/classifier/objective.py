"""What a model minimizes: a loss for each head, weighted and summed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

import torch
from torch import Tensor, nn

from mnistlab.losses import Loss, LossLike, as_loss
from mnistlab.text.nearest import suggestion


class Objective(nn.Module):
    """The losses of all heads and their weights.

    Each loss is computed once here, so that what it refuses only then comes before any work.

    Args:
        sizes: Number of classes of each head, by name.
        loss: The loss of every head that has none of its own.
        losses: The losses of single heads, by name.
        weights: What the loss of a head is multiplied by in the sum, 1 where nothing is given.

    Raises:
        ValueError: If a loss does not fit its head, if a name is no head's or cannot be one, or if a weight is no
            number from 0 on.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        loss: LossLike,
        losses: Mapping[str, LossLike] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        _check_heads(sizes)
        losses, weights = losses or {}, weights or {}
        _check_names("losses", losses, sizes)
        _check_names("loss_weights", weights, sizes)
        self.weights = {head: _weight(head, weights.get(head, 1.0)) for head in sizes}
        self._plain = len(sizes) == 1 and set(self.weights.values()) == {1.0}
        if not any(self.weights.values()):
            raise ValueError("`loss_weights` must not all be 0: nothing would be learnt.")
        self.by_head = nn.ModuleDict()
        for head, size in sizes.items():
            with _naming(head, sizes, shared=head not in losses):
                self.by_head[head] = as_loss(losses.get(head, loss), size)
                _try(self.of(head), size)

    def of(self, head: str) -> Loss:
        """The loss of a head."""
        loss = self.by_head[head]
        assert isinstance(loss, Loss)
        return loss

    def forward(self, logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The loss of each head, (), a mean over the batch and not yet weighted."""
        return {head: loss(logits[head], targets[head]) for head, loss in self.by_head.items()}

    def total(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum over the heads, ()."""
        if self._plain:
            return next(iter(losses.values()))
        return torch.stack([losses[head] * weight for head, weight in self.weights.items()]).sum()


def _try(loss: Loss, size: int) -> None:
    """Compute a loss once, and refuse what fails or is no number."""
    try:
        value = loss(torch.zeros(2, size), torch.tensor([0, size - 1])).item()
    except (ValueError, TypeError, RuntimeError, IndexError) as error:
        raise ValueError(f"the loss cannot be used: {error}") from error
    if not isfinite(value):
        raise ValueError(f"the loss cannot be used: it is {value} where all logits are 0. Its options are too extreme.")


@contextmanager
def _naming(head: str, sizes: Mapping[str, int], *, shared: bool) -> Iterator[None]:
    """Say which of several heads a loss does not fit, and how to give it to another one only."""
    try:
        yield
    except ValueError as error:
        if len(sizes) == 1:
            raise
        way_out = " The loss is that of every head; --model.losses.HEAD=... is for one." if shared else ""
        raise ValueError(f"{str(error).rstrip('.')} (head {head}).{way_out}") from error


def _check_heads(sizes: Mapping[str, int]) -> None:
    if not sizes:
        raise ValueError("`num_classes` must name a head, got none.")
    for name, size in sizes.items():
        if not name.isidentifier():
            raise ValueError(f"`num_classes` must call heads by names of letters, digits and _, got {name!r}.")
        if hasattr(nn.ModuleDict(), name):
            raise ValueError(f"`num_classes` must not call a head {name}: every module of torch has that already.")
        if size < 1:
            raise ValueError(f"`num_classes` must be at least 1, got {size} for {name}.")


def _check_names(option: str, given: Mapping[str, object], sizes: Mapping[str, int]) -> None:
    for name in given:
        if name not in sizes:
            only = f"There is one head, {next(iter(sizes))}: use `{option.removesuffix('es')}` for it."
            only = only if option == "losses" else f"There is one head, {next(iter(sizes))}."
            heads = f"There are {', '.join(sizes)}." if len(sizes) > 1 else only
            raise ValueError(f"`{option}` must name heads, got {name}.{suggestion(name, list(sizes))} {heads}")


def _weight(head: str, weight: float) -> float:
    if not (isfinite(weight) and weight >= 0):
        raise ValueError(f"`loss_weights` must be finite numbers from 0 on, got {weight} for {head}.")
    return float(weight)
