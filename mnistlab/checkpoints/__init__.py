"""Checkpoints, read without trust: weights, and all it takes to build and to continue a model."""
