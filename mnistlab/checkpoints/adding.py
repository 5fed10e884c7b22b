"""Adds to what a checkpoint says, once that is known."""

import json
from functools import partial
from pathlib import Path

import torch

from mnistlab.checkpoints import SUFFIX
from mnistlab.checkpoints.reading import RECORD, pack, read_checkpoint, unpack
from mnistlab.system.files import replacing, stream
from mnistlab.system.strict_json import as_json


def add(path: Path, name: str, value: object) -> None:
    """Add plain data to the lab's part of a checkpoint that this process has written; it is written anew, whole.

    Args:
        path: The checkpoint, or weights in a safetensors file.
        name: What it is found by.
        value: Plain data.

    Raises:
        LabError: If the file cannot be read.
        OSError: If there is no room.
    """
    if path.suffix == SUFFIX:
        weights, said = unpack(path)
        pack(path, weights, {**said, RECORD: as_json({**json.loads(said[RECORD]), name: value}, indent=None)})
        return
    contents = read_checkpoint(path, mapped=True)
    record = {**contents[RECORD], name: value}
    with replacing(path) as temporary:
        stream(temporary, partial(torch.save, {**contents, RECORD: record}))
