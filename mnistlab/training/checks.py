"""Whether the model, the data, the trainer and the weights of a command go together."""

import math
import warnings
from collections.abc import Mapping

from mnistlab.errors import LabError, is_out_of_memory, tell
from mnistlab.nets.probe import learns_from_single_images, try_image
from mnistlab.options.written import Written
from mnistlab.training.assemble import LabCLI
from mnistlab.training.configured import Configured
from mnistlab.training.found import Found
from mnistlab.training.idle_options import check_monitors, notes
from mnistlab.training.trainer_options import check_companions
from mnistlab.training.weights import check_learnable, check_weights


def check_start(cli: LabCLI, configured: Configured, found: Found | None) -> None:
    """Make the model ready for training, and refuse what cannot be trained.

    Raises:
        LabError: If the parts do not go together, or nothing can be learnt from the weights to begin with.
        ValueError: If the parts to be frozen are not there.
    """
    check_weights(cli.model, found)
    for sentence in cli.model.begin(continued=configured.continued):
        if cli.trainer.is_global_zero:
            tell(f"note: {sentence}")
    if cli.model.frozen:
        warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")  # they rest on purpose
    check_parts(cli, configured)
    match_precision(cli)
    check_learnable(cli.model, found, speaks=cli.trainer.is_global_zero)


def check_parts(cli: LabCLI, configured: Configured) -> None:
    """Refuse parts that do not go together."""
    _try_images(cli, configured.origins)
    check_monitors(configured, cli.model, cli.datamodule, cli.trainer)
    check_companions(configured)
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


def _try_images(cli: LabCLI, origins: Mapping[str, Written]) -> None:
    """Refuse a net that does not take the images, or cannot be trained on one at a time: it says so late and darkly."""
    shape, name = cli.datamodule.image_shape, type(cli.model).__name__
    if shape is None:
        return
    try:
        output = try_image(cli.model.net, shape)
    except Exception as error:  # a net of others may fail in any way
        if is_out_of_memory(error):
            raise
        shaped = [origin for key, origin in origins.items() if key.startswith("model.") and origin.key[-1] in _SHAPED]
        where = f"{', '.join(origin.where for origin in shaped)}: " if shaped else ""
        why, size = str(error).partition("\n")[0], "x".join(map(str, shape))
        scaled = {"resize": None}.items() <= cli.configuration.model.init_args.items()
        way_out = " Scale them to what it was made for, such as --model.resize=224." if scaled else ""
        what = (
            f"{name} does not take the images of {type(cli.datamodule).__name__}, {size}: {why.rstrip('.!')}.{way_out}"
        )
        raise LabError(f"{where}{what}") from error
    try:
        cli.model.by_head(output)
    except ValueError as error:
        origin = origins.get("data.labels") or origins.get("data") or origins.get("model")
        raise LabError(f"{f'{origin.where}: ' if origin else ''}{error}") from error
    if cli.datamodule.batch_size == 1 and not learns_from_single_images(cli.model.net, shape):
        origin = origins.get("data.batch_size")
        raise LabError(
            f"{origin.where if origin else 'data.batch_size'}: {name} cannot be trained on one "
            "image at a time: its batch normalization would have one value of each channel. Use 2 or more."
        )


_SHAPED = ("in_channels", "image_size", "patch_size", "stem_size", "input_size", "in_features", "halved")
"""Options of models that say what images they take."""
