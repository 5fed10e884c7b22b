"""A net as one file of C99 that needs math.h, and nothing else."""

import ctypes
import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mnistlab.errors import LabError
from mnistlab.export.form import Form
from mnistlab.export.graph import Subject
from mnistlab.export.memory import placed, quantized
from mnistlab.export.operations import lower
from mnistlab.export.proof import Images, Probabilities, Runner
from mnistlab.export.writing import C, write_loops

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror")
_WIDTH = 120
_LEVELS = f"static const double level[256] = {{{', '.join(str(each - 128) for each in range(256))}}};\n"
"""Whole numbers of 8 bits as doubles: looking them up takes two thirds of the time of making them."""
_TEMPLATE = Path(__file__).with_name("net.c")


class CFile(Form):
    """One function, `mnistlab_run`, that fills the probabilities of one image.

    Args:
        int8: Whether weights are whole numbers of 8 bits, with a factor for each row: a quarter of the bytes.
    """

    is_code = True

    def __init__(self, *, int8: bool = False) -> None:
        self._int8 = int8
        self.exact = not int8

    def write(self, subject: Subject, path: Path) -> None:
        """Write a net into a file."""
        program = lower(subject.traced(1))
        program = quantized(program) if self._int8 else program
        (image,) = program.inputs
        places, size = placed(program)
        loads = {name: "level[128 + {0}]" for name, values in program.weights.items() if values.dtype == torch.int8}
        starts = np.cumsum([0, *subject.heads.values()])
        results = [
            f"for (int i = 0; i < {size}; i++) probabilities[{start} + i] = {view.array}[i];"
            for view, size, start in zip(program.outputs, subject.heads.values(), starts, strict=False)
        ]
        channels, height, width = subject.shape
        text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
            about="\n".join(f" * {line}" for line in _lines(subject)),
            channels=channels, height=height, width=width, outputs=sum(subject.heads.values()),
            classes=subject.heads[next(iter(subject.heads))], image=image.array,
            weights=(_LEVELS if self._int8 else "") + "\n".join(_array(*each) for each in program.weights.items()),
            size=size, bytes=4 * size,
            arrays="\n".join(f"static float *const {name} = memory + {place};" for name, place in places.items()),
            loops="\n    ".join([*write_loops(program, C, loads), *results]),
        )  # fmt: skip
        path.write_text(text, encoding="utf-8")

    def about(self, path: Path) -> Mapping[str, Any]:
        """What a file says of itself."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            end = lines.index(" * }")
            said: Mapping[str, Any] = json.loads("\n".join(line.removeprefix(" * ") for line in lines[1 : end + 1]))
        except (OSError, ValueError) as error:
            raise LabError(f"{path} is no file of mnistlab export.") from error
        return said

    @contextmanager
    def opened(self, path: Path, heads: Mapping[str, int]) -> Iterator[Runner]:
        """What runs the net of a file: it is compiled as anyone would."""
        compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
        if compiler is None:
            raise LabError(f"no C compiler is here ({', '.join(COMPILERS)}), so that the file cannot be tried.")
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder, "net.so")
            done = subprocess.run(  # noqa: S603 - our own file
                [compiler, *FLAGS, "-shared", "-fPIC", "-o", str(library), "-x", "c", str(path), "-lm"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise LabError(f"{compiler} does not compile it: {done.stderr.strip().splitlines()[0]}")
            yield _runner(ctypes.CDLL(str(library)).mnistlab_run, list(heads.values()))


def _lines(subject: Subject) -> list[str]:
    return [line.replace("*/", "* /") for line in json.dumps(subject.about, indent=1).splitlines()]


def _array(name: str, values: Tensor) -> str:
    """An array that is known."""
    whole = values.dtype == torch.int8
    kind, numbers = "int8_t" if whole else "float", list(map(str if whole else _float, values.tolist()))
    lines, line = [], ""
    for number in numbers:
        if len(line) + len(number) + 2 > _WIDTH:
            lines.append(line)
            line = ""
        line += f"{number}, "
    return f"static const {kind} {name}[{len(numbers)}] = {{\n" + "\n".join([*lines, line]) + "\n};"


def _float(number: float) -> str:
    """A float32 so that it is read as the very same."""
    if not math.isfinite(number):
        return "NAN" if math.isnan(number) else "-INFINITY" if number < 0 else "INFINITY"
    text = f"{number:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def _runner(function: Callable[..., None], sizes: Sequence[int]) -> Runner:
    def run(images: Images) -> Sequence[Probabilities]:
        images = np.ascontiguousarray(images)
        found = np.empty((len(images), sum(sizes)), np.float32)
        step, into = images[0].nbytes, found[0].nbytes
        for number in range(len(images)):
            function(
                ctypes.c_void_p(images.ctypes.data + number * step), ctypes.c_void_p(found.ctypes.data + number * into)
            )
        return np.split(found, np.cumsum(sizes)[:-1], axis=1)

    return run
