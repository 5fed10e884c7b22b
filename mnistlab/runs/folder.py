"""Where runs lie, and how to find one again."""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mnistlab.options.written import COMPLETE

CONFIG = "config.yaml"
RECORD = "run.json"
METRICS = "metrics.csv"
PREDICTIONS = "predictions.csv"
OUTCOMES = "outcomes.safetensors"
PICTURE = "explanation.png"
LAST = Path("checkpoints", "last.ckpt")
BEST = Path("checkpoints", "best.ckpt")
WEIGHTS = Path("model.safetensors")


def new_folder(root: Path, model_name: str) -> Path:
    """A folder that no other run has: root/<model name>/<UTC time>-<short id>; it is not made yet."""
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return root / model_name / f"{time}-{secrets.token_hex(3)}"


def is_run(folder: Path) -> bool:
    """Whether a run has been kept in this folder; a `config.yaml` alone may be another program's."""
    return (folder / RECORD).is_file() or _is_complete(folder / CONFIG)


def weights_of(folder: Path) -> Path | None:
    """The file whose weights count for a run: its best ones, else its last ones; None where it has none."""
    return next((folder / name for name in (BEST, LAST, WEIGHTS) if (folder / name).is_file()), None)


def fit_runs(root: Path) -> list[Path]:
    """The folders of all training runs below `root`, the newest first."""
    found = [(started, folder) for folder, started in _records(root)]
    return [folder for _, folder in sorted(found, reverse=True)]


def newest_with(root: Path, checkpoint: Path) -> Path | None:
    """The newest training run below `root` that has `checkpoint`, such as `LAST`."""
    return next((folder for folder in fit_runs(root) if (folder / checkpoint).is_file()), None)


def _is_complete(config: Path) -> bool:
    """Whether a file is the configuration of a run, by its first line."""
    if not config.is_file():
        return False
    try:
        with config.open(encoding="utf-8", errors="replace") as file:
            return file.readline(len(COMPLETE) + 1).rstrip("\n") == COMPLETE
    except OSError:
        return False


def _records(root: Path) -> Iterator[tuple[Path, str]]:
    for path in root.glob(f"*/*/{RECORD}"):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # of another program, or unreadable: not a run
        if isinstance(record, dict) and record.get("command") == "fit":
            yield path.parent, str(record.get("started", ""))
