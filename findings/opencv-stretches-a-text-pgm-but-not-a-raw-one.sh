#!/usr/bin/env bash
# Guess: the two forms of one PGM, as text (P2) and raw (P5), are the same picture.
# What happens: with a largest value of 15, OpenCV stretches the text form to 0..255 and leaves the raw form at 0..15;
# Pillow stretches both.
# Whom it hurts: whoever reads small digits in few grey levels, such as the 16 levels of older sets: one form is nearly
# black, and a net says nothing sensible about it.
set -euo pipefail
source "$(dirname "$0")/packages" numpy==2.4.6 pillow==13.0.0 opencv-python-headless==5.0.0.93

run <<'PYTHON'
import io

import cv2
import numpy as np
from PIL import Image

for name, data in {"text": b"P2\n3 1\n15\n0 7 15\n", "raw": b"P5\n3 1\n15\n" + bytes([0, 7, 15])}.items():
    opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    print(name, "OpenCV", opencv.tolist(), "Pillow", np.asarray(Image.open(io.BytesIO(data))).tolist())
PYTHON
expect <<'SEEN'
text OpenCV [[0, 119, 255]] Pillow [[0, 119, 255]]
raw OpenCV [[0, 7, 15]] Pillow [[0, 119, 255]]
SEEN
