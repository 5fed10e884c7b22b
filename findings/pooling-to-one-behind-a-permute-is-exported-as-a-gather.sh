#!/usr/bin/env bash
# Guess: nn.AdaptiveAvgPool2d(1) and the mean over height and width are one and the same to an exporter: a ReduceMean.
# An exported graph says what is computed, not how tensors lie in memory.
# What happens: where the image comes from a permute, as behind the layer norm of a ConvNeXt, torch's own decomposition
# keeps the memory format of the pooled image, which has one pixel: aten.as_strided stands in the graph, an operation
# about memory that most backends of one's own do not know. torch.onnx.export writes it out: index arithmetic from Shape,
# Range, Mul and Add, and a Gather from the flattened tensor. The mean by hand is one ReduceMean. The numbers are equal.
# Whom it hurts: whoever walks exported graphs, or runs such a model where Range and Gather are slow or not supported
# (quantizers, microcontrollers, phones), and looks for the cause in the layer norm.
set -euo pipefail
source "$(dirname "$0")/packages" torch==2.14.1 numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2

run <<'PYTHON'
import logging
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


class Normed(nn.Module):
    def __init__(self, pool):
        super().__init__()
        self.norm, self.pool = nn.LayerNorm(8), pool

    def forward(self, images):
        return self.pool(self.norm(images.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)).flatten(1)


class Mean(nn.Module):
    def forward(self, images):
        return images.mean((2, 3), keepdim=True)


for name, pool in {"AdaptiveAvgPool2d(1)": nn.AdaptiveAvgPool2d(1), "mean by hand": Mean()}.items():
    net, images = Normed(pool).eval(), torch.zeros(2, 8, 5, 5)
    graph = torch.export.export(net, (images,)).run_decompositions().graph
    called = [node.target.__name__ for node in graph.nodes if node.op == "call_function"]
    print(f"{name}: {', '.join(each for each in called if 'strided' in each or 'mean' in each)}")
    dynamic = {"images": {0: "batch"}}
    model = torch.onnx.export(net, (images,), dynamic_shapes=dynamic, dynamo=True, verbose=False).model
    nodes = [node.op_type for node in model.graph]
    print(f"  ONNX: {', '.join(sorted(set(nodes)))}")
PYTHON
expect <<'SEEN'
AdaptiveAvgPool2d(1): mean.dim, as_strided.default
  ONNX: Add, Gather, LayerNormalization, Mul, Range, ReduceMean, Reshape, Shape, Squeeze, Transpose, Unsqueeze
mean by hand: mean.dim
  ONNX: LayerNormalization, ReduceMean, Reshape, Transpose
SEEN
