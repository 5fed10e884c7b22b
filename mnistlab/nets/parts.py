"""What nets are put together from: a backbone that turns images into features, and a head for each label."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from mnistlab.nets.dropout import Dropout
from mnistlab.options.numbers import ClosedUnitInterval, PositiveInt
from mnistlab.options.specification import Specification, describe, init_arguments

WEIGHT_STD = 0.02
"""Standard deviation of the weights that transformers and nets like them begin with."""


class Backbone(nn.Sequential):
    """Base class of backbones: named stages, each fed with what the one before gives.

    A backbone of your own hands its stages to `__init__`; nothing else is needed.

    Shape: images (batch, channels, height, width) -> features (batch, num_features).

    Args:
        num_features: Number of values that the last stage gives for an image.
        stages: The stages by name, in their order; parts are frozen, taken over and looked into by these names.
    """

    abstract = True  # only to be derived from

    def __init__(self, num_features: int, stages: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.num_features = num_features
        self._arguments = init_arguments(self)
        for name, stage in stages.items():
            self.add_module(name, stage)

    @property
    def specification(self) -> Specification:
        """The class of this backbone and all its options."""
        return describe(self, self._arguments)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """What each stage gives for a batch of images, by its name: the inner features as well as the last.

        Shape: (batch, channels, height, width) -> for each stage (batch, ...).
        """
        found = {}
        x = images
        for name, stage in self.named_children():
            x = found[name] = stage(x)
        return found


@runtime_checkable
class Attending(Protocol):
    """A stage that looks from token to token, and can say where."""

    def attention_weights(self, x: Tensor) -> Tensor:
        """How much each token looks at each: (batch, tokens, dim) -> (batch, heads, tokens, tokens)."""


class Head(nn.Module):
    """Base class of heads; one of your own takes both sizes first and options of its own after them.

    Shape: features (batch, in_features) -> logits (batch, num_classes).
    """

    abstract = True  # only to be derived from
    supplied: ClassVar[int] = 2
    """The leading arguments that are no options: the number of features and that of classes come from the net."""


class LinearHead(Head, nn.Linear):
    """One linear layer.

    Args:
        in_features: Number of features.
        num_classes: Number of classes.
        bias: Whether a constant is learnt for each class.
    """

    def __init__(self, in_features: int, num_classes: int, bias: bool = True) -> None:
        super().__init__(in_features, num_classes, bias=bias)


class MLPHead(Head, nn.Sequential):
    """A hidden layer of its own for each label: Linear, GELU, Dropout, Linear.

    Args:
        in_features: Number of features.
        num_classes: Number of classes.
        hidden_dim: Width of the hidden layer.
        dropout: Probability of dropping a value of the hidden layer.
    """

    def __init__(
        self, in_features: int, num_classes: int, hidden_dim: PositiveInt = 128, dropout: ClosedUnitInterval = 0.0
    ) -> None:
        super().__init__(
            nn.Linear(in_features, hidden_dim), nn.GELU(), Dropout(dropout), nn.Linear(hidden_dim, num_classes)
        )


class Net(nn.Module):
    """A backbone with a head for each label.

    Shape: images (batch, channels, height, width) -> logits (batch, num_classes), or one such tensor for each name
    where there are several heads.

    Args:
        backbone: Turns images into features.
        sizes: Number of classes of each label, by the name of its head.
        head: Makes a head from the number of features and that of classes.
    """

    def __init__(
        self, backbone: Backbone, sizes: Mapping[str, int], head: Callable[[int, int], nn.Module] = LinearHead
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = nn.ModuleDict({name: head(backbone.num_features, size) for name, size in sizes.items()})

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        """Compute the logits of a batch of images."""
        features = self.backbone(images)
        logits = {name: head(features) for name, head in self.heads.items()}
        return logits if len(logits) > 1 else next(iter(logits.values()))


def init_truncated_normal(net: nn.Module) -> None:
    """Draw the weights of all linear layers and convolutions from a normal distribution, cut at 2; biases are 0."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(module.weight, std=WEIGHT_STD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
