"""Trains, from the arguments of `fit` to its record."""

import time
from collections.abc import Sequence

from mnistlab.catalogue.editors import schema_line
from mnistlab.options.composing import dump
from mnistlab.options.settling import Settled
from mnistlab.options.trust import set_import_policy, vouch_for
from mnistlab.runs.record import config_text
from mnistlab.runs.supervision import Supervision
from mnistlab.sections.parts import prepare
from mnistlab.system.interruptions import ended_like_interrupted
from mnistlab.system.lightning_inside import quiet
from mnistlab.system.purpose import Purpose
from mnistlab.system.thrift import keep_freed_memory
from mnistlab.system.torch_inside import spare_steps
from mnistlab.training.as_preset import as_preset
from mnistlab.training.assemble import LabCLI, assemble, build_parts
from mnistlab.training.checks import check_parts
from mnistlab.training.configured import Configured
from mnistlab.training.elsewhere import here
from mnistlab.training.failures import explaining
from mnistlab.training.fit import train
from mnistlab.training.found import Found, find, repeat
from mnistlab.training.invocation import Invocation
from mnistlab.training.origins import origins, with_origins
from mnistlab.training.settled import say_notes, settled_from
from mnistlab.training.typed import find_init, refuse_random_weights


def run(arguments: Sequence[str], supervision: Supervision | None = None) -> int:
    """Run `mnistlab fit arguments`; the exit code.

    Args:
        arguments: What was typed.
        supervision: What it is part of.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation("fit", arguments)
    quiet()
    begun = time.monotonic() if supervision or Purpose.begun is None else Purpose.begun
    with ended_like_interrupted(), explaining({}, debug=invocation.switches["debug"]):
        return _run(invocation, supervision, begun)


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
    with explaining({}, debug=invocation.switches["debug"]):
        prepare()
        set_import_policy(invocation.vouching.importable)
        vouch_for(invocation.vouching.importable)
        settled = settled_from(invocation, None)
        with explaining(settled.origins, debug=invocation.switches["debug"]):
            find_init(settled, invocation.root())
            cli = assemble(invocation, settled, None)
            cli.build_trainer()
            check_parts(cli, Configured("fit", cli.configuration, settled.origins, invocation.typed))
            return cli


def _run(invocation: Invocation, supervision: Supervision | None, begun: float) -> int:
    keep_freed_memory()
    spare_steps()
    prepare()
    set_import_policy(invocation.vouching.importable)
    vouch_for(invocation.vouching.importable)
    repeats = supervision.repeats if supervision else None
    refuse_random_weights(invocation)
    found = here(find(invocation), invocation) if repeats is None else repeat(invocation, repeats)
    settled = settled_from(invocation, found)
    say_notes(invocation, settled)
    with explaining(settled.origins, debug=invocation.switches["debug"]):
        if invocation.switches["print_config"]:
            return print_config(invocation, settled, found)
        return train(invocation, settled, found, supervision, begun)


def print_config(invocation: Invocation, settled: Settled, found: Found | None) -> int:
    """Print what a command would be configured with; the exit code."""
    prepare()
    cli = build_parts(settled, found)
    cli.build_trainer()
    if invocation.prints == "skip_default":
        print(dump(as_preset(settled, cli.resolved)), end="")
        return 0
    text = config_text(cli.resolved, schema_line())
    print(with_origins(text, origins(settled, cli.resolved)) if invocation.prints == "origins" else text, end="")
    return 0
