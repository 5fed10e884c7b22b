"""What docstrings say of a class and of its options."""

import inspect
import re
from functools import cache

import docstring_parser

_SOURCE = re.compile(r"^Source: (.+?)(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


def summary(cls: type) -> str:
    """The first line of a docstring, of the class or of its `__init__`."""
    text = _own_doc(cls) or inspect.getdoc(vars(cls).get("__init__")) or ""
    return " ".join(re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0].split())


def source(cls: type) -> str:
    """Where a class is from, as its docstring says."""
    found = _SOURCE.search(_own_doc(cls))
    return " ".join(found[1].split()) if found else ""


def documented(cls: type, name: str) -> str:
    """What the docstrings of a class and its parents say of an option."""
    return next((texts[name] for owner in cls.__mro__ if name in (texts := _arguments(owner))), "")


@cache
def _arguments(owner: type) -> dict[str, str]:
    """What the docstrings of one class say of its arguments."""
    found: dict[str, str] = {}
    for text in (owner.__doc__, getattr(vars(owner).get("__init__"), "__doc__", None)):
        for param in docstring_parser.parse(text or "").params:
            if param.description:
                found.setdefault(param.arg_name, " ".join(param.description.split()))
    return found


def _own_doc(cls: type) -> str:
    """The docstring of the class itself; a parent's is about something else."""
    return inspect.cleandoc(vars(cls).get("__doc__") or "")
