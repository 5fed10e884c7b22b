"""Presets as Python classes, and presets of any kind read into Python."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar, cast

from mnistlab.classifier import Classifier
from mnistlab.errors import LabError
from mnistlab.options.classes import class_at
from mnistlab.options.files import read_text
from mnistlab.options.imported import Section, settle
from mnistlab.options.settling import Settled
from mnistlab.options.signatures import options
from mnistlab.options.written import SWEEP, Written
from mnistlab.presets.finding import Found, comment, find_preset, preset_classes
from mnistlab.presets.nodes import Config, written_for
from mnistlab.presets.places import caller, warn
from mnistlab.presets.reading import Layers, layers_of
from mnistlab.presets.running import run
from mnistlab.sections.linking import link_data
from mnistlab.sections.parts import Attributes, Sweep, TopLevel, prepare, sections
from mnistlab.text.nearest import suggestion


class Dropped(UserWarning):
    """What one class of a preset's line wrote has lost its place by what a later one wrote."""


class _NeverChanges(type):
    """The type of presets."""

    def __setattr__(cls, name: str, value: object) -> None:
        """Only what does not configure anything is set."""
        if not name.startswith("_"):
            raise AttributeError(f"a preset never changes: {cls.__name__}.clone({name}=...) gives a new one.")
        super().__setattr__(name, value)


class Preset(Attributes, metaclass=_NeverChanges):
    """A named configuration: a class whose attributes are the sections `model`, `data`, `trainer` and `run`.

    With `choice(...)` or `interval(...)` in place of values it is a sweep, whose own options are the mapping `sweep`.

    A value is a class, a node such as `config(SmallModel, hidden_dim=384)`, or a mapping of options. A preset builds on
    another by inheritance: what both write is merged like `--config=Parent --config=Child`. The docstring describes it;
    `mnistlab fit --config=Name` runs it. In a preset that is ready each section is a node with what counts.

    Attributes:
        layers: What was written, one list for each class of the line, the oldest first.
    """

    layers: ClassVar[tuple[Sequence[Written], ...]] = ()
    _own: ClassVar[tuple[Sequence[Written], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check it against the signatures.

        Raises:
            LabError: If a section, a class or an option does not exist, or does not take such a value.
        """
        super().__init_subclass__(**kwargs)
        prepare()
        if "_own" not in vars(cls):
            cls._own = (_own_layer(cls),)
        line = [owner for owner in reversed(cls.__mro__) if issubclass(owner, Preset)]
        _set(cls, layers=tuple(layer for owner in line for layer in vars(owner).get("_own", ())))
        _complete(cls)

    @classmethod
    def clone(cls, changes: Mapping[str, object] | None = None, /, **more: object) -> "type[Preset]":
        """A new preset with some values changed; this one stays as it is.

        Args:
            changes: New values by option, however deep: `{"model.optimizer.lr": 0.1}`.
            **more: The same for sections: `model=SmallModel`.

        Raises:
            LabError: If there is no such option, or it does not take such a value.
        """
        where = caller()
        every = {**(changes or {}), **more}
        changed = [entry for name, value in every.items() for entry in _entries(name, value, where)]
        return _preset(cls.__name__, cls.__doc__, [*cls.layers, changed])

    @classmethod
    def build(cls) -> Classifier:
        """The model that the preset describes, with as many classes as its data have: a plain module, untrained.

        Raises:
            LabError: If the model or the data refuse their options.
        """
        settled = _settled(cls.layers)
        link_data(settled)
        values = cast("dict[str, Mapping[str, Any]]", settled.values)["model"]
        node: Config[Classifier] = cls.model
        return node.clone({"num_classes": values["init_args"]["num_classes"]}).build()


def preset(name: str) -> type[Preset]:
    """The preset that `--config=name` means, whatever it is written in: a name, a file, or `file.py:Name`.

    Raises:
        LabError: If there is none, or it is wrong.
    """
    found = load_preset(find_preset(name))
    _tell_dropped(_settled(found.layers))
    return found


def load_preset(found: Found) -> type[Preset]:
    """Read a preset; a Python file is run.

    Raises:
        LabError: If it cannot be read or run, or says something that does not exist; with its place.
    """
    if found.path.suffix != ".py":
        return _preset(found.path.stem, comment(read_text(found.path)), layers_of(found, _of_python))
    text = read_text(found.path)
    try:
        known = preset_classes(text)
    except SyntaxError as error:
        place = f":{error.lineno}:{error.offset}" if error.lineno else ""
        raise LabError(f"{found.path}{place}: this is not Python: {error.msg}.") from error
    return _class_in(run(found.path, quiet=Dropped), found, known)  # what is dropped is told of this preset alone


def _of_python(found: Found) -> Layers:
    return load_preset(found).layers


def _class_in(module: ModuleType, found: Found, known: Mapping[str, str]) -> type[Preset]:
    """The preset that was asked for, in a file that has been run."""
    present = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Preset) and not name.startswith("_") and value is not Preset
    }
    own = [name for name in present if name in known or present[name].__module__ == module.__name__]
    if found.name is None and len(own) == 1:
        return present[own[0]]
    if found.name is None:
        which = f"has {len(own)} presets. Name one: --config={found.path}:{own[0]}." if own else "has no preset."
        listed = f" There are {', '.join(own)}." if own else " A preset is a class that derives from mnistlab.Preset."
        raise LabError(f"{found.path} {which}{listed}")
    if found.name not in present:
        hint = suggestion(found.name, own)
        listed = f" There are {', '.join(own)}." if own else " It has none."
        raise LabError(f"{found.path} has no preset {found.name}.{hint}{listed}")
    return present[found.name]


def _own_layer(cls: type) -> list[Written]:
    """What the body of a class writes."""
    where = f"{caller()} ({cls.__name__})"
    own = {name: value for name, value in vars(cls).items() if not name.startswith("_")}
    return [entry for name, value in own.items() for entry in _entries(name, value, where)]


def _entries(name: str, value: object, where: str) -> list[Written]:
    """What an attribute of a preset says."""
    known = [*sections(), *options(TopLevel), SWEEP]
    section = sections().get(name)
    first = name.partition(".")[0]
    if first == SWEEP:
        return _about_sweeping(name, value, where)
    if first not in known:
        hint = suggestion(first, known) or " A value of your own begins with an underscore."
        raise LabError(f"{where}: there is no section {first}.{hint} There are {', '.join(known)}.")
    found = list(written_for(name, value, where))
    if section is not None and not section.chosen and not isinstance(value, Mapping):
        _check_group(section, name, value, where)
        return [entry for entry in found if len(entry.key) > 1]
    return found


def _about_sweeping(name: str, value: object, where: str) -> list[Written]:
    """What a preset says of the way of sweeping, checked."""
    found = list(written_for(name, value, where))
    if not all(len(entry.key) > 1 for entry in found):
        raise LabError(f"{where}: {SWEEP} takes options of a sweep as a mapping, such as {{'trials': 40}}.")
    settle(object, {SWEEP: Section(Sweep)}, [found])
    return found


def _check_group(section: Section, name: str, value: object, where: str) -> None:
    """A section without a choice takes options only, or a node of its own class."""
    cls = value.cls if isinstance(value, Config) else value
    if cls is not section.cls:
        wanted = section.cls.__name__
        raise LabError(f"{where}: {name} takes options of {wanted}: config({wanted}, option=...) or a mapping.")


def _settled(layers: Sequence[Sequence[Written]]) -> Settled:
    about_runs = [[entry for entry in layer if entry.key[:1] != (SWEEP,)] for layer in layers]
    return settle(TopLevel, sections(), about_runs)


def _preset(name: str, doc: str | None, layers: Sequence[Sequence[Written]]) -> type[Preset]:
    """A preset that nobody has written as a class."""
    return type(name, (Preset,), {"__doc__": doc, "_own": tuple(layers)})


def _tell_dropped(settled: Settled) -> None:
    for entry, why in settled.dropped:
        warn(f"{entry.name}={entry.value} is dropped. {why}", Dropped)


def _set(cls: type[Preset], **values: object) -> None:
    """Set attributes of a preset while it is being made."""
    for name, value in values.items():
        type.__setattr__(cls, name, value)


def _complete(cls: type[Preset]) -> None:
    """Check what is written, and make of each section a node with what counts."""
    settled = _settled(cls.layers)
    _tell_dropped(settled)
    dropped = {id(entry) for entry, _ in settled.dropped}
    written = [entry for layer in cls.layers for entry in layer if id(entry) not in dropped]
    _set(cls, **{name: _node(name, section, settled.values[name], written) for name, section in sections().items()})
    _set(cls, **{name: settled.values.get(name, option.default) for name, option in options(TopLevel).items()})


def _node(name: str, section: Section, value: Mapping[str, Any], written: Sequence[Written]) -> Config[Any]:
    chosen = class_at(value["class_path"], (section.cls,), name) if section.chosen else section.cls
    inner = [replace(entry, key=entry.key[1:]) for entry in written if entry.key[:1] == (name,) and len(entry.key) > 1]
    return Config(chosen, inner, defaults=section.defaults)
