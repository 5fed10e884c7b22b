"""A malformed checkpoint is told in a line, before anything in the run's folder is changed."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from mnistlab.checkpoints.continuing import not_continuable
from mnistlab.cli import main

Fit = Callable[..., Path]
LAST = Path("checkpoints", "last.ckpt")
GONE = object()

RECORDER, CONTINUITY = ("callbacks", "Recorder"), ("callbacks", "Continuity")
LOOP = ("loops", "fit_loop")

MALFORMED: list[tuple[tuple[str | int, ...], object]] = [
    ((*RECORDER, "rows"), 3),
    ((*RECORDER, "rows"), [{"epoch": 0}]),
    ((*RECORDER, "rows", 0), {"epoch": float("inf"), "step": 1}),
    ((*RECORDER, "rows", 0, "val/acc"), "high"),
    ((*RECORDER, "best"), None),
    ((*RECORDER, "epoch_seconds"), ["x"]),
    ((*RECORDER, "seconds"), None),
    ((*RECORDER, "validation"), GONE),
    ((*CONTINUITY, "torch"), torch.zeros(3)),
    ((*CONTINUITY, "python"), [3]),
    ((*CONTINUITY, "python", 1), torch.zeros(625)),
    ((*CONTINUITY, "numpy", 0), torch.zeros(2)),
    ((*CONTINUITY, "numpy", 1), 700),
    ((*CONTINUITY, "cuda"), 1),
    (("mnistlab", "counts"), {"train": 3}),
    (("mnistlab", "counts"), {"train": {"label": torch.zeros(3)}}),
    (("mnistlab", "acc_best"), "high"),
    (("mnistlab", "reported"), GONE),
    (("mnistlab", "lr"), None),
    (("mnistlab", "model", "init_args"), 3),
    (("mnistlab", "data", "class_path"), 3),
    (("loops",), GONE),
    (LOOP, {}),
    ((*LOOP, "epoch_progress"), {"total": 3}),
    ((*LOOP, "epoch_loop.batch_progress", "current", "ready"), -1),
    (("optimizer_states",), GONE),
    (("optimizer_states",), []),
    (("optimizer_states", 0, "state", 0, "exp_avg"), "x"),
    (("optimizer_states", 0, "param_groups", 0, "lr"), "fast"),
    (("lr_schedulers",), GONE),
    (("lr_schedulers",), []),
    (("lr_schedulers", 0), 3),
    (("callbacks",), []),
    (("callbacks", "Recorder"), 3),
    (("epoch",), float("inf")),
    (("epoch",), 10**30),
    (("global_step",), None),
    (("pytorch-lightning_version",), GONE),
    (("pytorch-lightning_version",), "new"),
    (("SyntheticDigits", "images"), "many"),
]


def changed(contents: Mapping[str, Any], place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The same checkpoint with another value in one place."""
    found = copy.deepcopy(dict(contents))
    inner: Any = found
    for part in place[:-1]:
        inner = inner[part]
    if value is GONE:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, small_data: tuple[str, ...]) -> Path:
    """A run; every test leaves it as it was."""
    root = tmp_path_factory.mktemp("whole")
    assert main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=1", f"--run.dir={root}"]) == 0
    (folder,) = root.glob("*/*")
    return folder


def test_a_malformed_checkpoint_is_told_before_anything_is_changed(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which file, what is wrong, and the way out; `inspect` shows it as a note."""
    good = torch.load(whole / LAST, weights_only=True)
    kept = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file() and path.name != LAST.name}
    try:
        for place, value in MALFORMED:
            torch.save(changed(good, place, value), whole / LAST)
            capsys.readouterr()
            assert main(["fit", f"--ckpt_path={whole}", "--trainer.max_epochs=2"]) == 2, place
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith(f"mnistlab: {whole / LAST} "), line
            assert str(place[0]) in line
            assert "Error" not in line
            assert main(["inspect", str(whole / LAST)]) == 0, place
            assert "\n  note" in capsys.readouterr().out, place
            assert {path: path.read_bytes() for path in kept} == kept
    finally:
        torch.save(good, whole / LAST)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--model.scheduler=null", "--model.optimizer=SGD"),
        ("--model.optimizer=LBFGS", "--model.scheduler=null"),
        ("--model.optimizer=Adafactor",),
        ("--model.optimizer=SGD", "--model.optimizer.momentum=0.9", "--model.scheduler=ReduceLROnPlateau"),
        ("--model.freeze=backbone", "--trainer.callbacks=Unfreeze", "--trainer.callbacks.parts=backbone"),
        ("--trainer.callbacks=EMAWeightAveraging",),
        ("--run.checkpoint_every_n_steps=3",),
    ],
    ids=" ".join,
)
def test_what_is_written_can_be_continued(fit: Fit, options: tuple[str, ...]) -> None:
    """Whatever optimizer, schedule and callbacks it was trained with."""
    folder = fit(*options)

    assert not_continuable(torch.load(folder / LAST, weights_only=True)) is None
