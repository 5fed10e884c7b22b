"""What a test has said about each image, kept beside the run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.data.likeness import fingerprint
from mnistlab.runs.folder import OUTCOMES
from mnistlab.runs.outcomes import Answers, Outcomes, joined, save_outcomes


def keep_answers(batches: Sequence[Mapping[str, Answers]], folder: Path, model: Classifier, data: ImageData) -> None:
    """Write all answers of a test into the folder of a run, if there are any as a whole.

    Args:
        batches: The answers of each head to each batch.
        folder: The run.
        model: The model that has answered.
        data: What it has been tested on.
    """
    if not batches:
        return
    answers = joined(batches)
    tested, count = data.test_images(), len(answers[model.primary].prediction)
    target = answers[model.primary].target
    outcomes = Outcomes(answers, fingerprint(tested.images[:count], target), model.heads)
    save_outcomes(folder / OUTCOMES, outcomes)
