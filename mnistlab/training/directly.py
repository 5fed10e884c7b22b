"""Measuring without Lightning, which takes longer to import than a small net to be measured.

The digits are those of Lightning's trainer: tests/training/test_measuring.py compares them.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from mnistlab.checkpoints.limits import made_for
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.losses.weights import register_tensor_type
from mnistlab.options.building import build
from mnistlab.options.settling import Settled
from mnistlab.runs.folder import new_folder
from mnistlab.runs.looks import check_looks
from mnistlab.sections.configuration import Configuration
from mnistlab.sections.linking import link_data
from mnistlab.system.threads import threads
from mnistlab.training.failures import check_place, refusing
from mnistlab.training.found import Found, expect, find
from mnistlab.training.going import Going
from mnistlab.training.invocation import Invocation
from mnistlab.training.means import Assembled, Looked, Means, Split
from mnistlab.training.settled import settled_from
from mnistlab.training.suited import precision_of
from mnistlab.training.weights import load_weights

_Batch = tuple[Tensor, Mapping[str, Tensor]]
_TYPES = {"64-true": torch.float64, "bf16-true": torch.bfloat16}


class Directly(Means):
    """A loop on the CPU, in this process.

    Args:
        configuration: What counts.
        model: The model.
        data: Its images.
    """

    def __init__(self, configuration: Configuration, model: Classifier, data: ImageData) -> None:
        self._configuration, self._model, self._data = configuration, model, data
        self._precision = precision_of(configuration.trainer)

    def limit(self, what: Looked) -> float:
        """How many batches are looked at."""
        limit: float | None = self._configuration.trainer[f"limit_{what}_batches"]
        return 1.0 if limit is None else limit

    def match_precision(self) -> None:
        """Give the model the kind of numbers that is computed with."""
        if self._precision in _TYPES:
            self._model.to(_TYPES[self._precision])

    def at_work(self) -> AbstractContextManager[object]:
        """Compute with the threads that were chosen; on the CPU every pass forward is deterministic anyway."""
        return threads(self._configuration.threads)

    def measured(self, split: Split) -> Mapping[str, float]:
        """The metrics of a split, and of a test the answers."""
        step = self._model.test_step if split == "test" else self._model.validation_step
        with self._looking("validate" if split == "val" else "test"):
            self._model.counting.begin(split)
            outputs = [step(batch, number) for number, batch in enumerate(self._batches(split))]
        self.answers = [answers for answers in outputs if isinstance(answers, Mapping)]
        main, by_head = self._model.counting.end(split, lambda sums: sums)
        return {name: torch.tensor(value).item() for name, value in (main | by_head).items()}  # float32, as logged

    def probabilities(self, what: Looked = "predict") -> Sequence[Mapping[str, Tensor]]:
        """Of each batch of test images, or of others, the probabilities of each head."""
        with self._looking("validate" if what == "val" else "predict"):
            return [self._model.predict_step(batch, number) for number, batch in enumerate(self._batches(what))]

    @contextmanager
    def _looking(self, stage: str) -> Iterator[None]:
        """Make model and data ready, and compute with the kind of numbers that was chosen."""
        self._data.prepare_data()
        self._data.setup(stage)
        self._model.setup(stage)
        self._model.eval()
        mixed = torch.autocast("cpu", torch.bfloat16) if self._precision == "bf16-mixed" else nullcontext()
        before = torch.get_default_dtype()
        torch.set_default_dtype(_TYPES.get(self._precision, before))
        try:
            with torch.inference_mode(), mixed:
                yield
        finally:
            torch.set_default_dtype(before)

    def _batches(self, what: Looked) -> Iterator[_Batch]:
        """The batches that are looked at, normalized."""
        loader = self._data.val_dataloader() if what == "val" else self._data.test_dataloader()
        limit = self.limit(what)
        count = min(limit, len(loader)) if isinstance(limit, int) else len(loader)
        going = Going({"val": "validating", "test": "testing", "predict": "predicting"}[what], count)
        with going:
            for batch in islice(loader, count):
                images, targets = cast("_Batch", self._data.on_after_batch_transfer(batch, 0))
                yield images.to(_TYPES.get(self._precision, images.dtype)), targets
                going.move()


@dataclass(frozen=True)
class HeldOut:
    """What a net says of the images that were held out of its training.

    Attributes:
        rows: (images,) int64, their numbers among the images that the data have for training.
        probs: (images, classes) float32, the probabilities of each head.
        target: (images,) int64, the classes that the data say, by head.
        images: The fingerprint of all images for training.
    """

    rows: Tensor
    probs: Mapping[str, Tensor]
    target: Mapping[str, Tensor]
    images: str


def answer_held_out(folder: Path, trust: Sequence[str]) -> HeldOut:
    """Ask the net of a run about all images that it was validated with.

    Args:
        folder: The run.
        trust: The options that say what its checkpoint may name besides.

    Raises:
        LabError: If it cannot be asked.
    """
    invocation = Invocation("validate", [f"--ckpt_path={folder}", *trust])
    found = find(invocation)
    parts = assemble_directly(invocation, settled_from(invocation, found), found)
    means = Directly(parts.configuration, parts.model, parts.data)
    means.match_precision()
    load_weights(parts.model, found, speaks=False)
    with means.at_work():
        batches = means.probabilities("val")
    data, rows = parts.data.rows_of("val")
    names = dict(zip(parts.model.heads, data.targets, strict=False)) if len(parts.model.heads) == 1 else {}
    return HeldOut(
        rows.cpu(),
        {head: torch.cat([batch[head] for batch in batches]).float().cpu() for head in parts.model.heads},
        {head: data.targets[names.get(head, head)][rows].cpu() for head in parts.model.heads},
        parts.data.fingerprint["train"],
    )


def assemble_directly(invocation: Invocation, settled: Settled, found: Found | None) -> Assembled:
    """Build the model and the data.

    Raises:
        LabError: If one of them refuses its options.
    """
    origin = settled.origins.get("run.dir")
    root = Path(settled.complete()["run"]["dir"])
    where = origin.where if origin else f"mnistlab {invocation.command}"
    check_place(root, where)
    check_looks(root, where)
    register_tensor_type()
    with refusing(settled.origins):
        data = build(ImageData, Configuration.of(settled).data)
        link_data(settled, data)
        configuration = Configuration.of(settled)
        _seed(configuration.seed_everything)
        with made_for(found.contents["state_dict"], found.path) if found and found.path else nullcontext():
            model = build(Classifier, configuration.model)
    data.specification, model.specification = configuration.data, configuration.model
    expect(data, found)
    folder = new_folder(root, model.name)
    return Assembled(configuration, model, data, folder, Directly(configuration, model, data))


def _seed(seed: int | bool) -> None:
    """Seed what Lightning seeds; False seeds nothing."""
    if seed is not False:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what a library may draw from
        torch.manual_seed(seed)
