"""Runs a command, from its arguments to its record."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from mnistlab.catalogue.editors import schema_line
from mnistlab.errors import LabError, tell
from mnistlab.options.settling import Settled
from mnistlab.options.trust import set_import_policy
from mnistlab.options.written import Written
from mnistlab.presets.shipped import with_names
from mnistlab.runs.record import config_text
from mnistlab.runs.supervision import Supervision
from mnistlab.sections import prepare
from mnistlab.system.interruptions import ended_like_interrupted
from mnistlab.system.thrift import keep_freed_memory
from mnistlab.system.torch_inside import spare_steps
from mnistlab.training.assemble import LabCLI, assemble, build_parts, settled_from
from mnistlab.training.checks import check_parts
from mnistlab.training.configured import Configured
from mnistlab.training.evaluate import evaluate
from mnistlab.training.explain_options import Wish
from mnistlab.training.failures import explained
from mnistlab.training.fit import train
from mnistlab.training.found import Found, find, repeat
from mnistlab.training.invocation import Invocation
from mnistlab.training.origins import origins, with_origins
from mnistlab.training.screen import quiet
from mnistlab.training.typed import find_init, refuse_random_weights


def run(
    command: str, arguments: Sequence[str], wish: Wish | None = None, supervision: Supervision | None = None
) -> int:
    """Run `mnistlab command arguments`; the exit code.

    Args:
        command: `fit`, `validate`, `test`, `predict` or `explain`.
        arguments: The rest.
        wish: What `explain` shall show.
        supervision: What `fit` is part of.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation(command, arguments)
    quiet()
    with ended_like_interrupted(), _explaining(invocation, {}):
        return _run(invocation, wish, supervision)


def check(arguments: Sequence[str], command: str = "fit") -> LabCLI:
    """Everything that `mnistlab fit arguments` does before it reads images and trains; nothing is written.

    Args:
        arguments: Those of `fit`.
        command: What the user has typed in its place.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation(command, arguments)
    quiet()
    with _explaining(invocation, {}):
        prepare()
        set_import_policy(invocation.vouching.importable)
        settled = settled_from(invocation, None)
        with _explaining(invocation, settled.origins):
            find_init(settled, invocation.root())
            cli = assemble(invocation, settled, None)
            cli.build_trainer()
            check_parts(cli, Configured("fit", cli.configuration, settled.origins, invocation.typed))
            return cli


def _run(invocation: Invocation, wish: Wish | None, supervision: Supervision | None) -> int:
    keep_freed_memory()
    spare_steps()
    prepare()
    set_import_policy(invocation.vouching.importable)
    repeats = supervision.repeats if supervision else None
    refuse_random_weights(invocation)
    found = find(invocation) if repeats is None else repeat(invocation, repeats)
    settled = settled_from(invocation, found)
    _say_notes(
        [*invocation.notes, *(f"{entry.name}={entry.value} is dropped. {why}" for entry, why in settled.dropped)]
    )
    with _explaining(invocation, settled.origins):
        if invocation.switches["print_config"]:
            return _print_config(invocation, settled, found)
        if invocation.command == "fit":
            return train(invocation, settled, found, supervision)
        return evaluate(invocation, settled, found, wish)


@contextmanager
def _explaining(invocation: Invocation, origins: Mapping[str, Written]) -> Iterator[None]:
    """Tell whatever goes wrong in a line, at the option that it speaks of; with `--debug` let it pass."""
    try:
        yield
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    except (LabError, BrokenPipeError):
        raise
    except Exception as error:
        if invocation.switches["debug"]:
            raise
        raise explained(error, origins) from error


def _print_config(invocation: Invocation, settled: Settled, found: Found | None) -> int:
    cli = build_parts(settled, found)
    cli.build_trainer()
    text = config_text(cli.resolved, schema_line())
    print(with_origins(text, origins(settled, cli.resolved)) if invocation.shows_origins else text, end="")
    return 0


def _say_notes(notes: Sequence[str]) -> None:
    """Tell what is worth knowing before anything is made; of several processes the first one does."""
    if os.environ.get("LOCAL_RANK", "0") == "0":
        for note in notes:
            tell(f"note: {with_names(note)}")
