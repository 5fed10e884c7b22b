"""What one section tells another: the number of classes of the data reaches the model."""

import sys
from collections.abc import Mapping

from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.options.building import build
from mnistlab.options.settling import Settled
from mnistlab.options.written import Source


def link_classes(settled: Settled) -> None:
    """Give the model of a configuration as many classes as its data have.

    Raises:
        LabError: If the command line or a checkpoint says otherwise, or the data set refuses its options.
    """
    data, model = settled.values["data"], settled.values["model"]
    assert isinstance(data, Mapping)
    assert isinstance(model, Mapping)
    options = model["init_args"]
    if "num_classes" not in options:
        return
    heads = build(ImageData, data).heads
    true: object = next(iter(heads.values())) if len(heads) == 1 else heads
    origin = settled.origins.get("model.num_classes")
    if origin is not None and str(options["num_classes"]) != str(true):
        name = data["class_path"].rpartition(".")[2]
        message = f"{origin.where}: num_classes is {options['num_classes']}, but {name} has {true} classes."
        if origin.source is Source.CHECKPOINT:
            raise LabError(f"{message} Its weights do not fit this data.")
        if origin.source is Source.COMMAND_LINE:
            raise LabError(f"{message} Leave it out: it follows the data.")
        print(f"note: {message} The data counts.", file=sys.stderr)
    options["num_classes"] = true
