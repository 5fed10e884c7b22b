"""Objects that words do not describe, kept in files among the runs: the same contents are one file."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from pickle import PicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mnistlab.checkpoints.reading import pack
from mnistlab.nets.given import remember
from mnistlab.system.files import telling, write_bytes

Array = np.ndarray[Any, np.dtype[Any]]

_WAY_OUT = "Choose another place: options={'run.dir': ...}."


def keep_weights(weights: Mapping[str, object], root: Path) -> Path:
    """Keep the weights of a model."""
    path = place_of(root, _digest(weights), ".safetensors")
    if not path.is_file():
        with telling(path, _WAY_OUT):
            path.parent.mkdir(parents=True, exist_ok=True)
            pack(path, weights, {})
    return path


def keep_net(net: nn.Module, root: Path) -> tuple[Path, str]:
    """Keep a net whole, for this session and as far as it can be for others.

    Returns:
        Where, and why another process cannot have it; nothing where it can.
    """
    buffer, why = io.BytesIO(), ""
    try:
        torch.save(net, buffer)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    except (AttributeError, TypeError, PicklingError) as error:  # a lambda, a class within a function, an open file
        why = " ".join(str(error).split())
        digest = _digest({"net": repr(net), **net.state_dict()})
    path = place_of(root, digest, ".pt")
    remember(path, net)
    if not why and not path.is_file():
        keep_bytes(path, buffer.getvalue())
    return path, why


def as_array(value: object) -> Array:
    """A tensor, or what numpy makes one of, as an array."""
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _digest(parts: Mapping[str, object]) -> str:
    digest = hashlib.sha256()
    for name, part in parts.items():
        digest.update(name.encode())
        array = as_array(part.float() if isinstance(part, Tensor) and part.dtype is torch.bfloat16 else part)
        digest.update(f"{array.dtype.str} {array.shape} {array.tobytes().hex()}".encode())
    return digest.hexdigest()


def place_of(root: Path, digest: str, suffix: str) -> Path:
    """Where something lies whose content has this digest."""
    return (root / f"{digest[:16]}{suffix}").absolute()


def keep_bytes(path: Path, content: bytes) -> None:
    """Write a file whole.

    Raises:
        LabError: If it cannot be written.
    """
    with telling(path, _WAY_OUT):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
