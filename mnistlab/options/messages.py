"""The words of an error: what would have been right."""

from collections.abc import Mapping, Sequence

from mnistlab.options.entries import ClassEntry, OptionEntry
from mnistlab.options.kinds import Type, expected, named
from mnistlab.options.notation import scalar
from mnistlab.options.written import Source, Written
from mnistlab.text.nearest import said, suggestion
from mnistlab.text.values import cut

_LONGEST = 80
"""Characters that are shown of a wrong value."""

_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def options_of(entry: ClassEntry) -> str:
    """The names of a class's options, for a sentence."""
    return ", ".join(entry.by_name) or "no options"


def came(value: object) -> str:
    """A value that came instead, a mapping without the signs around it, and no more of it than is read."""
    if isinstance(value, Mapping):
        text = ", ".join(f"{name}: {came(part)}" for name, part in value.items())
    else:
        text = f"[{', '.join(map(came, value))}]" if isinstance(value, list) else str(value)
    return cut(text, _LONGEST)


def meant(value: object, type_: Type) -> str:
    """' Did you mean true?', or how the text is written that was taken for something else."""
    if not isinstance(value, str):
        return ""
    kinds = {kind.name for kind in type_}
    if "boolean" in kinds and value.lower() in _SWITCHES:
        return said([_SWITCHES[value.lower()]])
    if "text" in kinds and value == "null":
        return " The text null is written literal:null."
    number = scalar(value)
    return said([str(int(number))]) if isinstance(number, float) and number.is_integer() else ""


def refused(
    option: OptionEntry, owner: ClassEntry | None, last: Written, written: object, classes: Sequence[str]
) -> str:
    """Why an option does not take what was written.

    Args:
        option: The option.
        owner: The class whose option it is.
        last: Who wrote the value, or the last part of it.
        written: The value.
        classes: The names of classes that it takes.
    """
    whose = f" of {owner.name}" if owner else ""
    hint = meant(written, option.takes) or suggestion(str(last.value), [*named(option.takes), *classes])
    nothing = last.value == "" or (last.value is True and last.source is Source.COMMAND_LINE)
    got = "nothing" if nothing else came(written)
    return f"{last.where}: {option.name}{whose} must be {expected(option.takes)}, got {got}.{hint}"


def needed(key: str, option: OptionEntry, owner: ClassEntry, origin: Written | None) -> str:
    """Why a class cannot be made without an option that nobody has given.

    Args:
        key: The option as it is typed.
        option: The option.
        owner: The class.
        origin: Who chose the class.
    """
    where = f"{origin.where}: " if origin else ""
    way_out = "Give it there." if origin and origin.source is Source.FILE else f"Add --{key}=..."
    return f"{where}{owner.name} needs {option.name}, {expected(option.takes)}. {way_out}"
