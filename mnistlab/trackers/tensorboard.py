"""TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mnistlab.trackers.tracker import Followed, Tracker, epoch_of, metrics_of, shown

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Tracker):
    """Curves and a table of runs in TensorBoard; look at them with `tensorboard --logdir=runs`.

    Args:
        dir: Where the event files go, in a folder for each run; by default each lies in the folder of its run.
    """

    module = "tensorboard"
    extra = "tensorboard"

    def __init__(self, dir: str | Path | None = None) -> None:  # noqa: A002 - as --run.dir
        self.dir = dir
        self._epoch = 0
        self._writer: SummaryWriter | None = None

    def begin(self, run: Followed) -> str:
        """Open a file of events; of a run that is continued it replaces those before."""
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

        folder = Path(self.dir, run.folder.parent.name, run.folder.name) if self.dir else run.folder
        self._writer = SummaryWriter(str(folder), purge_step=1 if run.rows else None)
        self._writer.add_text("run", "\n".join(f"    {name}: {fact}" for name, fact in _said(run).items()), 0)
        for row in run.rows:
            self.row(epoch_of(row), metrics_of(row))
        return f"tensorboard --logdir={shown(Path(self.dir) if self.dir else run.root)}"

    def row(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        assert self._writer is not None
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, epoch)
        self._epoch = epoch
        self._writer.flush()

    def end(self, run: Followed) -> None:
        """Add the row of the table of runs."""
        assert self._writer is not None
        outcome = {name: float(value) for name, value in run.outcome.items()}
        parameters = {name: _listed(value) for name, value in run.parameters.items()}
        self._writer.add_hparams(parameters, outcome, run_name=".", global_step=self._epoch)
        self._writer.close()


def _said(run: Followed) -> dict[str, object]:
    return {"name": run.name, "tags": ", ".join(run.words), **run.facts}


def _listed(value: object) -> bool | float | str:
    """A parameter as the table takes it, which has no null."""
    return value if isinstance(value, bool | int | float | str) else str(value)
