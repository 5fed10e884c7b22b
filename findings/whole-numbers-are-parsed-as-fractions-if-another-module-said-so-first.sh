#!/usr/bin/env bash
# Guess: an option annotated list[int | float] by typing's Union gives [1] for 1, whatever else the program has imported.
# What happens: typing keeps one object for List[Union[int, float]] and List[Union[float, int]], the one that was written
# first; jsonargparse tries a union's types in their order. So 1 is 1.0 once any imported module has the other order.
# Whom it hurts: whoever tells 1 (one batch) from 1.0 (all of them) by the type of the number.
# Seen with Python 3.11 and unions that are written with typing.Union, as in most libraries.
set -euo pipefail
source "$(dirname "$0")/packages" jsonargparse==4.53.0

run <<'PYTHON'
import subprocess
import sys

PROGRAM = """
from typing import List, Union
from jsonargparse import ArgumentParser
parser = ArgumentParser()
parser.add_argument("--batches", type=List[Union[int, float]])
print(parser.parse_args(["--batches=[1]"]).batches)
"""
for first in ("", "import typing; typing.List[typing.Union[float, int]]"):
    print(first or "nothing before", "->", subprocess.check_output([sys.executable, "-c", first + PROGRAM], text=True).strip())
PYTHON
expect <<'SEEN'
nothing before -> [1]
import typing; typing.List[typing.Union[float, int]] -> [1.0]
SEEN
