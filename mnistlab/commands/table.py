"""Which commands there are, and where each is written. Nothing heavy is imported before one is called."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

_RUN = "mnistlab.training.running:run"
_SHOW_TABLE = "mnistlab.commands.tables:show_table"

_TRAIN = "Train and measure"
TABLES = "See what there is"
"""The group of the commands that print a table each."""
_MANY = "Many runs"
_CARE = "Look after it"

BENCH_SECTIONS = ("epochs", "augmentation", "starts", "memory", "scaling", "busy", "accuracy")
"""What `bench --only` takes."""


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        summary: What it does, in one line.
        function: The `module:function` that does it: it takes the command and the arguments, and returns the exit code.
        trains: Whether it takes the options of a model, its data and a trainer.
        group: Under which heading the overview has it.
    """

    summary: str
    function: str
    trains: bool = False
    group: str = _CARE

    def load(self) -> Callable[[str, Sequence[str]], int]:
        """Import its module."""
        module, _, name = self.function.partition(":")
        function: Callable[[str, Sequence[str]], int] = getattr(import_module(module), name)
        return function


COMMANDS = {
    "fit": Command("train a model, then test its best checkpoint", _RUN, trains=True, group=_TRAIN),
    "validate": Command("measure a checkpoint on the validation images", _RUN, trains=True, group=_TRAIN),
    "test": Command("measure a checkpoint on the test images", _RUN, trains=True, group=_TRAIN),
    "predict": Command("write the prediction for every test image to a table", _RUN, trains=True, group=_TRAIN),
    "explain": Command("picture what a net looks at in test images", "mnistlab.commands.explain:run", group=_TRAIN),
    "sweep": Command("try many values of any options, and lose nothing", "mnistlab.commands.sweep:run", group=_MANY),
    "compare": Command("train models under the same conditions", "mnistlab.commands.compare:run", group=_MANY),
    "runs": Command("list, filter, compare and remove runs", "mnistlab.commands.runs:run", group=_MANY),
    "report": Command("write a page about runs or a sweep", "mnistlab.commands.report:run", group=_MANY),
    "reproduce": Command("run it again and say what differs", "mnistlab.commands.reproduce:run", group=_MANY),
    "models": Command("the models, with their parameter counts", _SHOW_TABLE, group=TABLES),
    "datasets": Command("the data sets, with their images and classes", _SHOW_TABLE, group=TABLES),
    "losses": Command("the losses", _SHOW_TABLE, group=TABLES),
    "optimizers": Command("the optimizers", _SHOW_TABLE, group=TABLES),
    "schedules": Command("the learning rate schedules", _SHOW_TABLE, group=TABLES),
    "presets": Command("the presets, yours and those that come with mnistlab", _SHOW_TABLE, group=TABLES),
    "inspect": Command("show what is in a checkpoint, importing nothing from it", "mnistlab.commands.inspect:run"),
    "doctor": Command("check the installation, the data sets and the devices", "mnistlab.commands.doctor:run"),
    "bench": Command("measure how fast the lab is on this machine", "mnistlab.commands.bench:run"),
    "completion": Command("complete commands, options and values with TAB", "mnistlab.commands.completion:completion"),
    "schema": Command("print the JSON schema of YAML presets, for editors", "mnistlab.commands.schema:schema"),
}
