"""What a stranger's file may say: a checkpoint, a safetensors file, the configuration of a run that is continued.

The kit of a class (`options/kit.py`) is a stranger's too where it is another user's.

An exported net in ONNX is read as data; one in C, or of torch.export, is code, and is opened with `--trust` only.

Of the others nothing that they name is imported, and no place that they name is written to, unless that is trusted here
or the user says so: by `--trust`, or by writing the same of the same option. Whoever reviews safety reads this file,
and for the mechanisms six others: `checkpoints/reading.py` loads tensors and plain data only, `checkpoints/modules.py`
nets that were kept whole, of classes of nets that are trusted or vouched for, `checkpoints/pickled.py`
tells what else a file would import, `checkpoints/limits.py` bounds how much it may describe, and `options/walk.py` with
`options/choosing.py` asks the checks here of everything whose source is a checkpoint. Torch is not needed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote

from mnistlab.errors import LabError, visible
from mnistlab.options.beside import paths_of
from mnistlab.options.notation import at_home
from mnistlab.options.written import Key, Source, Written

TRUSTED = ("mnistlab", "torch.nn", "torch.optim", "lightning.pytorch", "lightning.fabric.plugins")
"""The packages whose classes a checkpoint may name."""

TRUSTED_CODE = ("torch.nn", "torch.nn.functional", "torch.nn.init", "torch.optim", "torchvision.models")
"""The modules whose functions and types a checkpoint may name; what lies in a module below one of them is not meant.

torchvision's nets are its own code, installed with torch; of their functions only those are called that say that they
give a torch module, and what they fetch are torchvision's own weights, by the name of a member of an enumeration.
"""

GIVEN_NET = "mnistlab.nets.given.GivenNet"
"""What a checkpoint may name besides: a net that was kept from Python, of whose file it asks the same again."""

_vouched: set[str] = set()  # of the command that runs

_LONGEST_NAME = 80
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://")
_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


class Untrusted(LabError):  # noqa: N818 - it is what the class is
    """A checkpoint names a class that nobody on the command line has asked for."""


@dataclass(frozen=True)
class Vouching:
    """What the user of a command vouches for.

    Attributes:
        names: What stands behind `--trust`: `my_models`, `/mnt/runs/logs`, `http://host:5000`.
        typed: What was written on the command line.
        files: What was written in the files that are named there.

    Raises:
        LabError: If something behind `--trust` is neither a place nor the name of a package.
    """

    names: Sequence[str] = ()
    typed: Sequence[Written] = ()
    files: Sequence[Written] = ()
    packages: frozenset[str] = field(init=False)
    """The packages that a checkpoint may name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "packages", packages_of(name for name in self.names if "/" not in name))

    @property
    def importable(self) -> frozenset[str]:
        """All that a parser may import: what was named on the command line or in a file named there.

        More than a checkpoint may name, for whatever a checkpoint names is compared with `packages` before.
        """
        return self.packages.union(text for _, text in self._said() if _CLASS_PATH.fullmatch(text))

    def vouch(self, entry: Written) -> Written:
        """What a checkpoint says is as good as a file's where the user says the same of the same option."""
        said, path = self._said(), str(entry.value)
        short = path.rpartition(".")[2]
        same = (entry.key, path) in said or ((entry.key, short) in said and path in paths_of(short))
        return replace(entry, source=Source.FILE) if same else entry

    def check_place(self, entry: Written, folder: Path, whose: str = "the run") -> None:
        """Refuse a place that the trainer or a tracker would write to: it must lie here, or where the run does.

        Args:
            entry: What the run says that lies in `folder`.
            folder: The run.
            whose: What the folder is that of, for messages.

        Raises:
            LabError: If the place lies elsewhere and the user has not named it.
        """
        if self._overrules(entry):
            return
        places = [Path(at_home(name)).resolve() for name in self.names if "/" in name]
        addresses = {name.removeprefix("sqlite:///") for name in self.names if _ADDRESS.match(name)}
        for text in places_elsewhere(entry, [Path.cwd(), folder.resolve(), *places]):
            if text not in addresses:
                raise LabError(
                    f"{entry.where} names {visible(text)}, which lies neither here nor in the folder of {whose}. "
                    f"If you trust it, add {quote(f'--trust={visible(text)}')} or say {entry.name} yourself."
                )

    def check_code_of(self, file: Path) -> None:
        """Refuse an exported net that is run to be read: C, or a graph of torch, which evaluates text of the file.

        Raises:
            LabError: If the user does not vouch for it.
        """
        if file.resolve() not in {Path(at_home(name)).resolve() for name in self.names if "/" in name}:
            shown = file if "/" in str(file) else f"./{file}"
            raise LabError(
                f"{visible(str(file))} is run as code when it is measured, and one of a stranger could do anything. "
                f"If you trust it, add {quote(f'--trust={shown}')}."
            )

    def _said(self) -> set[tuple[Key, str]]:
        """The text that the user has given to each option."""
        return {(entry.key, entry.value) for entry in (*self.files, *self.typed) if isinstance(entry.value, str)}

    def _overrules(self, entry: Written) -> bool:
        """Whether the user has typed the option itself, or has chosen the trackers anew."""
        anew = entry.key[0] == "logger" and any(typed.key == ("logger",) and not typed.append for typed in self.typed)
        return anew or any(entry.key == typed.key for typed in self.typed)


def set_import_policy(allowed: frozenset[str] = frozenset()) -> None:
    """Let jsonargparse import nothing but what is trusted or `allowed`, which the user has named.

    The policy belongs to the process and its allowances only grow, so a program's entry sets it and no import does.
    """
    from jsonargparse import set_parsing_settings  # noqa: PLC0415 - hints need no parser

    set_parsing_settings(
        import_path_denylist=["*"],
        import_path_allowlist=sorted({*TRUSTED, *TRUSTED_CODE, *allowed}),
        instantiate_subclass_spec_in_any=False,
    )


def vouch_for(names: Iterable[str]) -> None:
    """Begin a command: what its user has named counts, and nothing of what was named for another one."""
    _vouched.clear()
    _vouched.update(names)


def vouched_for() -> frozenset[str]:
    """The packages and classes that the user of this command has named."""
    return frozenset(_vouched)


def packages_of(names: Iterable[str]) -> frozenset[str]:
    """The names of packages, as they stand behind `--trust`.

    Raises:
        LabError: If one is not the name of a package.
    """
    packages = frozenset(names)
    for name in packages:
        if not all(part.isidentifier() for part in name.split(".")):
            raise LabError(f"--trust={name}: the name of a package is wanted, such as --trust=my_models.")
    return packages


def may_name(class_path: str, allowed: Iterable[str]) -> bool:
    """Whether a checkpoint may name a class: `mnistlab.TinyModel`, or one of an allowed package or path."""
    return class_path.rpartition(".")[0] in TRUSTED_CODE or _is_of(class_path, (*TRUSTED, *allowed))


def check_trusted(class_path: str, allowed: frozenset[str], where: str) -> None:
    """Refuse a class that a checkpoint names, before it is imported.

    Args:
        class_path: What the checkpoint names.
        allowed: Class paths and packages that the command line has named.
        where: The checkpoint.

    Raises:
        Untrusted: If the class is neither of a trusted package nor allowed.
    """
    if not may_name(class_path, allowed):
        raise _untrusted(class_path, where, "not part of mnistlab")


def check_code(name: str, allowed: frozenset[str], where: str) -> None:
    """Refuse a function or a type that a checkpoint names, before it is imported.

    Many a module of a trusted package has `os` or a function in it that does more than compute, so only those serve
    that hold nothing but parts of nets and of optimizers.

    Raises:
        Untrusted: If it is neither from there nor allowed.
    """
    if name.rpartition(".")[0] not in TRUSTED_CODE and name != GIVEN_NET and not _is_of(name, allowed):
        raise _untrusted(name, where, "no part of a net")


def dotted_names(value: object) -> list[str]:
    """Everything in a value, however deep, that reads like the path of a class."""
    return [match.group() for text in _texts(value) for match in _DOTTED.finditer(text)]


def class_paths(value: object) -> Iterator[str]:
    """The paths of all classes in a configuration, however deep."""
    if isinstance(value, Mapping):
        if isinstance(value.get("class_path"), str):
            yield value["class_path"]
        yield from (path for part in value.values() for path in class_paths(part))
    elif isinstance(value, list):
        yield from (path for part in value for path in class_paths(part))


def packages_in(config: object) -> list[str]:
    """The packages of others whose classes a configuration names."""
    return sorted({path.partition(".")[0] for path in class_paths(config) if not may_name(path, ())})


def places_elsewhere(entry: Written, safe: Sequence[Path]) -> Iterator[str]:
    """The places of the trainer or a tracker that an option names, and that lie in none of the `safe` folders."""
    if entry.key[0] not in ("trainer", "logger") or entry.key[-1] == "separator":
        return
    for text in _texts(entry.value):
        file = text.removeprefix("sqlite:///")
        place = Path(at_home(file.replace("\0", ""))).resolve()
        if _ADDRESS.match(file) or not any(place.is_relative_to(each) for each in safe):
            yield file


def _is_of(class_path: str, packages: Iterable[str]) -> bool:
    return any(class_path == package or class_path.startswith(f"{package}.") for package in packages)


def _untrusted(name: str, where: str, what: str) -> Untrusted:
    """The refusal of a name; a stranger chose it, so it may be long and odd."""
    text = visible(name)
    shown = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
    return Untrusted(
        f"{where} names {shown}, which is {what}. A checkpoint of a stranger could run "
        f"code that way, so nothing was imported. If you trust it, add --trust={shown.partition('.')[0]}."
    )


def _texts(value: object) -> Iterator[str]:
    """Every text in plain data, however deep, names of options included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in (*value.keys(), *value.values()) if isinstance(value, Mapping) else value:
            yield from _texts(part)
