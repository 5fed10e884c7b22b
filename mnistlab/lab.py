"""Runs a command: from what was written to a trained model and its record."""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentError, set_parsing_settings
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from mnistlab.building import build, instantiate, instantiate_group
from mnistlab.callbacks import RandomState
from mnistlab.checkpoint import misfit
from mnistlab.classes import TRUSTED, hide
from mnistlab.classifier import Classifier
from mnistlab.config import Section, Settled, settle
from mnistlab.data import MNIST, ImageData
from mnistlab.errors import LabError
from mnistlab.evaluation import evaluate
from mnistlab.help import show_help
from mnistlab.invocation import Found, Invocation
from mnistlab.losses.torch_losses import REFUSED
from mnistlab.losses.weights import register_tensor_type
from mnistlab.models import MediumModel
from mnistlab.numbers import NonNegativeInt, PositiveInt
from mnistlab.runs.folder import BEST, new_folder
from mnistlab.runs.record import config_text, read_record, start_record
from mnistlab.runs.recorder import Recorder, rounded
from mnistlab.screen import Screen, quiet
from mnistlab.signatures import Slot
from mnistlab.specification import Specification
from mnistlab.written import Source, Written

T = TypeVar("T")


class TopLevel:
    """What stands outside the sections.

    Args:
        seed_everything: Seed of weights, order, dropout and augmentation; true draws one, false sets none.
    """

    def __init__(self, seed_everything: NonNegativeInt | bool = 0) -> None:
        self.seed_everything = seed_everything


class Run:
    """How a run is kept.

    Args:
        dir: Where the folders of all runs lie.
        name: A name of your own for this run.
        tags: Words to find it by.
        checkpoint_every_n_steps: Write `last.ckpt` within epochs too, each time after so many optimizer steps.
        test: Whether `fit` ends with the test of the best checkpoint.
    """

    def __init__(
        self,
        dir: str = "runs",  # noqa: A002 - the word of the command line
        name: str | None = None,
        tags: list[str] | None = None,
        checkpoint_every_n_steps: PositiveInt | None = None,
        test: bool = True,  # noqa: FBT001, FBT002 - an option of the command line
    ) -> None:
        self.dir = dir
        self.name = name
        self.tags = tags
        self.checkpoint_every_n_steps = checkpoint_every_n_steps
        self.test = test


TRAINER_DEFAULTS: dict[str, object] = {
    "max_epochs": 10,
    "logger": False,  # the lab keeps its own record; a tracker is added with --trainer.logger
    "deterministic": True,
    "num_sanity_val_steps": 0,
    "enable_model_summary": False,
}


class LabCLI(LightningCLI):
    """LightningCLI over a configuration that is settled already.

    Args:
        values: The configuration, every class in it chosen.
        callbacks: Makes the callbacks of the lab, once the model and the data are there.
    """

    def __init__(self, values: Mapping[str, object], callbacks: Callable[["LabCLI"], list[Callback]]) -> None:
        self._make_callbacks = callbacks
        super().__init__(
            Classifier,
            ImageData,
            save_config_callback=None,
            seed_everything_default=0,
            trainer_defaults=TRAINER_DEFAULTS,
            parser_kwargs={"exit_on_error": False},
            subclass_mode_model=True,
            subclass_mode_data=True,
            args=dict(values),
            run=False,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options of the lab."""
        parser.add_class_arguments(Run, "run")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Check the types, and keep the outcome as plain data: it is what a run can be repeated from."""
        self.config = parser.parse_object(args)
        self.resolved: dict[str, Any] = yaml.safe_load(parser.dump(self.config, skip_unset=False))
        self.resolved.pop("config", None)

    def instantiate_classes(self) -> None:
        """Make the data, the model and the trainer, in this order, with the callbacks of the lab."""
        self.datamodule = instantiate(self.config.data, Slot((ImageData,)))
        self.model = instantiate(self.config.model, Slot((Classifier,)))
        self.model.specification = _specification(self.resolved["model"])
        self.datamodule.specification = _specification(self.resolved["data"])
        options = instantiate_group(Trainer, self.config.trainer)
        own = options["callbacks"] or []
        bar = options["enable_progress_bar"] is not False and sys.stdout.isatty() and not options["barebones"]
        callbacks = [
            *(own if isinstance(own, list) else [own]),
            *self._make_callbacks(self),
            *([RichProgressBar(refresh_rate=20, leave=False)] if bar else []),
        ]
        self.trainer = Trainer(**{**options, "enable_progress_bar": bar, "callbacks": callbacks})


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab command arguments`; the exit code.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation(command, arguments)
    quiet()
    try:
        return _run(invocation)
    except LabError:
        raise
    except Exception as error:
        if invocation.switches["debug"]:
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise RunFailedError(
            f"{type(error).__name__}: {error} (in {Path(where.filename).name}, line {where.lineno}; --debug shows more)"
        ) from error


class RunFailedError(LabError):
    """Something failed that is no fault of the input."""

    exit_code = 1


def _run(invocation: Invocation) -> int:
    register_tensor_type()
    hide(*REFUSED)
    _set_import_policy(invocation)
    if invocation.help_for is not None or any(entry.key[-1] == "help" for entry in invocation.typed):
        show_help(invocation, TopLevel, _sections(None))
        return 0
    found = invocation.checkpoint()
    settled = _settle(invocation, found)
    for entry, why in settled.dropped:
        print(f"note: {entry.name}={entry.value} is dropped. {why}", file=sys.stderr)
    if invocation.switches["print_config"]:
        print(config_text(_make(settled, lambda _: []).resolved), end="")
        return 0
    if invocation.command == "fit":
        return _fit(invocation, settled, found)
    cli = _make(settled, lambda _: [])
    _load(cli.model, found)
    return evaluate(invocation, cli.model, cli.datamodule, cli.trainer, cli.resolved, found)


def _sections(found: Found | None) -> dict[str, Section]:
    """The sections; a checkpoint that does not say what its data were leaves the choice to the user."""
    without_data = found is not None and not any(entry.key[0] == "data" for entry in found.layer)
    return {
        "model": Section(Classifier, chosen=True, default=MediumModel),
        "data": Section(ImageData, chosen=True, default=None if without_data else MNIST),
        "trainer": Section(Trainer),
        "run": Section(Run),
    }


def _settle(invocation: Invocation, found: Found | None) -> Settled:
    _refuse_random_weights(invocation, found)
    base = [found.layer] if found else []
    layers = [*base, *invocation.files, invocation.typed]
    _ask_for_unrecorded(invocation, found, layers)
    settled = settle(TopLevel, _sections(found), layers, invocation.allowed)
    if "data" not in settled.values:
        assert found is not None
        raise LabError(f"{found.path} does not say what data it was trained on. Add --data=..., such as --data=MNIST.")
    _link_classes(settled)
    return settled


def _link_classes(settled: Settled) -> None:
    """The number of classes of the data reaches the model."""
    data, model = settled.values["data"], settled.values["model"]
    assert isinstance(data, dict)
    assert isinstance(model, dict)
    heads = _made(lambda: build(ImageData, data)).heads
    true: object = next(iter(heads.values())) if len(heads) == 1 else heads
    options = model["init_args"]
    if "num_classes" not in options:
        return
    origin = settled.origins.get("model.num_classes")
    if origin is not None and str(options["num_classes"]) != str(true):
        name = data["class_path"].rpartition(".")[2]
        message = f"{origin.where}: num_classes is {options['num_classes']}, but {name} has {true} classes."
        if origin.source is not Source.FILE:
            raise LabError(f"{message} Leave it out: it follows the data.")
        print(f"note: {message} The data counts.", file=sys.stderr)
    options["num_classes"] = true


def _make(settled: Settled, callbacks: Callable[[LabCLI], list[Callback]]) -> LabCLI:
    return _made(lambda: LabCLI(settled.values, callbacks))


def _made(make: Callable[[], T]) -> T:
    """Make something from the user's options; what it refuses is an error in them."""
    try:
        return make()
    except (ArgumentError, ValueError, TypeError, MisconfigurationException) as error:
        raise LabError(f"the configuration is refused: {error}") from error


def _fit(invocation: Invocation, settled: Settled, found: Found | None) -> int:
    recorders: list[Recorder] = []

    def callbacks(cli: LabCLI) -> list[Callback]:
        recorder = _recorder(invocation, cli, found)
        recorders.append(recorder)
        return [RandomState(), recorder]

    cli = _make(settled, callbacks)
    recorder = recorders[0]
    _check_weights(cli.model, found)
    screen = Screen(cli.trainer.is_global_zero)
    recorder.on_row = screen.row
    screen.begin(cli.model, cli.datamodule, cli.trainer.max_epochs, recorder.folder)
    try:
        path = str(found.path) if found and found.path else None
        cli.trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=path, weights_only=True)
        if cli.resolved["run"]["test"]:
            _test_best(cli, recorder)
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    if cli.trainer.is_global_zero:
        recorder.finish("finished")
        screen.end(recorder.folder, recorder.record["metrics"])
    return 0


def _test_best(cli: LabCLI, recorder: Recorder) -> None:
    """The official test of the best checkpoint; of the last weights where nothing was validated."""
    best = recorder.folder / BEST
    path = str(best) if best.is_file() and recorder.record["metrics"]["best"] else None
    (metrics,) = cli.trainer.test(cli.model, cli.datamodule, ckpt_path=path, weights_only=True, verbose=False)
    tested = "best" if path else "last"
    recorder.record["metrics"]["test"] = {**{k: rounded(v) for k, v in metrics.items()}, "checkpoint": tested}


def _recorder(invocation: Invocation, cli: LabCLI, found: Found | None) -> Recorder:
    root, every = Path(cli.resolved["run"]["dir"]), cli.resolved["run"]["checkpoint_every_n_steps"]
    folder = found.folder if found and found.folder else new_folder(root, cli.model.name)
    record = read_record(folder)
    started = start_record("fit", invocation.arguments, cli.resolved, cli.model.name)
    if record:
        started = {**started, "started": record["started"], "segments": [*record["segments"], *started["segments"]]}
    if found and found.path is None:
        print(f"{folder} has no checkpoint yet: the run starts anew.", file=sys.stderr)
    return Recorder(folder, config_text(cli.resolved), started, every)


def _check_weights(model: Classifier, found: Found | None) -> None:
    """Refuse weights that are not this model's, naming the first that differs."""
    if found is None or found.path is None:
        return
    why = misfit(found.contents["state_dict"], model.state_dict())
    if why:
        name = type(model).__name__
        raise LabError(f"{found.path} does not fit {name} as it is configured: {why}.")


def _load(model: Classifier, found: Found | None) -> None:
    _check_weights(model, found)
    if found is not None:
        model.load_state_dict(found.contents["state_dict"])


def _refuse_random_weights(invocation: Invocation, found: Found | None) -> None:
    untrained = invocation.switches["untrained"]
    if invocation.command == "fit":
        if untrained:
            raise LabError("--untrained is for test, validate and predict; fit trains.")
    elif found is None and not untrained:
        raise LabError(
            f"{invocation.command} needs the weights of a trained model: --ckpt_path=last, the folder of a run, or a "
            "file. To measure random weights on purpose, add --untrained."
        )
    elif found is not None and untrained:
        raise LabError("--untrained and --ckpt_path exclude each other.")


def _ask_for_unrecorded(invocation: Invocation, found: Found | None, layers: Sequence[Sequence[Written]]) -> None:
    """Training goes on only with what the checkpoint could not say; testing needs none of it but the loss."""
    for key, what in (found.unrecorded if found else {}).items():
        written = any(".".join(entry.key) == key for layer in layers for entry in layer)
        if written:
            continue
        if invocation.command == "fit":
            raise LabError(f"the checkpoint's {key} was {what}, which cannot be written down. Say it with --{key}=...")
        if key == "model.loss":
            print(f"note: its loss was {what}; the loss shown is that of CrossEntropyLoss.", file=sys.stderr)


def _set_import_policy(invocation: Invocation) -> None:
    """jsonargparse imports nothing but what is trusted or was named by the user.

    The policy belongs to the process and its allowances only grow, so a program's entry sets it and no import does.
    """
    set_parsing_settings(
        import_path_denylist=["*"],
        import_path_allowlist=sorted({*TRUSTED, *invocation.allowed}),
        instantiate_subclass_spec_in_any=False,
    )


def _specification(written: Mapping[str, Any]) -> Specification:
    return Specification(written["class_path"], written.get("init_args", {}))
