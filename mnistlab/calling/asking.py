"""The net of a run, asked in this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mnistlab.calling.given import trusted_here
from mnistlab.calling.predicted import Predictions
from mnistlab.classifier import Classifier
from mnistlab.errors import LabError
from mnistlab.options.trust import set_import_policy, vouch_for
from mnistlab.training.answering import Answered, answer
from mnistlab.training.answers import names_by_head
from mnistlab.training.directly import assemble_directly
from mnistlab.training.elsewhere import here
from mnistlab.training.found import Found, find
from mnistlab.training.invocation import Invocation
from mnistlab.training.means import Assembled
from mnistlab.training.picture_files import STDIN, find_pictures
from mnistlab.training.settled import settled_from
from mnistlab.training.weights import load_weights


@dataclass(frozen=True)
class Asked:
    """The net of a run with its weights, and the data that it was trained on."""

    parts: Assembled
    found: Found

    @classmethod
    def of(cls, folder: Path, trust: Sequence[str] = ()) -> "Asked":
        """Load those of a run; its checkpoint is not trusted.

        Args:
            folder: The run.
            trust: The options that say what the checkpoint may name besides.

        Raises:
            LabError: If there is no checkpoint, or one that cannot be loaded.
        """
        invocation = Invocation("predict", [f"--ckpt_path={folder}", *trust, *trusted_here()])
        set_import_policy(invocation.vouching.importable)
        vouch_for(invocation.vouching.importable)
        found = here(find(invocation), invocation)
        if found is None or found.path is None:
            raise LabError(f"{folder} has no weights: it has not come to the end of an epoch.")
        parts = assemble_directly(invocation, settled_from(invocation, found), found)
        parts.means.match_precision()
        load_weights(parts.model, found, speaks=False)
        parts.model.pixels = parts.data.pixels
        return cls(parts, found)

    @property
    def model(self) -> Classifier:
        """The net, as it is asked."""
        return self.parts.model.eval()

    def predict(self, given: object) -> Predictions:
        """What the net answers about images or pictures.

        Raises:
            LabError: If they are none.
        """
        with self.parts.means.at_work():
            pictures = _pictures(given)
            return self._of_arrays(given) if pictures is None else self._of_pictures(pictures)

    def _of_arrays(self, given: object) -> Predictions:
        model, data = self.model, self.parts.data
        if data.pixels is None:
            raise LabError(
                f"{type(data).__name__} scales its images by itself, in a way that nobody else knows. Give run.model "
                "what it makes of them, or run.predict pictures."
            )
        images = data.pixels.batch(given)
        weight = next(model.parameters())
        with torch.inference_mode():
            batches = [
                model.predict_step(data.normalize(some).to(weight.dtype), number)
                for number, some in enumerate(images.split(data.eval_batch_size))
            ]
        probs = {head: torch.cat([batch[head] for batch in batches]).float().numpy() for head in model.heads}
        sources = [str(number) for number in range(len(images))]
        return self._predictions(probs, [*images.numpy()], sources, [""] * len(images))

    def _of_pictures(self, pictures: Sequence[str | Image.Image]) -> Predictions:
        model = self.model
        answered = answer(pictures, model, self.parts.data, self.found)
        probs = {head: np.stack([_probs(each, head, size) for each in answered]) for head, size in model.heads.items()}
        many = len({each.file for each in answered}) < len(answered)
        sources = [f"{each.file}, sign {each.number}" if many else each.file for each in answered]
        images = [None if each.image is None else each.image.numpy() for each in answered]
        return self._predictions(probs, images, sources, [each.refused for each in answered])

    def _predictions(
        self,
        probs: dict[str, NDArray[np.float32]],
        images: Sequence[NDArray[np.uint8] | None],
        sources: Sequence[str],
        refused: Sequence[str],
    ) -> Predictions:
        model, data = self.parts.model, self.parts.data
        names = names_by_head(model, data)
        numbered = {head: [str(number) for number in range(size)] for head, size in model.heads.items()}
        heads = {head: (values, names.get(head, numbered[head])) for head, values in probs.items()}
        return Predictions.among(heads, images, sources, refused, next(iter(data.own_heads)))


def _probs(each: Answered, head: str, size: int) -> NDArray[np.float32]:
    """The probabilities of a sign; NaN where nothing was seen."""
    return each.probs[head].float().numpy() if each.probs else np.full(size, np.nan, dtype=np.float32)


def _pictures(given: object) -> list[str | Image.Image] | None:
    """The pictures that are given, those of a folder one by one; None where it is something else."""
    found: list[str | Image.Image] = []
    for each in given if isinstance(given, list | tuple) else [given]:
        if isinstance(each, Image.Image):
            found.append(each)
        elif not isinstance(each, str | PathLike):
            return None
        elif str(each) == STDIN:
            raise LabError("predict takes files, pictures and arrays, not standard input.")
        else:
            found += find_pictures([fspath(each)])
    return found or None
