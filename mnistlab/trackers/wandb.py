"""Weights & Biases."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mnistlab.trackers.tracker import DEFAULT_NAME, Followed, Tracker, epoch_of, metrics_of, shown

if TYPE_CHECKING:
    import wandb
    from wandb import Run

_PATIENCE_S = 20


class WandB(Tracker):
    """Runs for Weights & Biases: kept here, and sent with `wandb sync` or at once with `--logger.mode=online`.

    Args:
        project: The project that the run belongs to.
        mode: Whether anything leaves this machine by itself; `online` needs `wandb login` before.
        dir: Where its files go; by default the folder of the run.
    """

    module = "wandb"
    extra = "wandb"

    def __init__(
        self,
        project: str = DEFAULT_NAME,
        mode: Literal["offline", "online"] = "offline",
        dir: str | Path | None = None,  # noqa: A002 - as --run.dir
    ) -> None:
        self.project = project
        self.mode = mode
        self.dir = dir
        self._run: Run | None = None

    def begin(self, run: Followed) -> str:
        """Begin a run, or one more part of it; a part kept here has all rows, so that the last one is enough."""
        import wandb  # noqa: PLC0415

        folder = Path(self.dir) if self.dir else run.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=self.project,
            name=run.name,
            id=run.key,
            resume="allow" if self.mode == "online" else None,
            mode=self.mode,
            dir=folder,
            group=run.facts["data"],
            tags=run.words,
            config={**run.parameters, **{f"run.{name}": fact for name, fact in run.facts.items()}},
            reinit="create_new",
            settings=_settings(),
        )
        for row in run.rows:
            self.row(epoch_of(row), metrics_of(row))
        place = Path(self._run.dir).parent
        return str(self._run.url) if self.mode == "online" else f"wandb sync {shown(place)}"

    def row(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        assert self._run is not None
        self._run.log({**metrics, "epoch": epoch}, step=epoch)

    def end(self, run: Followed) -> None:
        """Add the best and the test metrics and the files, and say how the run has ended."""
        import wandb  # noqa: PLC0415

        assert self._run is not None
        self._run.summary.update({**run.outcome, "status": run.record["status"]})
        kept = wandb.Artifact(f"run-{run.key}", type="run", metadata=dict(run.outcome))
        for path in run.files:
            kept.add_file(str(path), policy="immutable", skip_cache=True)
        self._run.log_artifact(kept)
        self._run.finish(exit_code=0 if run.record["status"] == "finished" else 1)


def _settings() -> "wandb.Settings":
    """Nothing on the screen, nothing looked up about this machine or its source, and no long wait."""
    import wandb  # noqa: PLC0415

    return wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        login_timeout=_PATIENCE_S,
        init_timeout=_PATIENCE_S,
    )
