"""Whether a command can measure without Lightning: on the CPU, in one process, with classes that are known."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import torch

from mnistlab.options.settling import Settled
from mnistlab.options.trust import class_paths

_PRECISIONS = {
    **dict.fromkeys(("None", "32", "32-true"), "32-true"),
    **dict.fromkeys(("64", "64-true"), "64-true"),
    **dict.fromkeys(("bf16", "bf16-mixed"), "bf16-mixed"),
    "bf16-true": "bf16-true",
}
"""What a loop on the CPU can compute with, by what is written for it."""

_LIMITS = ("limit_val_batches", "limit_test_batches", "limit_predict_batches")
_HEEDED = {*_LIMITS, "accelerator", "devices", "precision", "deterministic"}
"""The options of a trainer that a loop heeds; where another one is written, the trainer does."""

_OF_SEVERAL = ("LOCAL_RANK", "WORLD_SIZE", "SLURM_NTASKS", "LSB_JOBID", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
"""What programs set that start several processes."""


def is_enough(settled: Settled) -> bool:
    """Whether a loop does all that the configuration of a command asks for."""
    values, trainer = settled.complete(), settled.complete()["trainer"]
    written = {key.split(".")[1] for key in settled.origins if key.startswith("trainer.")}
    limits = [trainer[name] for name in _LIMITS]
    return (
        not settled.unsure
        and "data" in values
        and written <= _HEEDED
        and not any(key.split(".")[0] == "logger" for key in settled.origins)
        and values["seed_everything"] is not True
        and str(trainer["precision"]) in _PRECISIONS
        and str(trainer["devices"]) in ("auto", "1")
        and trainer["deterministic"] in (True, False)
        and all(limit is None or isinstance(limit, int) or limit == 1.0 for limit in limits)
        and all(path.startswith(("mnistlab.", "torch.")) for path in class_paths(values))
        and _runs_here(str(trainer["accelerator"]))
    )


def precision_of(trainer: Mapping[str, Any]) -> str:
    """What is computed with, in Lightning's words."""
    return _PRECISIONS[str(trainer["precision"])]


def _runs_here(accelerator: str) -> bool:
    """Whether Lightning would compute on the CPU too, in this process alone."""
    if any(name in os.environ for name in _OF_SEVERAL):
        return False
    there = torch.cuda.is_available() or torch.backends.mps.is_available() or find_spec("torch_xla") is not None
    return accelerator == "cpu" or (accelerator == "auto" and not there)
