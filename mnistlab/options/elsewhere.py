"""Words of other tools: what they are called here, and what need not be said here."""

_CALLED = {
    "ckpt_path": (
        "checkpoint continue from_checkpoint load pretrained resume resume_from resume_from_checkpoint weights"
    ),
    "config": "base experiment preset",
    "data": "dataset dataset_name",
    "data.batch_size": "bs",
    "data.data_dir": "root",
    "data.val_size": "val_split validation_split",
    "logger=mlflow": "mlflow",
    "logger=tensorboard": "tensorboard",
    "logger=wandb": "wandb",
    "model": "arch backbone model_name network",
    "model.hidden_dim": "hidden_size unit width",
    "model.layers": "depth",
    "model.optimizer": "optim",
    "model.optimizer.lr": "learning_rate",
    "model.optimizer.weight_decay": "wd",
    "model.scheduler": "lr_scheduler",
    "run.dir": "log_dir out outdir output output_dir save_dir",
    "seed_everything": "manual_seed random_seed random_state seed",
    "threads": "cpu_thread n_job n_thread nproc num_thread omp_num_thread",
    "trainer.accelerator": "device",
    "trainer.accelerator=cpu": "cpu no_cuda",
    "trainer.accumulate_grad_batches": "grad_accum gradient_accumulation_step",
    "trainer.callbacks+=EarlyStopping": "early_stop early_stopping earlystopping",
    "trainer.callbacks.patience": "early_stopping_patience",
    "trainer.devices": "device gpu",
    "trainer.accelerator=gpu": "cuda gpu",
    "trainer.enable_progress_bar": "verbose",
    "trainer.enable_progress_bar=false": "no_progress quiet",
    "trainer.fast_dev_run": "dry_run",
    "trainer.gradient_clip_val": "clip clip_grad_norm clip_norm max_grad_norm",
    "trainer.limit_train_batches": "steps_per_epoch",
    "trainer.max_epochs": "epoch n_epoch num_epoch",
    "trainer.max_steps": "step",
    "trainer.precision=16-mixed": "amp fp16",
}
"""What is called otherwise elsewhere, with those words."""

_CLASSES = {"convnext68k": "convnext73k", "mnist": "sdn68k", "mnistlitmodule": "sdn68k", "vit995": "mnist"}
"""Classes of a template for Hydra with such nets that are called otherwise; most are `mnist_cnn_421k` for `CNN421K`."""

_ASKED = {
    "by": "group group_by groupby",
    "format=latex": "booktabs tex",
    "format=markdown": "md",
    "limit": "head n top",
    "since": "after",
    "sort": "order order_by sort_by",
    "sort=-val_acc": "best",
    "user": "author mine owner",
    "where": "filter query search",
}
"""The same of options of commands that list what is kept."""

_DONE = {
    "board": "leaderboard",
    "compare": "ablate ablation",
    "fit --run.tags=...": "tag",
    "fit": "learn run train",
    "models": "model",
    "predict": "infer inference",
    "report": "figure plot visualise visualize",
    "runs": "experiment history list log ls result",
    "runs cite": "bibtex citation cite",
    "runs diff": "compare",
    "runs note": "annotate comment tag",
    "runs rename": "move mv",
    "runs rm": "clean delete prune remove",
    "runs show": "detail info view",
    "sweep": "grid hpo hyperopt optimise optimize optuna search tune",
    "test": "eval evaluate",
}
"""Commands, with what their work is called elsewhere."""

_NEEDLESS = {
    "bibtex": "`mnistlab runs cite ID --bibtex` says it of what is there.",
    "cite": "`mnistlab runs cite ID` says it of what is there.",
    "download": "What is missing of a data set is fetched anyway.",
    "latex": "`mnistlab runs --format=latex` has tables of what is there.",
    "markdown": "`mnistlab runs --format=markdown` has tables of what is there.",
    "metric": "Loss and accuracy are measured anyway.",
    "multirun": "One command is one run.",
    "num_worker": "Images lie in memory and need no workers.",
    "pin_memory": "Images lie in the memory of the device anyway.",
    "save_best_only": "The best and the last checkpoint are kept anyway.",
    "shuffle": "Training images are shuffled in each epoch, others never.",
    "worker": "Images lie in memory and need no workers.",
}


def renamed(word: str) -> list[str]:
    """What another tool's word is called here, without dashes."""
    return [ours for ours, theirs in _CALLED.items() if not _forms(word).isdisjoint(theirs.split())]


def asked_elsewhere(word: str) -> list[str]:
    """What another tool's word is called among the options of commands that list, without dashes."""
    return [ours for ours, theirs in _ASKED.items() if not _forms(word).isdisjoint(theirs.split())]


def done_elsewhere(word: str) -> list[str]:
    """The commands, without `mnistlab`, that do what is called so elsewhere."""
    return [ours for ours, theirs in _DONE.items() if not _forms(word).isdisjoint(theirs.split())]


def name_elsewhere(name: str) -> str:
    """What a class of another tool is called here, all small: `cnn421k` for `mnist_cnn_421k`."""
    plain = name.rpartition(".")[2].lower().removeprefix("mnist_").replace("_", "")
    return _CLASSES.get(plain, plain)


def needless(word: str) -> str:
    """Why another tool's word is not needed here; nothing where that is not known."""
    return next((why for theirs, why in _NEEDLESS.items() if theirs in _forms(word)), "")


def _forms(word: str) -> set[str]:
    """A word in small letters, and in the singular."""
    return {word.lower(), word.lower().removesuffix("s")}
