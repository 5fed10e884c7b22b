"""Every value that a sweep may take is checked as `fit` would, before anything is written; all faults at once."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy

from mnistlab.sweeps.faults import Faults
from mnistlab.sweeps.presets import space_of
from mnistlab.sweeps.probing import note_faults
from mnistlab.sweeps.space import Space
from mnistlab.training.assemble import LabCLI
from mnistlab.training.running import check


def checked_space(
    command: str, arguments: Sequence[str], also: Callable[[LabCLI], None], faults: Faults
) -> tuple[Space, list[LabCLI]]:
    """The space of some arguments, and what its assignments make; the files of all data sets are there then.

    Args:
        command: What the user has typed: `sweep` or `compare`.
        arguments: Those of `fit`, each as one word, with domains.
        also: Refuses what a sweep in particular cannot do.
        faults: What is wrong so far; it is told with what is found here.

    Raises:
        LabError: With all faults, a line each.
    """
    good = note_faults(arguments, lambda words: check(words, command), faults)
    for cli in good.values():
        with faults.noted():
            also(cli)
    faults.tell()
    for cli in {json.dumps(each.resolved["data"]): each for each in good.values()}.values():
        with faults.noted():
            cli.datamodule.prepare_data()  # once, before the workers would each do it
            deepcopy(cli.datamodule).setup("fit")  # the copy takes the images with it
    faults.tell()
    return space_of(arguments), list(good.values())
