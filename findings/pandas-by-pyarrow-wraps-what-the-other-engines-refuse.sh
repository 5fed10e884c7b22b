#!/usr/bin/env bash
# Guess: engine="pyarrow" reads the same CSV faster, and refuses what does not fit the type that is asked for.
# What happens: as uint8 it turns 256 into 0, 300 into 44 and -1 into 255 where the engines c and python raise.
# Whom it hurts: whoever reads pixels or labels from a CSV as uint8: a wrong file becomes a wrong picture.
set -euo pipefail
source "$(dirname "$0")/packages" pandas==3.1.1 pyarrow==26.0.1

run <<'PYTHON'
import io

import pandas as pd

for engine in ("c", "python", "pyarrow"):
    try:
        print(engine, pd.read_csv(io.BytesIO(b"pixel\n255\n256\n300\n-1\n"), dtype="uint8", engine=engine).pixel.tolist())
    except ValueError:
        print(engine, "refuses it")
PYTHON
expect <<'SEEN'
c refuses it
python refuses it
pyarrow [255, 0, 44, 255]
SEEN
