#!/usr/bin/env bash
# Guess: with torch.use_deterministic_algorithms(True) the number of threads changes the time of a training step and not its
# bits; or if it changes them, then by the sums of large matrix products.
# What happens: BatchNorm1d of a batch of rows (n, c) has other outputs with 2 threads than with 1, even for a batch of 64
# by 8, and so has the gradient of a LayerNorm's weight; the same rows as one row of channels (1, c, n) have the same bits,
# as have a small Linear layer and its gradients. The mode says nothing of it.
# Whom it hurts: whoever compares two runs of one seed on machines with other numbers of cores, or in a job with a limit of
# them, and looks for the difference in the data or the net.
set -euo pipefail
source "$(dirname "$0")/packages" torch==2.14.1 numpy==2.4.6

run <<'PYTHON'
import torch
from torch import nn

torch.use_deterministic_algorithms(True)


def bits(layer, images):
    layer.zero_grad()
    out = layer(images)
    (out * torch.linspace(-1, 2, out.numel()).view(out.shape)).sum().backward()
    return out.detach(), [parameter.grad.clone() for parameter in layer.parameters()]


def same(layer, images):
    seen = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        seen.append(bits(layer, images))
    (first, grads), (second, others) = seen
    return torch.equal(first, second), all(map(torch.equal, grads, others))


torch.manual_seed(0)
rows = torch.randn(64, 8)
print("outputs, gradients the same with 1 and 2 threads")
print("BatchNorm1d of (64, 8)   ", *same(nn.BatchNorm1d(8), rows))
print("BatchNorm1d of (1, 8, 64)", *same(nn.BatchNorm1d(8), rows.t()[None].contiguous()))
print("LayerNorm of (64, 8)     ", *same(nn.LayerNorm(8), rows))
print("Linear of (64, 8)        ", *same(nn.Linear(8, 4), rows))
PYTHON
expect <<'SEEN'
outputs, gradients the same with 1 and 2 threads
BatchNorm1d of (64, 8)    False False
BatchNorm1d of (1, 8, 64) True True
LayerNorm of (64, 8)      True False
Linear of (64, 8)         True True
SEEN
