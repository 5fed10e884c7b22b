"""From what was written to a model and its data, and from these to a trainer."""

import copy
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from jsonargparse import Namespace
from lightning.pytorch import Callback, LightningDataModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, ProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import WandbLogger

from mnistlab.callbacks import EpochBar, EpochLines, NoProfiler
from mnistlab.checkpoints.limits import made_for
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError
from mnistlab.options.budget import ENDLESS
from mnistlab.options.building import build_arguments, build_part
from mnistlab.options.classes import class_at, defined_at
from mnistlab.options.parsing import parse
from mnistlab.options.settling import Settled
from mnistlab.options.signatures import Slot, options
from mnistlab.options.trust import class_paths, set_import_policy
from mnistlab.runs.folder import LAST, new_folder
from mnistlab.runs.looks import check_looks
from mnistlab.sections.configuration import Configuration
from mnistlab.sections.linking import link_data
from mnistlab.sections.parts import TopLevel
from mnistlab.sections.run import Run
from mnistlab.system.notebook import notebook_line
from mnistlab.training.clusters import among_others, refuse_foreign_weights, without_requeueing
from mnistlab.training.failures import check_place, refusing
from mnistlab.training.found import Found, expect
from mnistlab.training.group import Group
from mnistlab.training.invocation import Invocation
from mnistlab.training.trainer_options import check_trainer

_UNCOUNTED: Mapping[str, object] = {
    "max_epochs": -1,
    "max_steps": ENDLESS,
    "max_time": None,
    "min_epochs": None,
    "min_steps": None,
}
"""What a trainer is told where the time ends the run."""


class LabCLI(LightningCLI):
    """LightningCLI over a configuration that is settled already: it checks the types and builds the parts.

    Attributes:
        configuration: What counts, of every option.
        top: The options outside the sections, with the objects of those that take a class: the trackers of `logger`.
        folder: Where the run is kept, and what classes of Lightning write by default; whoever goes on with another run
            says so before the trainer is built.
        group: The processes that take part.

    Args:
        settled: The configuration, every class in it chosen.
    """

    _built: ClassVar[LightningArgumentParser | None] = None

    def __init__(self, settled: Settled) -> None:
        self._origins = settled.origins
        self.configuration = Configuration.of(settled)
        super().__init__(
            Classifier,
            LightningDataModule,  # one of another kind than ours is taken too
            save_config_callback=None,
            seed_everything_default=0,
            parser_kwargs={"exit_on_error": False},
            subclass_mode_model=True,
            subclass_mode_data=True,
            args=settled.complete(),
            run=False,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
        )

    def setup_parser(self, *how: Any) -> None:
        """Set the parser up, once a process: it is the same for every configuration."""
        if LabCLI._built is None:
            super().setup_parser(*how)
            LabCLI._built = self.parser
        self.parser = LabCLI._built

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options of the lab."""
        parser.add_class_arguments(Run, "run")
        parser.add_class_arguments(TopLevel, as_group=False, skip={"seed_everything"})  # which is Lightning's own

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Check the types, and make of each value what its class wants."""
        self.config = parse(parser, copy.deepcopy(args))  # it changes lists in what it is given
        if self.config.seed_everything is True:
            self.config.seed_everything = _drawn_seed()
        self.configuration = self.configuration.with_seed(self.config.seed_everything)

    @cached_property
    def resolved(self) -> Mapping[str, Any]:
        """The configuration as plain data."""
        return self.configuration.plain()

    def instantiate_classes(self) -> None:
        """Build the data, the model and what stands beside them, in this order; the trainer waits for its callbacks."""
        self.datamodule = build_part(self.config.data, Slot((ImageData,)))
        self.model = build_part(self.config.model, Slot((Classifier,)))
        self.model.specification = self.configuration.model
        self.datamodule.specification = self.configuration.data
        self.top: Mapping[str, Any] = build_arguments(TopLevel, {name: self.config[name] for name in options(TopLevel)})
        self.folder: Path = new_folder(Path(self.configuration.run.dir), self.model.name)
        self.group = Group(self.configuration.run.process_timeout)

    def build_trainer(self, *lab: Callback) -> None:
        """Build the trainer.

        Args:
            *lab: Callbacks of the lab. The first stands before those of the user, so that every checkpoint has the row
                of a recorder; the others stand after them.

        Raises:
            LabError: If the trainer, or a class that it takes, refuses its options.
        """
        with refusing(self._origins):
            self.trainer = Trainer(**self._trainer_options(lab))
            refuse_foreign_weights(self.trainer)

    def _trainer_options(self, lab: Sequence[Callback]) -> dict[str, Any]:
        _look_in_time(self.config.trainer)
        _write_below(self.folder.absolute(), self.config.trainer)
        options: dict[str, Any] = build_arguments(Trainer, self.config.trainer)
        options |= _UNCOUNTED if self.configuration.budget else {}
        own = options["callbacks"] or []
        own = own if isinstance(own, list) else [own]
        drawn = any(isinstance(callback, ProgressBar) for callback in own)
        line = notebook_line()
        seen = drawn or sys.stdout.isatty() or line is not None
        bar = options["enable_progress_bar"] is not False and seen and not options["barebones"]
        silent = options["enable_progress_bar"] is False or options["barebones"] or drawn
        shown = [] if silent else [EpochBar(line) if bar else EpochLines()]
        return {
            **options,
            "enable_progress_bar": bar,
            "callbacks": [*lab[:1], *own, *lab[1:], self.group, *shown],
            "profiler": options["profiler"] if options["profiler"] or options["barebones"] else NoProfiler(),
            "plugins": without_requeueing(options),
        }


def assemble(invocation: Invocation, settled: Settled, found: Found | None) -> LabCLI:
    """Build the model, the data and the trackers, once this machine and the place for runs are known to serve.

    Raises:
        LabError: If one of them refuses its options, or nothing can be written where runs are kept.
    """
    check_trainer(settled.values["trainer"], settled.origins)
    cli = build_parts(settled, found)
    origin = settled.origins.get("run.dir")
    where = origin.where if origin else f"mnistlab {invocation.command}"
    check_place(Path(cli.configuration.run.dir), where)
    check_looks(Path(cli.configuration.run.dir), where)
    return cli


def build_parts(settled: Settled, found: Found | None) -> LabCLI:
    """Build the model, the data and the trackers; what one of them refuses is a mistake in its options."""
    with refusing(settled.origins):
        # they are checked: jsonargparse asks again, and where each is defined
        set_import_policy(frozenset(map(defined_at, class_paths(settled.values))))
        data = link_data(settled)
        with made_for(found.contents["state_dict"], found.path) if found and found.path else nullcontext():
            cli = LabCLI(settled)
        cli.datamodule.share(data)
        expect(cli.datamodule, found)
        return cli


def _look_in_time(trainer: Namespace) -> None:
    """Let a callback that watches a metric of training look at it when it is there: at the end of the epoch.

    Lightning looks after each validation where that is not once an epoch, when there is no such metric, or an old one.
    """
    moments = {EarlyStopping: "check_on_train_epoch_end", ModelCheckpoint: "save_on_train_epoch_end"}
    for cls, given in _chosen(trainer.callbacks):
        moment = next((moment for kind, moment in moments.items() if issubclass(cls, kind)), None)
        if moment and given.get(moment) is None and str(given.get("monitor")).startswith(("train/", "lr")):
            given[moment] = True


def _write_below(folder: Path, trainer: Namespace) -> None:
    """Let classes of Lightning write into the folder of the run what they would write into the current one."""
    if trainer.default_root_dir is None:
        trainer.default_root_dir = str(folder)
        for cls, given in _chosen(trainer.callbacks):
            if issubclass(cls, ModelCheckpoint) and given.get("dirpath") is None:
                given.dirpath = str(folder / LAST.parent)  # a logger's own folder is another one in each part of a run
    for cls, given in _chosen(trainer.logger):
        if issubclass(cls, WandbLogger) and given.save_dir == ".":
            given.save_dir = str(folder)


def _chosen(value: object) -> Iterator[tuple[type, Namespace]]:
    """The classes of an option that takes one or several, with what each is given."""
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, Namespace) and "init_args" in entry:
            yield class_at(entry.class_path, (object,)), entry.init_args


def _drawn_seed() -> int:
    """A seed for this run; a process that Lightning has started takes that of the first one.

    Raises:
        LabError: If processes that know nothing of each other would each draw their own.
    """
    if not among_others():
        return secrets.randbelow(2**32)
    if "PL_GLOBAL_SEED" not in os.environ:
        raise LabError("--seed_everything=true: processes started by another program need a number, the same for all.")
    return int(os.environ["PL_GLOBAL_SEED"])
