"""What several tests need."""

import csv
import json
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor

LAST = Path("checkpoints", "last.ckpt")
BEST = Path("checkpoints", "best.ckpt")


def quiet_trainer(root: Path, **options: Any) -> Trainer:
    """Lightning's own trainer for one epoch on the CPU, which shows and keeps nothing by itself."""
    defaults: dict[str, Any] = {
        "accelerator": "cpu",
        "max_epochs": 1,
        "num_sanity_val_steps": 0,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "default_root_dir": root,
    }
    return Trainer(**{**defaults, **options})


def idx(values: Tensor) -> bytes:
    """The bytes of an idx file of uint8 or int32."""
    kind = b"\x08" if values.dtype == torch.uint8 else b"\x0c"
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    content = values.numpy().astype(values.numpy().dtype.newbyteorder(">")).tobytes()
    return b"\0\0" + kind + bytes([values.dim()]) + sizes + content


def only_run(root: Path) -> Path:
    """The one run below `root`."""
    (folder,) = root.glob("*/*")
    return folder


def record_of(folder: Path) -> dict[str, Any]:
    """What `run.json` says."""
    record: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return record


def outcome(folder: Path) -> dict[str, Any]:
    """Everything that a run leaves behind and that no clock has a part in."""
    last = torch.load(folder / LAST, weights_only=True)
    record = record_of(folder)
    return {
        "weights": last["state_dict"],
        "optimizer": last["optimizer_states"],
        "schedule": last["lr_schedulers"],
        "generators": last["callbacks"]["Continuity"],
        "step": last["global_step"],
        "best weights": torch.load(folder / BEST, weights_only=True)["state_dict"] if (folder / BEST).exists() else {},
        "table": (folder / "metrics.csv").read_text(),
        "metrics": record["metrics"],
        "status": record["status"],
        "epochs timed": len(record["timings"]["epoch_seconds"]),
    }


def differences(some: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In which parts two outcomes differ."""
    return [name for name in some if not _equal(some[name], other[name])]


def _equal(some: Any, other: Any) -> bool:
    if isinstance(some, torch.Tensor):
        return torch.equal(some, other)
    if isinstance(some, dict):
        return some.keys() == other.keys() and all(_equal(some[key], other[key]) for key in some)
    if isinstance(some, (list, tuple)):
        return len(some) == len(other) and all(map(_equal, some, other))
    return bool(some == other)


def rates(folder: Path) -> list[float]:
    """The learning rate at the end of each epoch, from the run's table."""
    rows = csv.DictReader((folder / "metrics.csv").read_text(encoding="utf-8").splitlines())
    return [float(row["lr"]) for row in rows]
