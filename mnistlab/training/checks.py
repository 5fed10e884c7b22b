"""Whether the model, the data, the trainer and the weights of a command go together."""

import math
import warnings
from collections.abc import Mapping

from mnistlab.data import ImageData
from mnistlab.errors import LabError, tell
from mnistlab.options.written import Written
from mnistlab.runs.reading import read_record
from mnistlab.runs.record import config_hash
from mnistlab.system.lightning_inside import epochs_begun, epochs_ended
from mnistlab.text.values import shown
from mnistlab.training.assemble import LabCLI
from mnistlab.training.budgets import check_budget
from mnistlab.training.configured import Configured
from mnistlab.training.found import Found
from mnistlab.training.idle_options import check_monitors, notes
from mnistlab.training.taking import try_training
from mnistlab.training.trainer_options import check_companions
from mnistlab.training.weights import check_learnable, check_weights

_DIVIDING = ("train_size", "val_size", "val_fraction", "folds", "fold", "partition", "partition_seed")
"""The options of data that say which images are trained on."""

_NOT_TRAINED_WITH = ("data.data_dir", "data.eval_batch_size", "model.compile")
"""The options of model and data that may change at the end of a run."""


def check_start(cli: LabCLI, configured: Configured, found: Found | None) -> None:
    """Make the model ready for training, and refuse what cannot be trained.

    Raises:
        LabError: If the parts do not go together, or nothing can be learnt from the weights to begin with.
        ValueError: If the parts to be frozen are not there.
    """
    check_weights(cli.model, found)
    if configured.continued and found:
        _check_length(cli, configured, found)
    for sentence in cli.model.begin(continued=configured.continued):
        if cli.trainer.is_global_zero:
            tell(f"note: {sentence}")
    if cli.model.frozen:
        warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")  # they rest on purpose
    check_parts(cli, configured)
    match_precision(cli)
    check_learnable(cli.model, found, speaks=cli.trainer.is_global_zero)
    if configured.continued and found and cli.trainer.is_global_zero:
        _note_division(cli.datamodule, found)


def _check_length(cli: LabCLI, configured: Configured, found: Found) -> None:
    """Refuse a run that goes on to an end that it has passed."""
    begun, epochs = epochs_begun(found.contents), cli.trainer.max_epochs
    if epochs is not None and -1 < epochs < begun:
        where = configured.chosen("trainer.max_epochs") or f"trainer.max_epochs={epochs}"
        raise LabError(f"{where}: the run has come to epoch {begun} already. A larger number lets it go on.")
    steps, step = cli.trainer.max_steps, found.contents["global_step"]
    over = epochs_ended(found.contents) == epochs or 0 < steps <= step
    changed = _changed(configured) if over else ()
    if changed and found.folder and (read_record(found.folder) or {}).get("config_hash") != config_hash(cli.resolved):
        longer = f"max_steps={2 * step}" if 0 < steps <= step else f"max_epochs={begun * 2}"
        raise LabError(
            f"{', '.join(changed)}: the run has come to its end, and nothing would be trained with it. "
            f"--trainer.{longer} lets it go on."
        )


def _changed(configured: Configured) -> list[str]:
    """Who has said now with what model and what data a run goes on."""
    names = [
        name for name in configured.origins if name.startswith(("model", "data")) and name not in _NOT_TRAINED_WITH
    ]
    return [where for name in names if (where := configured.chosen(name))]


def _note_division(data: ImageData, found: Found) -> None:
    """Say that a run that goes on may be validated on images that it was trained on."""
    before = {entry.key[-1]: entry.data for entry in found.layer if entry.key[:1] == ("data",)}
    if str(before.get("data")).rpartition(".")[2] != type(data).__name__:
        return  # other images altogether
    for name in _DIVIDING:
        if name in before and name in data.arguments and before[name] != data.arguments[name]:
            now, then = shown(data.arguments[name]), shown(before[name])
            tell(
                f"note: {name} is {now}, and was {then}: other images are held out for validation than before, and "
                "some of them may have been trained on."
            )


def check_parts(cli: LabCLI, configured: Configured) -> None:
    """Refuse parts that do not go together."""
    try_training(cli.model, cli.datamodule, cli.configuration.model, configured.origins)
    check_monitors(configured, cli.model, cli.datamodule, cli.trainer)
    check_companions(configured)
    check_budget(configured, cli.trainer)
    _check_test(cli, configured.origins)


def _check_test(cli: LabCLI, origins: Mapping[str, Written]) -> None:
    """Refuse the test of nothing, which would be noticed after all training."""
    limit, images = cli.trainer.limit_test_batches, cli.datamodule.num_images.get("test")
    if not cli.configuration.run.test or (isinstance(limit, int) and limit > 0):
        return
    origin = origins.get("trainer.limit_test_batches")
    where = origin.where if origin else "trainer.limit_test_batches"
    if not limit:
        raise LabError(f"{where}: nothing would be tested. Leave it out, or add --run.test=false.")
    batches = math.ceil(images / cli.trainer.world_size / cli.datamodule.eval_batch_size) if images else 0
    if batches and int(limit * batches) < 1:
        raise LabError(f"{where}: the test has {batches} batches, of which that is none. Use 1 for one of them.")


def match_precision(cli: LabCLI) -> None:
    """Give the model the kind of numbers that the trainer computes with.

    Lightning does so only after it has loaded the weights, and so rounds those of a run in float64.
    """
    if str(cli.trainer.precision).endswith("-true"):
        cli.trainer.precision_plugin.convert_module(cli.model)


def tell_notes(configured: Configured, cli: LabCLI) -> None:
    """Say what is configured and changes nothing."""
    if cli.trainer.is_global_zero:
        for note in notes(configured, cli.model, cli.datamodule, cli.trainer):
            tell(f"note: {note}")
