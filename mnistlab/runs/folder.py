"""Where runs lie, and how to find one again."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mnistlab.options.written import COMPLETE
from mnistlab.system.files import is_file, stands

CONFIG = "config.yaml"
RECORD = "run.json"
METRICS = "metrics.csv"
PREDICTIONS = "predictions.csv"
OUTCOMES = "outcomes.safetensors"
PICTURE = "explanation.png"
PREDICTED = "predictions.png"
LAST = Path("checkpoints", "last.ckpt")
BEST = Path("checkpoints", "best.ckpt")
WEIGHTS = Path("model.safetensors")
SWEEP = "sweep.json"
"""What lies in a folder of runs that belong together: a sweep, a comparison, a judgement, or folds."""

JUDGEMENT = "judgement.json"
"""What a judgement has come to after its last pair, in its folder."""


def new_folder(root: Path, model_name: str) -> Path:
    """A folder that no other run has: root/<model name>/<UTC time>-<short id>; it is not made yet."""
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return root / model_name / f"{time}-{secrets.token_hex(3)}"


def places(root: Path) -> Iterator[tuple[str, str]]:
    """Where runs may lie below `root`: the names of a folder and of one in it. What is hidden does not count."""
    for above in _folders(root) or ():
        for name in _folders(root / above) or ():
            yield above, name


def no_folder(place: Path) -> str:
    """That a file stands where the folder of all runs should."""
    return f"{place} is a file; a folder for the runs is wanted. Choose one with --run.dir=..."


def closed(root: Path) -> list[Path]:
    """The folders in which runs may lie, and in which nobody may look."""
    if _folders(root) is None:
        return [root] if stands(root) else []
    return [root / above for above in _folders(root) or () if _folders(root / above) is None]


def is_run(folder: Path) -> bool:
    """Whether a run has been kept in this folder, be it readable or not; a `config.yaml` alone may be another's."""
    return stands(folder / RECORD) or _is_complete(folder / CONFIG)


def weights_of(folder: Path) -> Path | None:
    """The file whose weights count for a run: its best ones, else its last ones; None where it has none."""
    return next((folder / name for name in (BEST, LAST, WEIGHTS) if is_file(folder / name)), None)


def continues_from(folder: Path) -> Path | None:
    """The checkpoint that a run is continued from: its last one, else its best one; None where it has none."""
    return next((folder / name for name in (LAST, BEST) if is_file(folder / name)), None)


def _is_complete(config: Path) -> bool:
    """Whether a file is the configuration of a run, by its first line; what cannot be read is taken for one."""
    if not is_file(config):
        return stands(config)
    try:
        with config.open(encoding="utf-8", errors="replace") as file:
            return file.readline(len(COMPLETE) + 1).rstrip("\n") == COMPLETE
    except OSError:
        return True


def _folders(folder: Path) -> list[str] | None:
    """The names of those in a folder; None where it cannot be looked into."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    return None
