"""Images and labels that are given as objects, kept as an npz among the runs: the same contents are one file."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from traceback import extract_tb
from typing import Any, cast

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from mnistlab.calling.keeping import as_array, keep_bytes, place_of
from mnistlab.data.own.arrays import paired
from mnistlab.data.own.gathered import Array, is_label_name, split_named
from mnistlab.errors import LabError
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import counted

_SPLITS = ("train", "val", "test")
_CLASS_NAMES = "class_names"
_PAIR = 2
_RIGHT = "data=(images, labels)"


def are_images(value: object) -> bool:
    """Whether something is meant as images with labels: arrays, lists of numbers, a Dataset, or these by name."""
    return _is_array(value) or isinstance(value, Mapping | list | tuple | Dataset | DataLoader)


def keep_images(value: object, root: Path) -> Path:
    """Keep images and their labels as an npz.

    Args:
        value: What `are_images` is true for.
        root: Where.

    Raises:
        LabError: If they are no images with a label each; nothing is kept then.
    """
    arrays = dict(_arrays(value))
    if isinstance(value, Mapping):
        _check_names(arrays)
    paired({name: each for name, each in arrays.items() if name != _CLASS_NAMES}, Path("data"))
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    path = place_of(root, digest.hexdigest(), ".npz")
    if not path.is_file():
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type] # mypy takes the names for options
        keep_bytes(path, buffer.getvalue())
    return path


def lacks_training(value: object) -> bool:
    """Whether these are images by name, all of them for the test or for validation."""
    if not isinstance(value, Mapping) or "class_path" in value:
        return False
    parts = {split_named(str(name)) for name in value if str(name) != _CLASS_NAMES}
    return bool(parts) and not parts & {"train", None}


def _check_names(arrays: Mapping[str, Array]) -> None:
    """Refuse a name that says neither images nor labels, images without labels, and a split in some names only."""
    divided = any(split_named(name) for name in arrays)
    known = [f"{axis}_{split}" for split in _SPLITS for axis in "xy"] if divided else ["x", "y"]
    for name in arrays:
        if name != _CLASS_NAMES and (not _means(name) or (divided and not split_named(name))):
            guess = suggestion(name, known) or f" There are {', '.join([*known, _CLASS_NAMES])}."
            raise LabError(f"data: `{name}` is neither images nor labels{' of a split' * divided}.{guess}")
    for name in [name for name in arrays if _means(name) == "x"]:
        split = split_named(name)
        if not any(_means(other) == "y" and split_named(other) == split for other in arrays):
            raise LabError(f"data: {name} has no labels: {f'y_{split}' if split else 'y'} is missing.")


def _means(name: str) -> str:
    """Whether a name says images, `x`, or labels, `y`; nothing where it says neither."""
    if is_label_name(name):
        return "y"
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return "x" if {"x", "image", "images", "data", "pixels"}.intersection(words) else ""


def _arrays(value: object) -> Iterator[tuple[str, Array]]:
    """The arrays by the names that a reader of npz finds them by."""
    if not isinstance(value, Mapping):
        yield from _of_split(value, "data", "")
        return
    for name, part in value.items():
        if name in _SPLITS:
            yield from _of_split(part, f"data[{name!r}]", f"_{name}")
        elif _is_array(part) or isinstance(part, list):
            yield str(name), _array(part, f"data[{name!r}]")
        else:
            guess = suggestion(str(name), _SPLITS) or f" There are {', '.join(_SPLITS)}."
            raise LabError(f"data: `{name}` is no split.{guess}")


def _of_split(value: object, where: str, ending: str) -> Iterator[tuple[str, Array]]:
    images, labels, names = _pair(value, where)
    if images.ndim < _PAIR <= labels.ndim:
        raise LabError(f"{where}: the labels stand first, the images second. Write {_RIGHT}.")
    if labels.ndim == _PAIR and labels.shape[1] > 1:
        raise LabError(
            f"{where}: the labels are {_shape(labels)}, and one an image is wanted. Write labels.argmax(1) "
            "if each row has its 1 at the class."
        )
    if len(images) != len(labels):
        raise LabError(f"{where}: there are {counted(len(images), 'image')} and {counted(len(labels), 'label')}.")
    if not len(images):
        raise LabError(f"{where}: there are no images: they are {_shape(images)}.")
    yield f"x{ending}", images
    yield f"y{ending}", labels
    if names and not ending.startswith(("_val", "_test")):
        yield _CLASS_NAMES, np.array(names)


def _pair(value: object, where: str) -> tuple[Array, Array, Sequence[str]]:
    """Images, labels, and the names of the classes where the data have some.

    Raises:
        LabError: If it is something else, with the form that is right.
    """
    if isinstance(value, DataLoader):
        size = f", batch_size={value.batch_size}" if value.batch_size else ""
        raise LabError(
            f"{where}: a DataLoader has batches, and the lab makes its own. Write data=loader.dataset{size}."
        )
    if isinstance(value, TensorDataset):
        value = value.tensors
    if isinstance(value, Dataset) or _are_items(value):
        named = getattr(value, "classes", None)
        names = [str(each) for each in named] if isinstance(named, Sequence) else []
        return *_items(cast("Iterable[object]", value), where), names
    if _is_array(value) or (isinstance(value, list) and len(value) != _PAIR):
        shape = f": an array {_shape(as_array(value))} stands alone" if _is_array(value) else ""
        raise LabError(f"{where}: labels are missing{shape}. Write {_RIGHT}; of images alone there is run.predict.")
    if not isinstance(value, tuple | list) or len(value) != _PAIR or value[1] is None or _is_pair_of_pairs(value):
        came = f"{len(value)} parts" if isinstance(value, tuple | list) and len(value) > _PAIR else "no pair"
        came = "pairs" if _is_pair_of_pairs(value) else came
        splits = "data={'train': (images, labels), 'test': (images, labels)}"
        raise LabError(f"{where}: images with a label each are wanted, got {came}. Write {_RIGHT}, or {splits}.")
    return _array(value[0], f"{where}: the images"), np.atleast_1d(_array(value[1], f"{where}: the labels")), ()


def _items(dataset: Iterable[object], where: str) -> tuple[Array, Array]:
    """The items of a Dataset, each a pair of an image and its label."""
    images, labels = [], []
    for number, item in enumerate(_told_by_itself(dataset, where)):
        if not (isinstance(item, tuple | list) and len(item) == _PAIR and not np.ndim(item[1])):
            raise LabError(f"{where}: item {number} of the Dataset is no pair of an image and a label.")
        images.append(as_array(item[0]))
        labels.append(as_array(item[1]))
    if isinstance(dataset, Sized) and len(dataset) != len(images):
        raise LabError(f"{where}: the Dataset says that it has {len(dataset):,} items, and ends after {len(images):,}.")
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        said = " and ".join("x".join(map(str, shape)) for shape in sorted(shapes)[:2]) or "none"
        raise LabError(f"{where}: images of one size are wanted, and those of the Dataset are {said}.")
    return np.stack(images), np.array(labels)


def _told_by_itself(dataset: Iterable[object], where: str) -> Iterator[object]:
    """The items of a Dataset, whose own errors are told with their line."""
    number, items = 0, iter(dataset)
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except Exception as error:
            place = extract_tb(error.__traceback__)[-1]
            raise LabError(
                f"{where}: item {number} of the Dataset: {type(error).__name__}: {error} (in {place.name}, line "
                f"{place.lineno} of {place.filename})."
            ) from error
        yield item
        number += 1


def _are_items(value: object) -> bool:
    """Whether it is a list as the items of a Dataset are: `[(image, 3), ...]`."""
    first: Any = value[0] if isinstance(value, list) and value else None
    return isinstance(first, tuple) and len(first) == _PAIR and not np.ndim(first[1]) and np.ndim(first[0]) > 1


def _is_pair_of_pairs(value: object) -> bool:
    """Whether it is what Keras gives: `(x_train, y_train), (x_test, y_test)`."""
    parts = value if isinstance(value, tuple | list) else ()
    return bool(parts) and all(
        isinstance(part, tuple | list) and len(part) == _PAIR and _is_array(part[0]) for part in parts
    )


def _array(value: object, where: str) -> Array:
    """Anything that numpy makes an array of.

    Raises:
        LabError: If that is not one of equal parts.
    """
    parts = value if isinstance(value, list | tuple) else ()
    try:
        array = np.stack([*map(as_array, parts)]) if parts and isinstance(parts[0], Tensor) else as_array(value)
    except (TypeError, ValueError):  # of different sizes, or of a kind that numpy does not have
        array = np.array(None)
    if array.dtype == object:
        raise LabError(f"{where} make no array of numbers: are all of one size? Write np.stack(...) of them.")
    return array


def _is_array(value: object) -> bool:
    return isinstance(value, Tensor) or (hasattr(value, "__array__") and hasattr(value, "shape"))


def _shape(array: Array) -> str:
    return "x".join(map(str, array.shape))
