"""What a test has said about each image, kept beside the run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from mnistlab.classifier import Classifier
from mnistlab.classifier.answers import BatchAnswers, joined
from mnistlab.data import ImageData
from mnistlab.data.likeness import fingerprint
from mnistlab.runs.folder import OUTCOMES
from mnistlab.runs.outcomes import Mistakes, Outcomes, save_outcomes


def names_by_head(model: Classifier, data: ImageData) -> dict[str, list[str]]:
    """The names of the classes by the head that answers them; those that have no other than their numbers have none.

    A model with one head calls it otherwise than the data do.
    """
    primary, names = next(iter(data.heads)), data.class_names
    called = {primary: model.primary} if len(model.heads) == 1 else {}
    found = {called.get(label, label): each for label, each in names.items()}
    return {head: each for head, each in found.items() if each != [str(number) for number in range(len(each))]}


def keep_answers(
    batches: Sequence[Mapping[str, BatchAnswers]], folder: Path, model: Classifier, data: ImageData
) -> None:
    """Write all answers of a test into the folder of a run, if there are any as a whole, with the worst mistakes.

    Args:
        batches: The answers of each head to each batch.
        folder: The run.
        model: The model that has answered.
        data: What it has been tested on.
    """
    if not batches:
        return
    answers = joined(batches)
    primary, images = answers[model.primary], data.test_images().images
    rows = primary.worst()
    known = fingerprint(images[: len(primary.target)], torch.from_numpy(primary.target))
    mistakes = Mistakes(rows, images[torch.from_numpy(rows)].cpu().numpy())
    save_outcomes(folder / OUTCOMES, Outcomes(answers, known, model.heads, mistakes, names_by_head(model, data)))
