"""How an object is written down as plain data: its class and its options, all the way down.

A specification is what a checkpoint and a configuration file say of a model or a data set. It holds only strings,
numbers, lists and mappings, so that a checkpoint loads with `weights_only=True`.
"""

import dataclasses
import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from os import PathLike, fspath
from typing import Any, Protocol, runtime_checkable

import torch

from mnistlab.errors import visible
from mnistlab.options.functions import behind
from mnistlab.options.parsing import built_by
from mnistlab.options.signatures import REQUIRED, Option, options, parsed_default

UNRECORDED = "unrecorded"
"""The key under which stands what could not be written down: `{"unrecorded": "a lambda"}`."""


@dataclass(frozen=True)
class Specification:
    """A class and its options.

    Attributes:
        class_path: The dotted path of the class.
        init_args: Its options as plain data; a nested class as `{"class_path": ..., "init_args": ...}`.
    """

    class_path: str
    init_args: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> "Specification":
        """From the form in which configuration files have it."""
        return cls(written["class_path"], written.get("init_args") or {})

    @property
    def name(self) -> str:
        """The short name of the class."""
        return self.class_path.rpartition(".")[2]

    def as_dict(self) -> dict[str, object]:
        """The form in which configuration files have it."""
        return {"class_path": self.class_path, "init_args": dict(self.init_args)}


@runtime_checkable
class Described(Protocol):
    """What makes an object when it is called, and can say which."""

    @property
    def specification(self) -> Specification:
        """The class of the object and all its options."""

    def __call__(self, *given: object) -> object:
        """Make it."""


def class_path_of(cls: type) -> str:
    """The dotted path of a class, shortened to the package where that exports it.

    `torch.optim.adamw.AdamW` is written `torch.optim.AdamW`, as its documentation has it.
    """
    import sys  # noqa: PLC0415

    made = behind(cls) or cls
    parts = cls.__module__.split(".")
    for end in range(1, len(parts)):
        module = sys.modules.get(".".join(parts[:end]))
        if module is not None and vars(module).get(cls.__name__) is made:
            return ".".join([*parts[:end], cls.__name__])
    return f"{cls.__module__}.{made.__qualname__}"


def init_arguments(instance: object) -> dict[str, object]:
    """The arguments that `instance` is being made with; to be called in the `__init__` of a base class.

    Each class of the line may take arguments of its own; where two have one of the same name, the more derived counts,
    since the user has written it there.
    """
    arguments: dict[str, object] = {}
    frame = inspect.currentframe()
    while frame is not None:
        code = frame.f_code
        first = code.co_varnames[0] if code.co_argcount else None
        if code.co_name == "__init__" and first is not None and frame.f_locals.get(first) is instance:
            values = inspect.getargvalues(frame)
            named = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
            arguments.update({name: values.locals[name] for name in named})
            arguments.update(values.locals[values.keywords] if values.keywords else {})
        frame = frame.f_back
    return arguments


def describe(instance: object, arguments: Mapping[str, object]) -> Specification:
    """Write down an object that was made with `arguments`; those that its class does not take itself are left out."""
    cls: type = type(instance)
    known = {name: plain(arguments[name]) for name in options(cls) if name in arguments}
    return Specification(class_path_of(cls), known)


def describe_factory(value: object) -> Specification | None:
    """Write down a class, a `functools.partial` of one, or a dataclass, with all options; None for anything else.

    An optimizer is given as a class that is called later with the parameters; its first argument is left out.
    """
    if isinstance(value, type):
        return _complete(value, {})
    if isinstance(value, Described):
        return value.specification
    if dataclasses.is_dataclass(value):
        fields = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
        return Specification(class_path_of(type(value)), fields)
    if isinstance(value, functools.partial) and (made := built_by(value)):
        return _complete(made, value.keywords)
    return None


def supplied_to(cls: type) -> int:
    """How many leading arguments of a class are supplied later, and so are no options.

    One for an optimizer, its parameters, and for a schedule, its optimizer; any other class may say so by an attribute
    `supplied`.
    """
    if issubclass(cls, (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)):
        return 1
    supplied = getattr(cls, "supplied", 0)
    return supplied if isinstance(supplied, int) else 0


def default_of_slot(cls: type, option: Option, *, supplied: int = 0) -> Specification | None:
    """The class that an option takes by default, None where it has none."""
    if option.default is None or option.default is REQUIRED:
        return None
    parsed = parsed_default(cls, option.name, supplied=supplied)
    return describe_factory(option.default) or (Specification.of(parsed) if parsed else None)


def plain(value: object) -> object:
    """A value as plain data; what cannot be written down becomes `{"unrecorded": what it is}`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)  # a restricted number is a class of its own, which a safe load refuses
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [plain(entry) for entry in value]
    return _plain_object(value)


def _plain_object(value: object) -> object:
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, torch.Tensor):
        return value.tolist()
    described = describe_factory(value)
    return described.as_dict() if described else {UNRECORDED: _what(value)}


def unrecorded(value: object, key: str = "") -> dict[str, str]:
    """Everything in a specification that could not be written down: what it was, by dotted key.

    A stranger may have written it, so what would not be seen on a screen is spelt out.
    """
    if isinstance(value, list):
        value = {str(number): entry for number, entry in enumerate(value)}
    if not isinstance(value, Mapping):
        return {}
    if UNRECORDED in value:
        return {visible(key): visible(str(value[UNRECORDED]))}
    found: dict[str, str] = {}
    for name, entry in value.items():
        part = key if name == "init_args" else f"{key}.{name}".lstrip(".")
        found.update(unrecorded(entry, part))
    return found


def without_unrecorded(value: object) -> object:
    """A specification without what could not be written down, so that defaults take its place."""
    if isinstance(value, list):
        return [without_unrecorded(entry) for entry in value if not _is_unrecorded(entry)]
    if not isinstance(value, Mapping):
        return value
    return {name: without_unrecorded(entry) for name, entry in value.items() if not _is_unrecorded(entry)}


def _is_unrecorded(value: object) -> bool:
    return isinstance(value, Mapping) and UNRECORDED in value


def _complete(cls: type, written: Mapping[str, object]) -> Specification:
    supplied = supplied_to(cls)
    known = options(cls, supplied=supplied)
    defaults = {name: plain(option.default) for name, option in known.items() if option.default is not REQUIRED}
    given = {name: plain(value) for name, value in written.items()}
    return Specification(class_path_of(cls), {**defaults, **given})


def _what(value: object) -> str:
    name = getattr(value, "__name__", None)
    return "a lambda" if name == "<lambda>" else name or f"a {type(value).__name__} built in Python"
