"""What docstrings say of a class and of its options, without markup."""

import inspect
import re
from functools import cache

import docstring_parser

from mnistlab.text.words import cleaned, first_sentence

_SOURCE = re.compile(r"^Source: (.+?)(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)
_DEFAULT = re.compile(
    r"\s*(?:\(defaults?:? ?(?:[^()]|\([^()]*\))*\)|\bDefault: (?:\"[^\"]*\"|'[^']*'|\([^()]*\)|\S+?)(?:\.?(?=\s|$)))",
    re.IGNORECASE,
)
"""What others say of a default; the default itself stands beside the option."""

_LEAD = re.compile(
    r"^(?:(?:\w+ )?[Ii]mplements (?:the )?|Creates a criterion that (?:measures|uses|optimizes) (?:the )?"
    r"|This criterion computes |This loss )"
)
_INNER = r"[^()]*(?:\([^()]*\)[^()]*)*"
_FILLING = re.compile(rf" (?:of|in) each parameter group|`|\s*\({_INNER}\\{_INNER}\)")
"""What says nothing in one line: that a rate has groups, quotes, and formulas in LaTeX."""


def summary(cls: type) -> str:
    """What a class is: the first paragraph of its docstring, or of that of its `__init__`.

    Of a class of another package the first sentence is enough.
    """
    text = _own_doc(cls) or inspect.getdoc(vars(cls).get("__init__")) or ""
    paragraph = " ".join(re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0].split())
    if not cls.__module__.startswith(("torch.", "lightning.")):
        return cleaned(paragraph)
    words = _FILLING.sub("", _LEAD.sub("", first_sentence(cleaned(paragraph))))
    return _capital(words.removesuffix(":").removesuffix(".") + "." if words else "")


def source(cls: type) -> str:
    """Where a class is from, as its docstring says, or of a size that of its family in the same file."""
    family = [each for each in cls.__mro__ if each.__module__ == cls.__module__]
    found = next((match for each in family if (match := _SOURCE.search(_own_doc(each)))), None)
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
            words = _DEFAULT.sub("", cleaned(param.description or ""))
            if words:
                found.setdefault(param.arg_name, _capital(words))
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _own_doc(cls: type) -> str:
    """The docstring of the class itself; a parent's is about something else."""
    return inspect.cleandoc(vars(cls).get("__doc__") or "")
