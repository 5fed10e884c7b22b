"""Which class was chosen, and what becomes of the defaults of one that no longer is."""

import os
from dataclasses import dataclass
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.beside import offered
from mnistlab.options.command_line import in_brackets
from mnistlab.options.elsewhere import name_elsewhere
from mnistlab.options.entries import ClassEntry, KindEntry, Kinds, OptionEntry
from mnistlab.options.messages import came
from mnistlab.options.misfits import own_classes
from mnistlab.options.notation import NULLS
from mnistlab.options.places import Entries, arguments_in, default_of
from mnistlab.options.trust import check_code, check_trusted
from mnistlab.options.written import FILES, Key, Source, Written
from mnistlab.text.nearest import said, suggestion


class UnknownClassError(LabError):
    """No class has the name that somebody has written."""


@dataclass(frozen=True)
class Choosing:
    """Finds the classes that are named.

    Attributes:
        kinds: What classes options take.
        allowed: What a checkpoint may name besides the trusted packages.
    """

    kinds: Kinds
    allowed: frozenset[str]

    def class_of(self, entry: Written, key: str) -> ClassEntry | None:
        """The class that an entry names; None where it says that there shall be none.

        Args:
            entry: What was written.
            key: The kind of class that is wanted.

        Raises:
            LabError: If it names none, or none that may be used here.
        """
        kind, name = self.kinds[key], entry.value
        there_are = _offer(kind)
        if entry.append and not kind.many:
            raise LabError(f"{entry.where}: {entry.name} takes one class, and + adds to a list.")
        if name in NULLS:
            if kind.optional:
                return None
            raise LabError(f"{entry.where}: {entry.name} cannot be null.{there_are}")
        in_brackets(entry)  # tells what is wrong with it where that is no mapping
        if not isinstance(name, str) or not isinstance(entry.data, str):
            raise LabError(f"{entry.where}: {entry.name} takes the name of a class, got {came(name)}.{there_are}")
        if entry.source is Source.CHECKPOINT:
            name = kind.classes[name].path if name in kind.classes else name  # a kit has the short name
            (check_code if kind.takes_any_net else check_trusted)(name, self.allowed, entry.where)
        elif name.endswith(FILES):
            raise LabError(f"{entry.where}: there is no file {name}.")
        _refuse_path(entry, name, kind)
        found = None if name.endswith(".py") else self.kinds.find(key, name, entry.where)
        if found is None and name.isidentifier():
            found = self._beside(entry, key, name)
        if found is None:
            raise UnknownClassError(_unknown(entry, name, kind))
        return found

    def _beside(self, entry: Written, key: str, name: str) -> ClassEntry | None:
        """The class of that short name in a file here or in a package that offers it, which is imported."""
        known = offered(self.kinds[key])
        meant = known.get(name) or [each for other in known if other.lower() == name.lower() for each in known[other]]
        if len(meant) > 1:
            paths = ", ".join(each.path for each in meant)
            raise LabError(f"{entry.where}: several classes are called {name}. Write one of {paths}.")
        return self.kinds.find(key, meant[0].path, entry.where) if meant else None

    def without_old_defaults(
        self, parts: Entries, first: Written, old: ClassEntry | None, new: ClassEntry | None
    ) -> Entries:
        """Without what a run has written down only because it was the default of a class that is no longer chosen.

        Args:
            parts: What was written for options of the class.
            first: Who chose the class first: a run, where there is something to leave out.
            old: That class.
            new: The one that counts.
        """
        if not first.complete or old is None or (new is not None and old.path == new.path):
            return parts
        written: dict[str, dict[Key, object]] = {}
        for path, entry in parts:
            if entry.complete:
                written.setdefault(path[0], {})[path[1:]] = entry.data
        options = [option for option in old.options if option.name in written]
        same = {each.name for each in options if written[each.name] == self._written_default(each)}
        return [(path, entry) for path, entry in parts if not (entry.complete and path[0] in same)]

    def _written_default(self, option: OptionEntry) -> dict[Key, object]:
        """An option's default as a run writes it down: by the rest of the key."""
        # {(): 0.1} for dropout, and {(): "torch.optim.AdamW", ("lr",): 0.001, ...} for an optimizer
        default = default_of(option)
        if default is None or option.kind is None:
            return {(): option.default}
        entry = self.kinds.find(option.kind, str(default["class_path"]), option.name)
        own = {each.name: each.default for each in entry.options if not each.required} if entry else {}
        arguments = {**own, **arguments_in(default)}
        return {(): default["class_path"], **{(name,): value for name, value in arguments.items()}}


_FILES = (".csv", ".gz", ".json", ".mat", ".npy", ".npz", ".parquet", ".pkl", ".png", ".pt", ".pth", ".tar", ".zip")
"""How files of images end, and no class of a module."""


def _refuse_path(entry: Written, name: str, kind: KindEntry) -> None:
    """Refuse a folder or a file in place of a data set."""
    is_path = (
        os.sep in name or Path(name).suffix.lower() in _FILES or (Path(name).exists() and name not in kind.listed())
    )
    if entry.key == ("data",) and is_path:
        raise LabError(f"{entry.where}: a data set is wanted, not a path. Write --data=Images --data.path={name}")


def _unknown(entry: Written, name: str, kind: KindEntry) -> str:
    """The error where no class has a name: classes in files here are offered first."""
    what = kind.bases[0].rpartition(".")[2].lower() if (kind.many or kind.named) and kind.bases else entry.key[-1]
    said_of = f"{entry.where}: no {what} is called {name}."
    own = own_classes(name.removesuffix(".py"))
    if own or name.endswith(".py"):
        return said_of + (said([f"--{entry.name}={path}" for path in own]) or f" Write --{entry.name}=MODULE.CLASS.")
    meant = [each for each in kind.listed() if each.lower() == name_elsewhere(name)]
    hint = said(meant) or suggestion(name, [*kind.listed(), *offered(kind)])
    return f"{said_of}{hint}{_offer(kind)}"


def _offer(kind: KindEntry) -> str:
    """What can be chosen."""
    if kind.takes_any_net:
        return (
            " Write the path of a class or a function that gives a torch module, such as torchvision.models.resnet18."
        )
    return f" There are {', '.join(kind.listed())}."
