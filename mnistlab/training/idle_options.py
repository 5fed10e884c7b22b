"""Values that are accepted and then change nothing.

Only what somebody wrote for this run is spoken of: no default, no preset that comes with mnistlab, nothing that a run
has written down as one value among all.
"""

from collections.abc import Iterator, Mapping, Sequence

from lightning.pytorch import Trainer

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.runs.metrics import PRIMARY, Measure, measure_of
from mnistlab.text.nearest import suggestion
from mnistlab.training.beyond import beyond, validates
from mnistlab.training.configured import Configured
from mnistlab.training.idle_in_measuring import overwritten


def check_monitors(configured: Configured, model: Classifier, data: ImageData, trainer: Trainer) -> None:
    """Refuse to wait for a metric that never comes.

    Args:
        configured: The command.
        model: Its model; what one from elsewhere logs is not known.
        data: Its data.
        trainer: Its trainer.

    Raises:
        LabError: If early stopping or a checkpoint watches a metric that is not logged.
    """
    classes = [
        type(model).__module__,
        *(entry["class_path"] for entry in configured.configuration.trainer["callbacks"] or []),
    ]
    ours = all(name.partition(".")[0] in ("mnistlab", "lightning") for name in classes)
    known = ["lr", f"{PRIMARY}_best", *model.columns("train"), *model.columns("val")]
    for key, name, options in configured.callbacks():
        monitor = options.get("monitor")
        if name not in ("EarlyStopping", "ModelCheckpoint") or monitor is None:
            continue
        where = configured.chosen(f"{key}.monitor") or configured.chosen(key) or key
        if ours and monitor not in (*known, *(("epoch", "step") if name == "ModelCheckpoint" else ())):
            raise LabError(
                f"{where}: no metric is called {monitor}.{suggestion(monitor, known)} There are {', '.join(known)}."
            )
        if monitor.startswith("val/") and not validates(data, trainer):
            why = data.lacks("val") or "trainer.limit_val_batches is 0"
            raise LabError(f"{where}: {name} waits for {monitor}, but nothing is validated: {why}.")


def notes(configured: Configured, model: Classifier, data: ImageData, trainer: Trainer) -> list[str]:
    """What was written and has no effect on a training, a sentence each.

    Args:
        configured: The command.
        model: Its model.
        data: Its data.
        trainer: Its trainer; of `fit`, one that knows its optimizers already.

    Raises:
        LabError: If a schedule ends before the run does.
    """
    found = [
        *overwritten(configured.typed),
        *_loss_of_no_head(configured),
        *_without_its_partner(configured),
        *_wrong_way_round(configured, model.measures),
        *_already_begun(configured),
    ]
    return [*found, *beyond(configured, data, trainer)]


def _without_its_partner(configured: Configured) -> Iterator[str]:
    """Options that count only together with another one."""
    trainer, model = configured.configuration.trainer, configured.configuration.model.init_args
    momentum = configured.options("optimizer").get("momentum", 1)
    may_stop = trainer["callbacks"] or trainer["max_time"]
    cases = (
        ("trainer.min_epochs", not may_stop, "early stopping"),
        ("trainer.min_steps", not may_stop, "early stopping"),
        ("trainer.gradient_clip_algorithm", not trainer["gradient_clip_val"], "--trainer.gradient_clip_val"),
        ("trainer.log_every_n_steps", not trainer["logger"], "--trainer.logger"),
        ("trainer.limit_predict_batches", True, "the command predict"),
        ("trainer.limit_test_batches", not configured.configuration.run.test, "--run.test=true"),
        ("model.scheduler_interval", model.get("scheduler", 0) is None, "a --model.scheduler"),
        ("model.optimizer.dampening", momentum == 0, "--model.optimizer.momentum"),
    )
    for key, idle, partner in cases:
        where = configured.chosen(key)
        if where and idle:
            yield f"{where} has no effect without {partner}."


def _loss_of_no_head(configured: Configured) -> Iterator[str]:
    """The loss of the heads that have none of their own, where there is no such head."""
    model, where = configured.configuration.model.init_args, configured.chosen("model.loss")
    heads, losses = model.get("num_classes"), model.get("losses") or {}
    if where and isinstance(heads, Mapping) and heads.keys() <= losses.keys():
        yield f"{where} has no effect: every head has a loss of its own."


def _already_begun(configured: Configured) -> Iterator[str]:
    """What a run began with that goes on from its checkpoint: the random numbers and the weights."""
    begun_with = {("seed_everything",): "random numbers", ("model", "init_from"): "weights"}
    for entry in configured.typed:
        if configured.continued and entry.key in begun_with:
            yield f"{entry.where} has no effect: the run goes on with the {begun_with[entry.key]} of its checkpoint."


def _wrong_way_round(configured: Configured, measures: Sequence[Measure]) -> Iterator[str]:
    """A metric that is expected to become worse."""
    watchers = [(key, options) for key, _, options in configured.callbacks()]
    for key, options in [*watchers, ("model.scheduler", configured.options("scheduler"))]:
        where = configured.chosen(f"{key}.monitor")
        measure = measure_of(str(options.get("monitor")).removesuffix("_best"), measures)
        ways = ("growing", "max", "min") if measure and measure.higher_is_better else ("falling", "min", "max")
        if where and measure and options.get("mode") == ways[2]:
            option = ".".join(part for part in key.split(".") if not part.isdigit())
            yield f"{where}: a {ways[0]} {measure.title} counts as no improvement here. Add --{option}.mode={ways[1]}."
