"""`mnistlab predict --each`: several nets asked about the same images, with columns for each in one table."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mnistlab.errors import LabError, tell
from mnistlab.options.trust import set_import_policy
from mnistlab.runs.finding import find_checkpoint, find_members, left_out
from mnistlab.system.interruptions import ended_like_interrupted
from mnistlab.system.purpose import only_measure
from mnistlab.system.thrift import keep_freed_memory
from mnistlab.training.assembler import Net, assembler, settled_here
from mnistlab.training.failures import explaining
from mnistlab.training.found import find
from mnistlab.training.invocation import Invocation
from mnistlab.training.settled import known_settled
from mnistlab.training.suited import is_enough
from mnistlab.training.typed import refuse_random_weights
from mnistlab.training.wanted import Table


def predicting_each(arguments: Sequence[str], wanted: Table, typed: Sequence[str] = ()) -> Callable[[], int]:
    """What runs `mnistlab predict arguments --each` and returns the exit code, with all that it needs imported.

    Args:
        arguments: What was typed.
        wanted: The table.
        typed: All that was typed, with what is said by `wanted`; the record has it.

    Raises:
        LabError: For what a user can mend.
    """
    invocation = Invocation("predict", arguments, typed=typed)
    debug = invocation.switches["debug"]
    with explaining({}, debug=debug):
        keep_freed_memory()
        refuse_random_weights(invocation)
        if invocation.ckpt_path is None or invocation.switches["print_config"]:
            raise LabError("--each is for trained nets and prints no configuration: --ckpt_path=A,B --each")
        named = _named(invocation.ckpt_path, invocation)
        nets = _nets(named, [Invocation("predict", [*arguments, f"--ckpt_path={path}"]) for path in named.values()])
        from mnistlab.training.joining import join  # noqa: PLC0415 - what its classes derive from is decided by now

        assemble = assembler(directly=_are_enough(nets))

    def run() -> int:
        with ended_like_interrupted(), explaining(nets[0].settled.origins, debug=debug):
            for note in invocation.notes:
                tell(f"note: {note}")
            return join(invocation, nets, assemble, wanted)

    return run


def _named(name: str, invocation: Invocation) -> dict[str, Path]:
    """The checkpoints, each by what its columns are called: as it was typed, or in a sweep as its run is called."""
    root, where = invocation.root(), invocation.ckpt_where
    paths, folder = find_members(name, root, where=where)
    invocation.notes += left_out(folder)
    if not paths:
        path, _ = find_checkpoint(name, root, where=where)
        assert path is not None
        paths = [path]
    typed = [_run_of(path) for path in paths] if folder else [part.rstrip("/") for part in name.split(",")]
    short = [Path(each).name for each in typed]
    return dict(zip(short if len({*short}) == len(short) else typed, paths, strict=True))


def _run_of(path: Path) -> str:
    """The folder of the run that weights belong to."""
    return str(path.parent.parent if path.parent.name == "checkpoints" else path.parent)


def _nets(named: dict[str, Path], invocations: Sequence[Invocation]) -> list[Net]:
    founds = []
    for invocation in invocations:
        set_import_policy(invocation.vouching.importable)
        found = find(invocation)
        assert found is not None
        founds.append(found)
    known = [known_settled(*pair) for pair in zip(invocations, founds, strict=True)]
    if all(each is not None and is_enough(each) for each in known):
        only_measure()
    nets = []
    for name, invocation, found, settled in zip(named, invocations, founds, known, strict=True):
        there, complete = settled_here(invocation, found, settled)
        assert there is not None
        nets.append(Net(name, invocation, there, complete))
    return nets


def _are_enough(nets: Sequence[Net]) -> bool:
    return all(is_enough(net.settled) for net in nets)
