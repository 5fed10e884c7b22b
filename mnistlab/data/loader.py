"""Whole batches by index from a set that lies in memory."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mnistlab.data.imageset import ImageSet
from mnistlab.system.lightning_inside import OwnOrder

Batch = tuple[Tensor, dict[str, Tensor]]


@dataclass(frozen=True)
class Shard:
    """Which part of the rows this process reads: every `world_size`-th from `rank` on."""

    rank: int = 0
    world_size: int = 1


class EvalLoader:
    """Batches in the order of the rows.

    Under several processes each reads its shard. The shards differ by one row at most and have equally many batches,
    since a process that runs out early would leave the others waiting for it; no row is read twice.

    Yields: images (batch, channels, height, width) uint8, targets name -> (batch,) int64.

    Raises:
        ValueError: If there are fewer rows than processes.
    """

    def __init__(self, data: ImageSet, rows: Tensor, batch_size: int, shard: Shard | None = None) -> None:
        shard = shard or Shard()
        _check_enough(rows, shard)
        self._data = data
        self._rows = rows[shard.rank :: shard.world_size].to(data.images.device)
        wanted = math.ceil(math.ceil(len(rows) / shard.world_size) / batch_size)
        self._num_batches = max(1, min(wanted, len(rows) // shard.world_size))  # no batch is empty

    def __len__(self) -> int:
        return self._num_batches

    def __iter__(self) -> Iterator[Batch]:
        for rows in torch.tensor_split(self._rows, len(self)):
            yield _take(self._data, rows)


class TrainLoader(OwnOrder):
    """Batches in an order that is a function of (seed, epoch), from a position that a checkpoint keeps.

    Under several processes each reads its shard of one common order; the shards are of equal length, so that no
    process waits for a batch that never comes, and the few rows left over differ from epoch to epoch. A last batch of
    one row is joined to the batch before it: batch normalization cannot train on one row.

    Yields: images (batch, channels, height, width) uint8, targets name -> (batch,) int64.

    Raises:
        ValueError: If there are fewer rows than processes.
    """

    def __init__(
        self,
        data: ImageSet,
        rows: Tensor,
        batch_size: int,
        seed: int,
        *,
        shuffle: bool = True,
        shard: Shard | None = None,
    ) -> None:
        self._data = data
        self._rows = rows
        self._batch_size = batch_size
        self._seed = seed
        self._shuffle = shuffle
        self._shard = shard or Shard()
        self._epoch = 0
        self._given = 0  # images of this epoch, to this process
        _check_enough(rows, self._shard)

    def set_epoch(self, epoch: int) -> None:
        """Begin `epoch`, unless a checkpoint has set a position within it."""
        if epoch != self._epoch:
            self._epoch, self._given = epoch, 0

    def state_dict(self) -> dict[str, int]:
        """The order in use and how many images of it have been given out, all processes together."""
        images = self._given * self._shard.world_size
        return {"seed": self._seed, "epoch": self._epoch, "images": images}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue where `state_dict` was taken; with another batch size the first batch is cut to fit."""
        self._seed, self._epoch = state["seed"], state["epoch"]
        self._given = state["images"] // self._shard.world_size

    @property
    def batches_given(self) -> int:
        """How many batches of the epoch are no longer to come."""
        return len(self) - len(self._ends_left())

    @property
    def num_images(self) -> int:
        """The number of images in an epoch, over all processes."""
        return len(self._rows) // self._shard.world_size * self._shard.world_size

    def __len__(self) -> int:
        return len(self._ends())

    def __iter__(self) -> Iterator[Batch]:
        order = self._order().to(self._data.images.device)
        for end in self._ends_left():
            start, self._given = self._given, end
            yield _take(self._data, order[start:end])
        self._given = 0

    def _ends_left(self) -> list[int]:
        """Those of `_ends` that are still to come; the first batch must not be of one row either."""
        ends = self._ends()
        least = self._given + min(2, self._batch_size)
        return [end for end in ends if end >= least or (end == ends[-1] > self._given)]

    def _ends(self) -> list[int]:
        """Where each batch of this process ends in its order."""
        num_rows = len(self._rows) // self._shard.world_size
        ends = [*range(self._batch_size, num_rows, self._batch_size), num_rows]
        if len(ends) > 1 and self._batch_size > 1 and ends[-2] == num_rows - 1:
            ends.pop(-2)
        return ends

    def _order(self) -> Tensor:
        rows = self._rows
        if self._shuffle:
            # torch's generator on the CPU takes 32 bits of a seed and ignores the rest.
            generator = torch.Generator().manual_seed(zlib.crc32(f"{self._seed} {self._epoch}".encode()))
            rows = rows[torch.randperm(len(rows), generator=generator)]
        length = len(rows) // self._shard.world_size
        return rows[self._shard.rank :: self._shard.world_size][:length]


def _take(data: ImageSet, rows: Tensor) -> Batch:
    """A batch; `index_select` copies whole images, where indexing by brackets goes value by value."""
    targets = {name: target.index_select(0, rows) for name, target in data.targets.items()}
    return data.images.index_select(0, rows), targets


def _check_enough(rows: Tensor, shard: Shard) -> None:
    """Refuse to leave a process without rows: it has nothing to take a mean of."""
    if len(rows) < shard.world_size:
        raise ValueError(f"{len(rows)} images cannot be shared by {shard.world_size} processes. Use fewer processes.")
