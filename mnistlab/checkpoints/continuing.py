"""What a checkpoint must hold for a training to go on from it, checked before anything is changed.

Each owner's part is described here, so that `inspect` can say what is wrong without Lightning. A part may hold more
than is described; what is described must be so in every checkpoint that can be continued.
"""

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mnistlab.checkpoints.reading import RECORD
from mnistlab.errors import LabError, visible
from mnistlab.system.files import is_file
from mnistlab.system.lightning_inside import LOOPS
from mnistlab.system.shapes import (
    Shape,
    both,
    count,
    either,
    fields,
    listed,
    mapping,
    maybe,
    named,
    number,
    real,
    row,
    some,
    threads,
    unlike,
    whole,
)

_SIBLINGS = ("best.ckpt", "last.ckpt")
_STATE = 624  # numbers that a Mersenne twister holds


def _tensor(value: object) -> str | None:
    is_one = isinstance(value, Tensor) and not value.is_meta and value.layout is torch.strided
    return None if is_one else unlike(value, "a tensor")


def _sums(size: int | None, counts: int = 1) -> Shape:
    """Sums over an epoch, of each process; the last ones are `counts`, which are numbers, as a loss need not be."""

    def problem(value: object) -> str | None:
        one = isinstance(value, Tensor) and not _tensor(value) and value.dim() > 0 and not value.is_complex()
        if not (isinstance(value, Tensor) and one) or value.shape[-1] < 1 or size not in (None, value.shape[-1]):
            return unlike(value, f"a tensor of {size or 'some'} sums")
        return None if torch.isfinite(value[..., -counts:]).all() else " counts images that are no number"

    return problem


def _alike(value: object) -> str | None:
    """What an optimizer keeps of each parameter: under one name the same kind of thing, as far as there is any."""
    kinds: dict[object, type] = {}
    for at, kept in value.items() if isinstance(value, Mapping) else ():
        for name, each in kept.items():
            kind = float if isinstance(each, int) else type(each)
            if each is not None and kinds.setdefault(name, kind) is not kind:
                return f".{at}.{name}{unlike(each, f'a {kinds[name].__name__}, as elsewhere,')}"
    return None


def _version(value: object) -> str | None:
    """A version that Lightning's migrations can compare."""
    is_one = isinstance(value, str) and re.fullmatch(r"\d{1,4}(\.\d{1,6}){1,3}([-+.]?[a-z]+\d*)*", value)
    return None if is_one else unlike(value, "a version")


def _taken_by(set_state: Callable[[Any], object], shape: Shape) -> Shape:
    """Of that shape, and a state that a generator of its own takes."""

    def problem(value: object) -> str | None:
        try:
            wrong = shape(value)
            if not wrong:
                set_state(value)
        except (TypeError, ValueError, IndexError, RuntimeError, OverflowError):
            return " is no state of a generator of random numbers"
        return wrong

    return problem


def _set_python(state: Any) -> None:
    version, numbers, gauss = state
    random.Random().setstate((version, tuple(numbers.tolist()), gauss))  # noqa: S311 - it draws nothing


def _set_numpy(state: Any) -> None:
    keys, position, has_gauss, cached = state
    if position > _STATE:
        raise ValueError(position)
    np.random.RandomState().set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))


_lr = either(_tensor, number)
_kept = maybe(either(_tensor, either(real, listed(either(_tensor, maybe(real))))))
_optimizer = both(named(named(_kept)), _alike)
_group = fields({"params": listed(whole), "lr": _lr}, {"initial_lr": _lr})
_metrics = both(fields({"loss": _sums(3), "acc": _sums(2, 2)}), named(_sums(None)))
_position = fields(dict.fromkeys(("seed", "epoch", "images"), whole))  # of a loader of the lab's

RECORDER = fields(
    {
        "rows": listed(both(named(real), fields(dict.fromkeys(("epoch", "step"), count)))),
        "best": named(real),
        "validation": named(real),
        "epoch_seconds": listed(number),
        "seconds": number,
    }
)
"""What `mnistlab.runs.recorder` keeps."""

CONTINUITY = fields(
    {
        "torch": _taken_by(lambda state: torch.Generator().set_state(state), _tensor),
        "cuda": listed(_tensor),
        "python": _taken_by(_set_python, row(whole, _tensor, maybe(number))),
        "numpy": _taken_by(_set_numpy, row(_tensor, count, count, number)),
    }
)
"""What `mnistlab.callbacks.continuity` keeps."""

PACE = fields({"turns": listed(row(count, threads)), "batches": count})
"""What `mnistlab.callbacks.pace` keeps."""

BUDGET = fields({"turns": listed(row(count, count, count))})
"""What `mnistlab.callbacks.budget` keeps."""

CLASSIFIER = fields(
    {"acc_best": number, "reported": named(real), "lr": real, "counts": named(named(either(_metrics, _sums(4, 2))))},
    {"history": listed(named(real)), "gradients": named(_tensor)},
)
"""What `mnistlab.classifier` keeps in the lab's part, besides what describes the model."""

CALLBACKS = {"Recorder": RECORDER, "Continuity": CONTINUITY, "Pace": PACE, "Budget": BUDGET}

CONTINUABLE = fields(
    {
        "pytorch-lightning_version": _version,
        "epoch": count,
        "global_step": count,
        "loops": fields({"fit_loop": LOOPS}),
        "optimizer_states": some(fields({"state": _optimizer, "param_groups": some(_group)})),
        "lr_schedulers": listed(mapping),
        "callbacks": both(named(mapping), fields({}, CALLBACKS)),
        RECORD: CLASSIFIER,
    }
)
"""All of it."""


def check_continuable(contents: Mapping[str, Any], path: Path) -> None:
    """Refuse a checkpoint that no training can go on from.

    Args:
        contents: The checkpoint, which is known to be of the lab.
        path: Where it is.

    Raises:
        LabError: If something is missing, or is not what it should be.
    """
    problem = not_continuable(contents)
    if problem:
        raise LabError(f"{path} cannot be continued: {problem}. {way_out(path)}")


def not_continuable(contents: Mapping[str, Any]) -> str | None:
    """The first thing in a checkpoint of the lab that is not as a training needs it; None where all is."""
    data = contents[RECORD].get("data") or {}
    name = str(data.get("class_path")).rpartition(".")[2]
    found = CONTINUABLE(contents) or fields({}, {name: _position})(contents)
    if not found and contents[RECORD]["model"].get("init_args", {}).get("scheduler") and not contents["lr_schedulers"]:
        found = "lr_schedulers is empty, and the model has a schedule"
    return visible(found.removeprefix(".")) if found else None


def way_out(path: Path) -> str:
    """What to do where a checkpoint cannot be continued: the other one of its run serves, or a new training."""
    others = [path.with_name(name) for name in _SIBLINGS if name != path.name]
    present = [other for other in others if is_file(other)]
    if present and path.name in _SIBLINGS:
        return f"Try --ckpt_path={present[0]}"
    return "Train anew."
