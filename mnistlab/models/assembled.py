"""The model that every architecture here is a case of: a backbone with a head for each label."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from mnistlab.classifier import Classifier
from mnistlab.nets import Backbone, Head, LinearHead, Net


class Assembled(Classifier):
    """Any backbone with any head, put together on the command line or in Python.

    Args:
        backbone: Turns images into features.
        head: Turns features into the logits of a label; several labels get one each.
    """

    name = "assembled"
    net: Net

    def __init__(self, backbone: Backbone, head: Callable[[int, int], Head] = LinearHead, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = Net(backbone, self.heads, head)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """What each stage of the backbone gives for normalized images (batch, channels, height, width), by its name."""
        return self.net.backbone.features(images)
