"""What a run can do by itself, and every call goes by: what was said becomes a command, which is run here."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from mnistlab.calling.asked import words_of
from mnistlab.calling.given import in_words, trusted_here
from mnistlab.calling.kept_settings import settings_kept
from mnistlab.calling.results import Figures, Picture
from mnistlab.calling.session import told_of_session
from mnistlab.calling.within import Done, perform, run_in, told_here
from mnistlab.commands.declaring.model import find_command
from mnistlab.errors import LabError
from mnistlab.runs.folder import PICTURE
from mnistlab.runs.run import Run as KeptRun
from mnistlab.text.values import cut, short_path

Options = Mapping[str, object]
"""Options by their full names: `{"model.optimizer.lr": 1e-3}`."""

_LISTED = ("callbacks", "config", "logger", "metrics")  # of these one value is a list

Which = str | PathLike[str] | KeptRun | Sequence[str | PathLike[str] | KeptRun]
"""A run, by itself, its id, its folder, or a checkpoint: `last`; several are an ensemble."""


def go_on(run: Which, options: Options | None, short: Options) -> Path:
    """Go on with a run, as `mnistlab fit --ckpt_path=RUN` does; its folder."""
    return kept(done("fit", options, of(run), short), "fit")


def done(
    command: str,
    options: Options | None,
    *said: Options,
    positional: Sequence[str] = (),
    switches: Sequence[str] = (),
    silent: bool = False,
) -> Done:
    """Say it, and do it.

    Args:
        command: The command.
        options: Options by their full names.
        *said: What signatures name, of which None was not said; at last options by their short names.
        positional: What stands there without dashes.
        switches: What is typed besides.
        silent: Whether what is printed is given back instead.

    Raises:
        LabError: If it is said twice, or refused.
    """
    *named, short = said
    with told_of_session():
        return perform([*_words(command, options, named, short, positional), *switches], silent=silent)


def _words(
    command: str, options: Options | None, named: Sequence[Options], short: Options, positional: Sequence[str]
) -> list[str]:
    """What would be typed."""
    with told_here(), settings_kept():  # an object is kept by torch, which comes with it, and a class is imported
        asked = {name: value for part in named for name, value in part.items() if value is not None}
        _check_mapping(options)
        for name in {*(options or {}), *short} & set(asked) | set(options or {}) & set(short):
            raise LabError(f"{name} is said twice. Say it once.")
        asked |= {**(options or {}), **short}
        if "ckpt_path" not in asked and isinstance(asked.get("data"), Mapping):
            _check_training(asked["data"])
        told = in_words(asked)
        return words_of(command, told, positional, trusted_here() if "ckpt_path" in asked or positional else [])


def _check_mapping(options: object) -> None:
    """Refuse as options what is no mapping from names."""
    form = '{"model.optimizer.lr": 1e-3}'
    if options is not None and not isinstance(options, Mapping):
        raise LabError(f"options: a mapping is wanted, such as {form}; got {cut(repr(options), 80)}.")
    for name in options or {}:
        if not isinstance(name, str):
            raise LabError(f"options: each is called by its name, as in {form}; got {cut(repr(name), 80)}.")


def _check_training(data: object) -> None:
    """Refuse images by name of which none are for training."""
    from mnistlab.calling.images import lacks_training  # noqa: PLC0415 - brings torch in

    if lacks_training(data):
        raise LabError("data: there is nothing to train on. Write data={'train': (images, labels), 'test': ...}.")


def measured(command: str, run: Which, options: Options | None, short: Options) -> Figures:
    """Measure weights, with `test` or `validate`."""
    did = done(command, options, of(run) if not short.get("untrained") else {}, short, silent=True)
    folder = kept(did, command)
    metrics = KeptRun.of(folder).part("metrics").items()
    figures = {name: value for name, value in metrics if isinstance(value, float | int)}
    return Figures(figures, outcome(did), folder)


def explained(run: Which, options: Options | None, short: Options) -> Picture:
    """Picture what a net looks at."""
    did = done("explain", options, of(run), short, silent=True)
    folder = kept(did, "explain")
    return Picture(folder / PICTURE, outcome(did), folder)


def exported(run: Which, options: Options | None, said: Options, short: Options) -> Path | list[Path]:
    """Write a net for other programs; the file, or those of several forms."""
    did = done("export", options, said, short, positional=named(run))
    files = [each.absolute() for each in did.made if isinstance(each, Path)]
    return files[0] if len(files) == 1 else files


def reported(which: Sequence[Which], said: Options) -> Path:
    """Write a page about runs; the file."""
    with told_here():
        words = words_of("report", said, [name for each in which for name in named(each)])
    return next(each.absolute() for each in perform(words, silent=True).made if isinstance(each, Path))


def tried(name: str, value: object) -> object:
    """What a sweep tries: a list, a range or an array is several values, unless the option is one of the command."""
    command = find_command("sweep")
    own = {option.name.rpartition(".")[2] for option in command.own} if command else set()
    if name in own or name.rpartition(".")[2] in _LISTED:
        return value
    if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | range) or (
        name == "data" and not all(isinstance(each, str | type) for each in value)
    ):
        return value
    from mnistlab.presets.domains import Values  # noqa: PLC0415 - only here

    if not value:
        raise LabError(f"{name}: values to be tried are wanted, got an empty list.")
    return Values(tuple(value))


def outcome(did: Done) -> str:
    """What a command has said of its outcome: neither which weights it took nor their settings, which the run says."""
    lines = did.text.rstrip().splitlines()
    begins = [number for number, line in enumerate(lines) if not line.startswith((" ", "weights of "))]
    return "\n".join(lines[begins[0] if begins else 0 :])


def of(run: Which) -> dict[str, object]:
    """Which weights are meant."""
    return {"ckpt_path": ",".join(named(run))}


def named(run: Which) -> list[str]:
    """Runs as a command line has them.

    Raises:
        LabError: If it is something else, such as the None of a variable that was not set.
    """
    several = run if isinstance(run, list | tuple) else [run]
    for each in several:
        if not isinstance(each, str | PathLike | KeptRun):
            raise LabError(
                f'a run is wanted, its id, its folder, or "last" for the newest one; got {cut(repr(each), 80)}.'
            )
    return [short_path(each.folder) if isinstance(each, KeptRun) else str(each) for each in several]


def kept(did: Done, command: str) -> Path:
    """The folder of the run that a command has kept."""
    folder = run_in(did.made)
    if folder is None:
        raise LabError(f"{command} has kept no run.")
    return folder
