"""Reading a checkpoint without trusting it."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mnistlab.errors import LabError

RECORD = "mnistlab"
"""The key of a checkpoint under which the lab's own part stands."""

FORMAT = 1
"""The version of that part."""


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """The contents of a checkpoint, on the CPU, loaded with `weights_only=True`: nothing in it is run.

    Raises:
        LabError: If there is no such file, it is damaged, or it holds more than tensors and plain data.
    """
    if not path.is_file():
        raise LabError(f"There is no checkpoint {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of pickles that it then refuses
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not _is_archive(path):
            raise LabError(f"{path} is not a checkpoint, or a damaged one.") from error
        raise LabError(
            f"{path} holds more than tensors and plain data, and reading the rest could run code. It was not loaded."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise LabError(f"{path} is not a checkpoint, or a damaged one.") from error
    if not isinstance(checkpoint, Mapping) or not isinstance(checkpoint.get("state_dict"), Mapping):
        raise LabError(f"{path} is not a checkpoint of a model: it has no state_dict.")
    return checkpoint


def record_of(checkpoint: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """What the lab has put into a checkpoint: the specifications of the model and of the data.

    Raises:
        LabError: If another program made it, or a newer mnistlab.
    """
    record = checkpoint.get(RECORD)
    if not isinstance(record, Mapping) or not isinstance(record.get("model"), Mapping):
        raise LabError(f"{path} was not made by mnistlab: it does not say which model it holds.")
    if record.get("format") != FORMAT:
        raise LabError(f"{path} is of format {record.get('format')}, this mnistlab reads {FORMAT}. Update mnistlab.")
    return record


def misfit(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str | None:
    """The first way in which `weights` are not those of a model that wants `wanted`; None where they fit."""
    for name, tensor in wanted.items():
        if name not in weights:
            return f"it has no {name}"
        if weights[name].shape != tensor.shape:
            return f"its {name} is {tuple(weights[name].shape)}, the model's {tuple(tensor.shape)}"
    surplus = [name for name in weights if name not in wanted]
    return f"it has {surplus[0]}, the model has not" if surplus else None


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"
