"""What a training begins from: the weights of another run, and the parts that rest."""

import warnings
from pathlib import Path

from mnistlab.classifier import Classifier
from mnistlab.errors import tell
from mnistlab.options.settling import Settled
from mnistlab.runs.finding import find_checkpoint


def find_init(settled: Settled, root: Path) -> None:
    """Put the file in place of what `init_from` calls it: a run's folder, `best`, or `last`.

    Args:
        settled: The configuration.
        root: Where runs are kept.

    Raises:
        LabError: If there is none.
    """
    model = settled.values["model"]
    assert isinstance(model, dict)
    name = model["init_args"].get("init_from")
    if not name:
        return
    origin = settled.origins.get("model.init_from")
    path, _ = find_checkpoint(name, root, where=origin.where if origin else "init_from")
    assert path is not None  # as it is where nothing is continued
    model["init_args"]["init_from"] = str(path.resolve())


def begin(model: Classifier, *, continued: bool, speaks: bool) -> None:
    """Make a model ready for training and say what was taken over.

    Args:
        model: The model.
        continued: Its weights come from the run that is continued.
        speaks: Whether this process prints; of several only the first does.

    Raises:
        LabError: If the weights cannot be taken over.
        ValueError: If the parts to be frozen are not there.
    """
    for sentence in model.begin(continued=continued):
        if speaks:
            tell(f"note: {sentence}")
    if model.frozen:
        warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")  # they rest on purpose
