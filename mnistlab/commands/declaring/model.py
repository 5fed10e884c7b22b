"""What a command is. It is declared once, and its reading, its help and its completion follow from that."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple

import mnistlab.commands
from mnistlab.options.arguments import Arguments, Option

TRAIN, MANY, TABLES, CARE = GROUPS = ("Train and measure", "Many runs", "See what there is", "Look after it")
"""The headings of the overview."""

IN_A_LINE = (TABLES, CARE)
"""Those whose commands stand in one line of it."""


Work = Callable[[], int]
"""Does what was asked for, and returns the exit code."""


class Command(NamedTuple):
    """A command."""

    summary: str  # what it does, in one line
    work: str | Callable[[Arguments], Work]
    """Where that stands which does it and returns the exit code, as `module:function`. Or what looks for mistakes first
    and then imports that: a Ctrl-C meanwhile ends the process, since Python may ignore an exception in an import.
    """
    group: str = CARE  # under which heading the overview has it
    order: int = 0  # its place there
    about: str = ""  # the beginning of its page of help; a line that is indented stays as it is
    options: Sequence[Option] | Callable[[], Sequence[Option]] = ()  # its own options, or what lists them
    names: Sequence[Option] = ()  # what may stand without dashes
    needs: int | None = None  # how many of them there must be
    instead: str = ""  # what is said of a name where there may be none; `{name}` stands for it
    usage: str = ""  # what stands after its name, where it does not follow from the options
    notes: str | Callable[[], str] = ""  # the end of its page, or what gives it
    like: str = ""  # the command whose options of a model, its data and a trainer it takes
    shows: Sequence[Sequence[str]] = ()
    """Those that its own page shows, in groups; where there are none, the page shows its own options. `model.*` are the
    options of the chosen class itself, which come first in its signature.
    """
    commands: Mapping[str, "Command"] = MappingProxyType({})  # what else it can do, by a word that comes first

    @property
    def own(self) -> Sequence[Option]:
        """Its own options."""
        return self.options() if callable(self.options) else self.options

    def load(self, asked: Arguments) -> Work:
        """Import what does it, as it was asked for.

        Raises:
            LabError: If there is a mistake in that which shows already.
        """
        if callable(self.work):
            return self.work(asked)
        module, _, name = self.work.partition(":")
        return partial(getattr(import_module(module), name), asked)


def find_command(name: str) -> Command | None:
    """The command of that name, of which only the file is imported."""
    return _declared(name) if name in _files() else None


@cache
def all_commands() -> Mapping[str, Command]:
    """All commands, in the order of the overview."""
    found = {name: _declared(name) for name in _files()}
    places = {name: (GROUPS.index(each.group), each.order) for name, each in found.items()}
    return {name: found[name] for name in sorted(found, key=places.__getitem__)}


def _files() -> list[str]:
    found = sorted(os.listdir(next(iter(mnistlab.commands.__path__))))  # noqa: PTH208 - pathlib is not for the overview
    return [name.removesuffix(".py") for name in found if name.endswith(".py") and not name.startswith("_")]


def _declared(name: str) -> Command:
    command: Command = import_module(f"mnistlab.commands.{name}").COMMAND
    return command


def train(asked: Arguments) -> Work:
    """A training."""
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help

    refuse_mistakes(asked.command, asked.others)
    from mnistlab.training.running import run  # noqa: PLC0415 - brings torch in

    return partial(run, asked.others)


def _measure(asked: Arguments) -> Work:
    from mnistlab.training.export_options import model_file  # noqa: PLC0415 - not for help
    from mnistlab.training.typed import refuse_mistakes  # noqa: PLC0415 - not for help

    wanted, others = model_file(asked.values.get("model_file"), asked.others)
    refuse_mistakes(asked.command, others)
    from mnistlab.training.measuring import measuring as work  # noqa: PLC0415 - brings torch in

    return work(asked.command, others, wanted, asked.typed)


_MODEL_FILE = Option("model_file", "An exported net; .pt2 and .c with --trust", "FILE", completes=".onnx")


_DEVICE = ("trainer.accelerator", "trainer.devices", "trainer.precision")


def measuring(name: str, summary: str, order: int, *shows: str, hides: Collection[str] = ()) -> Command:
    """A command that measures a checkpoint, with what its page shows of its own images, and what it has no room for."""
    groups = (
        ("ckpt_path", "untrained", "config", "trust"),
        ("data", "data.*", "data.data_dir", "data.eval_batch_size", *shows),
        ("model", "model.loss"),
        _DEVICE,
        ("run.name", "run.dir", "print_config", "debug"),
    )
    shown = [[option for option in group if option not in hides] for group in groups]
    return Command(summary, _measure, TRAIN, order, like=name, shows=shown, options=(_MODEL_FILE,))
