"""Joins what several nets say about the same test images, in a run of its own."""

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mnistlab.catalogue.editors import schema_line
from mnistlab.errors import LabError
from mnistlab.options.settling import Settled
from mnistlab.options.trust import set_import_policy
from mnistlab.runs.folder import CONFIG, PREDICTIONS, RECORD, new_folder
from mnistlab.runs.looks import note_look
from mnistlab.runs.record import config_text, now, start_record, write_json
from mnistlab.system.files import write_text
from mnistlab.text.values import counted
from mnistlab.training.assembler import Net
from mnistlab.training.evaluate import check_measurable
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation
from mnistlab.training.keeping import whole
from mnistlab.training.means import Assembled
from mnistlab.training.predictions import Column, Said, ask, write_columns
from mnistlab.training.taking import try_measuring
from mnistlab.training.wanted import Table
from mnistlab.training.weights import load_weights

_SEVERAL = "several_nets"
"""What the folder of their runs is called, and the model in the record."""

_OPENING = "# What these nets have in common."
"""How the configuration begins, which has no more."""

Assemble = Callable[[Invocation, Settled, Found | None], Assembled]


def join(invocation: Invocation, nets: Sequence[Net], assemble: Assemble, wanted: Table) -> int:
    """Ask all nets, and write one table; the exit code.

    Args:
        invocation: The command as it was typed.
        nets: The nets.
        assemble: Builds the parts of one.
        wanted: The table.

    Raises:
        LabError: If they were asked about other images each.
    """
    columns: dict[str, Column] = {}
    targets: dict[str, Column] = {}
    images = ""
    looks: int | None = None
    first: Assembled | None = None
    resolved: dict[str, object] = {}
    for net in nets:
        assembled, said = _answers(net, assemble, wanted)
        if images and said.images != images:
            raise LabError(
                f"{invocation.ckpt_where}: {nets[0].name} and {net.name} answer other images each: a row must be one "
                "image. Say what all of them are asked about with --data=... and its options."
            )
        images = said.images
        columns |= said.called(net.name)
        targets |= said.targets
        seen = note_look(Path(assembled.configuration.run.dir), assembled.data.fingerprint.get("test"))
        looks = seen if first is None else looks
        said_of_it = assembled.configuration.plain()
        resolved = said_of_it if first is None else _in_common(resolved, said_of_it)
        first = first or assembled
        gc.collect()  # a net is kept by circles, and there may be many
    assert first is not None
    if not first.means.speaks:
        return 0
    several = len(nets) > 1
    name = _SEVERAL if several else first.model.name
    folder = new_folder(Path(first.configuration.run.dir), name) if several else first.folder
    record = start_record("predict", invocation.arguments, first.configuration.plain(), name, invocation.presets)
    record |= {"class": counted(len(nets), "net")} if several else {}
    record |= {"checkpoint": ",".join(str(net.found.checkpoint) for net in nets), "looks": looks}
    with whole(folder):
        write_text(folder / CONFIG, config_text(resolved, schema_line(), *([_OPENING] if several else [])))
        path = write_columns({**columns, **targets}, folder, wanted.form, Path(PREDICTIONS).stem)
        count = len(next(iter(targets.values())))
        print(f"{counted(len(nets), 'net')} about {counted(count, 'image')}: {path}")
        record["segments"][-1].update(ended=now(), status="finished")
        record |= {"data_fingerprint": first.data.fingerprint, "status": "finished", "ended": now()}
        write_json(folder / RECORD, {**record, "predictions": count})
    return 0


def _in_common(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    """What two configurations both say; of other classes nothing, nor of their options."""
    found: dict[str, object] = {}
    for name, value in one.items():
        told = other.get(name)
        if isinstance(value, Mapping) and isinstance(told, Mapping):
            if value.get("class_path") == told.get("class_path"):
                found[name] = _in_common(value, told)
        elif name in other and value == told:
            found[name] = value
    return found


def _answers(net: Net, assemble: Assemble, wanted: Table) -> tuple[Assembled, Said]:
    set_import_policy(net.invocation.vouching.importable)
    assembled = assemble(net.invocation, net.settled, net.found)
    check_measurable("predict", assembled, wanted)
    try_measuring(assembled.model, assembled.data, net.settled.origins)
    assembled.means.match_precision()
    load_weights(assembled.model, net.found, speaks=False)
    with assembled.means.at_work():
        return assembled, ask(assembled, logits=wanted.logits)
