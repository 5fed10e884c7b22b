"""Help screens, from signatures and docstrings."""

import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import replace

import docstring_parser

from mnistlab.classes import find_class, listed
from mnistlab.config import Section
from mnistlab.errors import LabError
from mnistlab.invocation import Invocation
from mnistlab.messages import expected
from mnistlab.nearest import suggestion
from mnistlab.signatures import REQUIRED, Option, Slot, options
from mnistlab.specification import default_of_slot

_STEERING = {
    "--config": "a YAML file, or the name of a preset; several are merged from left to right",
    "--ckpt_path": "a checkpoint, the folder of a run, best, or last",
    "--trust": "packages whose classes a checkpoint may name",
    "--untrained": "measure random weights on purpose (validate, test, predict)",
    "--print_config": "show the whole configuration and stop",
    "--debug": "show where an error comes from",
}


def show_help(invocation: Invocation, root: type, sections: Mapping[str, Section]) -> None:
    """Print the help that was asked for.

    Raises:
        LabError: If there is no such section or class.
    """
    asked = next((entry for entry in invocation.typed if entry.key[-1] == "help"), None)
    if asked is not None:
        _option_help(asked.key[:-1], None if asked.value is True else str(asked.value), sections)
    elif invocation.help_for:
        _option_help(tuple(invocation.help_for.split(".")), None, sections)
    else:
        _command_help(invocation.command, root, sections)


def _command_help(command: str, root: type, sections: Mapping[str, Section]) -> None:
    print(f"Usage: mnistlab {command} [--option=value ...]\n")
    for name, text in _STEERING.items():
        print(f"  {name:<22} {text}")
    for option in options(root).values():
        _print_option("", root, option)
    for name, section in sections.items():
        if section.chosen:
            default = f" (default {section.default.__name__})" if section.default else ""
            print(f"\n  --{name}=CLASS{default}: {', '.join(listed((section.cls,)))}")
            print(f"      options: --{name}.help=CLASS")
        else:
            print(f"\n  --{name}.*: {_summary(section.cls)} --{name}.help")


def _option_help(key: tuple[str, ...], chosen: str | None, sections: Mapping[str, Section]) -> None:
    section = sections.get(key[0])
    if section is None:
        raise LabError(f"--help={key[0]}: there is no such section.{suggestion(key[0], sections)}")
    slot = Slot((section.cls,))
    cls: type | None = section.default or section.cls
    for part in key[1:]:
        option = options(cls, factory=slot.factory).get(part) if cls else None
        if cls is None or option is None or option.slot is None:
            owner = cls.__name__ if cls else key[0]
            raise LabError(f"--{'.'.join(key)}.help: {owner} has no {part} with options of its own.")
        default = default_of_slot(cls, option, factory=slot.factory)
        slot = option.slot
        cls = find_class(str(default["class_path"]), slot.bases, part) if default else None
    if chosen is not None:
        cls = _chosen(chosen, key, slot)
    if cls is not None:
        defaults = section.defaults if len(key) == 1 else {}
        _class_help(cls, ".".join(key), defaults, factory=slot.factory)
    if section.chosen or len(key) > 1:
        names = textwrap.fill(", ".join(listed(slot.bases)), 100, initial_indent="  ", subsequent_indent="  ")
        print(f"\n--{'.'.join(key)}=CLASS takes one of\n{names}\n--{'.'.join(key)}.help=CLASS lists its options.")


def _chosen(name: str, key: tuple[str, ...], slot: Slot) -> type:
    cls = find_class(name, slot.bases, f"--{'.'.join(key)}.help={name}")
    if cls is None:
        known = listed(slot.bases)
        raise LabError(f"no {key[-1]} is called {name}.{suggestion(name, known)} There are {', '.join(known)}.")
    return cls


def _class_help(cls: type, prefix: str, defaults: Mapping[str, object], *, factory: bool) -> None:
    print(f"{cls.__name__}: {_summary(cls)}\n")
    for name, option in options(cls, factory=factory).items():
        shown = replace(option, default=defaults.get(name, option.default))
        _print_option(f"{prefix}.", cls, shown, factory=factory)


def _print_option(prefix: str, cls: type, option: Option, *, factory: bool = False) -> None:
    if option.slot is not None and not option.slot.plain:
        default = default_of_slot(cls, option, factory=factory)
        state = f"a class, {str(default['class_path']).rpartition('.')[2]}" if default else "a class, none"
    else:
        shown = "required" if option.default is REQUIRED else _shown(option.default)
        state = f"{expected(option.annotation)}, {shown}" if not isinstance(option.annotation, str) else shown
    print(f"  --{prefix}{option.name}  [{state}]")
    text = documented(cls, option.name)
    if text:
        print(textwrap.fill(text, 100, initial_indent="      ", subsequent_indent="      "))


def _shown(default: object) -> str:
    if default is None:
        return "null"
    return str(default).lower() if isinstance(default, bool) else str(default)


def documented(cls: type, name: str) -> str:
    """What the docstrings of a class and its parents say of an option."""
    for owner in cls.__mro__:
        for text in (owner.__doc__, getattr(vars(owner).get("__init__"), "__doc__", None)):
            for param in docstring_parser.parse(text or "").params:
                if param.arg_name == name and param.description:
                    return " ".join(param.description.split())
    return ""


def _summary(cls: type) -> str:
    """The first line of a docstring, of the class or of its `__init__`."""
    text = inspect.getdoc(cls) or inspect.getdoc(vars(cls).get("__init__")) or ""
    return text.partition("\n")[0]
