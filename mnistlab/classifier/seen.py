"""What a person gives a net, as the net takes it."""

from torch import Tensor

from mnistlab.data.pixels import Pixels
from mnistlab.errors import LabError


def seen(given: object, pixels: Pixels | None, weight: Tensor, name: str) -> Tensor:
    """Pixels as normalized images (n, channels, height, width), where the weights are and of their kind.

    Args:
        given: One image or several of uint8, in an array or a tensor.
        pixels: What the net was trained on, where it is known.
        weight: One of its weights.
        name: What the net is called.

    Raises:
        LabError: If they are no pixels, of another shape, or nobody knows how they were scaled.
    """
    if pixels is None:
        raise LabError(
            f"{name} has not been trained, so that it does not know how images are scaled. Give it normalized ones: "
            "data.normalize(images) after data.setup('fit')."
        )
    return pixels.normalized(pixels.batch(given).to(weight.device)).to(weight.dtype)
