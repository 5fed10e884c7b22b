"""Shows a run in a tool of others while it goes on: `--logger=mlflow`."""

from mnistlab.trackers.following import Trackers
from mnistlab.trackers.mlflow import MLflow
from mnistlab.trackers.tensorboard import TensorBoard
from mnistlab.trackers.tracker import Followed, Tracker
from mnistlab.trackers.wandb import WandB

__all__ = ["Followed", "MLflow", "TensorBoard", "Tracker", "Trackers", "WandB"]
