#!/usr/bin/env bash
# Guess: Pillow's BOX is the average over the area of each new pixel, so every old pixel counts the same.
# What happens: a new pixel is the plain mean of the old ones whose centre lies in it. From 28 to 20 that is one or two, so
# old columns have a weight of 1 or of 1/2, in turn, and none has the 20/28 that OpenCV's INTER_AREA gives to each.
# Whom it hurts: whoever brings digits of 28 pixels into MNIST's box of 20 by an "area average": thin strokes change their
# ink by their place.
set -euo pipefail
source "$(dirname "$0")/packages" numpy==2.4.6 pillow==13.0.0 opencv-python-headless==5.0.0.93

run <<'PYTHON'
import cv2
import numpy as np
from PIL import Image

line = np.eye(28, dtype=np.float32)
pillow = [float(np.asarray(Image.fromarray(each[None]).resize((20, 1), Image.Resampling.BOX)).sum()) for each in line]
area = [float(cv2.resize(each[None], (20, 1), interpolation=cv2.INTER_AREA).sum()) for each in line]
print("Pillow", sorted({round(weight, 3) for weight in pillow}), pillow[:7])
print("OpenCV", sorted({round(weight, 3) for weight in area}))
PYTHON
expect <<'SEEN'
Pillow [0.5, 1.0] [1.0, 0.5, 0.5, 1.0, 0.5, 0.5, 1.0]
OpenCV [0.714]
SEEN
