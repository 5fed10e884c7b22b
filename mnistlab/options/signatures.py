"""What options a class takes, read from its signature; the one place that asks jsonargparse for them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, get_type_hints

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from mnistlab.options.annotations import REQUIRED, Slot, slot_of, type_of
from mnistlab.options.functions import behind
from mnistlab.options.kinds import ANY, Type
from mnistlab.options.parsing import parse, verbatim
from mnistlab.text.addresses import kept_out
from mnistlab.text.nearest import suggestion

__all__ = ["REQUIRED", "Option", "Slot", "accepts", "options", "parsed", "parsed_default", "refuse_unknown"]


@dataclass(frozen=True)
class Option:
    """One argument of a class.

    Attributes:
        name: As the user writes it.
        annotation: Its type in Python; the text of it where it cannot be resolved.
        type: The kinds of values that it takes.
        default: The signature's default, or `REQUIRED`.
        slot: What class it takes, if it takes one.
    """

    name: str
    annotation: object
    type: Type
    default: object
    slot: Slot | None

    @property
    def is_untold(self) -> bool:
        """Whether nothing is known of it, as of what only a part of all behind `**kwargs` takes: null is no value."""
        return self.annotation is Any and self.default is None


def needed(cls: type, *, supplied: int = 0) -> list[str]:
    """The options without which a class cannot be built."""
    return [option.name for option in options(cls, supplied=supplied).values() if option.default is REQUIRED]


@cache
def options(cls: type, *, supplied: int = 0) -> Mapping[str, Option]:
    """The options of a class by name, in the order of its signature, those behind `**kwargs` included.

    Args:
        cls: The class.
        supplied: Leave out so many leading arguments, which are supplied later.
    """
    defaults = _defaults(cls, supplied=supplied)
    found = {}
    for name in _parser(cls, supplied=supplied)[1]:
        parameter = _parameter(cls, name)
        if parameter is None:  # behind a `**kwargs` that leads out of the line of parents
            found[name] = Option(name, Any, ANY, defaults.get(name), None)
            continue
        annotation, default = parameter
        if default is REQUIRED and defaults.get(name) is not None:
            default = defaults[name]
        default = kept_out(default) if isinstance(default, str) else default
        found[name] = Option(name, annotation, type_of(annotation), default, slot_of(annotation))
    return found


def refuse_unknown(instance: object, given: Mapping[str, object]) -> None:
    """Refuse arguments that no class of the line takes; to be called in the `__init__` of a base class.

    Raises:
        TypeError: If there are any, with the options that there are.
    """
    cls: type = type(instance)
    for name in given:
        known = options(cls)
        what = f"{cls.__name__} has no option {name}.{suggestion(name, known)}"
        raise TypeError(f"{what} It takes {', '.join(known)}.")


def accepts(cls: type, name: str, value: object, *, supplied: int = 0) -> bool:
    """Whether `value`, which has been read, is one that the option `name` of `cls` takes by its type."""
    others = {other for other in _parser(cls, supplied=supplied)[1] if other != name}
    parser, _ = _parser(cls, supplied=supplied, leave_out=frozenset(others))
    try:
        made = parser.parse_object(verbatim({name: value}), env=False).get(name)
    except (ArgumentError, ValueError, TypeError, RecursionError):
        return False
    return not (isinstance(value, str) and type(made) in (bool, int, float, NoneType))  # that has been read


def parsed_default(cls: type, name: str, *, supplied: int = 0) -> dict[str, object] | None:
    """The class that an option takes by default, where jsonargparse can read that, as from the source of a lambda."""
    parsed = _defaults(cls, supplied=supplied).get(name)
    if isinstance(parsed, Namespace) and "class_path" in parsed:
        described: dict[str, object] = parsed.as_dict()
        return described
    return None


def parsed(cls: type, values: Mapping[str, object], *, supplied: int = 0) -> Namespace:
    """The options of a class as its signature wants them, nested classes included.

    Raises:
        ArgumentError: If a value is of a wrong type, or an option is missing.
    """
    return parse(_parser(cls, supplied=supplied)[0], values)


@cache
def _parser(cls: type, *, supplied: int, leave_out: frozenset[str] = frozenset()) -> tuple[ArgumentParser, list[str]]:
    """What reads the options of a class, and their names."""
    parser = ArgumentParser(exit_on_error=False)
    skip: set[str | int] = {supplied} if supplied else set()
    made = behind(cls) or cls
    add = parser.add_class_arguments if isinstance(made, type) else parser.add_function_arguments
    names: list[str] = add(inspect.unwrap(made), None, fail_untyped=False, skip=skip | leave_out)
    return parser, names


@cache
def _defaults(cls: type, *, supplied: int) -> Namespace:
    return _parser(cls, supplied=supplied)[0].get_defaults()


def _parameter(cls: type, name: str) -> tuple[object, object] | None:
    """The annotation and the default of an argument, from the first class of the line that names it, if one does."""
    made = behind(cls)
    for owner in (made if isinstance(made, type) else cls).__mro__:
        init = vars(owner).get("__init__")
        if init is None or not hasattr(init, "__code__"):
            continue
        parameter = inspect.signature(init).parameters.get(name)
        if parameter is not None:
            return _hints(init).get(name, parameter.annotation), parameter.default
    return None


def _hints(function: Callable[..., object]) -> dict[str, object]:
    try:
        return get_type_hints(function)
    except (NameError, TypeError):  # names that exist for type checkers only
        return {}
