"""Which classes there are, by short name or dotted path."""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FunctionType

from mnistlab.errors import LabError, visible
from mnistlab.options.specification import class_path_of
from mnistlab.options.strangers import TRUSTED, is_of
from mnistlab.text.nearest import suggestion

TRUSTED_CODE = ("torch.nn", "torch.nn.functional", "torch.nn.init", "torch.optim")
"""The modules whose functions and types a checkpoint may name; what lies in a module below one of them is not meant."""

_LONGEST_NAME = 80

_GRAVEYARD = "lightning.pytorch._graveyard"
"""Where Lightning keeps classes whose names are no longer in use; they cannot be imported by them."""


class Untrusted(LabError):  # noqa: N818 - it is what the class is
    """A checkpoint names a class that nobody on the command line has asked for."""


_hidden: set[type] = set()
_refused: dict[type, str] = {}
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def hide(*classes: type) -> None:
    """Leave classes out of lists; whoever asks for one by name still learns why it does not serve."""
    _hidden.update(classes)


def refuse(reasons: Mapping[type, str]) -> None:
    """Leave classes out of lists, and refuse each where somebody names it, for a reason that follows its name."""
    hide(*reasons)
    _refused.update(reasons)


def refusal(cls: type) -> str:
    """Why a class is refused, as a sentence; nothing where it is not."""
    return f"{cls.__name__} {_refused[cls]}" if cls in _refused else ""


def hidden(classes: Iterable[type]) -> bool:
    """Whether classes are left out of lists, all of them."""
    return _hidden.issuperset(classes)


def listed(bases: tuple[type, ...]) -> list[str]:
    """The short names to offer."""
    return [name for name, classes in candidates(bases).items() if not hidden(classes)]


def candidates(bases: tuple[type, ...]) -> dict[str, list[type]]:
    """The classes that derive from `bases` and are imported, by short name.

    Left out are private classes and those that are only to be derived from (`abstract = True` in their body). A class
    of mnistlab hides the classes of other packages that have its name.
    """
    found: dict[str, list[type]] = {}
    for cls in dict.fromkeys(_descendants(bases)):
        gone = cls.__name__.startswith("_") or cls.__module__.startswith(_GRAVEYARD)
        if not (gone or inspect.isabstract(cls) or vars(cls).get("abstract", False)):
            found.setdefault(cls.__name__, []).append(cls)
    for name, classes in found.items():
        own = [cls for cls in classes if cls.__module__.partition(".")[0] == "mnistlab"]
        found[name] = own or classes
    return dict(sorted(found.items()))


def find_class(name: str, bases: tuple[type, ...], where: str) -> type | None:
    """The class that a user calls `name`, a short one in any case; None if it is one that no class has.

    Raises:
        LabError: If the name stands for several classes, for none that can be imported, or for one that is of another
            kind or is refused.
    """
    cls: type | None
    if "." in name:
        cls = _imported(name, where)
    else:
        known = candidates(bases)
        classes = known.get(name) or [cls for each in known if each.lower() == name.lower() for cls in known[each]]
        if len(classes) > 1:
            paths = ", ".join(class_path_of(cls) for cls in classes)
            raise LabError(f"{where}: several classes are called {name}. Write one of {paths}.")
        cls = classes[0] if classes else None
    if cls is not None and not issubclass(cls, bases):
        kinds = [class_path_of(base) for base in bases if not base.__name__.startswith("_")]
        raise LabError(f"{where}: {name} is not of the kind that is wanted. Derive it from {' or '.join(kinds)}.")
    if cls is not None and refusal(cls):
        raise LabError(f"{where}: {refusal(cls)}")
    return cls


def check_trusted(class_path: str, allowed: frozenset[str], where: str) -> None:
    """Refuse a class that a checkpoint names, before it is imported.

    Args:
        class_path: What the checkpoint names.
        allowed: Class paths and packages that the command line has named.
        where: The checkpoint.

    Raises:
        Untrusted: If the class is neither of a trusted package nor allowed.
    """
    if is_of(class_path, (*TRUSTED, *allowed)):
        return
    raise _untrusted(class_path, where, "not part of mnistlab")


def check_code(name: str, allowed: frozenset[str], where: str) -> None:
    """Refuse a function or a type that a checkpoint names, before it is imported.

    Many a module of a trusted package has `os` or a function in it that does more than compute, so only those serve
    that hold nothing but parts of nets and of optimizers.

    Raises:
        Untrusted: If it is neither from there nor allowed.
    """
    if name.rpartition(".")[0] not in TRUSTED_CODE and not is_of(name, allowed):
        raise _untrusted(name, where, "no part of a net")


def own_classes(name: str) -> list[str]:
    """The classes in Python files here that somebody may mean who writes the name of one, or of its file.

    Nothing is run.
    """
    found: list[str] = []
    for path in sorted(Path().glob("*.py")):
        with suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.bases]
            found += [f"{path.stem}.{each}" for each in classes if name in (path.stem, each) and each[0] != "_"]
    return found


def dotted_names(value: object) -> list[str]:
    """Everything in a value, however deep, that reads like the path of a class."""
    if isinstance(value, str):
        return [match.group() for match in _DOTTED.finditer(value)]
    if isinstance(value, Mapping):
        return [name for part in (*value.keys(), *value.values()) for name in dotted_names(part)]
    if isinstance(value, list):
        return [name for part in value for name in dotted_names(part)]
    return []


def not_a_class(function: FunctionType) -> str:
    """What is wrong where a function is given in place of a class, and the form of one."""
    name = function.__name__
    called = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return f"{name} is a function; a class is wanted, such as class {called}(nn.Module) with {name} as its `forward`."


def _untrusted(name: str, where: str, what: str) -> Untrusted:
    """The refusal of a name; a stranger chose it, so it may be long and odd."""
    text = visible(name)
    shown = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
    return Untrusted(
        f"{where} names {shown}, which is {what}. A checkpoint of a stranger could run "
        f"code that way, so nothing was imported. If you trust it, add --trust={shown.partition('.')[0]}."
    )


def _descendants(bases: tuple[type, ...]) -> Iterator[type]:
    for base in bases:
        children: list[type] = type.__subclasses__(base)
        for cls in children:
            yield cls
            yield from _descendants((cls,))


def _imported(class_path: str, where: str) -> type:
    module_name, _, class_name = class_path.rpartition(".")
    if not is_of(class_path, TRUSTED):
        look_here_too()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise LabError(f"{where}: importing {module_name} failed: {error}.") from error
        raise LabError(f"{where}: there is no module {error.name} to import {class_name} from.") from error
    except Exception as error:
        raise LabError(f"{where}: importing {module_name} failed: {type(error).__name__}: {error}.") from error
    cls = getattr(module, class_name, None)
    if isinstance(cls, type):
        return cls
    if isinstance(cls, FunctionType):
        raise LabError(f"{where}: {not_a_class(cls)}")
    hint = suggestion(class_name, [name for name, value in vars(module).items() if isinstance(value, type)])
    raise LabError(f"{where}: the module {module_name} has no class {class_name}.{hint}")


def look_here_too() -> None:
    """Modules of the current folder count, after all others: a `torch.py` there shadows nothing."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
