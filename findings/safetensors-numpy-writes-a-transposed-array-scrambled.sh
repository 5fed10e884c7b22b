#!/usr/bin/env bash
# Guess: an array that is saved and loaded is the same array, or saving refuses it, as safetensors.torch does.
# What happens: safetensors.numpy writes the memory below a view in its own order under the shape of the view: transposed,
# column-major and sliced arrays come back with their values in other places, without a word.
# Whom it hurts: whoever exports weights from a layout with (in, out) by `.T`, or saves columns of a table.
# Way out: numpy.ascontiguousarray before saving.
set -euo pipefail
source "$(dirname "$0")/packages" numpy==2.4.6 safetensors==0.8.0

run <<'PYTHON'
import numpy as np
from safetensors.numpy import load, save

table = np.arange(6, dtype=np.float32).reshape(2, 3)
for name, array in {"whole": table, "transposed": table.T, "two columns": table[:, :2], "copy": table.T.copy()}.items():
    back = load(save({name: array}))[name]
    print(f"{name}, {'same' if np.array_equal(array, back) else 'other'}: {array.tolist()} -> {back.tolist()}")
PYTHON
expect <<'SEEN'
whole, same: [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]] -> [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
transposed, other: [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]] -> [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
two columns, other: [[0.0, 1.0], [3.0, 4.0]] -> [[0.0, 1.0], [2.0, 3.0]]
copy, same: [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]] -> [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
SEEN
