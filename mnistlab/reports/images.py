"""The images that a run was tested on, read anew: those of its mistakes where a test has not kept them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnistlab.catalogue import load_catalogue
from mnistlab.data import ImageData
from mnistlab.data.likeness import fingerprint
from mnistlab.errors import LabError
from mnistlab.losses.weights import register_tensor_type
from mnistlab.options.building import build
from mnistlab.options.settling import Settled
from mnistlab.options.specification import Specification
from mnistlab.options.trust import set_import_policy
from mnistlab.options.written import Written
from mnistlab.runs.outcomes import Outcomes
from mnistlab.training.elsewhere import without_places_elsewhere
from mnistlab.training.typed import kept_configuration, settled_by


def tested_images(
    folder: Path, outcomes: Outcomes, rows: NDArray[np.int64], allowed: frozenset[str]
) -> NDArray[np.uint8]:
    """Some of them: (rows, channels, height, width).

    Args:
        folder: The run.
        outcomes: What its test has said.
        rows: Their numbers.
        allowed: The packages that its configuration may name besides those that are trusted anyway.

    Raises:
        LabError: If they are not here, or not the same any more.
    """
    kept = [entry for entry in kept_configuration(folder) if entry.key[0] == "data"]
    set_import_policy(allowed)
    settled = _settled(without_places_elsewhere(kept, allowed), allowed)
    target = torch.from_numpy(outcomes.primary.target)
    images = _read(settled.values["data"])[: len(target)]
    if fingerprint(images, target) != outcomes.images:
        raise LabError("the images here are not those of the test")
    found: NDArray[np.uint8] = images[torch.from_numpy(rows)].numpy()
    return found


def _settled(written: list[Written], allowed: frozenset[str]) -> Settled:
    """What counts, by the catalogue; where it is not sure, by the classes."""
    register_tensor_type()
    settled = settled_by(load_catalogue(), [written], allowed)
    if settled is not None and not settled.unsure:
        return settled
    from mnistlab.options.imported import settle  # noqa: PLC0415 - few runs need it
    from mnistlab.sections.parts import TopLevel, prepare, sections  # noqa: PLC0415 - brings Lightning in

    prepare()
    return settle(TopLevel, sections(), [written], allowed)


def _read(data: dict[str, object]) -> Tensor:
    try:
        return build(ImageData, Specification.of(data)).test_images().images
    except LabError:
        raise
    except Exception as error:  # a data set of anyone's may raise anything
        raise LabError(f"{type(error).__name__}: {error}") from error
