"""Objects that words do not describe, kept in files among the runs: the same contents are one file."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from pickle import PicklingError
from typing import Any, TypeGuard, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, TensorDataset

from mnistlab.checkpoints.reading import pack
from mnistlab.errors import LabError
from mnistlab.nets.given import remember
from mnistlab.system.files import telling, write_bytes

Array = np.ndarray[Any, np.dtype[Any]]

_SPLITS = ("train", "val", "test")
_WAY_OUT = "Choose another place: options={'run.dir': ...}."


def are_images(value: object) -> bool:
    """Whether something is images with labels: a pair of arrays, arrays by name, a Dataset, or several by split."""
    if isinstance(value, Mapping):
        return bool(value) and all(_is_array(part) or are_images(part) for part in value.values())
    return isinstance(value, Dataset) or _is_pair(value)


def keep_images(value: object, root: Path) -> Path:
    """Keep images and their labels as an npz.

    Args:
        value: What `are_images` is true for.
        root: Where.

    Raises:
        LabError: If there are not as many labels as images, or the items of a Dataset are no such pairs.
    """
    arrays = dict(_arrays(value))
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    path = _place(root, digest.hexdigest(), ".npz")
    if not path.is_file():
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type] # mypy takes the names for options
        _write(path, buffer.getvalue())
    return path


def keep_weights(weights: Mapping[str, object], root: Path) -> Path:
    """Keep the weights of a model."""
    path = _place(root, _digest(weights), ".safetensors")
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
    path = _place(root, digest, ".pt")
    remember(path, net)
    if not why and not path.is_file():
        _write(path, buffer.getvalue())
    return path, why


def _arrays(value: object) -> Iterator[tuple[str, Array]]:
    """The arrays by the names that a reader of npz finds them by."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if _is_array(part):
                yield str(name), _as_array(part)
            elif name in _SPLITS:
                yield from _of_split(part, f"_{name}")
            else:
                raise LabError(f"data: `{name}` is no split. There are {', '.join(_SPLITS)}.")
    else:
        yield from _of_split(value, "")


def _of_split(value: object, ending: str) -> Iterator[tuple[str, Array]]:
    images, labels, names = _pair(value)
    if len(images) != len(labels):
        raise LabError(f"data: there are {len(images):,} images and {len(labels):,} labels.")
    yield f"x{ending}", images
    yield f"y{ending}", labels
    if names and not ending.startswith(("_val", "_test")):
        yield "class_names", np.array(names)


def _pair(value: object) -> tuple[Array, Array, Sequence[str]]:
    """Images, labels, and the names of the classes where the data have some."""
    if isinstance(value, Dataset) and not isinstance(value, TensorDataset):
        named = getattr(value, "classes", None)
        names = [str(each) for each in named] if isinstance(named, Sequence) else []
        return *_items(cast("Iterable[object]", value)), names
    pair: Any = value.tensors if isinstance(value, TensorDataset) else value
    return _as_array(pair[0]), _as_array(pair[1]), ()


def _items(dataset: Iterable[object]) -> tuple[Array, Array]:
    """The items of a Dataset, each a pair of an image and its label."""
    images, labels = [], []
    for number, item in enumerate(dataset):
        if not (isinstance(item, tuple | list) and len(item) == 2):  # noqa: PLR2004 - a pair
            raise LabError(f"data: item {number} of the Dataset is no pair of an image and a label.")
        images.append(_as_array(item[0]))
        labels.append(int(item[1]))
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        said = " and ".join("x".join(map(str, shape)) for shape in sorted(shapes)[:2]) or "none"
        raise LabError(f"data: images of one size are wanted, and those of the Dataset are {said}.")
    return np.stack(images), np.array(labels)


def _as_array(value: object) -> Array:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _is_array(value: object) -> "TypeGuard[Array | Tensor]":
    return isinstance(value, np.ndarray | Tensor)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and _is_array(value[0])  # noqa: PLR2004 - a pair


def _digest(parts: Mapping[str, object]) -> str:
    digest = hashlib.sha256()
    for name, part in parts.items():
        digest.update(name.encode())
        array = _as_array(part.float() if isinstance(part, Tensor) and part.dtype is torch.bfloat16 else part)
        digest.update(f"{array.dtype.str} {array.shape} {array.tobytes().hex()}".encode())
    return digest.hexdigest()


def _place(root: Path, digest: str, suffix: str) -> Path:
    return (root / f"{digest[:16]}{suffix}").absolute()


def _write(path: Path, content: bytes) -> None:
    with telling(path, _WAY_OUT):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
