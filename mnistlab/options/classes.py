"""Which classes there are, by short name or dotted path."""

import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FunctionType

from mnistlab.errors import LabError
from mnistlab.options.functions import behind, fitted, foreign_kinds, stand_in, take_at_its_word
from mnistlab.options.specification import class_path_of
from mnistlab.options.trust import may_name
from mnistlab.text.nearest import suggestion

NET = "torch.nn.Module"
"""The base class of all nets and their parts."""

_hidden: set[type] = set()
_refused: dict[type, str] = {}


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

    Left out are those that no public module has, and those that are only to be derived from (`abstract = True` in their
    body). A class of mnistlab hides the classes of other packages that have its name. Where any net will do there are
    none: each part of each net is one.
    """
    found: dict[str, list[type]] = {}
    for cls in dict.fromkeys(_descendants(tuple(base for base in bases if not takes_any_net((base,))))):
        private = any(part.startswith("_") for part in class_path_of(cls).split("."))
        if not (private or inspect.isabstract(cls) or vars(cls).get("abstract", False)):
            found.setdefault(cls.__name__, []).append(cls)
    for name, classes in found.items():
        own = [cls for cls in classes if cls.__module__.partition(".")[0] == "mnistlab"]
        found[name] = own or classes
    return dict(sorted(found.items()))


def takes_any_net(bases: Iterable[type]) -> bool:
    """Whether any torch module will do, made by a class or by a function."""
    return any(class_path_of(base) == NET for base in bases)


def find_class(name: str, bases: tuple[type, ...], where: str) -> type | None:
    """The class that a user calls `name`, a short one in any case; None if it is one that no class has.

    Raises:
        LabError: If the name stands for several classes, for none that can be imported, or for one that is of another
            kind or is refused.
    """
    if "." in name:
        return class_at(name, bases, where)
    known = candidates(bases)
    classes = known.get(name) or [cls for each in known if each.lower() == name.lower() for cls in known[each]]
    if len(classes) > 1:
        paths = ", ".join(class_path_of(cls) for cls in classes)
        raise LabError(f"{where}: several classes are called {name}. Write one of {paths}.")
    if classes and refusal(classes[0]):
        raise LabError(f"{where}: {refusal(classes[0])}")
    return classes[0] if classes else None


def class_at(class_path: str, bases: tuple[type, ...], where: str = "") -> type:
    """The class of a dotted path, which is imported; for a function that gives a net, the class that stands for it.

    Args:
        class_path: The path.
        bases: What it must derive from.
        where: Where it was named; where it was not, its path.

    Raises:
        LabError: If there is none that can be imported, or it is of another kind or is refused.
    """
    where = where or class_path
    cls = fitted(_imported(class_path, where, bases), bases)
    if not issubclass(cls, bases):
        kinds = [class_path_of(base) for base in bases if not base.__name__.startswith("_")] + foreign_kinds(bases)
        way_out = f"Derive it from {' or '.join(kinds)}"
        if hasattr(cls, "forward") and any(base.__name__ == "Classifier" for base in bases):
            way_out += f", or take the net as it is: --model=Wrapped --model.net={class_path}"
        raise LabError(f"{where}: {class_path} is not of the kind that is wanted. {way_out}.")
    if refusal(cls):
        raise LabError(f"{where}: {refusal(cls)}")
    return cls


def defined_at(class_path: str) -> str:
    """Where the class of a path, or the function behind it, is defined; it may be exported from elsewhere."""
    cls = class_at(class_path, (object,))
    made = behind(cls) or cls
    return f"{made.__module__}.{made.__qualname__}"


def not_a_class(function: FunctionType, bases: tuple[type, ...] = ()) -> str:
    """What is wrong where a function is given in place of a class, and the form of one."""
    name = function.__name__
    called = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    base = next(
        (each for each in reversed(bases) if hasattr(each, "forward") and each.__module__[:6] != "torch."), None
    )
    if base is None:
        derived = f", derived from {' or '.join(map(class_path_of, bases))}" if bases else ""
        return f"{name} is a function; a class is wanted{derived}."
    called = "Own" if name == "<lambda>" else called
    return (
        f"{name} is a function; a class is wanted, such as class {called}({class_path_of(base)}) with the function "
        "as its `forward`."
    )


def _descendants(bases: tuple[type, ...]) -> Iterator[type]:
    for base in bases:
        children: list[type] = type.__subclasses__(base)
        for cls in children:
            yield cls
            yield from _descendants((cls,))


def _imported(class_path: str, where: str, bases: tuple[type, ...]) -> type:
    functions = _takes_functions(bases)
    module_name, _, class_name = class_path.rpartition(".")
    if not may_name(class_path, ()):
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
        if functions and not may_name(class_path, ()):  # of what a checkpoint may name, only that which says so
            take_at_its_word(cls)
        made = stand_in(cls) if functions else None
        if made is not None:
            return made
        why = (
            f"{class_name} is a function that does not say that it gives a torch module. "
            f"Write def {class_name}(...) -> nn.Module."
        )
        raise LabError(f"{where}: {why if functions else not_a_class(cls, bases)}")
    kinds = (type, FunctionType) if functions else type
    hint = suggestion(class_name, [name for name, value in vars(module).items() if isinstance(value, kinds)])
    raise LabError(
        f"{where}: the module {module_name} has no class {'or function ' if functions else ''}{class_name}.{hint}"
    )


def _takes_functions(bases: Iterable[type]) -> bool:
    """Whether a function may stand in place of a class: where any net will do, or where it was named itself."""
    return any(base is object or takes_any_net((base,)) or isinstance(behind(base), FunctionType) for base in bases)


def look_here_too() -> None:
    """Modules of the current folder count, after all others: a `torch.py` there shadows nothing."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
