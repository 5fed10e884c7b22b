"""A function that gives a net, where a class is wanted: a class that stands for it has its name and its options."""

import inspect
from collections.abc import Callable
from functools import cache
from types import FunctionType, new_class
from typing import Any, get_type_hints

from torch import nn


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


def function_behind(cls: type) -> Callable[..., object] | None:
    """The function that a class stands for, if it stands for one."""
    function: Callable[..., object] | None = vars(cls).get("made_by")
    return function
