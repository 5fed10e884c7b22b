"""Configuration in Python: a class with its options, checked when it is written and built when it is asked for."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NoReturn, ParamSpec, TypeVar, overload

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from mnistlab.errors import LabError
from mnistlab.options.building import build_exactly
from mnistlab.options.classes import class_at, not_a_class
from mnistlab.options.domains import Choice, Domain
from mnistlab.options.functions import stand_in
from mnistlab.options.imported import Section, settle
from mnistlab.options.signatures import Option, options
from mnistlab.options.specification import (
    UNRECORDED,
    Described,
    Specification,
    class_path_of,
    plain,
    supplied_to,
    unrecorded,
)
from mnistlab.options.written import Key, Source, Written, key_of
from mnistlab.presets.domains import Values
from mnistlab.presets.places import caller, warn
from mnistlab.sections.parts import prepare
from mnistlab.text.addresses import in_texts, kept_out
from mnistlab.text.nearest import suggestion

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Optimizer | LRScheduler)

if TYPE_CHECKING:

    class _Fits(Any):  # type: ignore[misc]
        """Lets a node stand for what it describes: `SmallModel(optimizer=...)` takes `config(SGD, lr=0.1)`."""

else:

    class _Fits:
        """Nothing more at run time."""


class Config(_Fits, Generic[T]):
    """A class with options: a description, which builds nothing until `build()`.

    It is made by `config`, never changes, and shares nothing with what is built from it. An option that nobody wrote
    has its default; `node.lr` reads an option, and where that is a class with options of its own gives its node.

    Args:
        cls: The class.
        written: What was written for it, with keys as they stand below it.
        changes: What was written later, and may choose other classes.
        defaults: What counts in place of the defaults of the class.
        where: Where the class was written.

    Raises:
        LabError: If the class has no such option, or an option does not take such a value.
    """

    cls: type[T]
    where: str
    written: tuple[Written, ...]
    _defaults: dict[str, object]
    _settled: Mapping[str, Any]

    def __init__(
        self,
        cls: Callable[..., T],
        written: Sequence[Written] = (),
        changes: Sequence[Written] = (),
        *,
        defaults: Mapping[str, object] | None = None,
        where: str = "config",
    ) -> None:
        assert isinstance(cls, type)
        prepare()
        self.__dict__.update(cls=cls, where=where, _defaults=dict(defaults or {}))
        first = [
            Written((), class_path_of(cls), Source.FILE, where),
            *(Written((name,), value, Source.FILE, where) for name, value in self._defaults.items()),
        ]
        name = cls.__name__
        entries = [*first, *written, *changes]
        keyed = [replace(entry, key=(name, *entry.key)) for entry in entries]
        section = Section(cls, chosen=True, supplied=supplied_to(cls))
        before = len(first) + len(written)
        settled = settle(object, {name: section}, [keyed[:before], keyed[before:]])
        for entry, why in settled.dropped:
            warn(f"{entry.key[-1]}={entry.value} is dropped. {why}")
        dropped = {id(entry) for entry, _ in settled.dropped}
        kept = [entry for entry, full in zip(entries, keyed, strict=True) if id(full) not in dropped]
        self.__dict__.update(written=tuple(_last_ones(kept[len(first) :])), _settled=settled.values[cls.__name__])

    @property
    def specification(self) -> Specification:
        """The class and all its options, complete, as plain data."""
        return Specification(class_path_of(self.cls), deepcopy(self._settled["init_args"]))

    def clone(self, changes: Mapping[str, object] | None = None, /, **more: object) -> "Config[T]":
        """A new node with some options changed; this one stays as it is.

        Args:
            changes: New values by option, however deep: `{"optimizer.lr": 0.1}`.
            **more: The same for options of the class itself.

        Raises:
            LabError: If the class has no such option, or an option does not take such a value.
        """
        where = caller()
        changed = [
            entry for name, value in {**(changes or {}), **more}.items() for entry in written_for(name, value, where)
        ]
        return Config(self.cls, self.written, changed, defaults=self._defaults, where=self.where)

    def build(self, *given: object) -> T:
        """Make the object, everything nested in it first.

        Args:
            *given: What the class takes before its options: the parameters of an optimizer.

        Raises:
            LabError: If something is to be given and is not, or the class refuses its options.
        """
        if supplied_to(self.cls) and not given:
            raise LabError(f"{self.cls.__name__} takes more than options: build(parameters) or build(optimizer).")
        return build_exactly(self.cls, self.specification.init_args, *given)

    def __call__(self, *given: object) -> T:
        """As `build`, so that a node can stand where a class or a `functools.partial` can."""
        return self.build(*given)

    def __getattr__(self, name: str) -> Any:
        """The value of an option; the node of one that is a class."""
        if name.startswith("_") or name in ("cls", "written", "where"):
            raise AttributeError(name)
        values = self._settled["init_args"]
        if name not in values:
            raise AttributeError(f"{self.cls.__name__} has no option {name}.{suggestion(name, self._options())}")
        return self._part(name, values[name])

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Nothing is set."""
        raise AttributeError(f"a node never changes: clone({name}=...) gives a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        """Nothing is deleted."""
        raise AttributeError(f"a node never changes: {name} stays.")

    def __dir__(self) -> list[str]:
        """With the options of the class, for an editor's completion."""
        return sorted({*super().__dir__(), *self._options()})

    def __eq__(self, other: object) -> bool:
        """Nodes are equal that build the same."""
        return isinstance(other, Config) and self.specification == other.specification

    def __hash__(self) -> int:
        return hash(self.specification.class_path)

    def __repr__(self) -> str:
        """As it would be written."""
        names = dict.fromkeys(entry.key[0] for entry in self.written)
        parts = [f"{name}={getattr(self, name)!r}" for name in names]
        return f"config({', '.join([self.cls.__name__, *parts])})"

    def _options(self) -> Mapping[str, Option]:
        cls: type = self.cls
        return options(cls, supplied=supplied_to(cls))

    def _part(self, name: str, value: object) -> object:
        slot = self._options()[name].slot
        if slot is not None and isinstance(value, Mapping) and "class_path" in value:
            cls = class_at(str(value["class_path"]), slot.bases, name)
            inner = [replace(entry, key=entry.key[1:]) for entry in self.written if entry.key[0] == name]
            return Config(cls, [entry for entry in inner if entry.key], where=self.where)
        if slot is not None and isinstance(value, list):
            return [_of_specification(item, slot.bases, self.where) for item in value]
        return deepcopy(value)


@overload
def config(cls: Callable[Concatenate[Any, P], F], /, *args: P.args, **kwargs: P.kwargs) -> Config[F]: ...
@overload
def config(cls: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Config[T]: ...
def config(cls: Callable[..., T], /, *args: object, **kwargs: object) -> Config[T]:
    """Describe an object by its class and its options; nothing is built.

    An option takes a plain value, a class, or another node: `config(SmallModel, optimizer=config(SGD, lr=0.1))`.

    Args:
        cls: The class, or a function that gives a torch module.
        *args: None: options are named.
        **kwargs: Its options. An optimizer's or a schedule's first argument is given when it is built.

    Raises:
        LabError: If the class has no such option, or an option does not take such a value.
    """
    where = caller()
    name = getattr(cls, "__name__", str(cls))
    made = stand_in(cls) if isinstance(cls, FunctionType) else cls
    if not isinstance(made, type):
        raise LabError(f"{where}: a class is wanted, got {name}.")
    if args:
        raise LabError(f"{where}: options of {name} are named, got {args[0]!r} without a name.")
    return _node_of(made, kwargs, where)


def written_for(name: str, value: object, where: str) -> Iterator[Written]:
    """What a value says that Python code gives to an option: plain data, a class, a node, or a list of them.

    It is spelt as in YAML: `callbacks+` adds to a list, and a mapping holds options, of the class that its `class_path`
    names if it has one.

    Raises:
        LabError: If it cannot be written down as plain data.
    """
    key = key_of(name.removesuffix("+")) or (name,)
    if name.endswith("+"):
        yield from _added(key, value if isinstance(value, list | tuple) else [value], where)
    else:
        yield from _entries(key, value, where)


def _entries(key: Key, value: object, where: str) -> Iterator[Written]:
    if isinstance(value, Values):
        value = Choice.among([tuple(_entries((), each, where)) for each in value.values])
    if isinstance(value, Domain):
        yield Written(key, value.first, Source.FILE, where, domain=value)
        return
    node = _as_node(value, where)
    if node is not None:
        yield from _of_node(key, node, where)
    elif isinstance(value, Mapping) and value:
        for name in sorted(value, key=lambda name: name != "class_path"):  # options follow their class
            yield from written_for(".".join((*key, str(name))), value[name], where)
    elif isinstance(value, list | tuple) and any(_is_class(item, where) for item in value):
        yield Written(key, [], Source.FILE, where)
        yield from _added(key, value, where)
    else:
        if isinstance(value, FunctionType) and value.__name__.isidentifier():  # no lambda
            raise LabError(f"{where}: {'.'.join(key)}: {not_a_class(value)}")
        data = _data(value)
        for option, what in unrecorded(data, ".".join(key)).items():
            raise LabError(f"{where}: {option} is {what}, which cannot be written down. Use config(Class, option=...).")
        yield Written(key, data, Source.FILE, where)


def _added(key: Key, values: Sequence[object], where: str) -> Iterator[Written]:
    """Each value as one more entry of a list."""
    for value in values:
        for entry in _entries(key, value, where):
            yield replace(entry, append=entry.append or entry.key == key)


def _is_class(value: object, where: str) -> bool:
    """Whether an entry of a list is a class with options, or would have to be one."""
    if isinstance(value, Mapping):
        return "class_path" in value
    return _as_node(value, where) is not None or bool(unrecorded(_data(value)))


def _data(value: object) -> object:
    """A value as plain data; a model that has been built is none, though it can say what it was built from."""
    built = isinstance(value, Described) and not isinstance(value, Config)
    return {UNRECORDED: f"a {type(value).__name__} built in Python"} if built else in_texts(kept_out, plain(value))


def _of_node(key: Key, node: "Config[Any]", where: str) -> Iterator[Written]:
    yield Written(key, class_path_of(node.cls), Source.FILE, where if node.where == "config" else node.where)
    for entry in node.written:
        yield replace(entry, key=(*key, *entry.key))


def _as_node(value: object, where: str) -> "Config[Any] | None":
    if isinstance(value, Config):
        return value
    if isinstance(value, FunctionType):
        value = stand_in(value)
    if isinstance(value, type):
        return Config(value, where=where)
    if isinstance(value, partial) and isinstance(value.func, type) and not value.args:
        return _node_of(value.func, value.keywords, where)
    if dataclasses.is_dataclass(value):
        given = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        return _node_of(type(value), given, where)
    return None


def _node_of(cls: type[T], given: Mapping[str, object], where: str) -> Config[T]:
    """The node of a class with the options that Python code gives it."""
    written = [entry for name, value in given.items() for entry in written_for(name, value, where)]
    return Config(cls, written, where=where)


def _of_specification(value: object, bases: tuple[type, ...], where: str) -> object:
    """The node of a class in a list, with the options that are not at their defaults."""
    if not (isinstance(value, Mapping) and "class_path" in value):
        return value
    cls = class_at(str(value["class_path"]), bases, where)
    known = options(cls)
    changed = {name: part for name, part in value["init_args"].items() if part != plain(known[name].default)}
    return Config(cls, [Written((name,), part, Source.FILE, where) for name, part in changed.items()], where=where)


def _last_ones(written: Sequence[Written]) -> list[Written]:
    """Without what is written again later; what belongs to one of several classes in a list stays with it."""
    lists = {entry.key for entry in written if entry.append}
    single = [not any(entry.key[:end] in lists for end in range(1, len(entry.key) + 1)) for entry in written]
    last = {entry.key: index for index, entry in enumerate(written)}
    return [entry for index, entry in enumerate(written) if not single[index] or last[entry.key] == index]
