"""What a picture of a net's attention shall show."""

from dataclasses import dataclass

METHODS = ("auto", "gradcam", "attention", "gradient")
WHICH = ("first", "wrong", "unsure")
TARGETS = ("predicted", "true")


@dataclass(frozen=True)
class Wish:
    """What shall be explained, and how.

    Attributes:
        method: One of `METHODS`.
        images: How many images.
        which: One of `WHICH`.
        head: The label, None for the primary one.
        stage: The stage, None for the one that suits.
        target: One of `TARGETS`: the class that is looked for.
    """

    method: str = "auto"
    images: int = 16
    which: str = "first"
    head: str | None = None
    stage: str | None = None
    target: str = "predicted"
