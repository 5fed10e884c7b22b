"""`mnistlab fit`."""

from functools import partial

from mnistlab.commands.declaring.model import TRAIN, Command, Work, train
from mnistlab.errors import announce
from mnistlab.options.arguments import Arguments, Option, words


def _fit(asked: Arguments) -> Work:
    if "folds" not in asked.values:
        return train(asked)
    announce("checking all folds before anything is trained ...")
    from mnistlab.sweeps.typed import asked_folds  # noqa: PLC0415 - not for help

    typed = asked_folds(int(asked.values["folds"]), asked.others)
    from mnistlab.sweeps.folds import fit_folds  # noqa: PLC0415 - brings torch in

    return partial(fit_folds, typed, ["fit", f"--folds={asked.values['folds']}", *words(asked.others)])


COMMAND = Command(
    "train a model, then test its best checkpoint",
    _fit,
    TRAIN,
    order=1,
    like="fit",
    options=(
        Option(
            "folds", "Train a net for each of N parts held out", "N", wanted="a number of parts, 2 or more, is needed"
        ),
    ),
    shows=(
        ("config", "ckpt_path"),
        ("model", "model.*", "model.loss", "model.optimizer", "model.optimizer.lr", "model.scheduler"),
        ("data", "data.*", "data.batch_size", "data.augment"),
        ("trainer.max_epochs", "budget", "trainer.devices", "seed_everything"),
        ("run.dir", "print_config"),
    ),
)
