#!/usr/bin/env bash
# Guess: scikit-learn reads a libsvm file with features from 0 as it was written by scikit-learn itself.
# What happens: zero_based="auto" calls a file one-based if feature 0 never occurs. In sparse digits the first pixel is
# black in every picture, so every pixel moves by one, and a row of 28 ends in the next one.
# Whom it hurts: whoever writes digits with dump_svmlight_file, reads them with the defaults, and reshapes to 28 by 28 or
# puts them beside another file in which the corner is not black.
# Way out: zero_based=True and n_features when reading.
set -euo pipefail
source "$(dirname "$0")/packages" numpy==2.4.6 scikit-learn==1.9.1

run <<'PYTHON'
import io

import numpy as np
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

pictures = np.array([[0, 5, 0, 7], [0, 0, 3, 1]])
for name, corner in {"black corner": 0, "a spot in the corner": 9}.items():
    pictures[0, 0] = corner
    file = io.BytesIO()
    dump_svmlight_file(pictures, [0, 1], file)
    read, _ = load_svmlight_file(io.BytesIO(file.getvalue()))
    print(f"{name}: {pictures.tolist()} -> {read.toarray().astype(int).tolist()}")
PYTHON
expect <<'SEEN'
black corner: [[0, 5, 0, 7], [0, 0, 3, 1]] -> [[5, 0, 7], [0, 3, 1]]
a spot in the corner: [[9, 5, 0, 7], [0, 0, 3, 1]] -> [[9, 5, 0, 7], [0, 0, 3, 1]]
SEEN
