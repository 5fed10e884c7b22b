"""Reading a whole net from a file without trusting it: only classes of nets are built that somebody vouches for."""

import importlib
import pickle
import warnings
from collections.abc import Iterable
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import torch
from torch import nn

from mnistlab.checkpoints.pickled import names_in_pickle
from mnistlab.errors import LabError, visible
from mnistlab.options.classes import look_here_too
from mnistlab.options.trust import TRUSTED_CODE, check_trusted
from mnistlab.system.files import is_file

_OURS = ("mnistlab", "torch.nn", "torchvision")
"""The packages whose nets and parts of nets are built; of their functions those of `TRUSTED_CODE`."""
_PLAIN = {"builtins.set": set}


def read_module(path: Path, allowed: frozenset[str] = frozenset()) -> nn.Module:
    """A net that was kept whole, on the CPU.

    Args:
        path: The file, of anyone.
        allowed: The packages and classes that the user vouches for.

    Raises:
        LabError: If there is no such file, it is damaged, or it names what nobody vouches for; nothing of that is run.
    """
    if not is_file(path):
        raise LabError(f"There is no net {path}: it was given from Python, and its file was removed.")
    known: list[Any] = [_named(name, allowed, path) for name in names_in_pickle(path)]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(known):
            warnings.simplefilter("ignore")  # torch warns of pickles that it then refuses
            net: object = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise LabError(f"{path} holds more than a net, and reading the rest could run code.") from error
    except Exception as error:  # what is no pickle at all ends in any error
        raise LabError(f"{path} is no net, or a damaged one.") from error
    if not isinstance(net, nn.Module):
        raise LabError(f"{path} holds no net but a {type(net).__name__}.")
    return net


def _named(name: str, allowed: Iterable[str], path: Path) -> object:
    """What a name in a file stands for; it is imported once it is known to be harmless, or vouched for."""
    if name in _PLAIN:
        return _PLAIN[name]
    ours = any(name.startswith(f"{package}.") for package in _OURS)
    if not ours:
        check_trusted(name, frozenset(allowed), str(path))
        look_here_too()
    module, _, attribute = name.rpartition(".")
    try:
        found: object = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise LabError(f"{path} needs {visible(name)}, which cannot be imported: {error}.") from error
    is_net = isinstance(found, type) and issubclass(found, nn.Module)
    is_part = module in TRUSTED_CODE and isinstance(found, FunctionType | BuiltinFunctionType)
    if ours and not is_net and not is_part:
        raise LabError(f"{path} names {visible(name)}, which is no part of a net. It was not loaded.")
    return found
