"""Addresses with a password: it is taken out where one is read, and put back only where one is opened.

So whatever is shown, written or passed on in between has a mask in its place, `http://bob:***@host`, and nobody need
think of it. A process knows the passwords that were typed, or stand in a file that was named; no other place has them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated

MASK = "***"
"""What stands where a password was."""

Address = Annotated[str, "address"]
"""The type of an option that takes one."""

_ANY = r"\b[A-Za-z][\w+.-]*://"
_NAME = r"[^\s:/@?#\"']*:"
_NO_PORT = r"(?!\d+(?:[/?#,}\]\s\"']|\Z))"
_HOST = r"(?:\[[0-9a-fA-F:.]*\]|[\w.-]*)(?::\d+)?"
_OF_USER = re.compile(
    rf"(?P<head>(?:https?://{_NAME}{_NO_PORT}|(?!https?:){_ANY}{_NAME}))(?P<secret>[^\s/?#]+|[^\s@]+)(?P<tail>@{_HOST})"
)
_QUERY = re.compile(rf"(?P<head>{_ANY}[^\s?\"']*\?)(?P<query>[^\s#\"']+)")
_IN_QUERY = re.compile(
    r"(?P<head>(?:^|(?<=&))[\w.-]*(?:passw(?:or)?d|pwd|token|secret|api_?key)=)(?P<secret>[^&]+?)(?=[,}\]]*(?:&|$))",
    re.IGNORECASE,
)

_known: dict[str, str] = {}  # the passwords, by what stands around each


def masked(text: str) -> str:
    """A text without the passwords of the addresses in it."""
    return _replaced(text, lambda _, __: MASK)


def kept_out(text: str, *, typed: bool = False) -> str:
    """The same, with the passwords remembered for who opens the addresses.

    Args:
        text: What somebody has written.
        typed: Whether that was the command line, which counts before all files.
    """

    def remembered(around: str, secret: str) -> str:
        if secret != MASK and (typed or around not in _known):
            _known[around] = secret
        return MASK

    return _replaced(text, remembered)


def opened(address: str) -> str:
    """An address with its password, where that is known."""
    return _replaced(address, lambda around, secret: _known.get(around, secret) if secret == MASK else secret)


def without_mask(address: str) -> str:
    """An address without the place of a password that is not known; itself where it is complete."""
    if not is_incomplete(address):
        return address
    front, _, query = address.partition("?")
    kept = "&".join(part for part in query.split("&") if not part.endswith(f"={MASK}"))
    return front.replace(f":{MASK}@", "@") + (f"?{kept}" if kept else "")


def in_texts(change: Callable[[str], str], data: object) -> object:
    """Plain data with something done to all texts in it, such as `kept_out` or `opened`."""
    if isinstance(data, str):
        return change(data)
    if isinstance(data, Mapping):
        return {name: in_texts(change, part) for name, part in data.items()}
    return [in_texts(change, part) for part in data] if isinstance(data, list) else data


def is_incomplete(address: str) -> bool:
    """Whether a password belongs into an address that is not known."""
    return MASK in opened(address)


def known() -> dict[str, str]:
    """All passwords, for a process that is to open the same addresses: `know` takes them there."""
    return dict(_known)


def know(passwords: Mapping[str, str]) -> None:
    """Take over the passwords of another process."""
    _known.update(passwords)


def _replaced(text: str, new: Callable[[str, str], str]) -> str:
    """A text with something in place of each password; `new` is given what stands around it, and itself."""
    if "://" not in text:
        return text

    def of_user(match: re.Match[str]) -> str:
        around = f"{match['head']}{MASK}{match['tail']}"
        return f"{match['head']}{new(around, match['secret'])}{match['tail']}"

    def of_query(match: re.Match[str]) -> str:
        head = _OF_USER.sub(rf"\g<head>{MASK}\g<tail>", match["head"])
        parts = _IN_QUERY.sub(lambda part: f"{part['head']}{new(head + part['head'], part['secret'])}", match["query"])
        return f"{match['head']}{parts}"

    return _QUERY.sub(of_query, _OF_USER.sub(of_user, text))
