#!/usr/bin/env bash
# Guess: v2.ToDtype(torch.uint8, scale=True) takes 1.0 to 255 from every floating type.
# What happens: from float16 and bfloat16 it takes 1.0 to 0, since the number just below 256 that it multiplies by is
# 256 in these types; from float32 all is right.
# Whom it hurts: whoever saves pictures that a net in half precision has made: white becomes black.
set -euo pipefail
source "$(dirname "$0")/packages" torch==2.14.1 torchvision==0.29.1

run <<'PYTHON'
import torch
from torchvision.transforms import v2

for dtype in (torch.float32, torch.float16, torch.bfloat16):
    image = torch.tensor([[[0.0, 0.5, 0.75, 1.0]]], dtype=dtype)
    print(dtype, v2.ToDtype(torch.uint8, scale=True)(image).flatten().tolist())
PYTHON
expect <<'SEEN'
torch.float32 [0, 127, 191, 255]
torch.float16 [0, 128, 192, 0]
torch.bfloat16 [0, 128, 192, 0]
SEEN
