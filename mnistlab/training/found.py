"""What a command goes on from, or measures: a checkpoint, or a run that is repeated."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnistlab.checkpoints.continuing import check_continuable
from mnistlab.checkpoints.reading import read_checkpoint, record_of
from mnistlab.data import MNIST, ImageData
from mnistlab.errors import LabError
from mnistlab.options.classes import find_class
from mnistlab.options.files import from_data
from mnistlab.options.specification import unrecorded, without_unrecorded
from mnistlab.options.trust import may_name
from mnistlab.options.written import Source, Written
from mnistlab.runs.finding import find_checkpoint
from mnistlab.runs.reading import read_record
from mnistlab.training.invocation import Invocation
from mnistlab.training.typed import trusted_base


@dataclass(frozen=True)
class Found:
    """The checkpoint of a command."""

    path: Path | None  # the file; None for a run that has written none yet
    folder: Path | None  # the run that it belongs to, if it lies in one
    contents: Mapping[str, Any]
    layer: list[Written]  # what it says about model and data, as something written
    unrecorded: Mapping[str, str]  # what its maker could not write down, by option
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    """That of the images that were read for it; empty where an older version has made it."""


def find(invocation: Invocation) -> Found | None:
    """Find and read what `--ckpt_path` names: a file, a run's folder, `best` or `last`.

    Raises:
        LabError: If it names nothing, or something that is not a checkpoint.
    """
    if invocation.ckpt_path is None:
        return None
    where, continues = f"--ckpt_path={invocation.ckpt_path}", invocation.command == "fit"
    path, folder = find_checkpoint(invocation.ckpt_path, invocation.root(), where=where, continues=continues)
    if path is None:
        assert folder is not None
        return Found(None, folder, {}, trusted_base(invocation, folder), {})
    contents = read_checkpoint(path)
    record = record_of(contents, path)
    if continues:
        check_continuable(contents, path)
    missing = {**unrecorded(record["model"], "model"), **unrecorded(record.get("data"), "data")}
    told = {name: without_unrecorded(record[name]) for name in ("model", "data") if record.get(name)}
    if record.get("trainer"):  # of which nothing else is a stranger's business
        told["trainer"] = {"precision": record["trainer"]["precision"]}
    layer = [invocation.vouching.vouch(entry) for entry in from_data(told, f"checkpoint {path}")]
    if continues and folder is not None:
        layer = trusted_base(invocation, folder)
    kept = without_places_elsewhere(layer, invocation.trusted, [*invocation.vouching.files, *invocation.typed])
    return Found(path, folder, contents, kept, missing, record.get("data_fingerprint") or {})


def repeat(invocation: Invocation, folder: Path) -> Found:
    """What a run was configured with, to be run once more.

    Args:
        invocation: The command.
        folder: The run.

    Raises:
        LabError: If its configuration cannot be read, or would write to a strange place.
    """
    read = (read_record(folder) or {}).get("data_fingerprint") or {}
    return Found(None, None, {}, trusted_base(invocation, folder), {}, read)


def without_places_elsewhere(
    written: Sequence[Written], allowed: frozenset[str], said: Sequence[Written] = ()
) -> list[Written]:
    """Leave out where data are that only another machine has: the default counts, and nothing is fetched into that.

    Args:
        written: What a checkpoint or a run says.
        allowed: The packages that it may name besides those that are trusted.
        said: What the user says, who may have chosen another data set for the same options.
    """
    options = {entry.key[1]: entry.value for entry in written if entry.key[:1] == ("data",) and len(entry.key) == 2}  # noqa: PLR2004
    absent = {("data", name) for cls in _data_sets([*written, *said], allowed) for name in cls.not_here(options)}
    return [entry for entry in written if entry.key not in absent]


def _data_sets(written: Sequence[Written], allowed: frozenset[str]) -> list[type[ImageData]]:
    """The data sets that are named and may be imported, else MNIST; what is wrong with one is told where it counts."""
    found: list[type[ImageData]] = []
    for entry in written:
        if entry.key == ("data",) and (entry.source is not Source.CHECKPOINT or may_name(str(entry.value), allowed)):
            with suppress(LabError):
                cls = find_class(str(entry.value), (ImageData,), entry.where)
                found += [cls] if cls is not None and issubclass(cls, ImageData) else []
    return found or [MNIST]
