"""What was written and belongs nowhere, and what its writer probably meant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mnistlab.nearest import nearest, said, sharing_a_word
from mnistlab.options.classes import candidates, find_class, listed
from mnistlab.options.messages import options_of
from mnistlab.options.signatures import Slot, options
from mnistlab.options.specification import default_of_slot
from mnistlab.options.written import STEERING, Key, Source, Written

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "arch": ("model",),
    "backbone": ("model",),
    "bs": ("data.batch_size",),
    "checkpoint": ("ckpt_path",),
    "cpu": ("trainer.accelerator=cpu",),
    "cuda": ("trainer.accelerator=gpu",),
    "dataset": ("data",),
    "device": ("trainer.accelerator", "trainer.devices"),
    "dry_run": ("trainer.fast_dev_run",),
    "early_stopping": ("trainer.callbacks+=EarlyStopping",),
    "epoch": ("trainer.max_epochs",),
    "fp16": ("trainer.precision=16-mixed",),
    "gpu": ("trainer.devices", "trainer.accelerator=gpu"),
    "learning_rate": ("model.optimizer.lr",),
    "load": ("ckpt_path",),
    "log_dir": ("run.dir",),
    "lr_scheduler": ("model.scheduler",),
    "network": ("model",),
    "output": ("run.dir",),
    "output_dir": ("run.dir",),
    "preset": ("config",),
    "resume": ("ckpt_path",),
    "resume_from": ("ckpt_path",),
    "resume_from_checkpoint": ("ckpt_path",),
    "save_dir": ("run.dir",),
    "step": ("trainer.max_steps",),
    "val_split": ("data.val_size",),
    "wd": ("model.optimizer.weight_decay",),
    "weights": ("ckpt_path",),
}
"""Words of other tools, in the singular, and what they are called here."""

_MOST = 3
"""Names offered at most."""

_MISSPELT = 0.8
"""How like an option a name is that was surely meant to be it, and not an option of another class."""


@dataclass(frozen=True)
class Misfit:
    """Something written that belongs nowhere.

    Attributes:
        entry: What.
        why: In a sentence.
        way_out: What would have been right; with a space before it.
    """

    entry: Written
    why: str
    way_out: str = ""

    @property
    def reason(self) -> str:
        """Where it stands and why it does not fit."""
        return f"{self.entry.where}: {self.why}"

    @property
    def message(self) -> str:
        """The same as an error, with the way out."""
        return self.reason + self.way_out


@dataclass(frozen=True)
class Chosen:
    """A class that options are written for.

    Attributes:
        cls: The class.
        prefix: The option that it was chosen with.
        slot: What could have been chosen; None where there is no choice.
        choice: Who chose it; None for a default.
    """

    cls: type
    prefix: Key
    slot: Slot | None = None
    choice: Written | None = None

    @property
    def factory(self) -> bool:
        """Whether the first argument of the class is supplied later."""
        return self.slot is not None and self.slot.factory


def no_section(entry: Written, names: Iterable[str], tree: Mapping[str, type]) -> Misfit:
    """The misfit of an option whose first part is neither a section nor an option.

    Args:
        entry: What was written.
        names: What there is at the top.
        tree: The class of each section.
    """
    dashes = "--" if entry.source is Source.COMMAND_LINE else ""
    why = f"there is no option {dashes}{entry.name}."
    name = ".".join(entry.key).replace("-", "_")
    first, dot, rest = name.partition(".")
    top = tree if rest else [*names, *STEERING]
    near = [first] if first in top else nearest(first, top)
    sections = [key for key in _keys(tree) if rest and key.endswith(f".{first}")]
    hint = _renamed(name) or _deeper(name, tree, exact=True)
    hint = hint or said([f"--{other}{dot}{rest}" for other in sections or near]) or _deeper(name, tree, exact=False)
    return Misfit(entry, why, hint or " `--help=all` lists all options.")


def no_option(chosen: Chosen, path: Key, entry: Written, tree: Mapping[str, type]) -> Misfit:
    """The misfit of an option that a class does not have.

    Args:
        chosen: The class.
        path: The part of the key that the class should have.
        entry: What was written.
        tree: The class of each section.
    """
    known = options(chosen.cls, factory=chosen.factory)
    if not path:
        return Misfit(entry, f"{entry.name} is a group of options: {options_of(chosen.cls)}.")
    name = path[0].replace("-", "_")
    hint = said([name]) if name in known else said(nearest(name, known, likeness=_MISSPELT))
    hint = hint or _renamed(name) or _of_another_class(chosen, name) or _deeper(name, tree, exact=True)
    hint = hint or said(sharing_a_word(name, known)[:_MOST]) or said(nearest(name, known))
    hint = hint or f" It takes {', '.join(known) or 'none'}."
    return Misfit(entry, f"{chosen.cls.__name__} has no option {path[0]}.", hint)


def _renamed(name: str) -> str:
    """A hint at what another tool's word is called here."""
    return said([f"--{key}" for key in ELSEWHERE.get(name.lower().removesuffix("s"), ELSEWHERE.get(name.lower(), ()))])


def _of_another_class(chosen: Chosen, name: str) -> str:
    """A hint at the classes that could have been chosen and have the option."""
    if chosen.slot is None:
        return ""
    slot = chosen.slot
    known = candidates(slot.bases)
    others = [cls for other in listed(slot.bases) for cls in known[other] if cls is not chosen.cls]
    names = [cls.__name__ for cls in others if name in options(cls, factory=slot.factory)]
    if not names:
        return ""
    shown = [*names[:_MOST], *(["others"] if len(names) > _MOST else [])]
    owners = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    by = chosen.choice.where if chosen.choice else "the default"
    return f" It belongs to {owners}; you chose {chosen.cls.__name__} ({by})."


def _deeper(name: str, tree: Mapping[str, type], *, exact: bool) -> str:
    """A hint at options within the sections: `--model.optimizer.lr` for `--lr`.

    Args:
        name: What was written, dotted.
        tree: The class of each section.
        exact: Whether their last parts must be `name`, or only be like it.
    """
    keys = list(_keys(tree))
    if exact:
        return said([f"--{key}" for key in keys if key.endswith(f".{name}")][:_MOST])
    by_last: dict[str, list[str]] = {}
    for key in keys:
        by_last.setdefault(key.rpartition(".")[2], []).append(f"--{key}")
    like = nearest(name, by_last) or sharing_a_word(name, by_last)
    return said([key for last in like for key in by_last[last]][:_MOST])


def _keys(tree: Mapping[str, type]) -> Iterator[str]:
    """The dotted keys of the options of the default classes, two levels deep."""
    for name, cls in tree.items():
        for option in options(cls).values():
            yield f"{name}.{option.name}"
            slot = option.slot
            default = default_of_slot(cls, option) if slot else None
            inner = find_class(str(default["class_path"]), slot.bases, name) if default and slot else None
            if inner is not None and slot is not None:
                yield from (f"{name}.{option.name}.{part}" for part in options(inner, factory=slot.factory))
