"""A trained net put to new use: weights taken over, parts that rest."""

from pathlib import Path
from typing import Self

from torch import nn

from mnistlab.checkpoints.init_from import take_weights
from mnistlab.nets.freezing import named, rest, set_trainable, within
from mnistlab.system.bases import LightningModule
from mnistlab.system.lightning_inside import PlainAttributes


class Transfer(PlainAttributes, LightningModule):
    """A module whose net can begin from the weights of another, and be frozen in parts.

    Args:
        init_from: A checkpoint to begin from, of this model or another; what fits is taken.
        freeze: Parts of the net that are not trained, as a list or as `a,b`.
    """

    net: nn.Module

    def __init__(self, init_from: str | Path | None, freeze: str | list[str] | None) -> None:
        super().__init__()
        self.init_from = init_from or None
        self.frozen: set[str] = set()  # the modules and parameters of the net that rest, by name
        self.to_freeze = named(freeze)  # the parts that will when it begins
        self._begun = False

    def begin(self, *, continued: bool = False) -> list[str]:
        """Make ready for training: take over weights, freeze parts; what was done, in sentences.

        Lightning calls it before a training; whoever wants to know what was taken over calls it first.

        Args:
            continued: The weights come from a checkpoint of this model that is being continued.

        Raises:
            LabError: If `init_from` cannot be read or has nothing that fits.
            ValueError: If `freeze` names no part of the net, or leaves nothing to train.
        """
        if self._begun:
            return []
        self._begun = True
        self.frozen |= within(self.net, self.to_freeze, "freeze")
        self.freeze_parts()
        if not any(parameter.requires_grad for parameter in self.net.parameters()):
            raise ValueError("`freeze` must leave something to train, but all parameters of the net are frozen.")
        if self.init_from is None or continued:
            return []
        return [f"init_from: {take_weights(self, Path(self.init_from))}"]

    def freeze_parts(self, *parts: str) -> None:
        """Train some parts of the net no further; their dropout and running statistics rest too.

        Args:
            *parts: Names below the net, such as `backbone.stem`.

        Raises:
            ValueError: If a name is not that of a part.
        """
        self.frozen |= within(self.net, parts)
        set_trainable(self.net, self.frozen)
        rest(self.net, self.frozen)

    def unfreeze_parts(self, *parts: str) -> None:
        """Train parts of the net again; without names, all of it.

        Args:
            *parts: Names below the net, whether or not they were frozen by that name.

        Raises:
            ValueError: If a name is not that of a part.
        """
        self.frozen -= within(self.net, parts) if parts else self.frozen
        set_trainable(self.net, self.frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all modules; those that are frozen stay in evaluation mode."""
        super().train(mode)
        if mode and self.frozen:
            rest(self.net, self.frozen)
        return self
