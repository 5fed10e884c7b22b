"""Frozen parts are trained from some epoch on."""

from lightning.pytorch import Callback, LightningModule, Trainer

from mnistlab.classifier import Classifier
from mnistlab.nets.freezing import named, within
from mnistlab.options.numbers import NonNegativeInt


class Unfreeze(Callback):
    """Train frozen parts of a net from an epoch on: `--model.freeze=backbone --trainer.callbacks=Unfreeze`.

    Args:
        epoch: The first epoch in which they are trained, counted from 0.
        parts: The parts by name, such as `backbone.stem`; all of them if not given.

    Raises:
        ValueError: If the model cannot be frozen, a name is not that of a part of its net, nothing of it is frozen, or
            several processes train it: they would no longer agree on the weights.
    """

    def __init__(self, epoch: NonNegativeInt = 1, parts: str | list[str] | None = None) -> None:
        self.epoch = epoch
        self.parts = named(parts)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse what would fail only in that epoch."""
        if stage != "fit":
            return
        if not isinstance(pl_module, Classifier):
            raise ValueError(f"Unfreeze needs a model of mnistlab, got {type(pl_module).__name__}.")  # noqa: TRY004
        if trainer.world_size > 1:
            raise ValueError("Unfreeze works in one process: parts that are frozen at first are not kept in step.")
        rests = pl_module.frozen | within(pl_module.net, pl_module.to_freeze, "freeze")
        if not rests:
            raise ValueError("Unfreeze needs a net with frozen parts, but none is frozen. Add --model.freeze=...")
        if self.parts and not rests & within(pl_module.net, self.parts):
            raise ValueError(f"`parts` of Unfreeze must name what is frozen, got {', '.join(self.parts)}.")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Unfreeze them in a run that is continued within an epoch: Lightning does not begin that one anew."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Unfreeze them, once it is time; also in a run that is continued after that."""
        assert isinstance(pl_module, Classifier)
        if trainer.current_epoch >= self.epoch and pl_module.frozen:
            pl_module.unfreeze_parts(*self.parts)
