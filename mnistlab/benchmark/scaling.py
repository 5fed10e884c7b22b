"""How the cost grows: with the images, with the batch, with the runs in a folder."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.terminal import tail, terminal
from mnistlab.data.digits import SyntheticDigits
from mnistlab.data.imageset import ImageSet
from mnistlab.failures import RunFailedError

TIMES = (1, 4, 16)
BATCH_SIZES = (32, 128, 512, 2048, 4096)
RECORDS = (100, 1_000, 10_000)


class Repeated(SyntheticDigits):
    """Synthetic digits, each several times: more work, and nothing else that is more.

    Args:
        times: How often each training image is there.
    """

    abstract = True  # for the benchmark only

    def __init__(self, times: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.times = times

    def read(self, split: Literal["train", "test"]) -> ImageSet:
        """The official images, repeated."""
        once = super().read(split)
        if split == "test":
            return once
        rows = torch.arange(len(once)).repeat(self.times)
        return ImageSet(once.images[rows], {name: target[rows] for name, target in once.targets.items()})
