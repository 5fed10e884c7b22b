"""Presets: where they lie, and how they are written in Python."""
