"""What libraries do at each step that a run does not need, switched off."""

import ctypes
import inspect
import os
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

import torch
from lightning.pytorch import Callback
from torch.utils import deterministic

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def spare_steps() -> None:
    """Let no step look for a GPU where there is none, nor fill memory that is about to be written.

    Adam asks for GPUs at each step. Lightning sets a variable so that a process can still fork after such a question,
    with which torch opens NVIDIA's library anew each time: a tenth of a step of a small net. Without a GPU there is
    nothing that a fork could break.

    With deterministic algorithms torch fills all new memory, so that programs which read it unwritten do not differ:
    up to a tenth of a step. No operation of a net does.
    """
    if not torch.cuda.is_available():
        os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def keep_freed_memory() -> None:
    """Let this process keep the memory that it has freed, for the next step.

    A step of a convolution frees a hundred megabytes, which the C library gives back to the system; the next step has
    every page of it cleared and mapped anew: a quarter of its time. Only GNU's library knows these settings, and does
    not mind a second call.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)


# The numbers of malloc.h; larger blocks than this are rare.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE = 2**30


class Epochwise(Callback):
    """A callback that Lightning does not ask at each step, but for the hooks that a subclass writes itself.

    Lightning asks every callback six times a step, which costs a hundredth of a step of a small net; it leaves out what
    cannot be called.
    """

    abstract = True  # only to be derived from


for _hook in (
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "on_validation_batch_start",
    "on_validation_batch_end",
):
    setattr(Epochwise, _hook, None)


def with_signature(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Keep the signature of a function where `inspect` looks first; Lightning asks for that of a step at each step."""
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function
