"""Classes of Lightning and torch that would fail in a run of the lab, or not do what they say; and what does it."""

from collections.abc import Mapping

from lightning.pytorch import callbacks, strategies
from lightning.pytorch.plugins import AsyncCheckpointIO, DeepSpeedPrecision
from lightning.pytorch.profilers import XLAProfiler
from torch.optim import lr_scheduler

_BASE = "does nothing by itself: derive a callback of your own from it."
_IN_PYTHON = (
    "is made in Python only: let the `scheduler` of a model be a function that takes the optimizer and returns "
    "the schedule."
)

UNSUITED: Mapping[type, str] = {
    callbacks.BackboneFinetuning: (
        "freezes a backbone that the models here do not have. Use --model.freeze=backbone --trainer.callbacks=Unfreeze."
    ),
    callbacks.BaseFinetuning: _BASE,
    callbacks.BasePredictionWriter: _BASE,
    callbacks.Checkpoint: _BASE,
    callbacks.ProgressBar: _BASE,
    callbacks.LearningRateFinder: (
        "chooses a learning rate that stands in no record of the run, so that it could not be repeated. Use "
        "mnistlab sweep --model.optimizer.lr=log:1e-4..1e-1."
    ),
    callbacks.BatchSizeFinder: (
        "chooses a batch size that stands in no record of the run, and another number of steps than the schedule has. "
        "Use --data.batch_size=..., or mnistlab sweep --data.batch_size=choice:64,128,256."
    ),
    callbacks.GradientAccumulationScheduler: (
        "gives the run another number of steps than the schedule has. Use --trainer.accumulate_grad_batches=..."
    ),
    callbacks.OnExceptionCheckpoint: (
        "begins a new run with the weights that another one has left in its folder. Leave it out: a run keeps "
        "checkpoints/last.ckpt, whatever ends it."
    ),
    callbacks.SpikeDetection: (  # Lightning 2.6.6 reads `running`, which it calls `running_mean` everywhere else
        "cannot read its own state again, so that its run could neither be tested nor go on. Use "
        "--trainer.callbacks=EarlyStopping --trainer.callbacks.monitor=train/loss "
        "--trainer.callbacks.divergence_threshold=..."
    ),
    callbacks.StochasticWeightAveraging: (
        "has its average only after the last validation, where nothing measures or keeps it. Use "
        "--trainer.callbacks=EMAWeightAveraging, whose average is validated, kept and tested."
    ),
    AsyncCheckpointIO: (
        "has not written a checkpoint yet when the run's record speaks of it. Leave it out: checkpoints are small here."
    ),
    DeepSpeedPrecision: "comes with --trainer.strategy=deepspeed; choose it by --trainer.precision=...",
    strategies.ModelParallelStrategy: (
        "divides a model that says how, and the models here do not. Use --trainer.strategy=ddp or fsdp."
    ),
    XLAProfiler: "measures a TPU and nothing else. Use --trainer.profiler=TimeTable.",
    lr_scheduler.ChainedScheduler: _IN_PYTHON,
    lr_scheduler.LambdaLR: _IN_PYTHON,
    lr_scheduler.MultiplicativeLR: _IN_PYTHON,
    lr_scheduler.SequentialLR: _IN_PYTHON,
}
"""Exactly these classes, not those derived from them: what comes after the name of each in a refusal."""
