"""Parquet as hubs write it: a column of encoded pictures and one of labels."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnistlab.data.own.gathered import LABEL_NAMES, Gathered, Part, Stored, as_names, damaged
from mnistlab.errors import LabError


def read_parquet(path: Path, group: str | None, scratch: Path) -> Gathered:
    """Read encoded pictures and their labels, whose names stand in the description that hubs put in.

    Args:
        path: The file.
        group: The column that says what belongs together.
        scratch: Where pictures are put, to be decoded from there.

    Raises:
        LabError: If pyarrow is missing, or the file is broken or has no such columns.
    """
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise LabError(f"{path} is parquet, which needs pyarrow: pip install 'mnistlab[parquet]'") from error
    try:
        table = parquet.ParquetFile(path)
        schema = table.schema_arrow
        images = _image_column(schema, path)
        label = _label_column(schema)
        wanted = [images, *([label] if label else []), *([group] if group else [])]
        if group is not None and group not in schema.names:
            raise LabError(f"--data.group={group}: {path} has no such column. Its columns: {', '.join(schema.names)}.")
        columns = {name: [] for name in wanted}  # type: dict[str, list[Any]]
        with tempfile.NamedTemporaryFile(dir=scratch, delete=False) as file:
            for batch in table.iter_batches(columns=wanted):
                read = batch.to_pydict()
                columns[images] += _put_down(read.pop(images), file, path, len(columns[images]))
                for name, values in read.items():
                    columns[name] += values
    except (ArrowException, OSError) as error:
        raise damaged(path, error) from error
    classes = _class_names(schema.metadata or {}, label)
    labels = None if label is None else _labels(columns[label], classes, path)
    groups = None if group is None else [str(each) for each in columns[group]]
    return Gathered({"all": Part(columns[images], labels, groups)}, classes)


def _put_down(values: Sequence[Any], file: Any, path: Path, before: int) -> Iterator[Stored]:
    """Write pictures one after the other, and say where each stands."""
    for number, value in enumerate(values, start=before):
        content = value.get("bytes") if isinstance(value, dict) else value
        if not content:
            raise LabError(f"{path}, row {number:,} has no picture in it, but the name of a file or nothing.")
        start = file.tell()
        file.write(content)
        yield Stored(file.name, start, len(content))


def _image_column(schema: Any, path: Path) -> str:
    """The column of bytes, or of structures that have some."""
    for field in schema:
        kind = str(field.type)
        if kind in ("binary", "large_binary") or (kind.startswith("struct") and "bytes: " in kind):
            return str(field.name)
    raise LabError(f"{path} has no column of encoded pictures. Its columns: {', '.join(schema.names)}.")


def _label_column(schema: Any) -> str | None:
    low = {str(name).lower(): str(name) for name in schema.names}
    return next((low[name] for name in LABEL_NAMES if name in low), None)


def _class_names(metadata: dict[bytes, bytes], label: str | None) -> list[str] | None:
    """The names that stand in the description of the features."""
    try:
        described = json.loads(metadata[b"huggingface"])["info"]["features"][label]
        return [str(name) for name in described["names"]]
    except (KeyError, ValueError, TypeError):
        return None


def _labels(values: Sequence[Any], classes: Sequence[str] | None, path: Path) -> list[str]:
    if None in values:
        raise LabError(f"{path}, row {values.index(None):,} has no label.")
    names = as_names(np.array(values), path)
    if classes is None or not isinstance(values[0], int):
        return names
    outside = [value for value in values if not 0 <= value < len(classes)]
    if outside:
        raise LabError(f"{path} has the label {outside[0]}, but its description names {len(classes)} classes.")
    return [classes[value] for value in values]
