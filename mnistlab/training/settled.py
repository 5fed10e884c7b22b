"""The configuration of a command, worked out from all that says something of it."""

import os
import sys
from collections.abc import Sequence

from mnistlab.catalogue import present_catalogue
from mnistlab.errors import LabError, tell
from mnistlab.options.budget import read_budget
from mnistlab.options.settling import Settled
from mnistlab.options.written import Source, Written
from mnistlab.presets.shipped import with_names
from mnistlab.runs.words import check_name
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation
from mnistlab.training.typed import settled_by

_ENDS = ("trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "trainer.fast_dev_run")
"""The options that end a run."""


def settled_from(invocation: Invocation, found: Found | None, known: Settled | None = None) -> Settled:
    """Work out the configuration of a command.

    Args:
        invocation: The command as it was typed.
        found: What it goes on from, or measures.
        known: What `known_settled` has given of both, if it has been asked.

    Raises:
        LabError: If something in it does not exist, contradicts something else, or is missing.
    """
    layers = _layers(invocation, found)
    _ask_for_unrecorded(invocation, found, layers)
    settled = known or known_settled(invocation, found)
    if settled is None or settled.unsure:
        settled = _by_import(layers, invocation.trusted, data_known=_knows_data(found))
    invocation.refuse_swept(settled.origins.values())
    _settle_budget(settled)
    _check_name(settled)
    if "data" not in settled.values:
        assert found is not None
        raise LabError(f"{found.path} does not say what data it was trained on. Add --data=..., such as --data=MNIST.")
    return settled


def known_settled(invocation: Invocation, found: Found | None) -> Settled | None:
    """The configuration of a command as far as the catalogue has it; None where it has not.

    Raises:
        LabError: For the first mistake in what was written.
    """
    catalogue, layers = present_catalogue(), _layers(invocation, found)
    if catalogue is None:
        return None
    return settled_by(catalogue, layers, invocation.trusted, data_known=_knows_data(found), importing=True)


def _layers(invocation: Invocation, found: Found | None) -> list[Sequence[Written]]:
    """All that was written, the weakest first."""
    return invocation.layers(found.layer if found else ())


def _knows_data(found: Found | None) -> bool:
    """A checkpoint that does not say what its data were leaves the choice to the user."""
    return found is None or any(entry.key[0] == "data" for entry in found.layer)


def _by_import(layers: Sequence[Sequence[Written]], allowed: frozenset[str], *, data_known: bool) -> Settled:
    """The same from the classes themselves, where the catalogue does not know all."""
    from mnistlab.options.imported import settle  # noqa: PLC0415 - seldom wanted
    from mnistlab.sections.parts import TopLevel, sections  # noqa: PLC0415 - brings Lightning in

    return settle(TopLevel, sections(data_known=data_known), layers, allowed)


def _ask_for_unrecorded(invocation: Invocation, found: Found | None, layers: Sequence[Sequence[Written]]) -> None:
    """Training goes on only with what the checkpoint could not say; testing needs none of it but the loss."""
    for key, what in (found.unrecorded if found else {}).items():
        written = any(".".join(entry.key) == key for layer in layers for entry in layer)
        if written:
            continue
        if invocation.command == "fit":
            raise LabError(f"the checkpoint's {key} was {what}, which cannot be written down. Say it with --{key}=...")
        if key == "model.loss":
            print(f"note: its loss was {what}; the loss shown is that of CrossEntropyLoss.", file=sys.stderr)


def say_notes(invocation: Invocation, settled: Settled) -> None:
    """Tell what is worth knowing before anything is made; of several processes the first one does."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        dropped = (f"{entry.name}={entry.value} is dropped. {why}" for entry, why in settled.dropped)
        for note in (*invocation.notes, *dropped):
            tell(f"note: {with_names(note)}")


def _check_name(settled: Settled) -> None:
    """Refuse a name that none can be found by; a run that has one goes on with it.

    Raises:
        LabError: If it was written now.
    """
    origin = settled.origins.get("run.name")
    name = settled.values.get("run", {}).get("name")
    if origin is not None and origin.source is not Source.CHECKPOINT and name is not None:
        try:
            check_name(str(name))
        except LabError as error:
            raise LabError(f"{origin.where}: {error}") from error


def _settle_budget(settled: Settled) -> None:
    """Let a budget count, unless a length was typed that is stronger.

    Raises:
        LabError: If it is no time, or both were typed.
    """
    origin = settled.origins.get("budget")
    if origin is None or settled.values.get("budget") is None:
        return
    try:
        read_budget(str(settled.values["budget"]))
    except ValueError as error:
        raise LabError(f"{origin.where}: {error}") from error
    typed = [other for name in _ENDS if (other := settled.origins.get(name)) and _is_typed(other)]
    if typed and _is_typed(origin):
        raise LabError(
            f"{origin.where} and {typed[0].where} exclude each other: a budget is as many epochs as it lasts."
        )
    if typed:
        settled.values["budget"] = None
        del settled.origins["budget"]


def _is_typed(entry: Written) -> bool:
    return entry.source is Source.COMMAND_LINE and str(entry.data) not in ("None", "-1", "False")
