"""A new model from a trained one: the weights that fit are taken, the others stay as they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from mnistlab.checkpoints.reading import not_finite, odd_kind, read_checkpoint, rounded
from mnistlab.errors import LabError, visible

_MOST = 6  # layers that a sentence names


@dataclass(frozen=True)
class Taken:
    """What became of the weights of a checkpoint in another model."""

    path: Path
    taken: list[str]  # the layers that were taken over
    left: Mapping[str, str]  # those of the model that were not, and why
    unused: list[str]  # those of the checkpoint that the model does not have
    rounded: str | None = None
    """Which of them the model holds with fewer digits, and how; None where it holds all as they are."""

    def __str__(self) -> str:
        parts = [f"{len(self.taken)} of {len(self.taken) + len(self.left)} layers taken from {self.path}."]
        if self.left:
            parts.append(f"Not taken: {_listed([f'{name} ({why})' for name, why in self.left.items()])}.")
        if self.unused:
            parts.append(f"Not used of it: {_listed(self.unused)}.")
        if self.rounded:
            parts.append(f"Rounded: {self.rounded}.")
        return " ".join(parts)


def take_weights(model: nn.Module, path: Path) -> Taken:
    """Load what fits of the weights of a checkpoint; the file is not trusted.

    A layer is taken if all its tensors are there by name and shape: half a layer would be worse than a new one.

    Args:
        model: The model that takes them.
        path: A checkpoint or a safetensors file, of the same model or of another.

    Raises:
        LabError: If the file cannot be read, or nothing in it fits or can be learnt from.
    """
    weights = {str(name): weight for name, weight in read_checkpoint(path)["state_dict"].items()}
    own = model.state_dict()
    left: dict[str, str] = {}
    for name, tensor in own.items():
        why = _reason(name, tensor, weights)
        if why is not None:
            left.setdefault(_layer(name), why)
    taken = [layer for layer in dict.fromkeys(map(_layer, own)) if layer not in left]
    if not taken:
        layer, why = next(iter(left.items()))
        raise LabError(f"{path} has nothing that fits {type(model).__name__}: {layer} ({why}).")
    fitting = {name: weights[name] for name in own if _layer(name) in taken}
    odd = not_finite(fitting, {name for name, _ in model.named_parameters()})
    if odd:
        raise LabError(
            f"{path} holds what is no number (NaN, or infinite; {odd} is the first): nothing can be learnt from it. "
            "Begin from another checkpoint."
        )
    model.load_state_dict(fitting, strict=False)
    layers = dict.fromkeys(map(_layer, weights))
    unused = [visible(layer) for layer in layers if layer not in taken and layer not in left]
    return Taken(path, taken, left, unused, rounded(fitting, {name: own[name] for name in fitting}))


def _layer(name: str) -> str:
    """The module that a tensor belongs to."""
    return name.rpartition(".")[0]


def _reason(name: str, tensor: Tensor, weights: Mapping[str, object]) -> str | None:
    """Why a tensor cannot be taken; None where it can."""
    short = name.rpartition(".")[2]
    if name not in weights:
        return f"it has no {short}" if any(_layer(other) == _layer(name) for other in weights) else "not in it"
    weight = weights[name]
    odd = odd_kind(weight, tensor)
    if odd or not isinstance(weight, Tensor):
        return f"its {short} is {odd}"
    return None if weight.shape == tensor.shape else f"{short} {_shape(tensor)} here, {_shape(weight)} there"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST
    return ", ".join([*names[:_MOST], *([f"and {more} more"] if more > 0 else [])])
