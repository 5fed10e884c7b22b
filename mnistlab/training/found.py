"""What a command goes on from, or measures: a checkpoint, or a run that is repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnistlab.checkpoints.continuing import check_continuable
from mnistlab.checkpoints.reading import read_checkpoint, record_of
from mnistlab.options.files import from_data
from mnistlab.options.specification import unrecorded, without_unrecorded
from mnistlab.options.written import Written
from mnistlab.runs.finding import find_checkpoint
from mnistlab.runs.reading import read_record
from mnistlab.training.invocation import Invocation
from mnistlab.training.typed import trusted_base

if TYPE_CHECKING:
    from mnistlab.data import ImageData


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
    members: tuple[Path, ...] = ()  # of an ensemble the checkpoints, which have no file in common

    @property
    def checkpoint(self) -> str | None:
        """What a record says of it: the file, or those of an ensemble with commas between them."""
        paths = [self.path] if self.path else self.members
        return ",".join(str(path.resolve()) for path in paths) or None


def find(invocation: Invocation) -> Found | None:
    """Find and read what `--ckpt_path` names: a file, a run's folder, `best` or `last`.

    Raises:
        LabError: If it names nothing, or something that is not a checkpoint.
    """
    if invocation.ckpt_path is None:
        return None
    where, continues = invocation.ckpt_where, invocation.command == "fit"
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
    return Found(path, folder, contents, layer, missing, record.get("data_fingerprint") or {})


def expect(data: "ImageData", found: Found | None) -> None:
    """Let data compare the images that they read with those that a run, or a checkpoint, was made from."""
    if found is None:
        return
    if found.members:
        data.expect(found.fingerprint, str(found.members[0]), "")
    elif found.path is None:
        data.expect(found.fingerprint, "the run that is repeated", "Put those back.")
    else:
        anew = f"--model.init_from={found.path}"
        way_out = f"Put those back, or begin a new run with its weights: {anew}"
        data.expect(found.fingerprint, str(found.path), way_out)


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
