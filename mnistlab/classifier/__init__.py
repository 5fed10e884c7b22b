"""The module that learns: a net with its loss, optimizer, schedule and metrics."""

from mnistlab.classifier.module import Classifier

__all__ = ["Classifier"]
