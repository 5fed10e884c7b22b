"""Which images are explained, and what is said of each."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.nets.attribution import Method, suitable
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import percent
from mnistlab.training.answers import names_by_head
from mnistlab.training.explain_options import Wish
from mnistlab.training.means import Means
from mnistlab.training.picture import Explained


def explain(wish: Wish, model: Classifier, data: ImageData, means: Means) -> tuple[list[Explained], dict[str, Any]]:
    """The images with what the net looked at; their rows among the test images, and the method that was used.

    Raises:
        LabError: If there is no such head, the net has not what the method needs, or no image is as it was wished.
    """
    head = _head(wish, model)
    probs = torch.cat([batch[head] for batch in means.probabilities()]).float().cpu().clone()
    tested = data.test_images()
    images, target = (each[: len(probs)].cpu() for each in (tested.images, tested.targets.get(head, tested.primary)))
    rows = _chosen(wish, probs, target)
    model.cpu().float()  # also where the net was of another type: heat needs the digits
    normalized = data.normalize(images[rows])
    method = _method(wish, model, normalized)
    sought = target[rows] if wish.target == "true" else None
    asked = head if len(model.heads) > 1 else None
    try:
        heat = model.explain(normalized, method, head=asked, target=sought, stage=wish.stage)
    except ValueError as error:
        option = "stage" if wish.stage and (wish.method == "auto" or "`stage`" in str(error)) else "method"
        raise LabError(f"--{option}={getattr(wish, option)}: {error}") from error
    names = names_by_head(model, data).get(head) or [str(number) for number in range(probs.shape[1])]
    captions = [_said(probs[row], int(target[row]), names) for row in rows]
    explained = [Explained(images[row], heat[at], *captions[at]) for at, row in enumerate(rows)]
    return explained, {"method": method, "rows": rows}


def _method(wish: Wish, model: Classifier, images: Tensor) -> Method:
    """The method that counts, which must have a use for all that was wished."""
    method = cast("Method", wish.method)
    if method == "auto":
        method = "gradcam" if wish.stage else suitable(model.net, images[:1])
    if wish.stage and method != "gradcam":
        raise LabError(f"--stage={wish.stage}: {method} looks at no single stage. Use --method=gradcam.")
    if wish.target == "true" and method == "attention":
        raise LabError("--target=true: attention looks for no class. Use --method=gradient.")
    return method


def _head(wish: Wish, model: Classifier) -> str:
    head = model.primary if wish.head is None else wish.head
    if head not in model.heads:
        known = list(model.heads)
        raise LabError(f"--head={head}: the model has {', '.join(known)}.{suggestion(head, known)}")
    return head


def _chosen(wish: Wish, probs: Tensor, target: Tensor) -> list[int]:
    if wish.which == "wrong":
        found = (probs.argmax(dim=1) != target).nonzero().flatten()
        if not len(found):
            raise LabError("--which=wrong: none of these images was mistaken. Use --which=unsure.")
    elif wish.which == "unsure":
        found = probs.amax(dim=1).argsort(stable=True)
    else:
        found = torch.arange(len(probs))
    return found[: wish.images].tolist()


def _said(probs: Tensor, target: int, names: Sequence[str]) -> tuple[str, bool]:
    """The caption of an image, and whether the net was mistaken."""
    predicted = int(probs.argmax())
    sure = percent(float(probs[predicted]), 1)
    return (
        (f"{names[target]}  ({sure})", False)
        if predicted == target
        else (f"{names[target]}, taken for {names[predicted]}  ({sure})", True)
    )
