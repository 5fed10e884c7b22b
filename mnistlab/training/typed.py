"""What is wrong in a command line, as far as that shows before torch is imported: by the walk, over the catalogue."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mnistlab.catalogue import present_catalogue
from mnistlab.catalogue.own import with_own
from mnistlab.errors import LabError
from mnistlab.options.choosing import UnknownClassError
from mnistlab.options.command_line import from_arguments
from mnistlab.options.entries import Catalogue
from mnistlab.options.settling import Settled, settle_entries
from mnistlab.options.written import STEERING, Source, Written
from mnistlab.presets import reading
from mnistlab.presets.finding import find_preset
from mnistlab.runs.finding import find_checkpoint, find_members
from mnistlab.runs.run import Run
from mnistlab.training.invocation import Invocation

_MEASURED = ("model", "data")
"""What a checkpoint says of a command that measures it."""


def refuse_mistakes(command: str, arguments: Sequence[str], catalogue: Catalogue | None = None) -> None:
    """Refuse what can be seen to be wrong; whatever only imported classes know is left to them.

    Args:
        command: `fit`, `validate`, `test`, `predict` or `explain`.
        arguments: What was typed after it.
        catalogue: What there is to choose from; if not given, the one that is at hand, without which all is left.

    Raises:
        LabError: For the first mistake.
    """
    catalogue = catalogue or present_catalogue()
    if catalogue is not None and not runs_python(arguments):
        checked(catalogue, Invocation(command, arguments))


def checked(catalogue: Catalogue, invocation: Invocation) -> Settled | None:
    """The configuration of a command as the catalogue has it; None where some of it must be imported first.

    Raises:
        LabError: For the first mistake.
    """
    refuse_random_weights(invocation)
    base = _base(invocation)
    if base is None:
        return None
    settled = settled_by(catalogue, invocation.layers(base), invocation.trusted)
    if settled is not None:
        invocation.refuse_swept(settled.origins.values())
        if base == [] and not invocation.switches["print_config"]:
            find_init(settled, invocation.root())
    return settled


def runs_python(arguments: Sequence[str]) -> bool:
    """Whether a preset in Python is named: what it says is known once it has been run."""
    named = [entry.value for entry in from_arguments(arguments) if entry.key == ("config",)]
    return any(isinstance(name, str) and name and reading.runs_python(find_preset(name)) for name in named)


def settled_by(
    catalogue: Catalogue,
    layers: Sequence[Sequence[Written]],
    allowed: frozenset[str],
    *,
    data_known: bool = True,
    importing: bool = False,
) -> Settled | None:
    """The configuration as the catalogue has it; None where some of it must be imported first.

    Args:
        catalogue: What there is to choose from.
        layers: What was written, the weakest first.
        allowed: What a checkpoint may name besides what is trusted.
        data_known: Whether there is a data set by default.
        importing: Whether classes of the user's own may be imported, so that the catalogue has them the next time.

    Raises:
        LabError: For the first mistake in what was written.
    """

    def settled(known: Catalogue) -> Settled | None:
        sections = dict(known.sections)
        if not data_known:
            sections["data"] = replace(sections["data"], default_path=None)
        try:
            found = settle_entries(known.top, sections, known, layers, allowed)
        except UnknownClassError:
            if known is not catalogue or "torch" in sys.modules:  # a module that was imported may have the class
                return None
            raise
        # what is kept of a class may refuse a command, but lets none pass
        return found if known is catalogue else replace(found, unsure=[*found.unsure, "model"])

    return with_own(catalogue, settled, importing=importing)


def refuse_random_weights(invocation: Invocation) -> None:
    """Refuse to measure a net that nobody has trained, unless that is said.

    Raises:
        LabError: If it is not, or both are said.
    """
    untrained = invocation.switches["untrained"]
    if invocation.command == "fit":
        if untrained:
            raise LabError("--untrained is for test, validate, predict and explain; fit trains.")
    elif invocation.ckpt_path is None and not untrained:
        raise LabError(
            f"{invocation.command} needs the weights of a trained model: --ckpt_path=last, a run by its id or its "
            "folder, or a file. To measure random weights on purpose, add --untrained."
        )
    elif invocation.ckpt_path is not None and untrained:
        raise LabError("--untrained and --ckpt_path exclude each other.")


def find_init(settled: Settled, root: Path) -> None:
    """Put the file in place of what `init_from` calls it: a run's folder, `best`, or `last`.

    Args:
        settled: The configuration.
        root: Where runs are kept.

    Raises:
        LabError: If there is none.
    """
    arguments = settled.values["model"]["init_args"]
    name = arguments.get("init_from")
    if not name:
        return
    origin = settled.origins.get("model.init_from")
    path, _ = find_checkpoint(name, root, where=origin.where if origin else "init_from")
    assert path is not None  # as it is where nothing is continued
    arguments["init_from"] = str(path.resolve())


def kept_configuration(folder: Path) -> list[Written]:
    """What a run was configured with, as little trusted as its checkpoint.

    Raises:
        LabError: If its configuration cannot be read, or has no end.
    """
    written = [entry for entry in Run(folder).configuration if not set(entry.key[:1]) & set(STEERING)]
    return [replace(entry, source=Source.CHECKPOINT, complete=True) for entry in written]


def trusted_base(invocation: Invocation, folder: Path) -> list[Written]:
    """The configuration of a run that goes on or is repeated; what it names is trusted as far as the user vouches.

    Raises:
        LabError: If it cannot be read, or would write to a strange place.
    """
    written = kept_configuration(folder)
    for entry in written:
        invocation.vouching.check_place(entry, folder)
    return [invocation.vouching.vouch(entry) for entry in written]


def _base(invocation: Invocation) -> list[Written] | None:
    """What the checkpoint of a command says, as far as the run's own configuration has it; None where it has not.

    Raises:
        LabError: If there is no such checkpoint.
    """
    if invocation.ckpt_path is None:
        return []
    where, continues = invocation.ckpt_where, invocation.command == "fit"
    if not continues and find_members(invocation.ckpt_path, invocation.root(), where=where)[0]:
        return None
    path, folder = find_checkpoint(invocation.ckpt_path, invocation.root(), where=where, continues=continues)
    if folder is None:
        return None
    if continues:
        return trusted_base(invocation, folder)
    base = [entry for entry in kept_configuration(folder) if entry.key[0] in _MEASURED]
    return [replace(invocation.vouching.vouch(entry), where=f"checkpoint {path}") for entry in base]
