"""What differs between two runs in what they were told and where they ran."""

from collections.abc import Mapping
from dataclasses import dataclass

from mnistlab.runs.metrics import BESIDES
from mnistlab.runs.run import Run
from mnistlab.system.shapes import is_number


class Absent:
    """Stands where one of two runs has nothing, which is something else than null."""

    def __repr__(self) -> str:
        return "-"


ABSENT = Absent()


@dataclass(frozen=True)
class Difference:
    """Something that two runs do not have in common."""

    name: str  # what
    a: object  # what the first one has, or `ABSENT`
    b: object  # what the second one has, or `ABSENT`


def differences(a: Mapping[str, object], b: Mapping[str, object]) -> list[Difference]:
    """What two mappings do not have in common, in the order of the first one."""
    pairs = [Difference(name, a.get(name, ABSENT), b.get(name, ABSENT)) for name in dict.fromkeys([*a, *b])]
    return [pair for pair in pairs if pair.a != pair.b]


def surroundings(run: Run) -> dict[str, object]:
    """Where a run ran, as far as its figures may depend on it: versions, machine, device, commit."""
    git = run.part("git")
    found = {
        **run.part("versions"),
        **run.part("machine"),
        "host": run.record.get("host"),
        "device": run.record.get("device"),
        "processes": run.record.get("processes"),
        "commit": git.get("commit"),
        "source changed": git.get("changed"),
    }
    return {name: value for name, value in found.items() if value is not None}


def figures(run: Run) -> dict[str, float]:
    """What was measured of a run: size, length, best validation, test."""
    own = {"parameters": run.parameters, "epochs": run.epochs, "train seconds": run.seconds}
    best = {"best epoch" if name == "epoch" else name: value for name, value in run.part("metrics", "best").items()}
    if is_number(best.get("best epoch")):
        best["best epoch"] = int(str(best["best epoch"])) + 1
    found = {**own, **best, **run.part("metrics", "test"), **run.part("metrics")}
    return {name: value for name, value in found.items() if is_number(value) and name not in BESIDES}
