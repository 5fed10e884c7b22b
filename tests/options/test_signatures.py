"""Every public option has a type and a word of explanation."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from lightning.pytorch import Callback

from mnistlab.catalogue.docs import documented
from mnistlab.classifier import Classifier
from mnistlab.data import Augmentation, ImageData
from mnistlab.losses import Loss
from mnistlab.nets import Backbone, Head
from mnistlab.options.annotations import REQUIRED, Slot, slot_of
from mnistlab.options.classes import candidates
from mnistlab.options.signatures import Option, options
from mnistlab.options.specification import supplied_to
from mnistlab.sections.parts import TopLevel
from mnistlab.sections.run import Run


def classes() -> Iterator[tuple[type, int]]:
    """Every class of mnistlab that the command line offers, and how many arguments are supplied later."""
    yield Run, 0
    yield TopLevel, 0
    bases = (Classifier, ImageData, Augmentation, Loss, Callback, torch.optim.lr_scheduler.LRScheduler, Backbone, Head)
    for base in bases:
        for found in candidates((base,)).values():
            for cls in found:
                if cls.__module__.startswith("mnistlab."):
                    yield cls, supplied_to(cls)


OPTIONS = [
    pytest.param(cls, option, id=f"{cls.__name__}.{option.name}")
    for cls, supplied in classes()
    for option in options(cls, supplied=supplied).values()
]


def parts(annotation: object) -> Iterator[object]:
    """An annotation and all that is in it."""
    yield annotation
    for inner in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from parts(inner)


@pytest.mark.parametrize(("cls", "option"), OPTIONS)
def test_every_option_has_a_type(cls: type, option: Option) -> None:
    """Untyped options could hold anything, `Any` could hold a class of a stranger."""
    del cls
    found = list(parts(option.annotation))
    if option.slot is not None and option.slot.supplied:
        found = [option.annotation]  # what an optimizer's parameters are is torch's business

    assert not [part for part in found if part in (Any, REQUIRED, object) or isinstance(part, str)]


@pytest.mark.parametrize(("cls", "option"), OPTIONS)
def test_every_option_is_explained(cls: type, option: Option) -> None:
    """The `Args` of a docstring are the help of the command line."""
    assert documented(cls, option.name)


def test_the_walk_reaches_what_it_should() -> None:
    """A walk that finds nothing would prove nothing."""
    walked = {cls.__name__ for cls, _ in classes()}

    assert {"SmallModel", "EMNIST", "RandomDistortion", "WarmupCosine", "Run", "ReduceLROnPlateau"} <= walked
    assert {"hidden_dim", "loss", "scheduler", "num_classes"} <= set(
        options(candidates((Classifier,))["SmallModel"][0])
    )


def test_options_behind_kwargs_are_those_of_the_parents() -> None:
    """`**kwargs: Any` leads on, and the most derived default counts."""
    found = options(candidates((Classifier,))["TinyModel"][0])

    assert found["hidden_dim"].default == 128
    assert found["in_features"].default == 784
    assert found["loss"].slot is not None
    assert "kwargs" not in found


@pytest.mark.parametrize(
    ("annotation", "slot"),
    [
        (int, None),
        (list[int], None),
        (dict[str, int] | None, None),
        (torch.Tensor | None, None),
        (Any, None),
        (object, None),
        (Callback, Slot((Callback,))),
        (Callback | None, Slot((Callback,), optional=True)),
        (list[Callback] | None, Slot((Callback,), many=True, optional=True)),
        (Callback | bool, Slot((Callback,), plain=True)),
    ],
)
def test_a_slot_is_what_an_annotation_asks_for(annotation: object, slot: Slot | None) -> None:
    """Only classes with options of their own are chosen by name."""
    assert slot_of(annotation) == slot
