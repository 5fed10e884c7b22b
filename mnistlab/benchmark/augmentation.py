"""What augmentation costs an image: a batch at once, and image by image through torchvision."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torchvision import transforms

from mnistlab.benchmark.clock import now
from mnistlab.benchmark.figures import Figure, Result, ratio
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.plain import Images
from mnistlab.benchmark.template import ImageByImage
from mnistlab.data import RandomDistortion

_BATCH_SIZE = 128
_BATCHES = 40  # each for us; torchvision makes one for ten of ours

_AFFINE = transforms.RandomAffine(degrees=10, translate=(0.08, 0.08), scale=(0.88, 1.12), shear=1)


def augmentation(ground: Ground) -> Iterator[Result]:
    """Microseconds for an image that is taken from the set, normalized and distorted."""
    images, rounds = ground.images, 3 if ground.quick else 7
    affine, elastic = RandomDistortion(), RandomDistortion(elastic=1.0)
    ours: dict[str, Callable[[Tensor], Tensor]] = {
        "nothing": lambda batch: batch,
        "affine": affine,
        "affine and elastic": elastic,
    }
    theirs: dict[str, list[nn.Module]] = {
        "nothing": [],
        "affine": [_AFFINE],
        "affine and elastic": [_AFFINE, transforms.ElasticTransform(alpha=34.0, sigma=4.0)],
    }
    for name, change in ours.items():
        by_image = ImageByImage(images.train, images.train_target, images.mean, images.std, theirs[name])
        batch, single = [], []
        for number in range(rounds + 1):
            some, one = _at_once(images, change), _one_by_one(by_image)
            if number:  # the first one warms up
                batch.append(some)
                single.append(one)
        yield ratio(
            f"augmentation: {name}",
            ("torchvision one by one", Figure(single, "us")),
            ("a batch at once", Figure(batch, "us")),
        )


def _at_once(images: Images, change: Callable[[Tensor], Tensor]) -> float:
    order = torch.randperm(len(images.train))
    begin = now()
    for rows in order[: _BATCHES * _BATCH_SIZE].split(_BATCH_SIZE):
        change(images.normalized(images.train.index_select(0, rows)))
    return (now() - begin) / min(len(order), _BATCHES * _BATCH_SIZE) * 1e6


def _one_by_one(images: ImageByImage) -> float:
    rows = torch.randperm(len(images))[: _BATCHES * _BATCH_SIZE // 10].tolist()
    begin = now()
    torch.stack([images[row][0] for row in rows])
    return (now() - begin) / len(rows) * 1e6
