#!/usr/bin/env bash
# Guess: matplotlib.image.imread gives a grey PNG as floats from 0 to 1, as its documentation says.
# What happens: it divides by the largest value of the file's bit depth what Pillow has stretched to 255 already: a PNG of
# four bits goes up to 17, one of two bits up to 85; those of one and eight bits are right.
# Whom it hurts: whoever reads scans that a tool has saved with few grey levels to save room.
set -euo pipefail
source "$(dirname "$0")/packages" matplotlib==3.11.2 pillow==13.0.0

run <<'PYTHON'
import io
import struct
import zlib

import matplotlib.image


def grey_png(bits, values):
    text = "".join(format(value, f"0{bits}b") for value in values)
    row = b"\0" + int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", len(values), 1, bits, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(row)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


for bits in (1, 2, 4, 8):
    picture = matplotlib.image.imread(io.BytesIO(grey_png(bits, [0, 2**bits - 1])))
    print(f"{bits} bits: black {float(picture.min())}, white {float(picture.max())}")
PYTHON
expect <<'SEEN'
1 bits: black 0.0, white 1.0
2 bits: black 0.0, white 85.0
4 bits: black 0.0, white 17.0
8 bits: black 0.0, white 1.0
SEEN
