"""What a change is judged against: a preset, or what a run was configured with."""

from collections.abc import Sequence
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.files import from_data
from mnistlab.options.swept import with_domain
from mnistlab.presets.finding import find_preset, list_presets
from mnistlab.runs.listing import find_run
from mnistlab.runs.sheets import NOT_OPTIONS
from mnistlab.sweeps.space import as_argument
from mnistlab.text.nearest import suggestion
from mnistlab.training.ended import ended_run
from mnistlab.training.saving import preset_of


def baseline_arguments(name: str, root: Path, trust: str | None = None) -> Sequence[str]:
    """The arguments of `fit` that train as a preset or a run does.

    Args:
        name: The preset, or else the run.
        root: Where runs are looked for.
        trust: Packages that a run may name.

    Raises:
        LabError: If there is neither, or the run has not ended, or names what is not trusted.
    """
    said = f"--baseline={name}"
    try:
        find_preset(name, said)
    except LabError:
        pass
    else:
        return [f"--config={name}"]
    try:
        find_run(name, root)
    except LabError:
        near = suggestion(name, [entry.name for entry in list_presets()])
        raise LabError(
            f"{said}: there is neither such a preset nor such a run.{near} `mnistlab presets` and `runs` list them."
        ) from None
    run = ended_run(name, root)
    entries = map(with_domain, from_data(preset_of(run.folder, trust), said))
    return [as_argument(entry) for entry in entries if entry.key[0] not in NOT_OPTIONS]
