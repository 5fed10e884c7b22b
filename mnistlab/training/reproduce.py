"""A run once more, from its record, and what is not as it was."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mnistlab.errors import LabError, visible
from mnistlab.options.arguments import Arguments, words
from mnistlab.runs.differences import ABSENT, Difference, differences
from mnistlab.runs.folder import METRICS, WEIGHTS, new_folder
from mnistlab.runs.run import Run
from mnistlab.runs.sheets import NOT_OPTIONS, by_option
from mnistlab.runs.supervision import Row, Supervision
from mnistlab.system.files import is_file
from mnistlab.system.shapes import threads as threads_problem
from mnistlab.system.strict_json import as_json
from mnistlab.system.threads import threads
from mnistlab.text.layout import paragraph, screen_width, table
from mnistlab.training.running import run

_PLACES = (
    "versions",
    "git.commit",
    "git.changed",
    "machine.processor",
    "machine.platform",
    "machine.threads",
    "device",
    "processes",
    "config_hash",
)
"""What the bits of a run depend on, as its record has it."""


def reproduce(first: Run, asked: Arguments) -> int:
    """Train once more, and tell what differs; the exit code. Where that is JSON, all else goes to standard error.

    Args:
        first: The run.
        asked: How that is to be told.
    """
    root, for_machines = asked.root, "json" in asked.switches
    folder, turns = first.folder, _turns(first)
    place = new_folder(root, first.text("model") or folder.resolve().parent.name)
    rows = _rows(first)

    def goes_on(row: Row) -> bool:
        return first.status != "pruned" or int(row["epoch"]) + 1 < len(rows)

    options = [f"--trust={asked.values['trust']}"] if "trust" in asked.values else []
    options += ["--debug"] if "debug" in asked.switches else []
    supervision = Supervision(place, {"reproduces": str(folder.resolve())}, goes_on, folder, turns)
    with redirect_stdout(sys.stderr if for_machines else sys.stdout), threads(turns[0][1] if turns else None):
        run([*options, f"--run.dir={root}"], supervision=supervision)
    again = Run.of(place)
    results, places = list(_results(first, again)), list(_places(first, again))
    if for_machines:
        said = {"same": not results, "weights_compared": is_file(folder / WEIGHTS), "run": str(place)}
        lists = {"results": results, "circumstances": places}
        print(as_json({**said, **{name: [*map(_plain, found)] for name, found in lists.items()}}))
    else:
        print("\n".join(map(visible, _lines(first, again, results, places))))
    return 1 if results else 0


def _turns(run: Run) -> list[list[int]]:
    """From which batch on a run has computed with how many threads; an old record has but the number at its start."""
    turns, number = run.said("threads"), run.said("machine", "threads")
    if isinstance(turns, list) and turns:
        return turns
    return [[0, number]] if isinstance(number, int) and not threads_problem(number) else []


def _results(first: Run, again: Run) -> Iterator[Difference]:
    """What came out otherwise: metrics by epoch, test metrics, weights."""
    then, now = _rows(first), _rows(again)
    if len(then) != len(now):
        yield Difference("epochs", len(then), len(now))
    for old, new in zip(then, now, strict=False):
        changed = [name for name in old if old[name] != new.get(name)]
        if changed:
            epoch = int(float(old["epoch"])) + 1
            yield from (Difference(f"{name} after epoch {epoch}", old[name], new.get(name)) for name in changed)
            break  # what follows differs because this does
    tested = again.part("metrics", "test")
    for name, value in first.part("metrics", "test").items():
        if value != tested.get(name):
            yield Difference(name, value, tested.get(name))
    yield from _weights(first.folder / WEIGHTS, again.folder / WEIGHTS)
    if _images(first) not in (None, _images(again)):
        yield Difference("test images", _images(first), _images(again))


def _weights(first: Path, again: Path) -> Iterator[Difference]:
    """The tensors that differ; nothing where those of the first run have been removed."""
    if not is_file(first):
        return
    try:
        then, now = load_file(first), load_file(again)
    except (OSError, SafetensorError) as error:
        yield Difference("weights", first.name, f"cannot be read: {error}")
        return
    changed = [name for name in then if name not in now or not _same_bits(then[name], now[name])]
    if changed:
        differing = [name for name in changed if name in now and then[name].shape == now[name].shape]
        largest = max(
            (float((then[name].double() - now[name].double()).abs().max()) for name in differing), default=0.0
        )
        yield Difference("weights", f"{len(then)} tensors", f"{len(changed)} differ, at most by {largest:.3g}")


def _same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are the same to the bit: NaN is not equal to itself, and -0 is to 0."""
    alike = a.dtype == b.dtype and a.shape == b.shape
    return alike and torch.equal(a.reshape(-1).view(torch.uint8), b.reshape(-1).view(torch.uint8))


def _places(first: Run, again: Run) -> Iterator[Difference]:
    """What was otherwise around the run."""
    for name in _PLACES:
        old, new = (run.said(*name.split(".")) for run in (first, again))
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            packages = dict.fromkeys([*old, *new])
            yield from (
                Difference(each, old.get(each), new.get(each)) for each in packages if old.get(each) != new.get(each)
            )
        elif old != new:
            yield from _options(first, again) if name == "config_hash" else [Difference(name.split(".")[-1], old, new)]


def _options(first: Run, again: Run) -> Iterator[Difference]:
    """The options that count otherwise; those that a newer version has besides are at their defaults."""
    for each in differences(by_option(first.configuration), by_option(again.configuration)):
        if each.a is not ABSENT and each.name.partition(".")[0] not in NOT_OPTIONS:
            yield each


def _images(run: Run) -> str | None:
    with suppress(LabError):
        return run.outcomes.images
    return None


def _rows(run: Run) -> list[dict[str, str]]:
    rows = run.read_table()
    if not rows:
        raise LabError(f"{run.folder} has no table of metrics, {METRICS}: there is nothing to compare with.")
    return rows


def _lines(first: Run, again: Run, results: Sequence[Difference], places: Sequence[Difference]) -> list[str]:
    if not results:
        return ["", *paragraph(_same(first.folder, places), screen_width()), f"kept in {again.folder}"]
    lines = ["", f"Not the same as {first.folder}:", *_table(results)]
    if _was_changed(first):
        return [
            *lines,
            "",
            "It had been continued with other options, as its record says: that cannot be run again as one.",
        ]
    if places:
        return [*lines, "", "What was different around it:", *_table(places)]
    return [*lines, "", "The same versions, commit, machine and threads: something here is not deterministic."]


def _same(first: Path, places: Sequence[Difference]) -> str:
    also = f", although {_listed(places)} differ{'s' * (len(places) == 1)}" if places else ""
    if is_file(first / WEIGHTS):
        return f"Bit-identical to {first}: every metric of every epoch and every weight{also}."
    same = f"Every metric of every epoch is the same as that of {first}{also}."
    return f"{same} Its weights are gone ({WEIGHTS}) and were not compared."


def _was_changed(run: Run) -> bool:
    """Whether a run has been continued by a command that says more than that."""
    later = [str(segment.get("command") or "") for segment in run.segments[1:]]
    try:
        said = [word for each in later for word in words(shlex.split(each)[2:])]
    except ValueError:  # a quotation without end: changed by hand
        return True
    return any(not word.startswith(("--ckpt_path", "--trust")) for word in said)


def _plain(each: Difference) -> dict[str, object]:
    return {"what": each.name, "then": each.a, "now": each.b}


def _listed(places: Sequence[Difference]) -> str:
    return ", ".join(each.name for each in places)


def _table(differences: Sequence[Difference]) -> list[str]:
    rows = [[each.name, str(each.a), str(each.b)] for each in differences]
    return table(["", "then", "now"], rows, screen_width())
