"""The memory of a run: its peak, and whether it grows."""

from mnistlab.benchmark.figures import Figure, Mark, Result
from mnistlab.benchmark.probes import Resident, said
from mnistlab.benchmark.starts import IMPORTS, PROGRAM, ended

_PEAK_MIB = 200
"""Above a process that only imports lightning.pytorch."""

_GROWTH_MIB = 8
"""What counts as no growth: allocators round."""

_SETTLED = 5
"""Epochs after which all buffers are there."""


def memory(data: str, epochs: int) -> list[Result]:
    """The peak of a fit of TinyModel, and the growth between its first epochs and its last one.

    Args:
        data: The class of the data set.
        epochs: How long the run is.
    """
    imported = ended(IMPORTS["lightning.pytorch"]).peak
    probe = f"--trainer.callbacks={Resident.__module__}.{Resident.__qualname__}"
    options = [f"--data={data}", f"--trainer.max_epochs={epochs}", "--run.test=false", probe]
    run = ended([*PROGRAM, "fit", "--model=TinyModel", *options])
    sizes = said(run.output)
    peak = Result(
        "peak memory of a fit of TinyModel",
        run.peak - imported,
        "MiB",
        f"{run.peak:.0f} MiB, of which importing lightning.pytorch takes {imported:.0f}",
        Mark(_PEAK_MIB),
        {"fit": Figure([run.peak], "MiB"), "import": Figure([imported], "MiB")},
    )
    settled = min(_SETTLED, len(sizes) - 1)
    grown = Result(
        f"growth over {epochs} epochs",
        sizes[-1] - sizes[settled],
        "MiB",
        f"from {sizes[settled]:.0f} MiB after epoch {settled + 1} to {sizes[-1]:.0f} after epoch {len(sizes)}",
        Mark(_GROWTH_MIB),
        {"after each epoch": Figure(sizes, "MiB")},
    )
    return [peak, grown]
