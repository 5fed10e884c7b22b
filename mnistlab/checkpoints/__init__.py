"""Checkpoints, read without trust: weights, and all it takes to build and to continue a model."""

SUFFIX = ".safetensors"
"""By which a file is known that holds weights alone."""
