"""Any net of others: torchvision's, timm's, or one of the user's own."""

from collections.abc import Callable
from typing import Any

from torch import nn

from mnistlab.models.assembled import Assembled
from mnistlab.nets.foreign import ForeignBackbone
from mnistlab.options.numbers import PositiveInt


class Wrapped(Assembled):
    """Any class or function that gives a torch module, by its dotted path: torchvision.models.resnet18.

    Its first convolution is fitted to the channels of the images, and its last layer gives way to a head for each
    label. Where that changes nothing, the last layer's weights stay.

    Args:
        net: A net that turns images into one value for each of some classes; in Python also what makes it.
        in_channels: Channels of an image, 1 for grey.
        resize: Rows and columns that images are scaled to, for a net that does not take them as they are.

    Raises:
        ValueError: If the net has no last layer that can be replaced.
    """

    name = "wrapped"

    def __init__(
        self,
        net: nn.Module | Callable[[], nn.Module],
        in_channels: PositiveInt = 1,
        resize: PositiveInt | None = None,
        **kwargs: Any,
    ) -> None:
        backbone = ForeignBackbone(
            net() if not isinstance(net, nn.Module) and callable(net) else net, in_channels, resize
        )
        super().__init__(backbone, **kwargs)
        self.changes = backbone.changes
        (head, *others) = self.net.heads.values()
        if isinstance(head, nn.Linear) and not others and _sizes(head) == _sizes(backbone.last):
            head.load_state_dict(backbone.last.state_dict())
            self.changes = [change for change in backbone.changes if not change.endswith("is replaced")]

    def begin(self, *, continued: bool = False) -> list[str]:
        """Make ready for training; what was done, and what of the net was changed, in sentences."""
        said = [] if self._begun or continued or not self.changes else [f"net: {'; '.join(self.changes)}."]
        return [*said, *super().begin(continued=continued)]


def _sizes(layer: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in layer.state_dict().items()}
