#!/usr/bin/env bash
# Guess: FlopCounterMode counts the same for a net on any device: the multiply-adds do not depend on where they are done.
# What happens: on a CPU scaled_dot_product_attention counts as nothing, since its fused kernel there is none of those
# that the counter knows; the same attention written as two products, or by the kernel that does these, counts in full.
# So a layer of a transformer counts in full while it trains, with dropout, and for less when it does not. No word says so.
# Whom it hurts: whoever compares transformers with other nets by FLOPs that were counted on a CPU: they look cheaper.
set -euo pipefail
source "$(dirname "$0")/packages" torch==2.14.1

run <<'PYTHON'
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

tokens = torch.ones(1, 4, 50, 16)  # batch, heads, tokens, features: 2 * 2 * 4 * 50 * 50 * 16 operations


def counted(what):
    with FlopCounterMode(display=False) as counter:
        what()
    return counter.get_total_flops()


print("fused", counted(lambda: scaled_dot_product_attention(tokens, tokens, tokens)))
print("two products", counted(lambda: (tokens @ tokens.transpose(-1, -2) / 4).softmax(-1) @ tokens))
with sdpa_kernel(SDPBackend.MATH):
    print("not fused", counted(lambda: scaled_dot_product_attention(tokens, tokens, tokens)))
layer = torch.nn.TransformerEncoderLayer(64, 4, 256, batch_first=True)
for training in (True, False):
    print("a layer,", "training" if training else "not training", counted(lambda: layer.train(training)(torch.ones(1, 50, 64))))
PYTHON
expect <<'SEEN'
fused 0
two products 640000
not fused 640000
a layer, training 5555200
a layer, not training 4915200
SEEN
