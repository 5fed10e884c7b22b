"""What a configuration consists of, and what one part of it tells another."""

from mnistlab.sections.parts import TRAINER_DEFAULTS, Attributes, Run, Sweep, TopLevel, prepare, sections

__all__ = ["TRAINER_DEFAULTS", "Attributes", "Run", "Sweep", "TopLevel", "prepare", "sections"]
