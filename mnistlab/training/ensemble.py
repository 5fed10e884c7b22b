"""Several trained nets as one, measured as a checkpoint is: it answers the mean of their probabilities."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mnistlab.checkpoints.loading import load_model
from mnistlab.checkpoints.reading import read_checkpoint, record_of
from mnistlab.classifier import Classifier
from mnistlab.errors import LabError, tell
from mnistlab.export.graph import Answering, Mean
from mnistlab.options.files import from_data
from mnistlab.options.notation import Plain
from mnistlab.options.specification import without_unrecorded
from mnistlab.options.written import Source, Written
from mnistlab.text.values import counted, shown
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation

_SMALLEST = torch.finfo(torch.float32).tiny  # of which there is a logarithm

_OF_TRAINING = ("batch_size", "eval_batch_size", "augment", "mean", "std", "data_dir")
_OF_SPLITS = ("train_size", "val_size", "val_fraction", "folds", "fold", "partition", "partition_seed")
_OF_NETS = ("classes", "channels", "image_size")
"""Options of data: those that no image depends on, those that say which images are in which split, and what a net is
made for.
"""

_ITS_OWN = (("model",), ("model", "loss"), ("model", "losses"), ("model", "loss_weights"))
"""Options that an ensemble leaves nobody."""

_vouched: set[str] = set()
"""The packages that a checkpoint may name in this process; what the user of the command says, and no file."""


class Ensemble(Classifier):
    """The mean of several nets. It takes the images as they are, so the data must not normalize them.

    Args:
        members: Their checkpoints.
    """

    name = "ensemble"

    def __init__(self, members: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = Mean([_member(Path(each), [*self.heads]) for each in members])

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        """Images (batch, channels, height, width) with values from 0 to 255 -> logarithms of probabilities."""
        logits = {
            head: probs.clamp_min(_SMALLEST).log() for head, probs in zip(self.heads, self.net(images), strict=True)
        }
        return logits if len(logits) > 1 else logits[self.primary]


def find_ensemble(invocation: Invocation, members: Sequence[Path], folder: Path | None) -> Found:
    """Read several checkpoints as one that is measured; its images are not normalized.

    Args:
        invocation: The command as it was typed.
        members: The checkpoints.
        folder: The folder of their runs, where that was named.

    Raises:
        LabError: If one is no checkpoint, or they do not go together.
    """
    where = invocation.ckpt_where
    if invocation.command == "explain":
        raise LabError(f"{where}: explain looks into one net, and these are {len(members)}.")
    for entry in invocation.typed:
        if entry.key in _ITS_OWN:
            raise LabError(f"{entry.where}: an ensemble has the nets of its checkpoints and the cross-entropy as loss.")
    contents = [read_checkpoint(path) for path in members]
    records = [record_of(each, path) for each, path in zip(contents, members, strict=True)]
    heads = _common_heads(where, members, records)
    data = _common_data(invocation, members, records)
    _vouched.update(invocation.trusted)
    told: dict[str, Any] = {
        "model": {
            "class_path": f"{__name__}.{Ensemble.__name__}",
            "init_args": {"members": [str(path.resolve()) for path in members], "num_classes": heads},
        }
    }
    if data:
        told["data"] = without_unrecorded(data)
    layer = [invocation.vouching.vouch(entry) for entry in from_data(told, f"checkpoint {members[0]}")]
    for name, value in (("mean", "0"), ("std", repr(1 / 255))):
        invocation.typed.append(Written(("data", name), Plain(value), Source.COMMAND_LINE, where))
    tell(f"note: the mean probabilities of {counted(len(members), 'net')}; the loss is the cross-entropy of these.")
    weights = {
        f"net.members.{number}.model.{name}": value
        for number, each in enumerate(contents)
        for name, value in each["state_dict"].items()
    }
    fingerprint = records[0].get("data_fingerprint") or {}
    return Found(None, folder, {"state_dict": weights}, layer, {}, fingerprint, tuple(members))


def _member(path: Path, heads: Sequence[str]) -> Answering:
    """A net with its normalization, which is that of the images that it was trained on."""
    model = load_model(Classifier, path, {}, allowed=_vouched)
    data = record_of(read_checkpoint(path), path).get("data") or {}
    mean, std = (data.get("init_args", {}).get(name) for name in ("mean", "std"))
    if mean is None or std is None:
        raise LabError(f"{path} does not say how its images were normalized, so that it cannot be one of several.")
    if len(model.heads) == len(heads) > 1 and [*model.heads] != [*heads]:
        raise LabError(f"{path} has its labels in another order: {', '.join(model.heads)}.")
    return Answering(model, float(mean), float(std))


def _common_heads(where: str, members: Sequence[Path], records: Sequence[Mapping[str, Any]]) -> object:
    """The number of classes, or that of each head, which all must have."""
    found = [_without_name(record["model"]["init_args"].get("num_classes", 10)) for record in records]
    for path, heads in zip(members, found, strict=True):
        if heads != found[0]:
            first = f"{members[0]} {_classes(found[0])}"
            raise LabError(f"{where}: {first}, and {path} {_classes(heads)}: they have nothing to average.")
    return records[0]["model"]["init_args"].get("num_classes", 10)


def _without_name(heads: object) -> object:
    """The number of classes of a single head, whatever it is called."""
    return next(iter(heads.values())) if isinstance(heads, Mapping) and len(heads) == 1 else heads


def _classes(heads: object) -> str:
    if not isinstance(heads, Mapping):
        return f"has {heads} classes"
    return "has " + ", ".join(f"{size} classes of {head}" for head, size in heads.items())


def _common_data(
    invocation: Invocation, members: Sequence[Path], records: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The data of the first one, whose images the others must be asked about too.

    Raises:
        LabError: If they were trained on others, and nobody says on which all are measured.
    """
    first: Mapping[str, Any] | None = records[0].get("data")
    typed = {".".join(entry.key) for entry in invocation.typed}
    if first is None or "data" in typed:
        return first
    validates = invocation.command == "validate"
    for path, record in zip(members[1:], records[1:], strict=True):
        for name, one, other in _differences(first, record.get("data") or {}, validates=validates):
            own = name.removeprefix("data.")
            if name in typed and own not in _OF_NETS:
                continue
            why = "they do not answer the same images"
            if own in _OF_SPLITS:
                why = "what one of them is measured on, another has learnt"
            elif own not in _OF_NETS:
                why = f"say what all of them are measured on with --{name}=..."
            differ = f"{members[0]} has {name}={shown(one)}, {path} {shown(other)}"
            raise LabError(f"{invocation.ckpt_where}: {differ}: {why}.")
    return first


def _differences(
    one: Mapping[str, Any], other: Mapping[str, Any], *, validates: bool
) -> Iterator[tuple[str, object, object]]:
    """The options of two data sets in which the images differ that are measured."""
    if one["class_path"] != other.get("class_path"):
        yield "data", one["class_path"], other.get("class_path")
        return
    options, others = one["init_args"], other["init_args"]
    drawn = "pooled" in (options.get("partition"), others.get("partition")) or "path" in options
    splits = () if validates else _OF_SPLITS[: 5 if drawn else 7]  # the test images too may be drawn by a seed
    for name in sorted(options.keys() | others.keys()):
        if name not in (*_OF_TRAINING, *splits) and options.get(name) != others.get(name):
            yield f"data.{name}", options.get(name), others.get(name)
