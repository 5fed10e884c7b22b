"""Arrays with names, as npz and files of tensors have them."""

import pickle
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from math import isqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnistlab.data.own.gathered import Array, Gathered, Part, as_names, damaged, is_label_name, split_named
from mnistlab.errors import LabError

_BYTE, _WORD = 255, 65_535
_HAIR = 0.05  # by so much numbers from 0 to 1 go beyond that once they were resized
_LOWEST_BYTES = 4  # numbers up to here that are no whole ones are not from 0 to 255
_LOWEST_WORDS = 1024  # numbers up to here, of 10 bits, are not from 0 to 65,535
_COLOURS = (1, 3, 4)
_FLAT, _GREY, _COLOUR = 2, 3, 4  # dimensions of many images


class Pixels(NamedTuple):
    """Images as they are kept, and what was taken for granted of them."""

    parts: dict[str, Array]
    notes: list[str]


def read_npz(path: Path) -> Gathered:
    """Read arrays as Keras (`x_train`, `y_train`, ...) and MedMNIST (`train_images`, `train_labels`, ...) name them.

    Where there are `class_names`, these are the classes, though some of them may have no image.

    Raises:
        LabError: If it is broken, holds Python objects, or no images.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise damaged(path, error) from error
        raise LabError(
            f"{path} holds Python objects, which could run code when they are read. Save arrays of numbers: "
            "np.savez(path, x_train=np.stack(images), y_train=np.array(labels))."
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise damaged(path, error) from error
    classes = arrays.pop("class_names", None)
    found = paired(arrays, path)
    return found if classes is None else replace(found, classes=[str(each) for each in classes.reshape(-1)])


def read_tensors(path: Path) -> Gathered:
    """Read a mapping of plain tensors with names as in an npz, or a pair of images and labels.

    Raises:
        LabError: If it is broken, holds anything but tensors, or no images.
    """
    import torch  # noqa: PLC0415 - the other forms need none

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise LabError(
            f"{path} holds more than plain tensors, which could run code when it is read. Save "
            "torch.save({'images': images, 'labels': labels}, path)."
        ) from error
    except Exception as error:  # a broken file may bring anything up
        raise damaged(path, error) from error
    if isinstance(found, list | tuple) and len(found) == 2:  # noqa: PLR2004 - as torchvision kept its own
        found = {"images": found[0], "labels": found[1]}
    if not isinstance(found, Mapping) or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise LabError(f"{path} holds no mapping of tensors. Save {{'images': images, 'labels': labels}}.")
    return paired({str(name): tensor.numpy() for name, tensor in found.items()}, path)


def paired(arrays: Mapping[str, Array], path: Path, *, by_column: bool = False) -> Gathered:
    """Find which arrays are images, of which split, and what their labels are.

    Args:
        arrays: By name.
        path: Where they are from.
        by_column: Whether images run down their columns and stand last, as in MATLAB.

    Raises:
        LabError: If there are no images, or not as many as labels.
    """
    images, labels = _sorted_out(arrays, path)
    _check_partners(images, labels, path)
    if by_column:
        images = {
            part: _from_columns(each, labels[part].size if part in labels else None) for part, each in images.items()
        }
    for part, each in images.items():
        if part in labels and len(labels[part].reshape(-1)) % max(1, len(each)):
            raise LabError(f"{path} has {len(each):,} images and {labels[part].size:,} labels of {part}.")
    pixels = as_pixels(images, path)
    return Gathered(
        {
            part: Part(each, as_names(labels[part].reshape(len(each), -1), path) if part in labels else None)
            for part, each in pixels.parts.items()
        },
        notes=pixels.notes,
    )


def _check_partners(images: Mapping[str, Array], labels: Mapping[str, Array], path: Path) -> None:
    """Refuse images of a split without labels where others have some, and labels without images."""
    for part in labels.keys() - images.keys() - {"all"}:
        raise LabError(f"{path} has labels of {part} and no images of it: x_{part} is missing.")
    for part in images.keys() - labels.keys() if labels.keys() & images.keys() else ():
        raise LabError(f"{path} has images of {part} and no labels of them: y_{part} is missing.")


def _sorted_out(arrays: Mapping[str, Array], path: Path) -> tuple[dict[str, Array], dict[str, Array]]:
    """The images and the labels of each part."""
    images: dict[str, Array] = {}
    labels: dict[str, Array] = {}
    for name, array in arrays.items():
        part = split_named(name) or "all"
        if array.ndim == 0:
            continue
        if is_label_name(name):
            labels.setdefault(part, array)
        elif array.ndim >= _FLAT and array.size > images.get(part, array[:0]).size:
            images[part] = array
    if "all" in images and len(images) > 1:
        del images["all"]
    if not images:
        said = ", ".join(f"{name} {'x'.join(map(str, each.shape))}" for name, each in arrays.items()) or "nothing"
        raise LabError(f"{path} holds no images, but {said}. They are sought as x_train and y_train, or train_images.")
    return images, labels


def as_pixels(parts: Mapping[str, Array], where: object) -> Pixels:
    """Images of any layout and any kind of number as uint8, (n, height, width) or (n, channels, height, width).

    What white is follows from all parts together: 1 for true and false and for numbers from 0 (or -1) to 1, 65,535 for
    numbers of 16 bits, else 255. Numbers a hair beyond 0 and 1, as a resized image has them, are cut off there.

    Raises:
        LabError: If they are no images, or of numbers that are no pixels.
    """
    laid_out = {part: _laid_out(array, where) for part, array in parts.items() if len(array)}
    if not laid_out:
        raise LabError(f"{where} holds no images: its arrays are empty.")
    if all(each.dtype == np.uint8 for each in laid_out.values()) and max(int(e.max()) for e in laid_out.values()) > 1:
        return Pixels({part: _without_alpha(np.ascontiguousarray(each)) for part, each in laid_out.items()}, [])
    low = min(float(each.min()) for each in laid_out.values())
    high = max(float(each.max()) for each in laid_out.values())
    kinds = {each.dtype.kind for each in laid_out.values()}
    if not (np.isfinite(low) and np.isfinite(high)) or not kinds <= set("iufb"):
        raise LabError(f"{where} has pixels that are no numbers.")
    found = f"{where} has pixels from {low:g} to {high:g}"
    broken = high <= _LOWEST_BYTES and any(_is_broken(each) for each in laid_out.values())
    begin, white = _range(low, high, broken=broken)
    if low >= 0 and ((broken and white == _BYTE) or _BYTE < high < _LOWEST_WORDS):
        raise LabError(
            f"{found}: what is white? It is sought at 1, 255 or 65,535. "
            "Scale them: (x / x.max() * 255).astype('uint8')."
        )
    if not white:
        raise LabError(f"{found}. They are sought from 0 to 255, or from 0 to 1, and are normalized here.")
    pixels = {part: _scaled(each, begin, white) for part, each in laid_out.items()}
    return Pixels(pixels, [f"{found}: cut off at {begin} and {white}"] if low < begin or high > white else [])


def _scaled(images: Array, begin: float, white: float) -> Array:
    """Images of uint8, of which these are black and white."""
    values = (np.clip(images, begin, white).astype(np.float32) - begin) * (_BYTE / (white - begin))
    return _without_alpha(np.round(values).astype(np.uint8))


def _is_broken(images: Array) -> bool:
    """Whether there are numbers that are no whole ones."""
    return images.dtype.kind == "f" and bool((images != np.round(images)).any())


def _range(low: float, high: float, *, broken: bool) -> tuple[float, float]:
    """What black and white are; white is 0 where nobody could say."""
    if low >= -_HAIR * broken and high <= 1 + _HAIR * broken:
        return 0, 1
    if low >= -1 - _HAIR * broken and high <= 1 + _HAIR * broken:
        return -1, 1
    if low < 0 or high > _WORD:
        return 0, 0
    return 0, (_BYTE if high <= _BYTE else _WORD)


def _laid_out(array: Array, where: object) -> Array:
    """(n, height, width), or (n, channels, height, width)."""
    if array.ndim == _FLAT:
        values = array.shape[1]
        if isqrt(values) ** 2 == values:
            return array.reshape(-1, isqrt(values), isqrt(values))
        if values % 3 == 0 and isqrt(values // 3) ** 2 == values // 3:
            return array.reshape(-1, 3, isqrt(values // 3), isqrt(values // 3))
    if array.ndim == _GREY:
        return array
    if array.ndim == _COLOUR:
        found = [each for each in (array.transpose(0, 3, 1, 2), array) if each.shape[1] in _COLOURS]
        if found:  # of 3 x 4 x 4 it is the first that counts the channels
            return max(found, key=lambda each: each.shape[2] == each.shape[3])
    shape = "x".join(map(str, array.shape))
    raise LabError(f"{where} has an array {shape}, which is not one of square, grey or coloured images.")


def _without_alpha(images: Array) -> Array:
    """Lay images with a fourth channel on white, and drop a single channel."""
    if images.ndim == _COLOUR and images.shape[1] == 4:  # noqa: PLR2004
        alpha = images[:, 3:].astype(np.float32) / _BYTE
        seen: Array = np.round(images[:, :3] * alpha + _BYTE * (1 - alpha)).astype(np.uint8)
        return seen
    return images[:, 0] if images.ndim == _COLOUR and images.shape[1] == 1 else images


def _from_columns(array: Array, images: int | None) -> Array:
    """Images of MATLAB: the last dimension counts them, or of two that which has as many as there are labels."""
    if array.ndim > _FLAT:
        array = np.moveaxis(array, -1, 0)
        return array if array.ndim == _GREY else array.transpose(0, 3, 1, 2)
    rows = array if images is None or array.shape[0] == images else array.T
    laid_out = _laid_out(rows, "it")
    return laid_out.swapaxes(-1, -2)
