"""What the operations of torch come to as loops: importing this brings the rules of all that are known."""

from torch.export import ExportedProgram

from mnistlab.export import shapes, sums, windows  # noqa: F401 - each registers its rules
from mnistlab.export.loops import Program
from mnistlab.export.lowering import Lowering


def lower(exported: ExportedProgram) -> Program:
    """The loops of a net that was exported for one shape of its input.

    Raises:
        UnknownOperationError: If there is an operation without loops.
    """
    lowering = Lowering()
    lowering.run(exported.run_decompositions())
    return lowering.program
