"""What nets say about all test images: asked, and written as CSV, npz or parquet, each whole or not at all."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnistlab.classifier import Classifier
from mnistlab.data.likeness import fingerprint
from mnistlab.system.files import replacing, stream
from mnistlab.training.answers import names_by_head
from mnistlab.training.means import Assembled
from mnistlab.training.wanted import KAGGLE, NPZ, PARQUET, Table

Column = NDArray[Any]
"""What stands in a column, (images,), or in several that belong together, (images, classes)."""

_PROB, _LOGIT = "prob", "logit"
_DIGITS = {_PROB: 6, _LOGIT: 9}  # significant ones in CSV; nine tell any two numbers of 32 bits apart


@dataclass(frozen=True)
class Said:
    """What a net says about test images.

    Attributes:
        columns: Its predictions, their names, probabilities and logits, by name; `prob` and `logit` are several.
        targets: The right classes, by name.
        images: The fingerprint of the images and their right classes.
        kaggle: What a row of a submission has: the class by name, or its number.
    """

    columns: Mapping[str, Column]
    targets: Mapping[str, Column]
    images: str
    kaggle: Sequence[object] = field(default=(), repr=False)

    def called(self, name: str) -> dict[str, Column]:
        """The columns with the name of the net before each."""
        return {f"{name}.{column}": values for column, values in self.columns.items()}


def ask(assembled: Assembled, *, logits: bool) -> Said:
    """Have a net answer all test images, or as many batches as were asked for.

    Args:
        assembled: The net with its weights, and its data.
        logits: Whether the logits are wanted too.
    """
    model, data = assembled.model, assembled.data
    with _heard(model) as heard:
        batches = assembled.means.probabilities()
    images, names = data.test_images(), names_by_head(model, data)
    columns: dict[str, Column] = {}
    targets: dict[str, Column] = {}
    for number, head in enumerate(model.heads):
        prefix = "" if len(model.heads) == 1 else f"{head}_"
        probs = _joined(batches, head)
        predicted = probs.argmax(axis=1)
        columns[f"{prefix}prediction"] = predicted
        if head in names:
            columns[f"{prefix}class"] = np.array(names[head])[predicted]
        columns[f"{prefix}{_PROB}"] = probs
        if logits:
            columns[f"{prefix}{_LOGIT}"] = _joined(heard, head)
        label = head if head in images.targets else list(images.targets)[number]
        targets[f"{prefix}target"] = images.targets[label][: len(probs)].cpu().numpy()
    count = len(next(iter(targets.values())))
    known = fingerprint(images.images[:count], images.primary[:count])
    main = next(iter(columns.values()))
    own = data.class_names.get(next(iter(data.heads)))
    return Said(columns, targets, known, [own[each] if own else each for each in main.tolist()])


def write(said: Said, folder: Path, wanted: Table, name: str) -> Path:
    """Write the table of one net; the file.

    Args:
        said: What it says.
        folder: Where.
        wanted: The form.
        name: What the file is called, without its suffix.
    """
    if wanted.form == KAGGLE:
        path = folder / f"{name}.csv"
        _write_rows(path, {"ImageId": np.arange(1, len(said.kaggle) + 1), "Label": np.array(said.kaggle, object)})
        return path
    return write_columns({**said.columns, **said.targets}, folder, wanted.form, name)


def write_columns(columns: Mapping[str, Column], folder: Path, form: str, name: str) -> Path:
    """Write columns with the index of each image before them; the file.

    Args:
        columns: What stands in each.
        folder: Where.
        form: `csv`, `npz` or `parquet`.
        name: What the file is called, without its suffix.
    """
    path = folder / f"{name}.{form}"
    count = len(next(iter(columns.values())))
    numbered = {"index": np.arange(count), **columns}
    if form == NPZ:  # arrays stay whole: probs and logits are (images, classes)
        arrays = {f"{key}s" if values.ndim > 1 else key: values for key, values in numbered.items()}
        with replacing(path) as temporary:
            stream(temporary, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))
    elif form == PARQUET:
        _write_parquet(path, dict(_flat(numbered)))
    else:
        _write_rows(path, dict(_flat(numbered)))
    return path


def _write_parquet(path: Path, columns: Mapping[str, Column]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    table = pa.table({name: np.ascontiguousarray(values) for name, values in columns.items()})
    with replacing(path) as temporary:
        stream(temporary, lambda file: parquet.write_table(table, file))


def _write_rows(path: Path, columns: Mapping[str, Column]) -> None:
    texts = [_texts(name, values) for name, values in columns.items()]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*texts, strict=True))


def _flat(columns: Mapping[str, Column]) -> Iterator[tuple[str, Column]]:
    """Each column by itself: `prob` of three classes is `prob_0`, `prob_1` and `prob_2`."""
    for name, values in columns.items():
        if values.ndim == 1:
            yield name, values
        else:
            yield from ((f"{name}_{number}", values[:, number]) for number in range(values.shape[1]))


def _texts(name: str, values: Column) -> Sequence[object]:
    if values.dtype.kind != "f":
        plain: list[object] = values.tolist()
        return plain
    digits = _DIGITS[_LOGIT if f"{_LOGIT}_" in name else _PROB]
    return [f"{value:.{digits}g}" for value in values.tolist()]


def _joined(batches: Sequence[Mapping[str, Tensor]], head: str) -> Column:
    return torch.cat([batch[head] for batch in batches]).float().cpu().numpy()


@contextmanager
def _heard(model: Classifier) -> Iterator[list[dict[str, Tensor]]]:
    """The logits of each batch that the model is given within."""
    found: list[dict[str, Tensor]] = []

    def hear(_: nn.Module, __: object, output: Tensor | dict[str, Tensor]) -> None:
        found.append({head: logits.detach() for head, logits in model.by_head(output).items()})

    handle = model.register_forward_hook(hear)
    try:
        yield found
    finally:
        handle.remove()
