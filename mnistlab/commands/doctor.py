"""`mnistlab doctor`: whether everything that the lab needs is there and works.

Whatever is broken must be told and not fail here, so a check imports what it needs by itself.
"""
# ruff: noqa: PLC0415

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mnistlab.commands.declaring.finding import Finding
from mnistlab.commands.declaring.model import Command
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, Option
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import paragraph, screen_width
from mnistlab.text.values import counted

if TYPE_CHECKING:
    from pathlib import Path

    from mnistlab.data.likeness import Oddity

PACKAGE = "mnistlab"
MARKS = {"good": "+", "note": "-", "bad": "!"}

_LEAST_FREE_BYTES = 500_000_000  # a few checkpoints of a large model
_ELSEWHERE = "Name another folder with --run.dir or MNISTLAB_RUN_DIR."
_REINSTALL = "Install both from one index: pip install --force-reinstall torch torchvision."


def check(asked: Arguments) -> int:
    """Check everything; 1 if something is broken, otherwise 0."""
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        for finding in _guarded(name, check):
            findings.append(finding)
            if "json" not in asked.switches:
                _show(finding)
    bad = sum(finding.state == "bad" for finding in findings)
    if "json" in asked.switches:
        print(as_json([finding._asdict() for finding in findings]))
    else:
        print(f"\n{bad} of {len(findings)} lines are bad." if bad else "\nNothing is broken.")
    return 1 if bad else 0


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check, one more where it fails itself."""
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
        kind = "" if isinstance(error, LabError) else f"{type(error).__name__}: "
        text = f"cannot be checked: {kind}{error}"
        yield Finding(name, "bad", text, "Mend what is bad above, or install mnistlab anew.")


def _show(finding: Finding) -> None:

    text = " ".join(f"{finding.text} {finding.way_out}".split())
    opening = f"{MARKS[finding.state]} {finding.state:<4}  {finding.name:<12}  "
    print("\n".join(paragraph(text, screen_width(), len(opening), opening)), flush=True)


def _python() -> Iterator[Finding]:
    import platform
    from importlib import metadata

    from packaging.specifiers import SpecifierSet

    wanted = metadata.metadata(PACKAGE)["Requires-Python"] or ""
    version = platform.python_version()
    if SpecifierSet(wanted).contains(version, prereleases=True):
        yield Finding("python", "good", version)
    else:
        yield Finding("python", "bad", f"{version}, but {wanted} is needed.", "Make an environment with that Python.")


def _packages() -> Iterator[Finding]:
    """The packages that this one requires, in the versions that it requires."""
    from importlib import metadata

    from packaging.requirements import Requirement

    good: list[str] = []
    for requirement in map(Requirement, metadata.requires(PACKAGE) or []):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        way_out = f'pip install "{requirement.name}{requirement.specifier}"'
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Finding("packages", "bad", f"{requirement.name} is not installed.", way_out)
            continue
        if requirement.specifier.contains(version, prereleases=True):
            good.append(f"{requirement.name} {version}")
        else:
            text = f"{requirement.name} is {version}, but {requirement.specifier} is needed."
            yield Finding("packages", "bad", text, way_out)
    yield Finding("packages", "good", f"{PACKAGE} {metadata.version(PACKAGE)}, {', '.join(good)}")


def _torchvision() -> Iterator[Finding]:
    """Whether torch and torchvision are of one build, which shows when they work together."""
    from importlib import metadata

    versions = {name: metadata.version(name) for name in ("torch", "torchvision")}
    shown = " and ".join(f"{name} {version}" for name, version in versions.items())
    builds = {version.partition("+")[2] for version in versions.values()}
    if len(builds) > 1:
        yield Finding("torchvision", "bad", f"{shown} are of different builds.", _REINSTALL)
    try:
        import torch
        from torchvision import ops

        kept = ops.nms(torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 1.9]]), torch.tensor([0.5, 0.9]), 0.5).tolist()
    except Exception as error:  # noqa: BLE001 - a wrong build raises many things
        yield Finding("torchvision", "bad", f"{shown} do not work together: {error}.", _REINSTALL)
        return
    if kept != [1]:
        yield Finding("torchvision", "bad", f"{shown} do not work together: nms gives {kept}, not [1].", _REINSTALL)
    elif len(builds) == 1:
        yield Finding("torchvision", "good", f"{shown} work together")


def _devices() -> Iterator[Finding]:
    """The devices, each after a small computation on it."""
    from functools import partial

    import torch

    from mnistlab.system.processes import usable_cores

    cores = len(usable_cores())
    threads = torch.get_num_threads()
    text = f"{counted(threads, 'thread')} on {counted(cores, 'core')}"
    way_out = f"They wait for each other: set OMP_NUM_THREADS={cores}." if threads > cores else ""
    yield Finding("cpu", "note" if way_out else "good", text + "." * bool(way_out), way_out)
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            yield _computes(f"cuda:{number}", partial(torch.cuda.get_device_name, number))
    elif torch.version.cuda:
        yield Finding("cuda", "good", f"torch could use CUDA {torch.version.cuda}, no device is seen")
    else:
        yield Finding("cuda", "good", "this torch is built without it")
    if torch.backends.mps.is_available():
        yield _computes("mps", lambda: "Apple's GPU")


def _computes(device: str, describe: Callable[[], str]) -> Finding:
    import torch

    try:
        total = float(torch.ones(8, 8, device=device).matmul(torch.ones(8, 8, device=device)).sum())
        text = describe()
    except Exception as error:  # noqa: BLE001 - drivers raise many things
        return Finding(
            device, "bad", f"is there, but fails: {error}.", "Update its driver, or use --trainer.accelerator=cpu."
        )
    if total != 512:  # noqa: PLR2004 - 8 to the third
        return Finding(device, "bad", f"{text} computes 512 as {total}.", "Use --trainer.accelerator=cpu.")
    return Finding(device, "good", text)


def _data_sets() -> Iterator[Finding]:
    """Every data set of files: absent is no fault, damaged is one."""
    from mnistlab.data.idx_data import IdxData
    from mnistlab.options.classes import listed
    from mnistlab.options.signatures import needed

    shown = listed((IdxData,))
    classes = {cls.__name__: cls for cls in IdxData.__subclasses__() if cls.__name__ in shown and not needed(cls)}
    for name, cls in sorted(classes.items()):
        present: list[str] = []
        faulty, absent = False, "absent;"
        for data in cls.arrangements():
            label, missing = getattr(data, "split", ""), data.missing()
            if 0 < len(missing) < len(data.original_bytes()):
                absent = f"incomplete: {data.raw} lacks {', '.join(missing)}."
            try:
                if not missing:
                    counts = ", ".join(f"{size:,} {split}" for split, size in data.check().items())
                    odd = list(data.oddities(data.read("train"), data.read("test")))
                    present += [] if odd else [f"{label} {counts}".strip()]
                    faulty |= bool(odd)
                    yield from (_odd(name, label, data.raw, oddity) for oddity in odd)
            except LabError as error:
                faulty = True
                yield Finding(name, "bad", str(error))
        if present:
            yield Finding(name, "good", f"{'; '.join(present)}, in {data.raw}")
        elif not faulty:
            yield Finding(name, "note", absent, f"--data={name} fetches it")


def _odd(name: str, label: str, raw: "Path", oddity: "Oddity") -> Finding:
    text = f"{label}: {oddity.text} ({raw}).".removeprefix(": ")
    return Finding(name, oddity.state, text, "Delete the files and run again: they will be fetched anew.")


def _kit() -> Iterator[Finding]:
    """The kit of a class, where there is one, and its presets."""
    from mnistlab.commands.declaring.checked_kit import kit_findings

    yield from kit_findings()


def _folders() -> Iterator[Finding]:
    """The folders that are written to; only without that of the runs nothing works."""
    from pathlib import Path

    import platformdirs

    from mnistlab.options.kit import data_dir, run_dir

    runs, data = Path(run_dir()).expanduser(), Path(data_dir()).expanduser()
    cache = platformdirs.user_cache_path(PACKAGE)
    yield _folder("runs", runs, "bad", _ELSEWHERE)
    yield from _looks(runs)
    yield _folder("data folder", data, "note", "What is missing is not fetched there; MNISTLAB_DATA_DIR names another.")
    yield _folder("cache", cache, "note", "All works, but slower; XDG_CACHE_HOME names another folder.")


def _looks(runs: "Path") -> Iterator[Finding]:
    """Whether looks at test images can be counted there; where all is well nothing is said of it."""
    from mnistlab.runs.looks import why_uncounted

    why = why_uncounted(runs) if os.access(runs, os.X_OK) else ""
    if why:
        yield Finding("runs", "bad", why, _ELSEWHERE)


def _folder(name: str, folder: "Path", state: str, way_out: str) -> Finding:
    """Whether a file can be written to a folder, which need not exist yet, and has room there."""
    import shutil
    import tempfile

    place = folder.absolute()
    existing = next(parent for parent in (place, *place.parents) if os.path.lexists(parent))
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        return Finding(name, state, f"{folder} cannot be written to: {error.strerror} ({existing}).", way_out)
    shown = f"{folder} can be written to, {free / 1e9:,.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return Finding(name, state, f"{shown}.", f"That is soon full. {way_out}")
    return Finding(name, "good", shown)


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "python": _python,
    "packages": _packages,
    "kit": _kit,  # before torch is there, with which a class that nobody knows might be
    "torchvision": _torchvision,
    "devices": _devices,
    "data sets": _data_sets,
    "folders": _folders,
}

COMMAND = Command(
    "check the installation, the data sets and the devices",
    "mnistlab.commands.doctor:check",
    order=2,
    about="""\
Checks the installation, the data sets, the devices and the folders that are
written to. Each line is good, a note of what could be better, or bad with what
to do; the exit code is 1 if one is bad.""",
    options=(Option("json", "The same for machines: a list of objects"),),
    instead="It checks everything: mnistlab doctor.",
)
