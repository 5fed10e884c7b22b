"""What Weights & Biases gets to read."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mnistlab.cli import main

Fit = Callable[..., Path]

wandb = pytest.importorskip("wandb")

_BLOCK, _HEAD, _NAME = 32768, 7, 7


def records(path: Path) -> Iterator[bytes]:
    """The records of a `.wandb` file: a log of blocks, in the format of LevelDB, after a name of seven bytes."""
    content, place, begun = path.read_bytes(), _NAME, b""
    while place + _HEAD <= len(content):
        room = _BLOCK - place % _BLOCK
        if room < _HEAD:
            place += room
            continue
        _, size, kind = struct.unpack_from("<IHB", content, place)
        begun += content[place + _HEAD : place + _HEAD + size]
        place += _HEAD + size
        if kind in (1, 4):  # whole, or the last part
            yield begun
            begun = b""


def history(path: Path) -> list[dict[str, float]]:
    """The rows that were logged."""
    from wandb.proto import wandb_internal_pb2  # noqa: PLC0415

    rows = []
    for record in records(path):
        told = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
        told.ParseFromString(record)
        if told.WhichOneof("record_type") == "history":
            items = told.history.item
            rows.append({"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items})
    return rows


@pytest.mark.slow
def test_a_run_is_kept_to_be_sent_later(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """A row an epoch, in the folder of the run; one that is continued has them all again. Nothing is said."""
    run = fit("--logger=wandb", "--run.tags=quick")
    printed = capsys.readouterr()
    (first,) = run.glob("wandb/offline-run-*/*.wandb")

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0

    wandb.teardown()  # its own process may still be writing
    (second,) = set(run.glob("wandb/offline-run-*/*.wandb")) - {first}
    assert printed.err == ""
    assert f"WandB: wandb sync {first.parent.relative_to(Path.cwd())}" in printed.out
    assert [row["epoch"] for row in history(first)] == [1]
    assert [row["epoch"] for row in history(second)] == [1, 2]
    assert first.stem == second.stem  # one run there
    last = (run / "metrics.csv").read_text().splitlines()[-1].split(",")
    assert str(history(second)[-1]["val/acc"]) in last
