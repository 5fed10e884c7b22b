"""The memory of a run: its peak, and whether it grows."""

import sys
import tempfile
from collections.abc import Iterator

from mnistlab.benchmark.figures import Figure, Mark, Result
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.probes import Resident, said, say_peak
from mnistlab.benchmark.processes import PROGRAM, ended

_PEAK_MIB = 200  # above a process that only imports lightning.pytorch
_GROWTH_MIB = 4  # what counts as no growth: allocators round
_SETTLED = 5  # epochs after which all buffers are there


def memory(ground: Ground) -> Iterator[Result]:
    """The peak of a fit of TinyModel, and the growth between its first epochs and its last one."""
    only = f"import lightning.pytorch; from {say_peak.__module__} import say_peak; say_peak()"
    (imported,) = said(ended((sys.executable, "-c", only)).output)
    probe = f"--trainer.callbacks={Resident.__module__}.{Resident.__qualname__}"
    options = [*ground.data, "--model=TinyModel", f"--trainer.max_epochs={8 if ground.quick else 50}", probe]
    with tempfile.TemporaryDirectory() as folder:
        *sizes, peak = said(ended([*PROGRAM, "fit", *options, f"--run.dir={folder}"]).output)
    yield Result(
        "peak of a fit of TinyModel above an import of lightning.pytorch",
        peak - imported,
        "MiB",
        f"{peak:.0f} MiB, the import {imported:.0f} MiB",
        Mark(_PEAK_MIB),
        {"fit": Figure([peak], "MiB"), "import": Figure([imported], "MiB")},
    )
    settled = min(_SETTLED, len(sizes)) - 1
    yield Result(
        "growth of its memory over epochs",
        sizes[-1] - sizes[settled],
        "MiB",
        f"{sizes[settled]:.0f} MiB after epoch {settled + 1}, {sizes[-1]:.0f} MiB after epoch {len(sizes)}",
        Mark(_GROWTH_MIB),
        {"after each epoch": Figure(sizes, "MiB")},
    )
