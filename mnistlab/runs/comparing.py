"""Two tests on the same images, compared image by image."""

from dataclasses import dataclass

from mnistlab.errors import LabError
from mnistlab.runs.outcomes import Answers, Outcomes
from mnistlab.runs.statistics import mcnemar


@dataclass(frozen=True)
class Flip:
    """An image that one of two nets gets right and the other one wrong."""

    row: int  # its number among the test images, from 0
    target: int  # the right class
    a: int  # what the first net said
    b: int  # what the second net said


@dataclass(frozen=True)
class Agreement:
    """How often two nets are right on the same images."""

    both_right: int  # images that both get right
    only_a: int  # those that only the first one does
    only_b: int  # those that only the second one does
    both_wrong: int  # those that neither does
    p_value: float  # of McNemar's exact test: how often chance alone would part two equally good nets so far or further
    flips: tuple[Flip, ...]  # the images that only one gets right

    @property
    def images(self) -> int:
        """How many images there are."""
        return self.both_right + self.only_a + self.only_b + self.both_wrong


def compare_outcomes(a: Outcomes, b: Outcomes) -> dict[str, Agreement]:
    """The agreement in each head that both have, by its name in the first one; the primary one of both comes first.

    Raises:
        LabError: If they were not tested on the same images.
    """
    if a.images != b.images or _count(a) != _count(b):
        raise LabError(f"they were tested on different images ({_count(a):,} and {_count(b):,}, and not the same ones)")
    (primary, first), *others = a.answers.items()
    (theirs, second), *_ = b.answers.items()
    found = {primary: _agreement(first, second)}
    for head, answers in others:
        if head in b.answers and head != theirs:
            found[head] = _agreement(answers, b.answers[head])
    return found


def _agreement(a: Answers, b: Answers) -> Agreement:
    right_a, right_b = a.right, b.right
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    (rows,) = (right_a != right_b).nonzero()
    columns = (rows, a.target[rows], a.prediction[rows], b.prediction[rows])
    flips = tuple(Flip(*values) for values in zip(*(column.tolist() for column in columns), strict=True))
    both = int((right_a & right_b).sum())
    return Agreement(both, only_a, only_b, len(right_a) - both - len(flips), mcnemar(only_a, only_b), flips)


def _count(outcomes: Outcomes) -> int:
    return len(outcomes.primary.target)
