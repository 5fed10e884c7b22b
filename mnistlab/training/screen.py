"""What a person sees while a run goes on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import visible
from mnistlab.presets.shipped import with_names
from mnistlab.runs.folder import CONFIG, LAST
from mnistlab.runs.hints import command_for
from mnistlab.runs.length import Length
from mnistlab.runs.looks import after_looks
from mnistlab.runs.metrics import ACC, KNOWN, LOSS, PRIMARY, Measure
from mnistlab.runs.sheets import counting
from mnistlab.text.layout import beside, wrapped
from mnistlab.text.values import cut, from_here, in_seconds, shown
from mnistlab.training.origins import Origin

_LONGEST = 40  # characters of a value that are shown
_SHARE = len("98.12 %")
_COLUMN = 20  # characters that a value may have and still be followed by its origin in the common column


class Screen:
    """Prints the course of a training run.

    Args:
        speaks: Whether this process does; of several only the first.
    """

    def __init__(self, *, speaks: bool = True) -> None:
        self._speaks = speaks
        self._epochs = ""
        self._primary = ""
        self._heads: list[str] = []  # without the primary one
        self._measures: Sequence[Measure] = KNOWN

    def begin(self, model: Classifier, data: ImageData, epochs: int | None, folder: Path) -> None:
        """Say what is trained, and where it is kept."""
        count = sum(parameter.numel() for parameter in model.parameters())
        trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        some = "" if trained == count else f", {trained:,} of them trained"
        self._primary, *self._heads = model.heads
        self._measures = model.measures
        self._epochs = f"/{epochs}" if epochs and epochs > 0 else ""
        self._print(f"{type(model).__name__} ({count:,} parameters{some}) on {type(data).__name__}")
        self._print(f"kept in {from_here(folder)}")

    def weights(self, path: Path) -> None:
        """Say what is measured."""
        self._print(f"weights of {from_here(path)}")

    def settings(self, changed: Sequence[Origin]) -> None:
        """Say what is not at its default, and who said so; of a checkpoint that it was the checkpoint."""
        rows = [
            (each.name, cut(from_here(shown(counting(each.name, each.value))), _LONGEST), _short_place(each.where))
            for each in changed
        ]
        first = max((len(name) for name, _, _ in rows), default=0)
        second = max((len(value) for _, value, _ in rows if len(value) <= _COLUMN), default=0)
        for name, value, where in rows:
            for line in beside([f"  {name:<{first}}  {value:<{second}}", where]):
                self._print(line)

    def row(self, row: Mapping[str, float]) -> None:
        """Print the metrics of an epoch."""
        epoch = f"{int(row['epoch']) + 1}{self._epochs}"
        parts = [
            " ".join([split, *(f"{each.name} {self._figure(each, split, row)}" for each in self._measures)])
            for split in ("train", "val")
            if f"{split}/{LOSS.name}" in row
        ]
        seconds = row["seconds"]
        for line in beside([f"epoch {epoch:>7}", *parts, f"{in_seconds(seconds)} s"]):
            self._print(line)

    def cut_short(self, by: str, length: Length | int) -> None:
        """Say that a run has come to its end before its last epoch was over; of whole epochs only what has ended it.

        Args:
            by: What has ended it; empty where that is not known.
            length: How long the run has trained; of whole epochs how many.
        """
        if isinstance(length, Length):
            self._print(f"{f'{by} ended it' if by else 'It ended'} in epoch {length.whole + 1}, after {length.part}.")
        elif by:
            self._print(f"{by} ended it after epoch {length}.")

    def end(self, metrics: Mapping[str, Mapping[str, float] | None], data: ImageData, looks: int | None = None) -> None:
        """Print the outcome.

        Args:
            metrics: Those of the best validation and of the test.
            data: What was trained on.
            looks: How often the test images had been looked at before.
        """
        best, test = metrics.get("best"), metrics.get("test")
        if best:
            self._print(f"best  val acc {ACC.figure(best[PRIMARY])} after epoch {int(best['epoch']) + 1}")
        if test:
            order = dict.fromkeys((ACC, *self._measures))
            figures = [f"{each.name} {self._figure(each, 'test', test).strip()}" for each in order]
            self._print("  ".join(["test", *figures, *filter(None, [after_looks(looks)])]))
            if self._heads:
                largest = {f"test/{head}_{ACC.name}": share for head, share in data.majority("test").items()}
                largest[f"test/{ACC.name}"] = largest[f"test/{self._primary}_{ACC.name}"]
                shares = self._figure(ACC, "test", largest).strip()
                self._print(f"always naming the largest class: {shares}")

    def way_on(self, folder: Path, *, tested: bool) -> None:
        """Print how to have the outcome again, or for the first time."""
        if (folder / LAST).is_file() and "--trust=__main__" not in (command := command_for("test", folder)):
            again = " again" if tested else ""
            self._print(f"Test it{again}: {command}")  # a class of a session is found in no other process

    def verdict(self, line: str | None) -> None:
        """Say what the run has come to, where there is something to say."""
        for each in wrapped(line) if line else ():
            self._print(each)

    def _figure(self, measure: Measure, split: str, metrics: Mapping[str, float]) -> str:
        """A metric, and those of further heads with their names; the loss is that of all heads together."""
        of_heads = {head: metrics.get(f"{split}/{head}_{measure.name}") for head in self._heads if measure != LOSS}
        others = [f"{head} {measure.bare(value)}" for head, value in of_heads.items() if value is not None]
        width = _SHARE if measure.unit else 0
        text = f"{measure.figure(metrics[f'{split}/{measure.name}']):>{width}}"
        return f"{text} ({', '.join(others)})" if others else text

    def _print(self, line: str) -> None:
        if self._speaks:
            print(visible(line), flush=True)


def _short_place(where: str) -> str:
    """Who said so: of a checkpoint only that, of a run's configuration the line, for the run is named above."""
    if where.startswith("checkpoint "):
        return "checkpoint"
    folder, _, place = where.rpartition("/")
    if folder and place.startswith(f"{CONFIG}:"):
        return place
    return with_names(f"{from_here(folder)}/{place}" if folder else where)
