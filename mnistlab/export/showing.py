"""A net whose stages can be seen, and parts of them switched off; and where it looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from mnistlab.export.graph import Answering, Subject
from mnistlab.nets import Backbone, Net
from mnistlab.nets.attribution import attention_rollout, suitable

_MAP, _TOKENS = 4, 3  # dimensions of maps (batch, channels, y, x) and of tokens (batch, token, channel)


class Showing(nn.Module):
    """The net, which gives what each stage gives besides, in its order.

    Args:
        net: From images to probabilities.
    """

    def __init__(self, net: Answering) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor, masks: list[Tensor]) -> tuple[Tensor, ...]:
        """The probabilities of each head, then the output of each stage.

        Shape: (batch, channels, height, width) uint8, and (channels,) for each stage, by which its channels are
        multiplied -> (batch, classes) for each head, (batch, ...) for each stage.
        """
        net = self.net.model.net
        if not isinstance(net, Net):
            return self.net(images)  # type: ignore[no-any-return]  # a module
        found, x = [], self.net.normalized(images)
        for stage, mask in zip(net.backbone.children(), masks, strict=True):
            x = _masked(stage(x), mask)
            found.append(x)
        return (*self.net.probabilities(_logits(net, x)), *found)


@dataclass(frozen=True)
class Stage:
    """How the output of a stage lies there: channel c has its value of (y, x) at offset + c * steps[0] + ...

    Attributes:
        name: Of the stage.
        shape: Channels, height and width of each one's map; 1 and 1 where it is a single number.
        steps: How far apart neighbours stand.
        offset: Where the first one stands.
    """

    name: str
    shape: tuple[int, int, int]
    steps: tuple[int, int, int]
    offset: int = 0


def stages_of(subject: Subject) -> list[Stage]:
    """The stages of a net; none of one that has no named stages."""
    net = subject.alone.model.net
    if not isinstance(net, Net):
        return []
    with torch.no_grad():
        images = subject.alone.normalized(torch.zeros(1, *subject.shape, dtype=torch.uint8))
        return [_stage(name, value) for name, value in net.backbone.features(images).items()]


def features_of(subject: Subject, images: Tensor) -> Tensor | None:
    """What the last stage gives for uint8 images, (n, features); None where there is no such stage."""
    net = subject.alone.model.net
    if not isinstance(net, Net):
        return None
    with torch.inference_mode():
        return net.backbone(subject.alone.normalized(images)).flatten(1)  # type: ignore[no-any-return]  # a module


def traced(subject: Subject, stages: list[Stage]) -> torch.export.ExportedProgram:
    """The graph of a net and its stages for one image, whose inputs are the image and what each stage is masked by."""
    images = torch.zeros(1, *subject.shape, dtype=torch.uint8)
    with torch.no_grad():
        return torch.export.export(
            Showing(subject.alone).eval(), (images, [torch.ones(each.shape[0]) for each in stages])
        )


@dataclass(frozen=True)
class Heat:
    """Where a net looks.

    Attributes:
        method: As `explain` has it.
        stage: The stage whose output comes first; None where the normalized image does.
        graph: From that, and 1 for the class that is looked for, 0 for others, to (1, rows, columns), not scaled.
        shape: Rows and columns.
    """

    method: str
    stage: str | None
    graph: torch.export.ExportedProgram
    shape: tuple[int, int]


def heat_of(subject: Subject) -> Heat | None:
    """What `explain` takes for a net; None for one without named stages."""
    net = subject.alone.model.net
    if not isinstance(net, Net):
        return None
    images = torch.zeros(1, *subject.shape)
    method = suitable(net, images)
    name, start = _start(net, images) if method == "gradcam" else (None, images)
    wanted = torch.zeros(1, next(iter(subject.heads.values())))
    look: nn.Module = _Attention(net.backbone)
    if method != "attention":
        look = make_fx(partial(_look, net, _after(net.backbone, name), method))(start, wanted)
    with torch.no_grad():
        rows, columns = look(start, wanted).shape[-2:]
        return Heat(method, name, torch.export.export(look, (start, wanted)), (rows, columns))


def _look(net: Net, later: list[nn.Module], method: str, x: Tensor, wanted: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    y = x
    for stage in later:
        y = stage(y)
    (gradient,) = torch.autograd.grad((next(iter(net.heads.values()))(y) * wanted).sum(), x)
    if method == "gradient":
        return gradient.abs().sum(dim=1)
    return (gradient.mean(dim=(2, 3), keepdim=True) * x.detach()).sum(dim=1).relu()


class _Attention(nn.Module):
    """What the class token looks at, whatever is wanted."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self._backbone = backbone

    def forward(self, x: Tensor, wanted: Tensor) -> Tensor:
        return attention_rollout(self._backbone, x)


def _start(net: Net, images: Tensor) -> tuple[str, Tensor]:
    """The stage that Grad-CAM looks at, the last one whose maps have 4 x 4 places, and its output."""
    with torch.no_grad():
        features = net.backbone.features(images)
    name = [each for each, x in features.items() if x.dim() == _MAP and min(x.shape[-2:]) >= _MAP][-1]
    return name, features[name]


def _after(backbone: Backbone, name: str | None) -> list[nn.Module]:
    names = [each for each, _ in backbone.named_children()]
    return list(backbone.children())[names.index(name) + 1 if name else 0 :]


def _logits(net: Net, features: Tensor) -> Mapping[str, Tensor]:
    return {name: head(features) for name, head in net.heads.items()}


def _masked(x: Tensor, mask: Tensor) -> Tensor:
    return x * (mask.view(-1, 1, 1) if x.dim() == _MAP else mask)


def _stage(name: str, value: Tensor) -> Stage:
    shape: Any = tuple(value.shape[1:])
    if value.dim() == _MAP:
        channels, height, width = shape
        return Stage(name, shape, (height * width, width, 1))
    if value.dim() == _TOKENS:
        tokens, channels = shape
        for first in (0, 1):  # a class token may come before the patches
            side = isqrt(tokens - first)
            if side * side == tokens - first:
                return Stage(name, (channels, side, side), (1, side * channels, channels), first * channels)
        return Stage(name, (channels, 1, tokens), (1, 0, channels))
    return Stage(name, (value[0].numel(), 1, 1), (1, 0, 0))
