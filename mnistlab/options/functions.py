"""A function that gives an object, where a class is wanted: a class that stands for it has its name and its options."""

import inspect
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, get_type_hints


def stand_in(function: FunctionType) -> type | None:
    """The class that stands for a function; None where this does not say which class its object is of.

    It derives from the class of the object, so that both have the same options behind `**kwargs`. Called, it gives the
    object, which is none of its own.
    """
    try:
        made = get_type_hints(function).get("return")
    except (NameError, TypeError):  # names that exist for type checkers only
        return None
    return _stand_in(function, made) if isinstance(made, type) else None


def function_behind(cls: type) -> Callable[..., object] | None:
    """The function that a class stands for, if it stands for one."""
    function: Callable[..., object] | None = vars(cls).get("made_by")
    return function


@cache
def _stand_in(function: FunctionType, made: type) -> type:
    def called(cls: type, *arguments: Any, **options: Any) -> object:
        del cls
        return function(*arguments, **options)

    body = {
        "__doc__": function.__doc__,
        "__init__": inspect.unwrap(function),  # has the options, and is never called
        "__module__": function.__module__,
        "__new__": called,
        "abstract": True,  # nobody derives from it
        "made_by": staticmethod(function).__func__,
    }
    return type(made)(function.__name__, (made,), body)
