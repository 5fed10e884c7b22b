"""Reading a checkpoint without trusting it, and weights in a safetensors file, which cannot hold code."""

import json
import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mnistlab.checkpoints import SUFFIX
from mnistlab.checkpoints.limits import check_extent
from mnistlab.checkpoints.pickled import names_in_pickle
from mnistlab.errors import LabError, visible
from mnistlab.system.files import is_file, replacing
from mnistlab.system.shapes import count, fields, mapping, maybe, named, row, text
from mnistlab.system.strict_json import as_json, spelt

RECORD = "mnistlab"
"""The key of a checkpoint under which the lab's own part stands."""

FORMAT = 1
"""The version of that part."""

_BUILT = fields({"class_path": text, "init_args": mapping})
_KEPT = ("model", "data", "data_fingerprint", "image_shape", "trainer")
"""What a file of weights alone says too."""
_DESCRIBES = fields(
    {"model": _BUILT},
    {
        "data": maybe(_BUILT),
        "data_fingerprint": maybe(named(text)),
        "image_shape": maybe(row(count, count, count)),
        "trainer": maybe(fields({"precision": text})),
    },
)


class UnsafeCheckpointError(LabError):
    """A checkpoint holds more than tensors and plain data."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.names = names  # what reading the rest would import, as far as that can be seen
        super().__init__(
            f"{path} holds more than tensors and plain data{_asks_for(names)}, and reading the rest could run code. "
            "It was not loaded."
        )


def read_checkpoint(path: Path, *, mapped: bool = False) -> Mapping[str, Any]:
    """The contents of a checkpoint, on the CPU: nothing in it is run.

    A safetensors file reads as a checkpoint with no more than a state_dict and the lab's own part.

    Args:
        path: The checkpoint.
        mapped: Leave the tensors in the file until they are used; for a file that this process has written.

    Raises:
        LabError: If there is no such file, it is damaged, or it holds more than tensors and plain data.
    """
    contents = read_plain(path, mapped=mapped)
    if not isinstance(contents, Mapping) or not isinstance(contents.get("state_dict"), Mapping):
        raise LabError(f"{path} is not a checkpoint of a model: it has no state_dict.")
    return contents


def read_plain(path: Path, *, mapped: bool = False) -> object:
    """What a file of any program holds, on the CPU, loaded with `weights_only=True` or as safetensors.

    Args:
        path: The file.
        mapped: Leave the tensors in the file until they are used.

    Raises:
        UnsafeCheckpointError: If it holds more than tensors and plain data.
        LabError: If there is no such file, or it is damaged.
    """
    if not is_file(path):
        raise LabError(f"There is no checkpoint {path}.")
    if path.suffix == SUFFIX:
        return _read_safetensors(path)
    _refuse_packed(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of pickles that it then refuses
            contents: object = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        names = names_in_pickle(path)
        if not names and not _is_archive(path):
            raise LabError(f"{path} is not a checkpoint, or a damaged one.") from error
        raise UnsafeCheckpointError(path, names) from error
    except Exception as error:  # what is no pickle at all ends in any error
        raise LabError(f"{path} is not a checkpoint, or a damaged one.") from error
    return contents


def write_weights(file: Path, path: Path, more: Mapping[str, object]) -> None:
    """Write the weights of a checkpoint as a safetensors file, with what it takes to build the model and the data.

    Args:
        file: The file to write.
        path: The checkpoint, which this process has written.
        more: What the file shall say besides, as plain data.

    Raises:
        LabError: If the checkpoint is not the lab's, or holds what such a file cannot.
    """
    checkpoint = read_checkpoint(path, mapped=True)
    record = record_of(checkpoint, path)
    kept = {name: spelt(record.get(name)) for name in ("format", *_KEPT)}
    progress = {name: checkpoint.get(name) for name in ("epoch", "global_step")}
    pack(file, checkpoint["state_dict"], {RECORD: as_json({**kept, **progress, **more}, indent=None)})


def record_of(checkpoint: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """What the lab has put into a checkpoint: the specifications of the model and of the data.

    Raises:
        LabError: If another program made it, or a newer mnistlab.
    """
    record = checkpoint.get(RECORD)
    if not isinstance(record, Mapping) or not isinstance(record.get("model"), Mapping):
        raise LabError(f"{path} was not made by mnistlab: it does not say which model it holds.")
    if not isinstance(record.get("format"), int) or record["format"] != FORMAT:
        raise LabError(
            f"{path} is of format {visible(str(record.get('format')))}, this mnistlab reads {FORMAT}. Update mnistlab."
        )
    problem = _DESCRIBES(record)
    if problem:
        raise LabError(f"{path} is damaged, or changed by hand: {visible(f'{RECORD}{problem}')}.")
    check_extent([record.get(name) for name in ("model", "data", "trainer")], str(path))
    return record


def misfit(weights: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> str | None:
    """The first way in which `weights` are not those of a model that wants `wanted`; None where they fit."""
    for name, tensor in wanted.items():
        if name not in weights:
            return f"it has no {name}"
        kind = odd_kind(weights[name], tensor)
        if kind:
            return f"its {name} is {kind}"
        if weights[name].shape != tensor.shape:
            return f"its {name} is {tuple(weights[name].shape)}, the model's {tuple(tensor.shape)}"
    surplus = [name for name in weights if name not in wanted]
    return f"it has {surplus[0]}, the model has not" if surplus else None


def odd_kind(weight: object, wanted: Tensor) -> str | None:
    """What a weight is that no parameter can take up; None where one can."""
    if not isinstance(weight, Tensor):
        return f"no tensor but a {type(weight).__name__}"
    if weight.layout is not wanted.layout or weight.is_meta:
        return "a tensor without values" if weight.is_meta else f"a tensor of layout {weight.layout}"
    unlike = weight.is_complex() and not wanted.is_complex()
    unlike |= weight.is_floating_point() != wanted.is_floating_point() and not wanted.is_complex()
    return f"of {weight.dtype}" if unlike else None


def not_finite(weights: Mapping[str, Any], parameters: Collection[str]) -> str | None:
    """The first tensor that holds what is no number; a buffer may be infinite, as masks are, a parameter may not.

    Args:
        weights: Tensors by name.
        parameters: The names of those that are trained.
    """
    for name, weight in weights.items():
        if isinstance(weight, Tensor) and (weight.is_floating_point() or weight.is_complex()):
            values = weight if weight.itemsize > 1 else weight.float()  # of float8 torch does not say it
            odd = values.isnan() if name not in parameters else ~values.isfinite()
            if odd.any():
                return name
    return None


def rounded(weights: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> str | None:
    """The first tensor that a model can hold with fewer digits only, and how; None where all are held as they are."""
    for name, tensor in wanted.items():
        theirs, ours = weights[name].dtype, tensor.dtype
        if theirs != ours and torch.promote_types(theirs, ours) != ours:
            return f"{name} from {theirs} to {ours}".replace("torch.", "")
    return None


def _refuse_packed(path: Path) -> None:
    """Refuse an archive that unpacks to more than it is: a few kB could fill any memory. Torch packs nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):  # no archive; torch says what is wrong
        return
    if unpacked > path.stat().st_size:
        raise LabError(f"{path} unpacks to more than its own size, as no checkpoint does. It was not loaded.")


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    weights, metadata = unpack(path)
    contents: dict[str, Any] = {"state_dict": weights}
    text = metadata.pop(RECORD, None)
    if text is not None:
        try:
            contents[RECORD] = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LabError(f"{path} does not say which model it holds: its metadata {RECORD} is no JSON.") from error
    return {**contents, "metadata": metadata} if metadata else contents


def _asks_for(names: list[str]) -> str:
    """The names in a sentence; a stranger chose them, so there may be many and they may be odd."""
    if not names:
        return ""
    shown = [ascii(name)[1:-1][:80] for name in names[:5]]
    return f": it names {', '.join(shown)}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004


def _is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


class NotExportableError(LabError):
    """A model keeps something that such a file cannot hold."""


def pack(path: Path, weights: Mapping[str, object], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Tensors that share memory, as tied weights do, are each written whole: a model that ties them ties them again when
    it loads them. With one entry of metadata the same weights give the same bytes; the order of several is by chance.

    Raises:
        NotExportableError: If there is more in `weights` than dense tensors of common types.
        OSError: If there is no room, or nobody may write there.
    """
    owned: dict[str, Tensor] = {}
    owners: set[int] = set()
    for name, weight in weights.items():
        if not isinstance(weight, Tensor):
            raise NotExportableError(f"{name} is a {type(weight).__name__}, and {SUFFIX} holds tensors only.")
        if weight.layout is not torch.strided:
            raise NotExportableError(f"{name} is a sparse tensor, and {SUFFIX} holds dense ones only.")
        dense = weight.detach().contiguous()
        owner = dense.untyped_storage().data_ptr()
        owned[name] = dense.clone() if owner in owners else dense
        owners.add(owner)
    try:
        with replacing(path) as temporary:
            temporary.touch()
            mode = temporary.stat().st_mode
            save_file(owned, temporary, dict(metadata))
            temporary.chmod(mode)  # the library writes a file that nobody else may read
    except (ValueError, KeyError) as error:  # such as complex128
        kinds = ", ".join(sorted({str(tensor.dtype) for tensor in owned.values()}))
        raise NotExportableError(f"{SUFFIX} does not hold all of these tensors ({kinds}): {error}") from error
    except SafetensorError as error:  # it says "... (os error 28)"
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, on the CPU, and its metadata.

    Raises:
        LabError: If the file is damaged or no such file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise LabError(f"{path} is not a safetensors file, or a damaged one: {error}.") from error
