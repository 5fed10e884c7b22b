"""From a specification to an object."""

from collections.abc import Mapping
from typing import TypeVar

from jsonargparse import ArgumentError, ArgumentParser

from mnistlab.errors import LabError

T = TypeVar("T")


def build(base: type[T], specification: Mapping[str, object]) -> T:
    """Make the object that a specification describes: a descendant of `base`, its nested parts first.

    The class must have been looked up and trusted by the caller.

    Raises:
        LabError: If the options do not fit the class.
        ValueError: If the class refuses them.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(base, "made")
    try:
        config = parser.parse_object({"made": dict(specification)})
    except ArgumentError as error:
        raise LabError(f"{specification['class_path']} cannot be made as written down: {error}") from error
    made = parser.instantiate(config).made
    assert isinstance(made, base)
    return made
