"""One module per architecture, with all its sizes."""

from mnistlab.models.assembled import Assembled
from mnistlab.models.cnn import CNN8K, CNN68K, CNN421K, MultiheadCNN422K, SimpleCNN
from mnistlab.models.compact import CompactCNN, CompactCNN62K, CompactCNN104K
from mnistlab.models.convnext import ConvNeXt, ConvNeXt18K, ConvNeXt73K, ConvNeXt288K, ConvNeXt725K
from mnistlab.models.dense import SDN8K, SDN68K, SimpleDenseNet
from mnistlab.models.efficientnet import EfficientNet, EfficientNet4M, EfficientNet7M, EfficientNet22K, EfficientNet66K
from mnistlab.models.mlp import LargeModel, MediumModel, ResidualMLP, SmallModel, TinyModel
from mnistlab.models.vit import VisionTransformer, ViT38K, ViT210K, ViT821K
from mnistlab.models.wrapped import Wrapped

__all__ = [
    "CNN8K",
    "CNN68K",
    "CNN421K",
    "SDN8K",
    "SDN68K",
    "Assembled",
    "CompactCNN",
    "CompactCNN62K",
    "CompactCNN104K",
    "ConvNeXt",
    "ConvNeXt18K",
    "ConvNeXt73K",
    "ConvNeXt288K",
    "ConvNeXt725K",
    "EfficientNet",
    "EfficientNet4M",
    "EfficientNet7M",
    "EfficientNet22K",
    "EfficientNet66K",
    "LargeModel",
    "MediumModel",
    "MultiheadCNN422K",
    "ResidualMLP",
    "SimpleCNN",
    "SimpleDenseNet",
    "SmallModel",
    "TinyModel",
    "ViT38K",
    "ViT210K",
    "ViT821K",
    "VisionTransformer",
    "Wrapped",
]
