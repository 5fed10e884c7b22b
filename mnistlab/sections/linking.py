"""What one section tells another: how many classes the data have, and what their images are, reaches the model."""

import json
from collections.abc import Mapping

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData, LabelScheme
from mnistlab.errors import LabError, tell
from mnistlab.options.building import build
from mnistlab.options.classes import candidates, find_class
from mnistlab.options.settling import Settled
from mnistlab.options.signatures import accepts, needed
from mnistlab.options.specification import Specification
from mnistlab.options.written import Source


def link_data(settled: Settled, built: ImageData | None = None) -> ImageData:
    """Give the model of a configuration as many classes as its data have, and the size of their images.

    Args:
        settled: The configuration.
        built: The data, where they have been built already.

    Returns:
        The data.

    Raises:
        LabError: If the command line or a checkpoint says otherwise, or the data set refuses its options.
    """
    data, model = settled.values["data"], settled.values["model"]
    built = built or build(ImageData, Specification.of(data))
    data["init_args"].update({name: place for name, place in built.located().items() if name in needed(type(built))})
    _link_images(settled, built)
    if "num_classes" in model["init_args"]:
        _link_classes(settled, built.heads)
    return built


def _link_images(settled: Settled, data: ImageData) -> None:
    """Tell the model, and a backbone that it takes, what images there are, wherever nobody else has said it."""
    if data.image_shape is None:
        return
    channels, height, width = data.image_shape
    known = {"in_channels": channels, "in_features": channels * height * width}
    known["input_size"] = known["in_features"]
    if height == width:
        known["image_size"] = height
    model = settled.values["model"]["init_args"]
    backbone = model.get("backbone")
    nested = backbone["init_args"] if isinstance(backbone, dict) and "init_args" in backbone else {}
    for key, arguments in (("model", model), ("model.backbone", nested)):
        said = {name for name in arguments if f"{key}.{name}" in settled.origins}
        arguments.update({name: value for name, value in known.items() if name in arguments.keys() - said})
        if "patch_size" in arguments.keys() - said and "image_size" in arguments:
            size, side = arguments["patch_size"], arguments["image_size"]
            dividing = [number for number in range(1, side + 1) if side % number == 0]
            arguments["patch_size"] = min(dividing, key=lambda number: (abs(number - size), number))


def _link_classes(settled: Settled, heads: Mapping[str, int]) -> None:
    """Tell the model how many classes there are.

    Raises:
        LabError: If somebody has said otherwise.
    """
    data, model = settled.values["data"], settled.values["model"]
    arguments, name = model["init_args"], data["class_path"].rpartition(".")[2]
    true: object = next(iter(heads.values())) if len(heads) == 1 else dict(heads)
    origin, wanted = settled.origins.get("model.num_classes"), arguments["num_classes"]
    if isinstance(wanted, Mapping) and wanted.items() <= heads.items():
        return  # it chooses among the labels
    if origin is None:
        if isinstance(wanted, Mapping):
            raise LabError(_other_heads(model["class_path"].rpartition(".")[2], wanted, name, heads))
        _refuse_several(settled, model["class_path"], name, heads)
    elif origin.source is Source.CHECKPOINT and wanted == next(iter(heads.values())):
        return  # a net of one head is measured by the primary label
    elif str(wanted) != str(true):
        message = f"{origin.where}: num_classes is {wanted}, but {name} has {_said(heads)}."
        if origin.source is Source.CHECKPOINT:
            raise LabError(f"{message} Its weights do not fit this data.")
        if origin.source is Source.COMMAND_LINE:
            raise LabError(f"{message} {_way_out(wanted, heads)}")
        tell(f"note: {message} The data counts.")
    arguments["num_classes"] = true


def _refuse_several(settled: Settled, model: str, data: str, heads: Mapping[str, int]) -> None:
    """Refuse several labels for a model of the user's own whose `num_classes` is one number."""
    cls = find_class(model, (Classifier,), model)
    if len(heads) > 1 and cls is not None and not accepts(cls, "num_classes", dict(heads)):
        origin = settled.origins.get("data.labels") or settled.origins.get("data")
        raise LabError(
            f"{f'{origin.where}: ' if origin else ''}{data} has {_said(heads)}, but {model.rpartition('.')[2]} has one "
            "head: its num_classes is one number. Choose data with one label, or --data.labels=null; a model with "
            "several takes `int | dict[str, int]`, and its net gives logits for each name."
        )


def classes_with(base: type[ImageData | LabelScheme], heads: Mapping[str, object]) -> list[str]:
    """What of mnistlab has these labels by itself, by name; a class that needs options is passed over.

    Args:
        base: `ImageData`, or `LabelScheme` for what gives further labels to the digits of any data set.
        heads: The labels, each with the number of its classes.
    """
    known = {name: cls for name, (cls, *_) in candidates((base,)).items() if cls.__module__.startswith("mnistlab.")}
    return [name for name, cls in known.items() if not needed(cls) and heads.items() <= cls().heads.items()]


def _other_heads(model: str, wanted: Mapping[str, object], data: str, heads: Mapping[str, int]) -> str:
    """The error where a model is made for labels that the data do not have."""
    missing = [head for head, size in wanted.items() if heads.get(head) != size]
    fitting = [f"--data={name}" for name in classes_with(ImageData, wanted)]
    further = {head: wanted[head] for head in missing}
    fitting += [f"--data.labels={name}" for name in classes_with(LabelScheme, further)]
    way_out = f"Use {' or '.join(fitting)}" if fitting else "Choose other data or other --data.labels"
    return (
        f"{model} has heads for {', '.join(wanted)}, but {data} has {_said(heads)} and no such "
        f"{' and '.join(missing)}. {way_out}, or a model that takes its heads from the data, as most do."
    )


def _way_out(wanted: object, heads: Mapping[str, int]) -> str:
    """What to write in place of the number of classes, or of labels that there are not."""
    if len(heads) == 1:
        return "Leave it out: it follows the data."
    chosen = [head for head in heads if head in wanted] if isinstance(wanted, Mapping) else []
    some = {head: heads[head] for head in chosen or list(heads)[:1]}
    quoted = f"'--model.num_classes={json.dumps(some, separators=(',', ':'))}'"
    return f"Leave it out for all of them, or choose some: {quoted}"


def _said(heads: Mapping[str, int]) -> str:
    """The labels with their numbers of classes; of a single one the number only."""
    if len(heads) == 1:
        return f"{next(iter(heads.values()))} classes"
    return ", ".join(f"{size} classes of {head}" for head, size in heads.items())
