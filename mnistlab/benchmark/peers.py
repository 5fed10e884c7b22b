"""The plain loop and the template, in processes of their own: nothing that the lab sets for itself reaches them."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from torch import nn

from mnistlab import models
from mnistlab.benchmark import template
from mnistlab.benchmark.builds import Build
from mnistlab.benchmark.clock import Clock
from mnistlab.benchmark.fitting import terminal
from mnistlab.benchmark.plain import Images, PlainLoop, in_memory
from mnistlab.training.failures import RunFailedError
from mnistlab.training.running import check

_CAREFUL = "PYTORCH_NVML_BASED_CUDA_CHECK"
Returned = TypeVar("Returned")

_WARM_UP = 20  # steps of a plain loop that do not count


class Peers:
    """Two processes that train the same nets on the same images.

    Args:
        data: The data set, as options of `fit`.
    """

    def __init__(self, data: Sequence[str]) -> None:
        context = get_context("spawn")
        # Lightning sets a variable that slows each step of Adam; a program that does not import it pays nothing.
        self._plain, self._template = (
            ProcessPoolExecutor(1, context, _begin, (tuple(data), careful)) for careful in (None, "1")
        )

    def epoch(self, net: str, batch_size: int, batches: int) -> float:
        """Seconds of some steps of the plain loop, on the net that it has trained before."""
        return _result(self._plain.submit(_epoch, net, batch_size, batches))

    def validate(self, net: str, batch_size: int, eval_batch_size: int, most: int) -> float:
        """Seconds of the plain loop for `most` of the validation images."""
        return _result(self._plain.submit(_validate, net, batch_size, eval_batch_size, most))

    def template(self, net: str, batch_size: int, batches: int, val_batches: int, folder: Path) -> Clock:
        """Train a net as a template does, for an epoch that warms up and one that counts."""
        return _result(self._template.submit(_train, net, batch_size, batches, val_batches, folder))

    def stop(self) -> None:
        """End both."""
        self._plain.shutdown(cancel_futures=True)
        self._template.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Ground:
    """What all sections stand on."""

    data: Sequence[str]  # the data set and its options, as they are typed
    images: Images  # the same, read already
    peers: Peers  # what fit is measured against
    quick: bool  # less of everything
    builds: Sequence[Build]  # this one in processes of its own, and the other where there is one
    seeds: int  # with how many the longest training is repeated


@contextmanager
def peers(data: Sequence[str]) -> Iterator[Peers]:
    """Both processes, as long as they are needed."""
    made = Peers(data)
    try:
        yield made
    finally:
        made.stop()


def _result(future: Future[Returned]) -> Returned:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RunFailedError("a process that fit is measured against has died. Is there enough memory?") from error


_images: list[Images] = []
_loops: dict[tuple[str, int], PlainLoop] = {}


def _begin(data: Sequence[str], careful: str | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, and the first process says so
    os.environ.pop(_CAREFUL, None)
    if careful is not None:
        os.environ[_CAREFUL] = careful
    _images.append(in_memory(check(data).datamodule))


def _loop(net: str, batch_size: int) -> PlainLoop:
    if (net, batch_size) not in _loops:
        loop = _loops[net, batch_size] = PlainLoop(_made(net), _images[0], batch_size)
        loop.epoch(_WARM_UP)
    return _loops[net, batch_size]


def _epoch(net: str, batch_size: int, batches: int) -> float:
    return _loop(net, batch_size).epoch(batches)


def _validate(net: str, batch_size: int, eval_batch_size: int, most: int) -> float:
    return _loop(net, batch_size).validate(eval_batch_size, most)


def _train(net: str, batch_size: int, batches: int, val_batches: int, folder: Path) -> Clock:
    classes = int(_images[0].train_target.max()) + 1
    with terminal(folder / "screen"):
        return template.train(_made(net), classes, _images[0], batch_size, batches, val_batches, str(folder))


def _made(name: str) -> nn.Module:
    made: nn.Module = getattr(models, name)().net
    return made
