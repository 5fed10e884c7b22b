"""What the C library does at each step that a run does not need, put off until its end."""

import ctypes
from contextlib import suppress


def keep_freed_memory() -> None:
    """Let this process keep the memory that it has freed, for the next step.

    A step of a convolution frees a hundred megabytes, which the C library gives back to the system; the next step has
    every page of it cleared and mapped anew: a quarter of its time. Only GNU's library knows these settings, and does
    not mind a second call.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)


def give_back_memory() -> None:
    """Give back to the system what this process has freed and kept since, once it makes no more steps."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


# The numbers of malloc.h; larger blocks than this are rare.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE = 2**30
