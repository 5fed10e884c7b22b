"""What a pickle would import, read without running any of it.

`torch.serialization.get_unsafe_globals_in_checkpoint` (torch 2.14) is no way: it reads archives of protocols 1 to 3
alone, no older file and no plain pickle, gives `subprocess.Popen` the name of Python 2, and knows no order.
"""

import io
import pickletools
import re
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING  # what Python's own unpickler goes by
from collections.abc import Iterator
from pathlib import Path

_MOST_BYTES = 64 << 20  # more than any honest checkpoint describes itself with
_PUT = ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT")
_GET = ("GET", "BINGET", "LONG_BINGET")
_TENSORS = re.compile(r"collections\.OrderedDict|torch\._utils\._rebuild_\w+|torch\.([A-Z]\w*|[a-z]+\d+|storage\.\w+)")


def names_in_pickle(path: Path) -> list[str]:
    """What a checkpoint would import besides what tensors need, by dotted name; empty for a file of another kind.

    Code can hide its names from such a reading. It runs no more for that: the list only tells what to look out for.
    """
    names = (name for stream in _pickles(path) for name in _names(stream))
    return [name for name in dict.fromkeys(names) if not _TENSORS.fullmatch(name)]


def _pickles(path: Path) -> Iterator[io.BytesIO]:
    try:
        if not zipfile.is_zipfile(path):
            with path.open("rb") as file:
                yield io.BytesIO(file.read(_MOST_BYTES))
            return
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".pkl"):
                    with archive.open(name) as member:
                        yield io.BytesIO(member.read(_MOST_BYTES))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):  # damaged, encrypted, packed otherwise
        return


def _names(stream: io.BytesIO) -> Iterator[str]:
    """The names in one pickle after the other, until one breaks off."""
    end = len(stream.getbuffer())
    try:
        while stream.tell() < end:
            yield from _names_in_one(stream)
    except (ValueError, OverflowError):
        return


def _names_in_one(stream: io.BytesIO) -> Iterator[str]:
    protocol = 0
    memo: dict[int, str | None] = {}
    texts: list[str | None] = []  # what lies on the stack of the pickle, as far as it is text
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "PROTO":
            protocol = int(str(argument))
        elif opcode.name in ("GLOBAL", "INST"):
            yield _present_name(str(argument)) if protocol < 3 else str(argument).replace(" ", ".")  # noqa: PLR2004
        elif opcode.name == "STACK_GLOBAL":
            yield ".".join(text or "?" for text in texts[-2:])
        if opcode.name in _PUT:
            memo[len(memo) if argument is None else int(str(argument))] = texts[-1] if texts else None
        elif opcode.name in _GET:
            texts.append(memo.get(int(str(argument))))
        elif opcode.name not in ("PROTO", "FRAME"):
            texts.append(argument if isinstance(argument, str) else None)


def _present_name(written: str) -> str:
    """The name that a pickle of the oldest protocols means: they have those of Python 2."""
    module, _, name = written.partition(" ")
    return ".".join(NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name)))
