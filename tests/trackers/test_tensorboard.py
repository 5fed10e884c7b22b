"""What TensorBoard shows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab.cli import main

Fit = Callable[..., Path]

pytest.importorskip("tensorboard")


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The points of each curve, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]  # noqa: PLC0415

    found = EventAccumulator(str(folder))
    found.Reload()
    return {name: [(point.step, point.value) for point in found.Scalars(name)] for name in found.Tags()["scalars"]}


def test_the_rows_are_curves_over_epochs(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the names of metrics.csv; best and test metrics stand in the table of runs."""
    run = fit("--logger=tensorboard", "--trainer.max_epochs=2")
    header, *rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]

    found = curves(run)

    for number, name in enumerate(header[1:], 1):
        assert [step for step, _ in found[name]] == [1, 2]
        assert [value for _, value in found[name]] == pytest.approx([float(row[number]) for row in rows])
    assert {"test/acc", "best/val/acc"} <= found.keys()
    assert "TensorBoard: tensorboard --logdir=runs\n" in capsys.readouterr().out


def test_a_run_that_is_continued_has_each_epoch_once(fit: Fit) -> None:
    """Also those from before it was shown."""
    run = fit("--trainer.max_epochs=2")

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=3", "--logger=tensorboard"]) == 0
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=4"]) == 0

    assert [step for step, _ in curves(run)["val/acc"]] == [1, 2, 3, 4]


def test_another_place_has_a_folder_for_each_run(fit: Fit) -> None:
    """Below the one that was named."""
    run = fit("--logger=tensorboard", "--logger.dir=shown")

    assert curves(Path("shown", run.parent.name, run.name))
    assert not list(run.glob("events*"))
