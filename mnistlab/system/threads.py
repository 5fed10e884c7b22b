"""With how many threads torch computes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let torch compute with so many threads, or with as many as it does, and afterwards as it did before."""
    before = torch.get_num_threads()
    try:
        compute_with(count or before)
        yield
    finally:
        compute_with(before)


def compute_with(count: int) -> None:
    """Let torch compute with so many threads.

    A number that it has already is not told to it again. Whatever number it is told, from then on MKL no longer sees
    that it is called within one of torch's threads and takes several in each: attention takes two thirds longer on a
    CPU, with the same bits.
    """
    if torch.get_num_threads() != count:
        torch.set_num_threads(count)
