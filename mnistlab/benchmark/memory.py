"""The memory of a run: its peak, and whether it grows."""

import tempfile
from collections.abc import Iterator

from mnistlab.benchmark import peak
from mnistlab.benchmark.figures import Figure, Mark, Result
from mnistlab.benchmark.peers import Ground
from mnistlab.benchmark.probes import Resident, option, said

_PEAK_MIB = 200  # above a process that only imports lightning.pytorch
_GROWTH_MIB = 4  # what counts as no growth: allocators round
_SETTLED = 5  # epochs after which all buffers are there


def memory(ground: Ground) -> Iterator[Result]:
    """The peak of a fit of TinyModel, and the growth between its first epochs and its last one."""
    build = ground.builds[0]
    only = f"import lightning.pytorch; from {peak.__name__} import say_peak; say_peak()"
    (imported,) = said(build.python("-c", only).output)
    options = [*ground.data, "--model=TinyModel", f"--trainer.max_epochs={8 if ground.quick else 50}", option(Resident)]
    with tempfile.TemporaryDirectory() as folder:
        *sizes, most = said(build.python(peak.__file__, "mnistlab", "fit", *options, f"--run.dir={folder}").output)
    yield Result(
        "peak of a fit of TinyModel above an import of lightning.pytorch",
        most - imported,
        "MiB",
        f"{most:.0f} MiB, the import {imported:.0f} MiB",
        Mark(_PEAK_MIB),
        {"fit": Figure([most], "MiB"), "import": Figure([imported], "MiB")},
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
