"""Whole batches by index from a set that lies in memory."""

import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mnistlab.data.imageset import ImageSet

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
    """

    def __init__(self, data: ImageSet, rows: Tensor, batch_size: int, shard: Shard | None = None) -> None:
        shard = shard or Shard()
        self._data = data
        self._rows = rows[shard.rank :: shard.world_size].to(data.images.device)
        wanted = math.ceil(math.ceil(len(rows) / shard.world_size) / batch_size)
        self._num_batches = max(1, min(wanted, len(rows) // shard.world_size))  # no batch is empty

    def __len__(self) -> int:
        return self._num_batches

    def __iter__(self) -> Iterator[Batch]:
        for rows in torch.tensor_split(self._rows, len(self)):
            yield _take(self._data, rows)


class TrainLoader:
    """Batches in an order that is a function of (seed, epoch), from a position that a checkpoint keeps.

    Under several processes each reads its shard of one common order; the shards are of equal length, so that no
    process waits for a batch that never comes, and the few rows left over differ from epoch to epoch. A last batch of
    one row is joined to the batch before it: batch normalization cannot train on one row.

    Yields: images (batch, channels, height, width) uint8, targets name -> (batch,) int64.
    """

    batch_sampler = None  # Lightning asks for it on every loader that has a `sampler`

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
        self._position = 0
        if len(rows) < self._shard.world_size:
            raise ValueError(f"{len(rows)} training images cannot be shared by {self._shard.world_size} processes.")

    @property
    def sampler(self) -> "TrainLoader":
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Begin `epoch`, unless a checkpoint has set a position within it."""
        if epoch != self._epoch:
            self._epoch, self._position = epoch, 0

    def state_dict(self) -> dict[str, int]:
        """The seed of the order, the epoch, and how many images of it have been given out, all processes together."""
        images = self._position * self._batch_size * self._shard.world_size
        return {"seed": self._seed, "epoch": self._epoch, "images": images}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Continue where `state_dict` was taken."""
        self._seed, self._epoch = state["seed"], state["epoch"]
        self._position = state["images"] // (self._batch_size * self._shard.world_size)

    def __len__(self) -> int:
        return len(self._starts())

    def __iter__(self) -> Iterator[Batch]:
        order = self._order().to(self._data.images.device)
        starts = [*self._starts(), len(order)]
        if self._position == len(self):
            self._position = 0
        while self._position < len(self):
            rows = order[starts[self._position] : starts[self._position + 1]]
            self._position += 1
            yield _take(self._data, rows)

    def _starts(self) -> list[int]:
        num_rows = len(self._rows) // self._shard.world_size
        starts = list(range(0, num_rows, self._batch_size))
        if len(starts) > 1 and self._batch_size > 1 and starts[-1] == num_rows - 1:
            starts.pop()
        return starts

    def _order(self) -> Tensor:
        rows = self._rows
        if self._shuffle:
            # torch's generator on the CPU takes 32 bits of a seed and ignores the rest.
            generator = torch.Generator().manual_seed(zlib.crc32(f"{self._seed} {self._epoch}".encode()))
            rows = rows[torch.randperm(len(rows), generator=generator)]
        length = len(rows) // self._shard.world_size
        return rows[self._shard.rank :: self._shard.world_size][:length]


def _take(data: ImageSet, rows: Tensor) -> Batch:
    return data.images[rows], {name: target[rows] for name, target in data.targets.items()}
