"""A trained model out of its checkpoint, in Python."""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mnistlab.checkpoints.limits import made_for
from mnistlab.checkpoints.reading import read_checkpoint, record_of
from mnistlab.errors import LabError
from mnistlab.options.building import build
from mnistlab.options.files import from_data
from mnistlab.options.imported import Section, settle
from mnistlab.options.specification import Specification, plain, unrecorded, without_unrecorded
from mnistlab.options.trust import TRUSTED, dotted_names


class _Model(Protocol):
    specification: Specification | None

    def remember(self, record: Mapping[str, Any]) -> None: ...

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> object: ...


T = TypeVar("T", bound=_Model)


def load_model(
    base: type[T], path: Path, given: Mapping[str, object], *, strict: bool = True, allowed: Iterable[str] = ()
) -> T:
    """Build the model that a checkpoint describes, with its weights, on the CPU.

    The file is not trusted: nothing in it is run, and a class that it names must be mnistlab's, torch's, of the package
    of `base`, or that of a part that is given.

    Args:
        base: What the model must be, or be derived from.
        path: The checkpoint.
        given: Arguments that count in place of those of the checkpoint.
        strict: Whether the weights must fit exactly.
        allowed: The packages whose classes it may name besides.

    Raises:
        LabError: If the file is no checkpoint of such a model, or names a class that is not trusted.
        RuntimeError: If the weights do not fit the model.
    """
    contents = read_checkpoint(path)
    record = record_of(contents, path)
    described = record["model"]
    missing = {key: what for key, what in unrecorded(described).items() if key.partition(".")[0] not in given}
    for key, what in missing.items():
        warnings.warn(f"{key} was {what}, which is not written down; the default is taken.", stacklevel=3)
    known = {"model": without_unrecorded(described)}
    arguments = {name: plain(value) for name, value in given.items()}
    packages = {base.__module__.partition(".")[0]}.difference(TRUSTED)
    settled = settle(
        object,
        {"model": Section(base, chosen=True)},
        [from_data(known, f"checkpoint {path}")],
        frozenset({*packages, *allowed, *dotted_names(arguments)}),
    )
    found = settled.values.get("model")
    if not found:
        raise LabError(f"{path} does not say which model it holds.")
    specification = Specification.of(found)
    with made_for(contents["state_dict"], path):
        model = build(base, specification, given)
    model.specification = Specification(specification.class_path, {**specification.init_args, **arguments})
    model.load_state_dict(contents["state_dict"], strict=strict)
    model.remember(record)
    return model
