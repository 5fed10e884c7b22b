"""A net that was made for other images and other classes, as a backbone: its first and its last layer are fitted."""

from contextlib import ExitStack
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from mnistlab.nets.parts import Backbone

_ENDINGS = (nn.Softmax, nn.LogSoftmax, nn.Sigmoid, nn.LogSigmoid)
"""What makes probabilities of logits, which the losses here do themselves."""


class ForeignBackbone(Backbone):
    """Any net without its last layer, for images with any number of channels.

    The first convolution is fitted to the channels: it gives what it gave for images with the mean of these in each of
    its channels. The last linear layer or convolution is taken out, and the features are what it was given.

    Shape: images (batch, in_channels, height, width) -> (batch, num_features).

    Args:
        net: The net, which is changed.
        in_channels: Channels of an image, 1 for grey.
        resize: Rows and columns to which images are scaled; null for images as they are.

    Attributes:
        last: The layer that was taken out.
        changes: What was changed, in phrases.

    Raises:
        TypeError: If it is no net.
        ValueError: If it has no last layer that can be taken out.
    """

    abstract = True  # `Wrapped` makes it
    last: nn.Linear | nn.Conv2d

    def __init__(self, net: nn.Module, in_channels: int = 1, resize: int | None = None) -> None:
        if not isinstance(net, nn.Module):  # a function may say one thing and give another
            raise TypeError(f"`net` must be a torch module, got {net}, a {type(net).__name__}.")
        path, last = _last_layer(net)
        num_features, outputs = last.weight.shape[1], last.weight.shape[0]
        endings = _endings(net, path)
        changes = [_fit_channels(net, in_channels), f"{path} ({num_features} to {outputs:,}) is replaced"]
        changes += [f"{each} ({type(net.get_submodule(each)).__name__}) is left out" for each in endings]
        for each in (path, *endings):
            _put(net, each, nn.Identity())
        first: dict[str, nn.Module] = {} if resize is None else {"resize": Resize(resize)}
        super().__init__(num_features, {**first, "net": net, "flatten": Flatten(path, num_features)})
        self.__dict__["last"] = last  # not as a part of this net
        self.changes = [change for change in changes if change]

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """What the net gives, and before it the maps of those of its parts that have convolutions: `net.layer4`."""
        maps: dict[str, Tensor] = {}
        with ExitStack() as hooks:
            for path, part in self.named_modules():
                if path.startswith("net.") and any(isinstance(each, nn.Conv2d) for each in part.modules()):
                    hooks.callback(part.register_forward_hook(partial(_keep, maps, path)).remove)
            stages = super().features(images)
        height, width = images.shape[-2:]
        found = {
            **maps,
            **{name: each for name, each in stages.items() if name != "resize" and isinstance(each, Tensor)},
        }
        return {path: each for path, each in found.items() if path not in maps or _is_like(each, height, width)}


def _is_like(maps: Tensor, height: int, width: int) -> bool:
    """Whether maps have about the form of the images; else their last dimension is the channels."""
    return abs(maps.shape[-2] * width - maps.shape[-1] * height) <= max(height, width)


def _keep(maps: dict[str, Tensor], path: str, part: nn.Module, given: object, output: object) -> None:
    """Keep what a part of a net gives, if it is maps."""
    del part, given
    if isinstance(output, Tensor) and output.dim() == 4:  # noqa: PLR2004 - (batch, channels, y, x)
        maps[path] = output


class Resize(nn.Module):
    """Scales images: (batch, channels, height, width) -> (batch, channels, size, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        """Interpolate between pixels."""
        return F.interpolate(images, (self.size, self.size), mode="bilinear", align_corners=False)


class Flatten(nn.Module):
    """Takes the features from what a net gives, which may have others beside them: (batch, ...) -> (batch, features).

    Args:
        last: The name of the layer that was taken out.
        num_features: What it was given of each image.
    """

    def __init__(self, last: str, num_features: int) -> None:
        super().__init__()
        self.last = last
        self.num_features = num_features

    def forward(self, output: object) -> Tensor:
        """Flatten the output, or the first or `logits` of several.

        Raises:
            ValueError: If these are not the features of each image.
        """
        main = getattr(output, "logits", output)
        features = main[0] if isinstance(main, tuple) else main
        if not isinstance(features, Tensor):
            raise ValueError(f"the net gives no tensor but a {type(output).__name__}")  # noqa: TRY004
        flat = features.flatten(1)
        if flat.shape[1] != self.num_features:
            raise ValueError(
                f"{self.last}, the last layer that the net defines, takes {self.num_features:,} values, and what is "
                f"before it gives {flat.shape[1]:,}. If others follow it, define the layers in the order of their use"
            )
        return flat


def _fit_channels(net: nn.Module, channels: int) -> str:
    """Let the first convolution of a net take so many channels; what was changed."""
    path, first = next(((path, each) for path, each in net.named_modules() if isinstance(each, nn.Conv2d)), ("", None))
    if first is None or first.groups > 1 or first.in_channels in (0, channels):  # 0 of one that waits for images
        return ""
    kernels = first.weight.detach().sum(dim=1, keepdim=True) / channels
    change = f"{path} takes {channels} channel{'s' if channels > 1 else ''} in place of {first.in_channels}"
    first.in_channels, first.weight = channels, nn.Parameter(kernels.repeat(1, channels, 1, 1))
    return change


def _last_layer(net: nn.Module) -> tuple[str, nn.Linear | nn.Conv2d]:
    """The layer of a net that gives the logits."""
    found = [(path, each) for path, each in net.named_modules() if path and isinstance(each, nn.Linear | nn.Conv2d)]
    if not found:
        raise ValueError(
            f"`net` must end with a linear layer or a convolution, to be replaced; {type(net).__name__} has none."
        )
    path, last = found[-1]
    if nn.parameter.is_lazy(last.weight):
        raise ValueError(f"`net` must know how many features it has, but {path} of {type(net).__name__} is lazy.")
    return path, last


def _endings(net: nn.Module, path: str) -> list[str]:
    """What stands after the last layer and makes probabilities."""
    paths = [each for each, _ in net.named_modules()]
    after = paths[paths.index(path) + 1 :]
    return [each for each in after if isinstance(net.get_submodule(each), _ENDINGS)]


def _put(net: nn.Module, path: str, part: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(net.get_submodule(parent), name, part)
