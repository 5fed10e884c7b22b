"""`mnistlab presets save NAME --from=RUN`: what a run was configured with, as a preset."""

from pathlib import Path

from mnistlab.errors import LabError, visible
from mnistlab.options.arguments import Arguments
from mnistlab.options.composing import dump
from mnistlab.options.settling import Settled
from mnistlab.options.trust import set_import_policy, vouch_for
from mnistlab.presets.finding import SUFFIXES, list_presets
from mnistlab.presets.shipped import hides, is_shipped_file
from mnistlab.runs.listing import find_run
from mnistlab.runs.run import Run
from mnistlab.system.files import telling, write_text
from mnistlab.text.values import duration, moment, percent
from mnistlab.training.as_preset import as_preset
from mnistlab.training.found import repeat
from mnistlab.training.invocation import Invocation
from mnistlab.training.settled import known_settled, say_notes, settled_from

_OF_ONE_RUN = ("name", "dir")
"""How a run is kept that no other run is."""


def save_preset(asked: Arguments) -> int:
    """Write the preset; the exit code.

    Raises:
        LabError: If there is one of that name, no such run, or it names what is not trusted.
    """
    name, said = _name(asked), asked.values.get("from")
    if said is None:
        raise LabError(f"{asked.command} needs a run: mnistlab {asked.command} {name} --from=last")
    path = Path("presets", f"{name}.yaml")
    taken = next((entry for entry in list_presets() if entry.name == name), None)
    if path.exists() or (taken and not is_shipped_file(taken.path)):
        raise LabError(f"there is a preset {name} in {taken.path if taken else path}. Take another name.")
    folder = find_run(said, asked.root)
    text = _text(name, Run.of(folder), preset_of(folder, asked.values.get("trust")))
    with telling(path, "Go to a folder of your own."):
        path.parent.mkdir(exist_ok=True)
        write_text(path, text)
    hidden = f" It {hides(taken.path)}." if taken else ""
    print(f"Wrote {path}.{hidden} Use it: mnistlab fit --config={name}")
    return 0


def _name(asked: Arguments) -> str:
    """The name of the preset.

    Raises:
        LabError: If there is not one, or it cannot be that of a file.
    """
    if len(asked.names) != 1:
        got = f"got {len(asked.names)}: {', '.join(asked.names)}" if asked.names else "got none"
        raise LabError(f"{asked.command} takes one name, {got}: mnistlab {asked.command} NAME --from=RUN")
    name = asked.names[0].removesuffix(".yaml")
    if not name.replace("-", "_").isidentifier() or name.endswith(SUFFIXES):
        raise LabError(f"{name}: a name of letters, digits and _ is wanted, such as Wide.")
    return name


def preset_of(folder: Path, trust: str | None = None) -> dict[str, object]:
    """What a run was configured with, as far as it is not at its default.

    Args:
        folder: The run. Nothing that it names is trusted, for a preset is.
        trust: Packages that it may name all the same.

    Raises:
        LabError: If it cannot be read, or names what is not trusted.
    """
    invocation = Invocation("fit", [f"--trust={trust}"] if trust else [])
    settled = _settled(invocation, folder)
    say_notes(invocation, settled)
    found = as_preset(settled, settled.complete())
    kept = {key: value for key, value in dict(found.get("run") or {}).items() if key not in _OF_ONE_RUN}
    return {key: kept if key == "run" else value for key, value in found.items() if key != "run" or kept}


def _settled(invocation: Invocation, folder: Path) -> Settled:
    found = repeat(invocation, folder)
    known = known_settled(invocation, found)
    if known is None or known.unsure:
        from mnistlab.sections.parts import prepare  # noqa: PLC0415 - brings torch in

        prepare()
        set_import_policy(invocation.vouching.importable)
        vouch_for(invocation.vouching.importable)
    return settled_from(invocation, found, known)


def _text(name: str, run: Run, data: dict[str, object]) -> str:
    """The preset as a file, and what to expect of it; a stranger may have written the record, so no line ends in it."""
    reached = f"{percent(run.test_acc)} (n = 1) in {duration(run.seconds)}." if run.test_acc else "not tested."
    versions = ", ".join(f"{each} {run.part('versions').get(each)}" for each in ("mnistlab", "torch"))
    comment = [
        f"{run.title} on {run.data}: {reached}",
        "",
        f"Run {run.folder.name} of {moment(run.started, 'minutes')} UTC, what is not at its default; {versions}.",
        f"mnistlab fit --config={name}",
    ]
    return "".join(f"{' '.join(['#', *visible(line).split()])}\n" for line in comment) + dump(data)
