"""What a net looks at: how much each pixel of an image has to do with the answer.

Nothing is hooked into the net: its stages are run one by one, so nothing can be left behind. A net of others has hooks
for as long as it runs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistlab.nets.parts import Attending, Backbone, Net
from mnistlab.text.nearest import suggestion

Method = Literal["auto", "gradcam", "attention", "gradient"]

_MOST = 12  # names that are listed
_SMALLEST_MAP = 4  # rows and columns that a map needs to say where something is


def attribute(
    net: nn.Module,
    images: Tensor,
    method: Method = "auto",
    *,
    head: str | None = None,
    target: Tensor | None = None,
    stage: str | None = None,
) -> Tensor:
    """How much each place of an image has to do with the answer, from 0 to 1.

    - gradcam: where a stage's maps speak for the class (Selvaraju et al. 2017, arXiv:1610.02391)
    - attention: which patches the class token has looked at through all blocks, whatever the class (attention rollout,
      Abnar and Zuidema 2020, arXiv:2005.00928)
    - gradient: how much a pixel would change the class's logit (Simonyan et al. 2013, arXiv:1312.6034)

    The net is measured in evaluation mode and left as it was; no gradient reaches its parameters.

    Shape: (batch, channels, height, width) -> (batch, height, width) float32, the largest value of each image 1 unless
    all are 0.

    Args:
        net: A net of named stages; for `gradient` any net.
        images: Normalized images.
        method: `auto` takes attention where the net has it, else gradcam where it has maps, else gradient.
        head: The head that answers; the first one if not given.
        target: (batch,) the class to look for; the predicted one if not given.
        stage: The stage whose maps gradcam takes; the last one with maps of at least 4x4 if not given.

    Raises:
        ValueError: If the net has not what the method needs, or there is no such head or stage.
    """
    with _resting(net), torch.enable_grad():
        images = images.detach().clone()
        chosen = suitable(net, images) if method == "auto" else method
        if chosen == "attention":
            heat = attention_rollout(_backbone(net, chosen), images)
        elif chosen == "gradcam":
            heat = _gradcam(net, images, head, target, stage)
        else:
            heat = _gradient(net, images, head, target)
        sized = F.interpolate(heat.detach()[:, None].float(), images.shape[-2:], mode="bilinear", align_corners=False)
    sized = sized[:, 0].clamp(min=0)
    return sized / sized.amax(dim=(1, 2), keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)


def suitable(net: nn.Module, images: Tensor) -> Method:
    """The method that `auto` takes for a net and such images (batch, channels, height, width)."""
    if not isinstance(net, Net):
        return "gradient"
    if any(isinstance(stage, Attending) for stage in net.backbone.children()):
        return "attention"
    if any("Attention" in type(part).__name__ for part in net.modules()):  # of others, whose only maps are the patches
        return "gradient"
    with _resting(net), torch.no_grad():
        return "gradcam" if _maps(net.backbone.features(images[:1])) else "gradient"


def _gradcam(net: nn.Module, images: Tensor, head: str | None, target: Tensor | None, stage: str | None) -> Tensor:
    features = _backbone(net, "gradcam").features(images.requires_grad_())  # also where all of the net is frozen
    assert isinstance(net, Net)
    maps = features[_stage(features, stage)]
    logits = {each: layer([*features.values()][-1]) for each, layer in net.heads.items()}
    (gradient,) = torch.autograd.grad(_answers(logits, head, target).sum(), maps)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    heat: Tensor = (weights * maps.detach()).sum(dim=1).relu()
    return heat


def attention_rollout(backbone: Backbone, images: Tensor) -> Tensor:
    """Which patches the class token has looked at.

    From block to block each token hands on half of itself and half of what it has looked at.

    Shape: normalized images (batch, channels, height, width) -> (batch, rows, columns) of patches, at least 0.

    Raises:
        ValueError: If no stage has attention.
    """
    rollout: Tensor | None = None
    x = images
    with torch.no_grad():
        for stage in backbone.children():
            if isinstance(stage, Attending):
                looks = stage.attention_weights(x).mean(dim=1)
                step = (looks + torch.eye(looks.shape[-1], device=looks.device)) / 2
                rollout = step if rollout is None else step @ rollout
            x = stage(x)
    if rollout is None:
        raise ValueError("`attention` needs a net with attention, such as VisionTransformer. Use gradcam or gradient.")
    patches = rollout[:, 0, 1:]  # of the class token, without itself
    patches = patches - patches.amin(dim=1, keepdim=True)  # every patch is looked at a little
    side = round(patches.shape[1] ** 0.5)
    heat: Tensor = patches.unflatten(1, (side, side))
    return heat


def _gradient(net: nn.Module, images: Tensor, head: str | None, target: Tensor | None) -> Tensor:
    images.requires_grad_()
    output = net(images)
    only = next(iter(net.heads)) if isinstance(net, Net) else head or "label"
    logits = output if isinstance(output, Mapping) else {only: output}
    (gradient,) = torch.autograd.grad(_answers(logits, head, target).sum(), images)
    heat: Tensor = gradient.abs().sum(dim=1)
    return heat


def _answers(logits: Mapping[str, Tensor], head: str | None, target: Tensor | None) -> Tensor:
    """The logit of the class that is looked for, (batch,)."""
    name = next(iter(logits)) if head is None else head
    if name not in logits:
        raise ValueError(f"`head` must be one of {', '.join(logits)}, got {name}.{suggestion(name, logits)}")
    classes = logits[name].argmax(dim=1) if target is None else target.to(logits[name].device)
    answers: Tensor = logits[name].gather(1, classes[:, None])
    return answers


def _stage(features: Mapping[str, Tensor], stage: str | None) -> str:
    maps = _maps(features)
    if not maps:
        raise ValueError("`gradcam` needs a net with maps, such as SimpleCNN. Use gradient.")
    if stage is None:
        return maps[-1]
    all_maps = [name for name, value in features.items() if value.dim() == 4]  # noqa: PLR2004 - (batch, channels, y, x)
    if stage not in all_maps:
        known = ", ".join([*all_maps[:_MOST], *(["..."] if len(all_maps) > _MOST else [])])
        raise ValueError(f"`stage` must be one with maps, got {stage}.{suggestion(stage, all_maps)} There are {known}.")
    return stage


def _maps(features: Mapping[str, Tensor]) -> list[str]:
    """The stages that give maps in which something has a place."""
    return [
        name
        for name, value in features.items()
        if value.dim() == 4 and min(value.shape[-2:]) >= _SMALLEST_MAP  # noqa: PLR2004 - (batch, channels, y, x)
    ]


def _backbone(net: nn.Module, method: str) -> Backbone:
    if not isinstance(net, Net):
        raise ValueError(f"`{method}` needs a net of named stages, got {type(net).__name__}. Use gradient.")  # noqa: TRY004
    return net.backbone


@contextmanager
def _resting(net: nn.Module) -> Iterator[None]:
    """Put a net in evaluation mode for a while; afterwards every module has its own mode again."""
    modes = {module: module.training for module in net.modules()}
    try:
        net.eval()
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
