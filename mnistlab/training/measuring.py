"""`validate`, `test`, `predict` and `explain`: without Lightning wherever a loop on the CPU does what is asked for."""

from collections.abc import Callable, Sequence
from functools import partial

from mnistlab.options.settling import Settled
from mnistlab.options.trust import set_import_policy, vouch_for
from mnistlab.runs.finding import find_members, left_out
from mnistlab.system.interruptions import ended_like_interrupted
from mnistlab.system.lightning_inside import quiet
from mnistlab.system.purpose import only_measure
from mnistlab.system.thrift import keep_freed_memory
from mnistlab.training.assembler import assembler, settled_here
from mnistlab.training.export_options import Export, ModelFile
from mnistlab.training.failures import explaining
from mnistlab.training.found import Found, find
from mnistlab.training.invocation import Invocation
from mnistlab.training.settled import known_settled, say_notes
from mnistlab.training.suited import is_enough
from mnistlab.training.typed import refuse_random_weights
from mnistlab.training.wanted import Table, Wanted


def measuring(
    command: str, arguments: Sequence[str], wanted: Wanted = None, typed: Sequence[str] = ()
) -> Callable[[], int]:
    """What runs `mnistlab command arguments` and returns the exit code, with all that it needs imported.

    Args:
        command: `validate`, `test`, `predict` or `explain`.
        arguments: The rest.
        wanted: What `explain` or `predict` shall give.
        typed: All that was typed, with what is said by `wanted`; the record has it.

    Raises:
        LabError: For what a user can mend.
    """
    if isinstance(wanted, Table) and wanted.each:
        from mnistlab.training.each import predicting_each  # noqa: PLC0415 - seldom wanted

        quiet()
        return predicting_each(arguments, wanted, typed)
    invocation = Invocation(command, arguments, typed=typed)
    debug = invocation.switches["debug"]
    quiet()
    with explaining({}, debug=debug):
        keep_freed_memory()
        set_import_policy(invocation.vouching.importable)
        vouch_for(invocation.vouching.importable)
        refuse_random_weights(invocation)
        found = _find(invocation, wanted)
        known = known_settled(invocation, found)
        directly = known is not None and is_enough(known) and not invocation.switches["print_config"]
        if directly:
            only_measure()
        found, settled = settled_here(invocation, found, known)
        work = _work(invocation, settled, found, wanted, directly=directly)

    def run() -> int:
        with ended_like_interrupted(), explaining(settled.origins, debug=debug):
            say_notes(invocation, settled)
            return work()

    return run


def _find(invocation: Invocation, wanted: Wanted) -> Found | None:
    if isinstance(wanted, ModelFile):
        from mnistlab.training.exported import find_exported  # noqa: PLC0415 - brings the forms of export in

        return find_exported(invocation, wanted)
    name, where = invocation.ckpt_path, invocation.ckpt_where
    members, folder = ([], None) if name is None else find_members(name, invocation.root(), where=where)
    if not members:
        return find(invocation)
    invocation.notes += left_out(folder)
    from mnistlab.training.ensemble import find_ensemble  # noqa: PLC0415 - brings Lightning in

    return find_ensemble(invocation, members, folder)


def _work(
    invocation: Invocation, settled: Settled, found: Found | None, wanted: Wanted, *, directly: bool
) -> Callable[[], int]:
    evaluate = _evaluating(wanted)
    wanted = None if isinstance(wanted, ModelFile) else wanted
    assemble = assembler(directly=directly)
    if invocation.switches["print_config"]:
        from mnistlab.training.running import print_config  # noqa: PLC0415 - brings Lightning in

        quiet()  # its import lets it speak
        return partial(print_config, invocation, settled, found)
    return partial(evaluate, invocation, settled, found, wanted, assemble)


def _evaluating(wanted: Wanted) -> Callable[..., int]:
    """What does the work once the parts are built."""
    if isinstance(wanted, Export):
        from mnistlab.training.exporting import export  # noqa: PLC0415 - as above

        return export
    from mnistlab.training.evaluate import evaluate  # noqa: PLC0415 - as above

    return evaluate
