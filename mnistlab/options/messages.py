"""The words of an error: what would have been right."""

from collections.abc import Mapping

from mnistlab.options.entries import ClassEntry
from mnistlab.options.kinds import Type
from mnistlab.options.notation import scalar
from mnistlab.text.nearest import said

_LONGEST = 200
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
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


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
