"""Data sets, whole in memory."""

import mnistlab.data.foreign  # noqa: F401 - so that modules of others serve
from mnistlab.data.augment import Augmentation, RandomDistortion
from mnistlab.data.digits import SyntheticDigits
from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet
from mnistlab.data.labels import DigitTable, LabelScheme, MeasuredLabels
from mnistlab.data.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST, MultiheadMNIST
from mnistlab.data.own_images import Images

__all__ = [
    "EMNIST",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "Augmentation",
    "DigitTable",
    "FashionMNIST",
    "ImageData",
    "ImageSet",
    "Images",
    "LabelScheme",
    "MeasuredLabels",
    "MultiheadMNIST",
    "RandomDistortion",
    "SyntheticDigits",
]
