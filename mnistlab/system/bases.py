"""What models and data sets are derived from: Lightning's classes, or light ones where nothing is trained.

tests/training/test_measuring.py compares what both measure.
"""

from typing import TYPE_CHECKING

from mnistlab.system.purpose import Purpose

if TYPE_CHECKING or not Purpose.only_measures:
    from lightning.pytorch import LightningDataModule, LightningModule
else:
    from torch import nn

    class LightningModule(nn.Module):
        """A torch module that no trainer is ever given to."""

        trainer = None

    class LightningDataModule:
        """Data that no trainer is ever given to."""

        trainer = None

        def prepare_data(self) -> None:
            """Fetch what is missing; here nothing is."""


__all__ = ["LightningDataModule", "LightningModule"]
