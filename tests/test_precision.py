"""The precisions of Lightning, from training to a picture of what the net looked at."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mnistlab import main
from mnistlab.checkpoints.reading import read_checkpoint

Fit = Callable[..., Path]


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("64-true", torch.float64), ("bf16-true", torch.bfloat16), ("bf16-mixed", torch.float32)],
)
def test_a_net_is_trained_and_measured_in_the_precision_asked_for(fit: Fit, precision: str, dtype: torch.dtype) -> None:
    """The images follow the net."""
    chosen = f"--trainer.precision={precision}"
    folder = fit("--model=CNN8K", chosen)

    weights = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    assert {tensor.dtype for tensor in weights.values() if tensor.is_floating_point()} == {dtype}
    for command in (["test"], ["predict"], ["explain", "--images=2"]):
        assert main([*command, f"--ckpt_path={folder}", chosen]) == 0
