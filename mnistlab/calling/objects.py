"""What an object of Python is in words: a class by its path, an object by its class and its options, else by a file."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from mnistlab.calling.images import are_images, keep_images
from mnistlab.calling.keeping import keep_net, keep_weights
from mnistlab.calling.said import Said
from mnistlab.calling.session import note_session
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.losses import Loss
from mnistlab.options.classes import not_a_class
from mnistlab.options.domains import Domain
from mnistlab.options.signatures import REQUIRED, options
from mnistlab.options.specification import (
    Described,
    Specification,
    class_path_of,
    describe,
    describe_factory,
    plain,
    supplied_to,
    unrecorded,
)
from mnistlab.options.trust import GIVEN_NET, class_paths, may_name
from mnistlab.presets.domains import Values
from mnistlab.presets.preset_class import Preset
from mnistlab.system.torch_inside import BuiltinLoss

_SESSION = "__main__"
_WRAPPED = "mnistlab.Wrapped"
_LOSSES = (BuiltinLoss, Loss)
_MAKERS = ("optimizer", "scheduler", "lr_scheduler")

Found = tuple[object, Sequence[str]]
"""An object in words, and the classes in it that are neither the lab's nor torch's."""


def said_of(name: str, value: object, root: Path) -> Found:
    """An object in words.

    Args:
        name: The option that takes it, by its full or its short name.
        value: The object.
        root: Where it is kept, if words do not do.

    Raises:
        LabError: If it cannot be written down.
    """
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray | torch.Tensor) and not value.ndim):
        return value.item(), ()
    if isinstance(value, timedelta):
        return _of_time(value), ()
    if isinstance(value, Values | Domain):
        return _of_domain(name, value, root)
    if isinstance(value, type) and issubclass(value, Preset):
        return _of_preset(value)
    if name == "data" and are_images(value):
        return Said("mnistlab.Images", [f"path={keep_images(value, root)}"]), ()
    return _of_model(value, root) if name == "model" else _described(name, value)


def _of_time(time: timedelta) -> object:
    """A time as Lightning takes it: `00:01:30:00`, in which there are no parts of a second."""
    if time.microseconds:
        return {"days": time.days, "seconds": time.seconds, "microseconds": time.microseconds}
    return f"{time.days:02}:{time.seconds // 3600:02}:{time.seconds // 60 % 60:02}:{time.seconds % 60:02}"


def _of_model(value: object, root: Path) -> Found:
    """A model, or any net."""
    if isinstance(value, Classifier):
        said, strange = _of_specification("model", describe(value, value.arguments))
        path = keep_weights(value.state_dict(), root)
        return replace(said, below=[*said.below, f"init_from={path}"]), strange
    if isinstance(value, nn.Module):
        return _of_net(value, root)
    is_net = isinstance(value, type) and issubclass(value, nn.Module) and not issubclass(value, Classifier)
    if is_net or isinstance(value, FunctionType):
        made = _path_of("model", cast("type", value))
        return Said(_WRAPPED, [f"net={made}"]), _strange([made])
    return _described("model", value)


def _of_net(net: nn.Module, root: Path) -> Found:
    """A net as it is, with its weights; what another process needs is kept, as far as it can be."""
    path, why = keep_net(net, root)
    classes = [f"{type(each).__module__}.{type(each).__qualname__}" for each in net.modules()]
    here = [each for each in classes if each.startswith(f"{_SESSION}.")]
    if here or why:
        _tell_session(here[0] if here else type(net).__name__, why)
    strange = _strange([each for each in classes if "<locals>" not in each])
    below = [f"net={GIVEN_NET}", f"net.path={path}"]
    return Said(_WRAPPED, below, [f"--trust={','.join(strange)}"] if strange else []), strange


def _of_domain(name: str, value: "Values | Domain", root: Path) -> Found:
    """Values to be tried."""
    if isinstance(value, Domain):
        return str(value), ()
    found = [(each, ()) if isinstance(each, str) else _of_choice(name, each, root) for each in value.values]
    return f"choice:{','.join(text for text, _ in found)}", [path for _, strange in found for path in strange]


def _of_choice(name: str, value: object, root: Path) -> tuple[str, Sequence[str]]:
    """One of several values; of a class its name."""
    if not isinstance(value, type | FunctionType):
        return _text(value), ()
    said, strange = said_of(name, value, root)
    return (said.text if isinstance(said, Said) else _text(said)), strange


def _of_preset(cls: type[Preset]) -> Found:
    """What a preset writes, as if it were typed first."""
    words = []
    for entry in (entry for layer in cls.layers for entry in layer):
        text = str(entry.domain) if entry.domain is not None else _text(entry.value)
        words.append(f"--{entry.name}{'+' * entry.append}={text}")
    return Said("", beside=words), _strange([str(e.value) for layer in cls.layers for e in layer if _is_path(e.value)])


def _described(name: str, value: object) -> Found:
    """A class, or an object by its class and its options."""
    if isinstance(value, FunctionType) and name.rpartition(".")[2] == "loss":
        raise LabError(f"{name}: {not_a_class(value, (Loss,))}")
    if isinstance(value, FunctionType) and name.rpartition(".")[2] in _MAKERS:
        raise LabError(f"{name}: {value.__name__} is a function. Write {name}=lab.config(Class, option=...).")
    if isinstance(value, type | FunctionType):
        _check_loss(name, value)
        path = _path_of(name, value)
        return Said(path), _strange([path])
    return _of_specification(name, _specification(name, value))


def _specification(name: str, value: object) -> Specification:
    if isinstance(value, Classifier | ImageData):
        return describe(value, value.arguments)
    if isinstance(value, Described):
        return value.specification
    found = describe_factory(value) if isinstance(value, partial) or is_dataclass(value) else None
    return found or _as_made(name, value)


def _as_made(name: str, value: object) -> Specification:
    """The class and the options of an object that has them as attributes, and is the same when it is made of them."""
    cls: type = type(value)
    _check_loss(name, cls)
    if cls.__module__ == "builtins" or not hasattr(cls, "__dict__") or name in ("model", "data"):
        raise LabError(f"{name}: an object of the class {cls.__name__} is no value that an option takes.{_taken(name)}")
    try:
        known = options(cls, supplied=supplied_to(cls))
        attributes = _attributes(value)
        arguments = {each: attributes[each] for each in known if each in attributes}
        if isinstance(value, Optimizer | LRScheduler):
            raise _as_node(name, cls, arguments)
        same = _alike(vars(cls(**arguments)), vars(value))
    except (TypeError, ValueError, KeyError):
        same = False
    if not same:
        raise LabError(
            f"{name}: a {cls.__name__} that was built in Python does not say what it was made of. "
            f"Use lab.config({cls.__name__}, ...) with the same options."
        )
    return Specification(class_path_of(cls), {each: plain(part) for each, part in arguments.items()})


def _attributes(value: object) -> Mapping[str, object]:
    """What an object has kept of its options: weights of a loss as buffers, those of an optimizer as its defaults."""
    own = getattr(value, "defaults", {}) if isinstance(value, Optimizer) else getattr(value, "_buffers", {})
    return {**own, **vars(value)}


def _as_node(name: str, cls: type, arguments: Mapping[str, object]) -> LabError:
    """What to write in place of an optimizer or a schedule that holds the parameters of a net already."""
    written = {each: plain(part) for each, part in arguments.items() if each != "last_epoch"}  # where it is by now
    changed = _changed(Specification(class_path_of(cls), written))
    said = "".join(f", {each}={part!r}" for each, part in changed.items())
    return LabError(
        f"{name}: this {cls.__name__} was made for the parameters of another net. "
        f"Write {name}=lab.config({class_path_of(cls)}{said})."
    )


def _check_loss(name: str, cls: "type | FunctionType") -> None:
    """Refuse a torch module as a loss that neither the lab nor torch has."""
    if (
        name.rpartition(".")[2] == "loss"
        and isinstance(cls, type)
        and issubclass(cls, nn.Module)
        and not issubclass(cls, _LOSSES)
    ):
        raise LabError(
            f"{name}: {cls.__name__} is a torch module and no loss. Derive it from lab.Loss, which is one: "
            f"class {cls.__name__}(lab.Loss), with forward(self, logits, target) that gives a mean."
        )


def _taken(name: str) -> str:
    """What a section takes in place of a name."""
    return {
        "model": " It takes a class, a model, or any torch module or what makes one.",
        "data": " It takes a class, a data set, a pair of arrays of images and labels, or a Dataset of torch.",
    }.get(name, "")


def _alike(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether the attributes of two objects say the same."""
    return {name: plain(part) for name, part in one.items()} == {name: plain(part) for name, part in other.items()}


def _of_specification(name: str, found: Specification) -> tuple[Said, Sequence[str]]:
    """A class with those of its options that are not at their defaults."""
    for option, what in unrecorded(found.as_dict(), name).items():
        raise LabError(f"{option} is {what}, which cannot be written down. Use lab.config(Class, option=...).")
    paths = list(class_paths(found.as_dict()))
    below = [f"{option}={_text(part)}" for option, part in _changed(found).items()]
    for path in paths:
        _check_path(name, path)
    return Said(found.class_path, below), _strange(paths)


def _changed(found: Specification) -> Mapping[str, object]:
    cls = getattr(sys.modules[found.class_path.rpartition(".")[0]], found.name)
    defaults = {name: plain(option.default) for name, option in options(cls).items() if option.default is not REQUIRED}
    return {name: part for name, part in found.init_args.items() if name not in defaults or defaults[name] != part}


def _path_of(name: str, value: "type | FunctionType") -> str:
    """The dotted path of a class or a function."""
    path = class_path_of(value) if isinstance(value, type) else f"{value.__module__}.{value.__qualname__}"
    _check_path(name, path)
    return path


def _check_path(name: str, path: str) -> None:
    """Refuse what cannot be imported, and say what only this session has."""
    if path.endswith("<lambda>"):
        raise LabError(f"{name}: a lambda has no name by which it is found again. Write def make(): ... in its place.")
    if "<locals>" in path:
        raise LabError(
            f"{name}: {path.rpartition('.')[2]} is defined within a function, where nobody finds it again. "
            "Define it at the top of a file, or of the session."
        )
    if path.startswith(f"{_SESSION}."):
        _tell_session(path)


def _tell_session(what: str, why: str = "") -> None:
    because = f" ({why})" if why else ""
    note_session(
        f"note: {what.rpartition('.')[2]} is of this session alone{because}, in which all works. Another process can "
        "neither test nor go on with this run later. Define it in a file, such as my_lab.py, and import it from there."
    )


def _strange(paths: Sequence[str]) -> list[str]:
    return [path for path in dict.fromkeys(paths) if not may_name(path, ()) and not path.startswith("torchvision.")]


def _is_path(value: object) -> bool:
    return isinstance(value, str) and "." in value and all(part.isidentifier() for part in value.split("."))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(plain(value))
