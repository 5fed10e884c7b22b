"""What `mnistlab doctor` has found out."""

from typing import NamedTuple


class Finding(NamedTuple):
    """The outcome of a check."""

    name: str
    state: str  # `good`, `note` where something could be better, or `bad`
    text: str
    way_out: str = ""  # what to do about it
