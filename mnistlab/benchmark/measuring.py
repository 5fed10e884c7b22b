"""Measures section by section, shows each line when it is there, and keeps all of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from mnistlab.benchmark import beside
from mnistlab.benchmark.accuracy import accuracy
from mnistlab.benchmark.augmentation import augmentation
from mnistlab.benchmark.builds import builds
from mnistlab.benchmark.busy import busy
from mnistlab.benchmark.checkouts import HERE, Checkout
from mnistlab.benchmark.epochs import epochs
from mnistlab.benchmark.figures import Found, Result, head, lines
from mnistlab.benchmark.judging import judging
from mnistlab.benchmark.many_runs import many_runs
from mnistlab.benchmark.memory import memory
from mnistlab.benchmark.own import own
from mnistlab.benchmark.peers import Ground, peers
from mnistlab.benchmark.pictures import pictures
from mnistlab.benchmark.plain import in_memory
from mnistlab.benchmark.scaling import scaling
from mnistlab.benchmark.starts import starts
from mnistlab.runs.record import environment, now, write_json
from mnistlab.system.files import telling
from mnistlab.system.lightning_inside import quiet
from mnistlab.text.layout import screen_width
from mnistlab.training.running import check

Section = Callable[[Ground], Iterator[Found]]

SECTIONS: Mapping[str, Section] = {
    "epochs": epochs,
    "augmentation": augmentation,
    "starts": starts,
    "memory": memory,
    "scaling": scaling,
    "busy": busy,
    "accuracy": accuracy,
    "pictures": pictures,
    "own": own,
    "judging": judging,
    "runs": many_runs,
}
"""What is measured, by name; each raises `RunFailedError` where a run or a process fails."""

BESIDE: Mapping[str, Section] = {
    "epochs": beside.epochs,
    "starts": beside.starts,
    "sweeps": beside.sweeps,
    "memory": beside.memory,
    "accuracy": beside.accuracy,
}
"""What is measured where there is another build."""


def measure(
    sections: Sequence[str], data: Sequence[str], out: Path, other: Checkout | None = None, *, seeds: int, quick: bool
) -> int:
    """Measure some sections; the exit code. What is there is in the file after each, even if a later one fails.

    Args:
        sections: Their names.
        data: The data set, as options of `fit`.
        out: A file that is not there yet.
        other: The checkout beside which this one is measured, if any.
        seeds: How often the longest training is repeated.
        quick: Less of everything.

    Raises:
        LabError: If there is no such data set, the other checkout cannot be made, or something fails.
    """
    quiet()
    images = in_memory(check(data).datamodule)
    about = environment()
    machine, gpu = about["machine"], torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    print(f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, {gpu}")
    print(", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    if other:
        print(f"this build, {HERE}, beside {other.name}, {other.folder or other.commit}")
    print(head())
    kept: dict[str, Any] = {"format": 1, "started": now(), "quick": quick, "data": list(data), **about, "sections": {}}
    if other:
        kept["against"] = {"name": other.name, "folder": str(other.folder or ""), "commit": other.commit}
    everything: list[Found] = []
    with peers(data) as trained, builds(other) as made:
        ground = Ground(data, images, trained, quick, made, seeds)
        for name in sections:
            print(f"\n{name}", flush=True)
            found: list[Found] = []
            for each in (BESIDE if other else SECTIONS)[name](ground):
                found.append(each)
                print("\n".join(lines(each, screen_width())), flush=True)
            everything += found
            kept["sections"][name] = [each.as_dict() for each in found]
            kept["ended"] = now()
            with telling(out, "Name a file with --output=..."):
                write_json(out, kept)
    marks = [reached for each in everything if isinstance(each, Result) for _, reached in each.verdicts()[:1]]
    print(f"\n{sum(marks)} of {len(marks)} marks are reached. All figures are in {out}.")
    return 0
