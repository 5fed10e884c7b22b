"""The graph of a trained net: uint8 images as they are in, the probabilities of each class by head out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData, ImageSet

_MOST = 10_000  # images that are no test images


class Answering(nn.Module):
    """A net with its normalization before it, and what turns logits into probabilities behind it.

    Args:
        model: The model.
        mean: What is subtracted from its images scaled to 0..1.
        std: What divides them after that.
    """

    def __init__(self, model: Classifier, mean: float, std: float) -> None:
        super().__init__()
        self.model = model
        self.normalization = 1 / (255 * std), mean / std

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The probabilities of each head.

        Shape: (batch, channels, height, width) uint8 -> (batch, classes) for each head.
        """
        return self.probabilities(self.model.by_head(self.model(self.normalized(images))))

    def normalized(self, images: Tensor) -> Tensor:
        """uint8 images as the model takes them."""
        factor, shift = self.normalization
        kind = next((each.dtype for each in self.model.parameters()), torch.float32)
        return images.to(kind) * factor - shift

    def probabilities(self, logits: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Those of each head."""
        return tuple(self.model.objective.of(head).probs(logits[head]) for head in self.model.heads)


class Mean(nn.Module):
    """The mean of what several nets answer.

    Args:
        members: The nets, with the same heads.
    """

    def __init__(self, members: Sequence[Answering]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The probabilities of each head, as `Answering` gives them."""
        said = [member(images) for member in self.members]
        return tuple(sum(probs[1:], probs[0]) / len(said) for probs in zip(*said, strict=True))


@dataclass(frozen=True)
class Subject:
    """What is exported.

    Attributes:
        net: From images to probabilities, on the CPU, not training; of an ensemble their mean.
        heads: The number of classes of each head, the primary one first.
        shape: Channels, height and width of an image.
        about: What is said of it in each file, as plain data.
        data: The data that it was trained on.
        images: The images that it must answer as the net does, on the CPU.
        kind: What these are: test, validation or training.
    """

    net: Answering | Mean
    heads: Mapping[str, int]
    shape: tuple[int, int, int]
    about: Mapping[str, Any]
    data: ImageData
    images: ImageSet
    kind: str

    @property
    def alone(self) -> Answering:
        """The net, where it is no ensemble."""
        assert isinstance(self.net, Answering)
        return self.net

    def traced(self, batch: int | None = None) -> ExportedProgram:
        """The graph of the net.

        Args:
            batch: How many images there are; if not given, any number.
        """
        images = torch.zeros(batch or 2, *self.shape, dtype=torch.uint8)
        dynamic = None if batch else ({0: Dim.DYNAMIC},)
        with torch.no_grad():
            return torch.export.export(self.net, (images,), dynamic_shapes=dynamic)


def subject_of(model: Classifier, data: ImageData, about: Mapping[str, Any]) -> Subject:
    """What is exported of a model.

    Args:
        model: The model, with its weights; it is on the CPU, in float32 and not training afterwards.
        data: The data that it was trained on.
        about: What is said of it in each file.
    """
    model.cpu().float().eval()
    images, kind = _asked(data)
    channels, height, width = images.images.shape[1:]
    assert data.mean is not None
    assert data.std is not None
    net = model.net if isinstance(model.net, Mean) else Answering(model, data.mean, data.std).eval()
    return Subject(net, dict(model.heads), (channels, height, width), about, data, images, kind)


def _asked(data: ImageData) -> tuple[ImageSet, str]:
    """The test images, or where there are none those of the validation, or some training images; and what they are."""
    if not data.lacks("test"):
        data.setup("test")
        return data.test_images().to(torch.device("cpu")), "test"
    if not data.lacks("val"):
        data.setup("validate")
        return data.unseen(_MOST), "validation"
    data.setup("fit")
    return data.seen(_MOST), "training"
