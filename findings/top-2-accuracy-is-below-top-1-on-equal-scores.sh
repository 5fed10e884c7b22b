#!/usr/bin/env bash
# Guess: whatever is right among the best one is right among the best two, so top-2 accuracy is at least top-1.
# What happens: torchmetrics takes argmax for k=1 and torch.topk for more. Of equal scores argmax names the first class and
# topk others, so that an answer which counts for k=1 does not for k=2.
# Whom it hurts: whoever reports top-1 and top-5 of a net whose scores tie: quantized, saturated, or hardly trained.
set -euo pipefail
source "$(dirname "$0")/packages" torch==2.14.1 torchmetrics==1.9.0

run <<'PYTHON'
import torch
from torchmetrics.functional.classification import multiclass_accuracy

scores, target = torch.zeros(100, 10), torch.zeros(100, dtype=torch.long)
for k in (1, 2, 3):
    print(f"top-{k}:", float(multiclass_accuracy(scores, target, num_classes=10, top_k=k, average="micro")))
print("argmax names 0:", scores.argmax(dim=1).unique().tolist() == [0])
print("topk(2) names 0:", 0 in scores.topk(2).indices)
PYTHON
expect <<'SEEN'
top-1: 1.0
top-2: 0.0
top-3: 0.0
argmax names 0: True
topk(2) names 0: False
SEEN
