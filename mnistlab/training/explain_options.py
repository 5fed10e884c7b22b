"""What a picture of a net's attention shall show."""

from dataclasses import dataclass

METHODS = ("auto", "gradcam", "attention", "gradient")
WHICH = ("first", "wrong", "unsure")
TARGETS = ("predicted", "true")


@dataclass(frozen=True)
class Wish:
    """What shall be explained, and how."""

    method: str = "auto"  # one of `METHODS`
    images: int = 16
    which: str = "first"  # one of `WHICH`
    head: str | None = None  # the label, None for the primary one
    stage: str | None = None  # the stage, None for the one that suits
    target: str = "predicted"  # one of `TARGETS`: the class that is looked for
