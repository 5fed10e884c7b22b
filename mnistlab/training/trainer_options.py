"""What a trainer would refuse late, darkly or in another program's words, checked first."""

from collections.abc import Mapping

from lightning.pytorch.accelerators import (
    AcceleratorRegistry,
    CPUAccelerator,
    CUDAAccelerator,
    MPSAccelerator,
    XLAAccelerator,
)
from lightning.pytorch.strategies import StrategyRegistry

from mnistlab.errors import LabError
from mnistlab.options.notation import NULLS
from mnistlab.options.written import Written
from mnistlab.runs.folder import BEST, LAST
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import counted
from mnistlab.training.configured import Configured
from mnistlab.training.time_limit import why_no_time

_HARDWARE = {
    "cpu": (CPUAccelerator,),
    "cuda": (CUDAAccelerator,),
    "gpu": (CUDAAccelerator, MPSAccelerator),
    "mps": (MPSAccelerator,),
    "tpu": (XLAAccelerator,),
}
_COPIES = "trains in copies of this process, which keep no run"
_COUNTS = ("accumulate_grad_batches", "num_nodes", "check_val_every_n_epoch")


def check_trainer(options: Mapping[str, object], origins: Mapping[str, Written]) -> None:
    """Refuse what this machine has not, and numbers of nothing.

    Args:
        options: The options of the trainer, as text or data.
        origins: Who wrote what, by dotted key.

    Raises:
        LabError: Naming the option, why, and what there is.
    """
    for name, keeps in (("barebones", False), ("enable_checkpointing", True)):
        origin = origins.get(f"trainer.{name}")
        if origin is not None and options.get(name) in (not keeps, str(not keeps), str(not keeps).lower()):
            raise LabError(f"{origin.where}: mnistlab keeps the checkpoints of a run itself. Leave {name} out.")
    for name in ("accelerator", "strategy", "devices", *_COUNTS):
        origin = origins.get(f"trainer.{name}")
        if origin is None or options.get(name) is None:
            continue
        why = _refusal(name, str(options[name]), str(options.get("accelerator") or "auto"))
        if why:
            raise LabError(f"{origin.where}: {why}")
    origin = origins.get("trainer.strategy.start_method")
    if origin is not None and origin.value != "popen":
        raise LabError(f"{origin.where}: this {_COPIES}. Leave it out.")
    for entry in loggers if isinstance(loggers := options.get("logger"), list) else []:
        if entry["class_path"].endswith(".MLFlowLogger") and not entry["init_args"].get("tracking_uri"):
            raise LabError(
                f"{origins['trainer.logger'].where}: MLflow keeps nothing in plain files any more. Use "
                "--logger=mlflow, or add --trainer.logger.tracking_uri=sqlite:///mlflow.db."
            )
    _check_length(options, origins)


def _check_length(options: Mapping[str, object], origins: Mapping[str, Written]) -> None:
    for name in ("limit_train_batches", "max_epochs", "max_steps"):
        origin = origins.get(f"trainer.{name}")
        if origin is not None and str(options.get(name)) in ("0", "0.0"):
            raise LabError(f"{origin.where}: {name} must be above 0, or nothing is learnt.")
    origin, time = origins.get("trainer.max_time"), options.get("max_time")
    why = "" if origin is None or time in (None, *NULLS) else why_no_time(time)
    if origin is not None and why:
        raise LabError(f"{origin.where}: {why}")


def check_companions(configured: Configured) -> None:
    """Refuse a callback that has no logger to write to, would write over what the lab keeps, or cannot go on.

    Raises:
        LabError: Naming the option and the way out.
    """
    logger = configured.configuration.trainer["logger"]
    for key, name, options in configured.callbacks():
        where = configured.chosen(key) or key
        if name in _LOGGING and not logger:
            raise LabError(f"{where}: {name} writes to a logger of Lightning's. Add --trainer.logger=true.")
        if name == "ModelPruning" and configured.continued:
            raise LabError(
                "a run with ModelPruning cannot go on: its checkpoint does not say which weights are pruned. Begin "
                "anew, with --config=... and the config.yaml of the run."
            )
        own = "save_last" if options.get("save_last") else "filename" if options.get("filename") in _KEPT else None
        if name == "ModelCheckpoint" and own and not options.get("dirpath"):
            raise LabError(
                f"{configured.chosen(f'{key}.{own}') or where}: a run keeps last.ckpt and best.ckpt by itself. Leave "
                f"{own} out, or add --trainer.callbacks.dirpath=..."
            )


_LOGGING = ("DeviceStatsMonitor", "LearningRateMonitor", "ThroughputMonitor")
"""Callbacks of Lightning's that do nothing but to log."""

_KEPT = (BEST.stem, LAST.stem)


def _refusal(name: str, value: str, accelerator: str) -> str | None:
    """Why the value of an option is refused; None where it is not."""
    if name == "accelerator":
        return _no_accelerator(value)
    if name == "strategy":
        return _no_strategy(value)
    if name == "devices":
        return _no_devices(value, accelerator)
    if value.lstrip("+-").isdigit() and int(value) < 1:
        return f"{name} must be a whole number above 0, got {value}."
    return None


def _no_accelerator(value: str) -> str | None:
    known = sorted({"auto", "gpu", *AcceleratorRegistry.available_accelerators()})
    if value not in known and "." not in value:
        return f"there is no accelerator {value}.{suggestion(value, known)} There are {', '.join(known)}."
    if value in _HARDWARE and not any(kind.is_available() for kind in _HARDWARE[value]):
        what = {"gpu": "GPU", "cuda": "CUDA GPU", "mps": "Apple GPU", "tpu": "TPU"}[value]
        return f"torch finds no {what} on this machine. Use --trainer.accelerator=cpu, or leave it out."
    return None


def _no_strategy(value: str) -> str | None:
    known = [name for name in ("auto", *StrategyRegistry.available_strategies()) if not _copies_the_process(name)]
    if _copies_the_process(value):
        return f"{value} {_COPIES}. Use --trainer.strategy=ddp."
    if value in known or "." in value or value in ("dp", "hpu_parallel"):
        return None
    shown = [name for name in known if name in ("auto", "ddp", "fsdp", "deepspeed", "single_device")]
    return f"there is no strategy {value}.{suggestion(value, known)} Among others there are {', '.join(shown)}."


def _copies_the_process(strategy: str) -> bool:
    """Whether the first process waits while copies of it train, instead of being one of those that do."""
    return bool({"spawn", "fork", "notebook"} & set(strategy.split("_")))


def _no_devices(value: str, accelerator: str) -> str | None:
    if value == "auto":
        return None
    number = int(value) if value.lstrip("+-").isdigit() else None
    if _runs_on_cpu(accelerator):
        if number is None or number < 1:
            return f"on the CPU, devices is a number of processes, a whole number above 0, got {value}."
        return None
    if number == 0 or (number is not None and number < -1):
        return f"devices must be above 0, or -1 for all, got {value}."
    there = _gpus()
    if number is not None and number > there > 0:
        return f"this machine has {counted(there, 'GPU')}, got {value}."
    return None


def _gpus() -> int:
    """The number of GPUs."""
    return CUDAAccelerator.auto_device_count() if CUDAAccelerator.is_available() else int(MPSAccelerator.is_available())


def _runs_on_cpu(accelerator: str) -> bool:
    return accelerator == "cpu" or (accelerator == "auto" and _gpus() == 0 and not XLAAccelerator.is_available())
