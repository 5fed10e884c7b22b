"""What a run was configured with, and the images that it was tested on; trusted as little as a checkpoint.

Nothing that a configuration names is imported unless it is trusted or allowed, and nothing is fetched. A run whose
classes are in the catalogue, and whose test has kept the images of its mistakes, needs no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistlab.catalogue import KindEntry, Named, load_catalogue
from mnistlab.catalogue.own import imported_kinds
from mnistlab.options.trust import check_trusted
from mnistlab.reports.settings import Setting, changed
from mnistlab.runs.outcomes import Outcomes
from mnistlab.runs.run import Run
from mnistlab.system.purpose import only_measure


@dataclass(frozen=True)
class Trust:
    """What the configuration of a run may name."""

    allowed: frozenset[str] = frozenset()  # packages besides those that are trusted anyway

    def changed(self, run: Run) -> list[Setting]:
        """The values of a run that are not at their default.

        Raises:
            LabError: If its configuration cannot be read, or names what is not allowed.
        """
        catalogue = load_catalogue()

        def known(named: Named) -> Mapping[str, KindEntry]:
            check_trusted(named.path, self.allowed, named.where)
            return imported_kinds(catalogue, named)

        return changed(catalogue, run.configuration, known)

    def tested_images(self, folder: Path, outcomes: Outcomes, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Some of the images that a run was tested on: (rows, channels, height, width).

        Raises:
            LabError: If they are not here, or not the same any more.
        """
        if not self.allowed:  # a class of anyone's may be derived from one of Lightning's
            only_measure()
        from mnistlab.reports.images import tested_images  # noqa: PLC0415 - brings torch in

        return tested_images(folder, outcomes, rows, self.allowed)
