"""How a run is kept, and what a trainer of the lab does by default; neither needs torch."""

from dataclasses import dataclass
from pathlib import Path

from mnistlab.options.numbers import PositiveInt

TRAINER_DEFAULTS: dict[str, object] = {
    "max_epochs": 10,
    "logger": False,  # the lab keeps its own record; a tracker is added with --logger
    "deterministic": True,
    "num_sanity_val_steps": 0,
    "enable_model_summary": False,
}


@dataclass(frozen=True)
class Run:
    """How a run is kept.

    Args:
        dir: Where the folders of all runs lie; by default MNISTLAB_RUN_DIR, else runs.
        name: A name of your own for this run.
        tags: Words to find it by, as `a,b` or as a list.
        checkpoint_every_n_steps: Write `last.ckpt` within epochs too, each time after so many optimizer steps.
        test: Whether `fit` ends with the test of the best checkpoint.
        stop_when_nan: Whether a run ends when its loss or its weights are no numbers any more: nothing is learnt then.
        process_timeout: Of several processes that train together, one that has been stopped for so many seconds is
            given up, and the others end.
    """

    dir: str | Path = "runs"
    name: str | None = None
    tags: str | list[str] | None = None
    checkpoint_every_n_steps: PositiveInt | None = None
    test: bool = True
    stop_when_nan: bool = True
    process_timeout: PositiveInt = 60
