"""What a preset of any kind says; torch is imported for one in Python only."""

from mnistlab.presets.finding import Found
from mnistlab.presets.reading import Layers, layers_of


def load_layers(found: Found, command: str = "fit") -> Layers:
    """What a preset or a configuration file says: one list for each file or class of its line, the oldest first.

    Args:
        found: The preset; one in Python is run.
        command: What it is read for.

    Raises:
        LabError: If it cannot be read or run, or builds on itself.
    """
    return layers_of(found, _of_python, command)


def _of_python(found: Found) -> Layers:
    from mnistlab.presets.preset_class import load_preset  # noqa: PLC0415 - it needs torch

    return load_preset(found).layers
