"""What a run was configured with, and the images that it was tested on; trusted as little as a checkpoint.

Nothing that a configuration names is imported unless it is trusted or allowed, and nothing is fetched.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from mnistlab.data import ImageData
from mnistlab.data.likeness import fingerprint
from mnistlab.errors import LabError
from mnistlab.options.building import build
from mnistlab.options.imported import settle
from mnistlab.options.specification import Specification
from mnistlab.options.trust import set_import_policy
from mnistlab.runs.outcomes import Outcomes
from mnistlab.sections.parts import TopLevel, prepare, sections
from mnistlab.training.elsewhere import without_places_elsewhere
from mnistlab.training.origins import Origin, differing
from mnistlab.training.typed import kept_configuration


@dataclass(frozen=True)
class Trust:
    """What the configuration of a run may name."""

    allowed: frozenset[str] = frozenset()  # packages besides those that are trusted anyway

    def prepare(self) -> None:
        """Set the process up for configurations; it may be called again."""
        prepare()
        set_import_policy(self.allowed)

    def differences(self, folder: Path) -> list[Origin]:
        """The values of a run that are not at their default.

        Raises:
            LabError: If its configuration cannot be read, or names what is not allowed.
        """
        settled = settle(TopLevel, sections(), [kept_configuration(folder)], self.allowed)
        return differing(settled, settled.values)

    def tested_images(self, folder: Path, outcomes: Outcomes) -> Tensor:
        """The images that a run was tested on: (images, channels, height, width) uint8.

        Raises:
            LabError: If they are not here, or not the same any more.
        """
        kept = [entry for entry in kept_configuration(folder) if entry.key[0] == "data"]
        here = without_places_elsewhere(kept, self.allowed)
        settled = settle(TopLevel, sections(), [here], self.allowed)
        target = next(iter(outcomes.answers.values())).target
        images = _read(settled.values["data"])[: len(target)]
        if fingerprint(images, target) != outcomes.images:
            raise LabError("the images here are not those of the test")
        return images


def _read(data: dict[str, object]) -> Tensor:
    try:
        return build(ImageData, Specification.of(data)).test_images().images
    except LabError:
        raise
    except Exception as error:  # a data set of anyone's may raise anything
        raise LabError(f"{type(error).__name__}: {error}") from error
