"""What is installed."""

from functools import cache
from importlib import metadata


@cache
def installed(name: str) -> str:
    """The version of a package. A process asks once: it takes reading the package's whole description.

    Raises:
        PackageNotFoundError: If there is none of this name.
    """
    return metadata.version(name)
