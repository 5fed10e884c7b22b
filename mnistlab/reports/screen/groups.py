"""`mnistlab runs --format` and `--by`: runs that differ in nothing but their seed as one row, ready for a paper."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean

from mnistlab.catalogue import load_catalogue
from mnistlab.errors import LabError, tell
from mnistlab.options.arguments import Arguments
from mnistlab.reports.settings import changed
from mnistlab.runs.fields import FIELDS
from mnistlab.runs.run import Run, read_runs
from mnistlab.runs.selection import ordered_groups
from mnistlab.runs.sheets import but_for_the_seed, options_of
from mnistlab.runs.statistics import Student
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import counted, last_parts, percent

_FIELDS = ("user", "name", "tags", "preset", "sweep")  # what is no option, and runs can be grouped by
_IMAGES, _DIGITS = "images", 6
_NAMED = 6  # runs in a note

Options = Mapping[str, object]
"""What a run was configured with, but for its seed, where it is kept, and how many threads compute."""


@dataclass(frozen=True)
class Group:
    """Runs that are alike, each with a seed of its own."""

    options: Options  # by which they are alike
    runs: Sequence[Run]  # at least one

    def accuracy(self, split: str) -> Student | None:
        """The accuracy in the test, or the best of validation, from 0 to 1."""
        found = [run.test_acc if split == "test" else run.val_acc for run in self.runs]
        known = [value for value in found if value is not None]
        return Student.of(known) if len(known) == len(found) else None

    @property
    def seconds(self) -> float | None:
        """The seconds of training, a mean."""
        known = [run.seconds for run in self.runs if run.seconds is not None]
        return fmean(known) if known else None

    @property
    def parameters(self) -> float | None:
        """The number of parameters, where all have as many."""
        return _common(run.parameters for run in self.runs)

    @property
    def multiply_adds(self) -> float | None:
        """Those for one image, where they were counted and all have as many."""
        return _common(run.multiply_adds for run in self.runs if run.multiply_adds is not None)

    @property
    def looks(self) -> int | None:
        """How often the test images had been looked at before the last of these tests."""
        return max((run.looks for run in self.runs if run.looks is not None), default=None)

    def plain(self) -> dict[str, object]:
        """All of it, in one level."""
        figures: dict[str, object] = {}
        for split in ("test", "val"):
            found = self.accuracy(split)
            low, high = (found and found.interval) or (None, None)
            mean, deviation = (found.mean, found.deviation) if found else (None, None)
            named = {"mean": mean, "deviation": deviation, "interval_low": low, "interval_high": high}
            figures |= {f"{split}_acc_{name}": value for name, value in named.items()}
        return {
            **self.options,
            "n": len(self.runs),
            **figures,
            "interval_method": "95 %, Student's t",
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "seconds": self.seconds,
            "looks": self.looks,
            "seeds": [run.record.get("seed") for run in self.runs],
            "runs": [str(run.folder) for run in self.runs],
        }


def groups_of(chosen: Sequence[Run], asked: Arguments, order: str) -> list[Group]:
    """The runs in groups, with a word about those that are in none.

    Args:
        chosen: The runs.
        asked: The command.
        order: What the groups are sorted by, as `ordered` has it.

    Raises:
        LabError: If they are to be grouped by what is no option of any of them.
    """
    trained = sorted(_trained(chosen, any_status="status" in asked.values), key=lambda run: run.started)
    configured = _without_repetitions(_configured(trained))
    by = _named(asked.values.get("by", ""), configured.values())
    groups: dict[str, list[Run]] = {}
    for run, options in configured.items():
        groups.setdefault(_text(_chosen(by, run, options) if by else options), []).append(run)
    on = {run: images for runs in groups.values() for run, images in _images(runs).items()}
    every = [list(same) for runs in groups.values() for _, same in groupby(sorted(runs, key=on.__getitem__), on.get)]
    kept = [[run for run in runs if run.test_acc is not None] or runs for runs in every]
    _leave_out(sum(map(len, every)) - sum(map(len, kept)), "without a test, where others of the group have one")
    tested_later([run for runs in kept for run in runs], asked.root)
    if any(on.values()):
        tell("note: runs on different images have rows of their own; `images` begins the fingerprint of these.")
    mixed = sum(len({_source(run) for run in runs}) > 1 for runs in kept)
    if mixed:
        tell(f"note: {counted(mixed, 'group')} with runs of several commits or versions (mnistlab runs diff ID ID).")
    names = by or _differing({runs[0]: configured[runs[0]] for runs in kept})
    return [_group(runs, names, configured[runs[0]], on[runs[0]]) for runs in ordered_groups(kept, order)]


def _group(runs: Sequence[Run], names: Sequence[str], options: Options, images: str) -> Group:
    """Some runs, with what they have of these names."""
    return Group(_chosen(names, runs[0], options) | ({_IMAGES: images} if images else {}), runs)


def _chosen(names: Sequence[str], run: Run, options: Options) -> dict[str, object]:
    """What a run has of these names, some of which are no options."""
    said = {name: FIELDS[name](run) for name in names if name in _FIELDS}
    known = {**{name: value for name, value in said.items() if value}, **options}
    return {name: known[name] for name in names if name in known}


def _images(runs: Sequence[Run]) -> dict[Run, str]:
    """The images that each is on, by the beginning of their fingerprints; nothing where all are on the same."""
    known = [run.fingerprint for run in runs if run.fingerprint]
    differing = [split for split in ("train", "test") if len({each.get(split) for each in known}) > 1]
    return {run: "-".join(str(run.fingerprint.get(split, ""))[:_DIGITS] for split in differing) for run in runs}


def alike(runs: Sequence[Run]) -> list[Group]:
    """Runs in groups of those that differ in nothing but their seed, each with all that it was configured with.

    Of those that repeat another one a word is said.
    """
    groups: dict[str, list[Run]] = {}
    configured = _without_repetitions(_configured(runs))
    for run, options in configured.items():
        groups.setdefault(_text(options), []).append(run)
    return [Group(configured[each[0]], each) for each in groups.values()]


def tested_later(runs: Sequence[Run], root: Path) -> list[Run]:
    """The runs without a test of their own whose weights `mnistlab test` has measured since; a word says in which runs.

    Their figures are not taken over: such a test may be of other images, or of a part of them.
    """
    untested = {str(run.weights.resolve()): run for run in runs if run.test_acc is None and run.weights}
    tests = [run for run in read_runs(root).all if run.command == "test"] if untested else []
    later = {run.text("checkpoint"): run for run in tests if run.text("checkpoint") in untested}
    if later:
        named = ", ".join(sorted(f"{run.folder.name} ({percent(run.test_acc)})" for run in later.values())[:_NAMED])
        more = ", ..." if len(later) > _NAMED else ""
        tell(f"note: {counted(len(later), 'run')} tested only later, which counts for no figure here: {named}{more}.")
    return [untested[checkpoint] for checkpoint in later]


def _trained(chosen: Sequence[Run], *, any_status: bool) -> list[Run]:
    """The runs of `fit` that have finished, unless it was said how they have ended."""
    found = [run for run in chosen if run.command == "fit" and (any_status or run.status == "finished")]
    _leave_out(len(chosen) - len(found), "of other commands than fit, or that have not finished (--status=...)")
    return found


def _configured(runs: Sequence[Run]) -> dict[Run, Options]:
    found: dict[Run, Options] = {}
    for run in runs:
        try:
            options = run.options or options_of(run.configuration)
        except LabError as error:
            tell(f"note: {run.folder} is left out: {error}")
        else:
            found[run] = but_for_the_seed(options)
    return found


def _without_repetitions(configured: Mapping[Run, Options]) -> dict[Run, Options]:
    """One run of each configuration and seed, the rest in its order: a tested one, and of several the newest."""
    counting: dict[str, Run] = {}
    for run in sorted(configured, key=lambda run: (run.test_acc is not None, run.started)):
        seed = run.said("seed")
        counting[_text([configured[run], str(run.folder.resolve()) if seed is None else seed])] = run
    kept = {*counting.values()}
    _leave_out(len(configured) - len(kept), "by the rule that a configuration and seed count once")
    return {run: options for run, options in configured.items() if run in kept}


def _leave_out(number: int, why: str) -> None:
    if number:
        tell(f"note: {counted(number, 'run')} left out {why}.")


def _named(by: str, configured: Iterable[Options]) -> list[str]:
    """The options that are meant, by their whole names or by last parts that no other has."""
    every = dict.fromkeys(name for options in configured for name in options)
    known = [name for name in every if f"{name}.0" not in every]  # an empty list beside those of others
    short = {part: name for name, part in last_parts(known).items()} | {name: name for name in known}
    asked = [name.strip() for name in by.split(",") if name.strip()]
    short |= {name: name for name in _FIELDS if name not in short}
    for name in asked if known else ():
        if name not in short:
            raise LabError(f"--by={name}: none of the runs has that.{suggestion(name, short)}")
    return [short[name] for name in asked if name in short]


def _differing(configured: Mapping[Run, Options]) -> list[str]:
    """The options by which groups are told apart: those that differ and that somebody chose, if that is enough."""
    names = list(dict.fromkeys(name for options in configured.values() for name in options))
    differ = [name for name in names if len({_text(each.get(name, "-")) for each in configured.values()}) > 1]
    catalogue = load_catalogue()
    chosen = {setting.key for run in configured for setting in changed(catalogue, run.configuration)}
    told = [name for name in differ if name in chosen]
    enough = len({_text([each.get(name, "-") for name in told]) for each in configured.values()}) == len(configured)
    return (told if enough else differ) or ["model"]


def _common(values: Iterable[float | None]) -> float | None:
    """What all have in common; None where they differ, or there is none."""
    found = {*values}
    return found.pop() if len(found) == 1 else None


def _source(run: Run) -> str:
    """What its bits depend on besides its configuration and its machine."""
    return _text([run.part("versions"), run.part("git").get("commit")])


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
