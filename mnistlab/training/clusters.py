"""What Lightning does by itself where a cluster has started the process, and the lab does not want.

Under SLURM it takes weights out of any `hpc_ckpt_*.ckpt` in its folder, whatever was asked for, and answers SIGUSR1 by
writing such a file and queueing the job again. The weights of a run come from `--ckpt_path` and `--model.init_from`
only, and a job that is queued again goes on with `fit --ckpt_path=...`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lsf import LSFEnvironment
from lightning.fabric.plugins.environments.mpi import MPIEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import OnExceptionCheckpoint

from mnistlab.errors import LabError
from mnistlab.system.lightning_inside import callbacks_of


def without_requeueing(options: Mapping[str, Any]) -> list[object]:
    """The plugins of a trainer, with that of SLURM where Lightning would add it, which then queues nothing again.

    Args:
        options: The arguments of the trainer.

    Raises:
        LabError: If the one that was chosen does.
    """
    given = options["plugins"] or []
    plugins: list[object] = list(given) if isinstance(given, list) else [given]
    chosen = [each for each in plugins if isinstance(each, ClusterEnvironment)]
    chosen += filter(None, [getattr(options["strategy"], "cluster_environment", None)])
    if any(isinstance(each, SLURMEnvironment) and each.auto_requeue for each in chosen):
        raise LabError(
            "trainer.plugins: SLURMEnvironment would write checkpoints beside the run and take weights from them. Add "
            "--trainer.plugins.auto_requeue=false; a job that is queued again goes on with fit --ckpt_path=..."
        )
    if not chosen and SLURMEnvironment.detect() and not TorchElasticEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))
    return plugins


def refuse_foreign_weights(trainer: Trainer) -> None:
    """Refuse what would give a trainer weights that nobody has named.

    Raises:
        LabError: Naming what it is.
    """
    if any(isinstance(callback, OnExceptionCheckpoint) for callback in callbacks_of(trainer)):
        raise LabError(
            "trainer.callbacks: with OnExceptionCheckpoint Lightning begins each run with what another has left. Leave "
            "it out: what fails goes on from its last.ckpt, which --run.checkpoint_every_n_steps=... keeps up to date."
        )
    found = sorted(Path(trainer.default_root_dir).glob("*hpc_ckpt_*")) if SLURMEnvironment.detect() else []
    if found:
        raise LabError(
            f"trainer.default_root_dir: under SLURM Lightning would begin with {found[0]}, whatever is asked for. "
            "Leave the option out, or move the file."
        )


def among_others() -> bool:
    """Whether another program than Lightning may have started this process as one of several."""
    kinds = (TorchElasticEnvironment, SLURMEnvironment, LSFEnvironment, MPIEnvironment)
    return "LOCAL_RANK" in os.environ or any(kind.detect() and kind().world_size() > 1 for kind in kinds)
