"""What several tests need."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor


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
