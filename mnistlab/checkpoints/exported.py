"""Weights in a safetensors file, which holds tensors and text and cannot hold code."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mnistlab.checkpoints import SUFFIX
from mnistlab.errors import LabError


class NotExportableError(LabError):
    """A model keeps something that such a file cannot hold."""


def pack(weights: Mapping[str, object], metadata: Mapping[str, str]) -> bytes:
    """The contents of a safetensors file.

    Tensors that share memory, as tied weights do, are each written whole: a model that ties them ties them again when
    it loads them. With one entry of metadata the same weights give the same bytes; the order of several is by chance.
    """
    owned: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if not isinstance(weight, Tensor):
            raise NotExportableError(f"{name} is a {type(weight).__name__}, and {SUFFIX} holds tensors only.")
        if weight.layout is not torch.strided:
            raise NotExportableError(f"{name} is a sparse tensor, and {SUFFIX} holds dense ones only.")
        owned[name] = weight.detach().contiguous().clone()
    try:
        return save(owned, dict(metadata))
    except (ValueError, KeyError) as error:  # such as complex128
        kinds = ", ".join(sorted({str(tensor.dtype) for tensor in owned.values()}))
        raise NotExportableError(f"{SUFFIX} does not hold all of these tensors ({kinds}): {error}") from error


def unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, on the CPU, and its metadata."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise LabError(f"{path} is not a safetensors file, or a damaged one: {error}.") from error
