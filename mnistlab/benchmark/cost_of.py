"""What a net costs, measured in a process that has done nothing else."""

import gc
import io
import os
import resource
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from mnistlab.classifier import Classifier
from mnistlab.nets.operations import multiply_adds
from mnistlab.options.building import build
from mnistlab.options.specification import Specification
from mnistlab.system.processes import Machine
from mnistlab.system.threads import compute_with

_SHAPE = (1, 28, 28)
_FEWEST, _MOST, _ENOUGH_S = 5, 100, 0.25
"""Passes that are timed at least and at most, and the seconds after which they are enough."""

_HIGHEST = "VmHWM"  # what Linux calls the most memory that a process has had at once


@dataclass(frozen=True)
class Cost:
    """What a net costs."""

    parameters: int
    multiply_adds: int  # for one image
    weights_bytes: int  # of a file with nothing but the weights
    checkpoint_bytes: int  # of one with the state of the optimizer too
    passes: dict[int, int]  # how many were timed, by the images in a batch
    ms_per_image: dict[int, float]  # the median of them
    peak_bytes: dict[int, int]  # the most memory at once above that before the net was made, up to batches of that size
    threads: int
    busy_cores: float  # that others used while it was timed, where they were in the way


def measure(path: str, batches: Sequence[int], threads: int | None = None) -> Cost:
    """Make a net with its defaults, and measure passes forward without gradients.

    Args:
        path: Its class.
        batches: The sizes of batches, in ascending order.
        threads: How many threads compute; as many as torch takes by itself, if not given.
    """
    compute_with(threads or torch.get_num_threads())
    _warm_up()
    before = _forgotten()
    model = build(Classifier, Specification(path)).eval()
    passes, times, peaks, machine = {}, {}, {}, Machine()
    for batch in batches:
        seconds = _timed(model, torch.randn(batch, *_SHAPE))
        passes[batch] = len(seconds)
        times[batch] = 1000 * statistics.median(seconds) / batch
        peaks[batch] = max(_highest() - before, 0)
    busy_cores = machine.look()
    return Cost(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        multiply_adds=multiply_adds(model, _SHAPE),
        weights_bytes=len(save({name: value.contiguous() for name, value in model.state_dict().items()})),
        checkpoint_bytes=_checkpoint_bytes(model),
        passes=passes,
        ms_per_image=times,
        peak_bytes=peaks,
        threads=torch.get_num_threads(),
        busy_cores=round(busy_cores, 2),
    )


def _timed(net: nn.Module, images: Tensor) -> list[float]:
    """The seconds of some passes; the first one, in which kernels are made, is not among them."""
    seconds: list[float] = []
    with torch.inference_mode():
        net(images)
        while len(seconds) < _FEWEST or (len(seconds) < _MOST and sum(seconds) < _ENOUGH_S):
            begun = time.perf_counter()
            net(images)
            seconds.append(time.perf_counter() - begun)
    return seconds


def _checkpoint_bytes(model: Classifier) -> int:
    """How large weights are with what the optimizer keeps of them once it has made a step."""
    make: Any = model.arguments["optimizer"]
    optimizer = make(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    content = io.BytesIO()
    torch.save({"state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()]}, content)
    return len(content.getvalue())


def _warm_up() -> None:
    """Have the code of torch in memory that any net runs, so that it does not count as that of the first one."""
    with torch.inference_mode():
        images = torch.zeros(1, *_SHAPE)
        F.conv2d(images, torch.zeros(4, 1, 3, 3))
        F.linear(images.flatten(1), torch.zeros(4, images.numel()))


def _forgotten() -> int:
    """The memory of this process, which counts as its highest from now on, where the system can forget."""
    gc.collect()
    with suppress(OSError):
        refs = os.open("/proc/self/clear_refs", os.O_WRONLY)
        os.write(refs, b"5")
        os.close(refs)
    return _highest()


def _highest() -> int:
    """The most bytes of memory that this process has had at once."""
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith(_HIGHEST)]
        return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts bytes
