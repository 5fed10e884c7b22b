"""Whether a net takes the images of some data, found out with one image before any work."""

from collections.abc import Mapping

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError, is_out_of_memory
from mnistlab.nets.probe import learns_from_single_images, try_image
from mnistlab.options.specification import Specification
from mnistlab.options.written import Source, Written

_SHAPED = ("in_channels", "image_size", "patch_size", "stem_size", "input_size", "in_features", "halved")
"""Options of models that say what images they take."""


def try_training(
    model: Classifier, data: ImageData, specification: Specification, origins: Mapping[str, Written]
) -> None:
    """Refuse a net that does not take the images, or cannot be trained on one at a time: it says so late and darkly.

    Args:
        model: The model.
        data: The images.
        specification: What the model is.
        origins: Who said what.

    Raises:
        LabError: If it does not.
    """
    shape, name = data.image_shape, type(model).__name__
    if shape is None:
        return
    try:
        output = try_image(model.net, shape)
    except Exception as error:  # a net of others may fail in any way
        if is_out_of_memory(error):
            raise
        shaped = [origin for key, origin in origins.items() if key.startswith("model.") and origin.key[-1] in _SHAPED]
        why = str(error).partition("\n")[0].rstrip(".!")
        scaled = {"resize": None}.items() <= specification.init_args.items()
        way_out = " Scale them to what it was made for, such as --model.resize=224." if scaled else ""
        raise LabError(f"{_where(shaped)}{_takes_not(model, data)}: {why}.{way_out}") from error
    try:
        model.by_head(output)
    except ValueError as error:
        origin = origins.get("data.labels") or origins.get("data") or origins.get("model")
        raise LabError(f"{_where([origin] if origin else [])}{error}") from error
    if data.batch_size == 1 and not learns_from_single_images(model.net, shape):
        origin = origins.get("data.batch_size")
        raise LabError(
            f"{origin.where if origin else 'data.batch_size'}: {name} cannot be trained on one "
            "image at a time: its batch normalization would have one value of each channel. Use 2 or more."
        )


def try_measuring(model: Classifier, data: ImageData, origins: Mapping[str, Written]) -> None:
    """Refuse images that a trained net does not take.

    Args:
        model: The model.
        data: The images.
        origins: Who said what.

    Raises:
        LabError: If it does not.
    """
    if data.image_shape is None:
        return
    try:
        try_image(model.net, data.image_shape)
    except Exception as error:  # a net of others may fail in any way
        if is_out_of_memory(error):
            raise
        typed = [each for key, each in origins.items() if key.startswith("data") and each.source != Source.CHECKPOINT]
        said = [each for each in typed if each.key[-1] in ("data", "path", "image_size", "channels")]
        raise LabError(
            f"{_where(said)}{_takes_not(model, data)}: it has learnt from others. Leave out what makes them differ, "
            "or choose data of its size and channels."
        ) from error


def _takes_not(model: Classifier, data: ImageData) -> str:
    size = "x".join(map(str, data.image_shape or ()))
    return f"{type(model).__name__} does not take the images of {type(data).__name__}, {size}"


def _where(said: list[Written]) -> str:
    return f"{', '.join(each.where for each in said)}: " if said else ""
