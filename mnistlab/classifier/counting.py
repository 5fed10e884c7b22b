"""What is measured of all heads while an epoch runs, and what comes of it at its end."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from mnistlab.classifier.metrics import Counts, Metric, sums_of
from mnistlab.classifier.objective import Objective
from mnistlab.runs.metrics import LOSS

Values = dict[str, float]
"""Metrics by the names of their columns: `val/acc`, `val/digit_acc`."""


class Counting:
    """The counts of each head in the splits that are running.

    Args:
        metrics: What is measured, of each head for which it says something.
        heads: The number of classes of each head, the primary one first.
        objective: The losses.
    """

    def __init__(self, metrics: Sequence[Metric], heads: Mapping[str, int], objective: Objective) -> None:
        self._metrics, self._heads, self._objective = metrics, heads, objective
        self._of = {head: [each for each in metrics if not each.refusal(size)] for head, size in heads.items()}
        self._splits: dict[str, dict[str, Counts]] = {}

    def columns(self, split: str) -> list[str]:
        """The names of all that is measured of a split, those of the primary head first."""
        main = [f"{split}/{metric.name}" for metric in self._metrics]
        return [*main, *(f"{split}/{head}_{metric.name}" for head, metric in self._of_heads())]

    def begin(self, split: str) -> None:
        """Begin anew; nothing that an interrupted epoch left behind may stay."""
        self._splits.pop(split, None)

    def add(
        self, split: str, losses: Mapping[str, Tensor], logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]
    ) -> None:
        """Count a batch; the counts stay on the device, nothing here waits for it."""
        counts = self._splits.get(split)
        if counts is None:
            counts = self._splits[split] = {head: self._count(head) for head in self._heads}
        for head, count in counts.items():
            weight = self._objective.of(head).weight_of_batch(targets[head])
            count.add(losses[head], weight, logits[head], targets[head])

    def end(self, split: str, reduce: Callable[[Tensor], Tensor]) -> tuple[Values, Values]:
        """The metrics of an epoch: those of the primary head, with the loss of all, and those of each of several.

        Args:
            split: Of it; nothing where nothing was counted.
            reduce: Adds up the sums of all processes.
        """
        counts = self._splits.pop(split, None)
        if counts is None:
            return {}, {}
        own = {(head, name): sums for head, count in counts.items() for name, sums in count.sums().items()}
        reduced = reduce(torch.cat(list(own.values()))).cpu()
        sums = dict(zip(own, reduced.split([len(each) for each in own.values()]), strict=True))
        value = {
            (head, each.name): each.value(sums[head, each.name]) for head in self._heads for each in self._of[head]
        }
        primary, weights = next(iter(self._heads)), self._objective.weights
        main = {f"{split}/{metric.name}": value[primary, metric.name] for metric in self._metrics}
        main[f"{split}/{LOSS.name}"] = sum(value[head, LOSS.name] * weight for head, weight in weights.items())
        return main, {f"{split}/{head}_{each.name}": value[head, each.name] for head, each in self._of_heads()}

    def saved(self, gather: Callable[[Tensor], Tensor]) -> dict[str, dict[str, dict[str, Tensor]]]:
        """What a checkpoint keeps: `{"train": {"label": {"acc": sums}}}`, those of all processes together."""
        return {
            split: {head: {name: gather(sums) for name, sums in count.sums().items()} for head, count in counts.items()}
            for split, counts in self._splits.items()
        }

    def take_up(self, saved: Mapping[str, Mapping[str, Mapping[str, Tensor]]], own: Callable[[Tensor], Tensor]) -> None:
        """Go on with what a checkpoint has; `own` gives the part of this process."""
        self._splits = {
            split: {
                head: self._count(head, {name: own(sums) for name, sums in sums_of(kept).items()})
                for head, kept in counts.items()
            }
            for split, counts in saved.items()
        }

    def _count(self, head: str, sums: Mapping[str, Tensor] | None = None) -> Counts:
        return Counts(self._of[head], self._objective.of(head), sums)

    def _of_heads(self) -> list[tuple[str, Metric]]:
        """What is measured of each of several heads."""
        heads = self._heads if len(self._heads) > 1 else ()
        metrics = sorted(self._metrics, key=lambda metric: metric.name)
        return [(head, metric) for metric in metrics for head in heads if metric in self._of[head]]
