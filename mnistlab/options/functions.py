"""What is no class of the kind that is wanted and serves all the same: a class stands for it, with its options."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import FunctionType, new_class
from typing import Any, get_type_hints

from torch import nn

from mnistlab.system.torch_inside import unfetched

_weights_come = ContextVar("_weights_come", default=False)
_foreign: dict[type, tuple[str, Callable[[type], type | None]]] = {}


def take_at_its_word(function: FunctionType) -> None:
    """Let a function that says nothing of what it gives be one that gives a torch module; jsonargparse asks too."""
    function.__annotations__.setdefault("return", nn.Module)


@cache
def stand_in(function: FunctionType) -> type | None:
    """The class that stands for a function; None where this does not say that it gives a torch module.

    It derives from the class of that module, so that both have the same options behind `**kwargs`. Called, it gives the
    module, which is none of its own.
    """
    try:
        made = get_type_hints(function).get("return")
    except (NameError, TypeError):  # names that exist for type checkers only
        return None
    if not (isinstance(made, type) and issubclass(made, nn.Module)):
        return None

    def called(cls: type, *arguments: Any, **options: Any) -> object:
        del cls
        if _weights_come.get() and "pretrained" in options:  # timm's word, and that of many others
            options["pretrained"] = False
        return function(*arguments, **options)

    body = {
        "__doc__": function.__doc__,
        "__init__": inspect.unwrap(function),  # has the options, and is never called
        "__module__": function.__module__,
        "__new__": called,
        "abstract": True,  # nobody derives from it
        "made_by": function,
    }
    return new_class(function.__name__, (made,), exec_body=lambda names: names.update(body))


def take_foreign(base: type, kind: str, stand_in_for: Callable[[type], type | None]) -> None:
    """Let classes of another kind serve where those that derive from `base` are wanted.

    Args:
        base: What is wanted.
        kind: The dotted path of what the others derive from.
        stand_in_for: Gives the class that stands for one of them; None for a class of any other kind.
    """
    _foreign[base] = kind, cache(stand_in_for)


def foreign_kinds(bases: Iterable[type]) -> list[str]:
    """The dotted paths of what else serves, by what it derives from."""
    return [_foreign[base][0] for base in bases if base in _foreign]


def fitted(cls: type, bases: tuple[type, ...]) -> type:
    """The class itself, or the one that stands for it where those of `bases` are wanted."""
    found = None if issubclass(cls, bases) else [_foreign[base][1](cls) for base in bases if base in _foreign]
    return next((made for made in found or () if made is not None), cls)


@contextmanager
def weights_to_come() -> Iterator[None]:
    """Let functions make their nets without the trained weights that they would fetch: a checkpoint has others."""
    token = _weights_come.set(True)
    try:
        with unfetched():
            yield
    finally:
        _weights_come.reset(token)


def behind(cls: type) -> type | FunctionType | None:
    """The function, or the class of another kind, that a class stands for, if it stands for one."""
    made: type | FunctionType | None = vars(cls).get("made_by")
    return made
