"""Words of other tools: what they are called here, and what need not be said here."""

_RENAMED: dict[str, tuple[str, ...]] = {
    "amp": ("trainer.precision=16-mixed",),
    "arch": ("model",),
    "backbone": ("model",),
    "bs": ("data.batch_size",),
    "checkpoint": ("ckpt_path",),
    "clip": ("trainer.gradient_clip_val",),
    "clip_grad_norm": ("trainer.gradient_clip_val",),
    "clip_norm": ("trainer.gradient_clip_val",),
    "continue": ("ckpt_path",),
    "cpu": ("trainer.accelerator=cpu",),
    "cpu_thread": ("threads",),
    "cuda": ("trainer.accelerator=gpu",),
    "dataset": ("data",),
    "dataset_name": ("data",),
    "depth": ("model.layers",),
    "device": ("trainer.accelerator", "trainer.devices"),
    "dry_run": ("trainer.fast_dev_run",),
    "early_stop": ("trainer.callbacks+=EarlyStopping",),
    "early_stopping": ("trainer.callbacks+=EarlyStopping",),
    "early_stopping_patience": ("trainer.callbacks.patience",),
    "earlystopping": ("trainer.callbacks+=EarlyStopping",),
    "epoch": ("trainer.max_epochs",),
    "experiment": ("run.name",),
    "fp16": ("trainer.precision=16-mixed",),
    "from_checkpoint": ("ckpt_path",),
    "gpu": ("trainer.devices", "trainer.accelerator=gpu"),
    "grad_accum": ("trainer.accumulate_grad_batches",),
    "gradient_accumulation_step": ("trainer.accumulate_grad_batches",),
    "hidden_size": ("model.hidden_dim",),
    "learning_rate": ("model.optimizer.lr",),
    "load": ("ckpt_path",),
    "log_dir": ("run.dir",),
    "lr_scheduler": ("model.scheduler",),
    "manual_seed": ("seed_everything",),
    "max_grad_norm": ("trainer.gradient_clip_val",),
    "mlflow": ("logger=mlflow",),
    "model_name": ("model",),
    "n_epoch": ("trainer.max_epochs",),
    "n_job": ("threads",),
    "n_thread": ("threads",),
    "network": ("model",),
    "no_cuda": ("trainer.accelerator=cpu",),
    "no_progress": ("trainer.enable_progress_bar=false",),
    "nproc": ("threads",),
    "num_epoch": ("trainer.max_epochs",),
    "num_thread": ("threads",),
    "omp_num_thread": ("threads",),
    "optim": ("model.optimizer",),
    "out": ("run.dir",),
    "outdir": ("run.dir",),
    "output": ("run.dir",),
    "output_dir": ("run.dir",),
    "preset": ("config",),
    "pretrained": ("ckpt_path",),
    "quiet": ("trainer.enable_progress_bar=false",),
    "random_seed": ("seed_everything",),
    "random_state": ("seed_everything",),
    "resume": ("ckpt_path",),
    "resume_from": ("ckpt_path",),
    "resume_from_checkpoint": ("ckpt_path",),
    "root": ("data.data_dir",),
    "save_dir": ("run.dir",),
    "seed": ("seed_everything",),
    "step": ("trainer.max_steps",),
    "steps_per_epoch": ("trainer.limit_train_batches",),
    "tensorboard": ("logger=tensorboard",),
    "unit": ("model.hidden_dim",),
    "val_split": ("data.val_size",),
    "validation_split": ("data.val_size",),
    "verbose": ("trainer.enable_progress_bar",),
    "wandb": ("logger=wandb",),
    "wd": ("model.optimizer.weight_decay",),
    "weights": ("ckpt_path",),
    "width": ("model.hidden_dim",),
}

_NEEDLESS: dict[str, str] = {
    "download": "What is missing of a data set is fetched anyway.",
    "metric": "Loss and accuracy are measured anyway.",
    "multirun": "One command is one run.",
    "num_worker": "Images lie in memory and need no workers.",
    "pin_memory": "Images lie in the memory of the device anyway.",
    "save_best_only": "The best and the last checkpoint are kept anyway.",
    "shuffle": "Training images are shuffled in each epoch, others never.",
    "worker": "Images lie in memory and need no workers.",
}


def renamed(word: str) -> tuple[str, ...]:
    """What another tool's word is called here, without dashes."""
    return _RENAMED.get(_singular(word), _RENAMED.get(word.lower(), ()))


def needless(word: str) -> str:
    """Why another tool's word is not needed here; nothing where that is not known."""
    return _NEEDLESS.get(_singular(word), _NEEDLESS.get(word.lower(), ""))


def _singular(word: str) -> str:
    return word.lower().removesuffix("s")
