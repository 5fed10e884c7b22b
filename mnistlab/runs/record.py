"""What is written down about a run: enough to trust its numbers and to repeat it."""

import hashlib
import json
import os
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from mnistlab.options.composing import dump
from mnistlab.options.written import COMPLETE
from mnistlab.runs.sheets import NOT_OPTIONS
from mnistlab.system.files import write_text
from mnistlab.system.processes import this_process
from mnistlab.system.strict_json import as_json
from mnistlab.system.user import current_user
from mnistlab.text.layout import as_csv

FORMAT = 1
_PACKAGES = ("mnistlab", "torch", "torchvision", "lightning", "jsonargparse")


def now() -> str:
    """The time in UTC, to the microsecond, sortable as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all; see `mnistlab.system.strict_json` for numbers that are none."""
    write_text(path, as_json(data) + "\n")


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a table whole or not at all; a column that a row does not have stays empty."""
    write_text(path, as_csv(rows))


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 of what counts in a resolved configuration; 0.0, as a default of 0 is read again, is no other number."""
    canonical = json.dumps(_without_fractions(what_counts(config)), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _without_fractions(value: Any) -> Any:
    """Data in which each whole number is one."""
    if isinstance(value, Mapping):
        return {name: _without_fractions(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_fractions(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def what_counts(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved configuration without what says where the run is kept and shown, and how many threads compute.

    Of a budget the time counts, and not what was decided for it.
    """
    counted = {name: value for name, value in config.items() if name not in NOT_OPTIONS}
    budget = counted.pop("budget", None)
    return {**counted, "budget": budget.split()[0]} if budget else counted


def config_text(config: Mapping[str, Any], editor_line: str | None = None, opening: str = COMPLETE) -> str:
    """A resolved configuration as YAML that runs again; it begins with `COMPLETE`.

    Args:
        config: The configuration.
        editor_line: A comment that tells an editor the schema.
        opening: Another comment to begin with, of a configuration that does not say everything.
    """
    head = f"{opening}\n{editor_line}\n" if editor_line else f"{opening}\n"
    return f"{head}{dump(dict(config))}"


def start_record(
    command: str, arguments: Sequence[str], config: Mapping[str, Any], model_name: str, presets: Sequence[str] = ()
) -> dict[str, Any]:
    """The record of a run that begins now.

    Args:
        command: `fit` or another that is kept.
        arguments: What was typed after it.
        config: The resolved configuration.
        model_name: The model's `name`.
        presets: What `--config` named.
    """
    started = now()
    tags = config["run"]["tags"] or []
    line = shlex.join(["mnistlab", command, *arguments])
    return {
        "format": FORMAT,
        "command": command,
        "name": config["run"]["name"],
        "user": current_user(),
        "tags": tags.split(",") if isinstance(tags, str) else tags,
        "status": "running",
        "started": started,
        "ended": None,
        "model": model_name,
        "class": config["model"]["class_path"].rpartition(".")[2],
        "data": config["data"]["class_path"].rpartition(".")[2],
        "presets": list(presets),
        "config_hash": config_hash(config),
        "seed": config["seed_everything"],
        "segments": [{"command": line, "started": started, "ended": None, "status": "running"}],
        **environment(),
    }


def environment() -> dict[str, Any]:
    """The versions, the machine and the commit that a run's bits depend on."""
    import torch  # noqa: PLC0415 - who only reads records needs none

    return {
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {
            "platform": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
        **this_process(),
        "git": _git(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


@cache
def _versions() -> Mapping[str, str]:
    """The releases of what is installed; a process asks once, since each is read from a long description."""
    return {name: metadata.version(name) for name in _PACKAGES}


@cache
def _git() -> Mapping[str, Any] | None:
    """The commit of the source that runs, and whether it had been changed; None outside a checkout."""
    source = Path(__file__).parent.parent
    if not any((parent / ".git").exists() for parent in source.parents):
        return None
    commit = _ask_git(source, "rev-parse", "HEAD")
    return {"commit": commit, "changed": bool(_ask_git(source, "status", "--porcelain", "--", "."))} if commit else None


def _ask_git(folder: Path, *command: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(folder), *command],  # noqa: S607 - the git of the user
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
