"""What a configuration consists of, and what one part of it tells another."""

from mnistlab.sections.run import TRAINER_DEFAULTS, Run

__all__ = ["TRAINER_DEFAULTS", "Run"]
