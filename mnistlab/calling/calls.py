"""The commands as functions of Python. Each goes the way of the command line, in this process."""

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import cast, overload

from mnistlab.calling.asked import words_of
from mnistlab.calling.doing import Options, Which, done, explained, exported, kept, measured, named, reported, tried
from mnistlab.calling.results import Figures, Picture, Table, Verdict
from mnistlab.calling.run import Run
from mnistlab.calling.trials import Trials
from mnistlab.calling.within import Done, perform, told_here
from mnistlab.runs.run import Run as KeptRun


@overload
def fit(
    model: object = ...,
    options: Options | None = ...,
    *,
    data: object = ...,
    config: object = ...,
    folds: None = ...,
    **short: object,
) -> Run: ...
@overload
def fit(
    model: object = ...,
    options: Options | None = ...,
    *,
    data: object = ...,
    config: object = ...,
    folds: int,
    **short: object,
) -> Trials: ...
def fit(
    model: object = None,
    options: Options | None = None,
    *,
    data: object = None,
    config: object = None,
    folds: int | None = None,
    **short: object,
) -> Run | Trials:
    """Train a model, then test its best checkpoint, as `mnistlab fit` does.

    Args:
        model: A name, a class, a model, or any torch module or what makes one.
        options: Options by their full names.
        data: A name, a class, a data set, arrays of images and labels, or a Dataset of torch.
        config: A preset, by its name or its class, or a file; several in a list.
        folds: Into how many parts the training images are divided; a net is trained for each that is held out.
        **short: Options by their short names, where one option alone has it: `lr=3e-3, epochs=3, seed=1`.

    Returns:
        The run; with `folds` those of all folds.

    Raises:
        LabError: With the text that the command line would show.
        Interrupted: If it was interrupted; it says how to go on.
    """
    said = {"config": config, "folds": folds, "model": model, "data": data}
    did = done("fit", options, said, short)
    return _trials(did) if folds is not None else Run.of(kept(did, "fit"))


def test(run: Which = "last", options: Options | None = None, **short: object) -> Figures:  # noqa: PT028 - it is a command
    """Measure a trained model on test images, as `mnistlab test` does.

    Args:
        run: The run, or its weights; the newest one if not given.
        options: Options by their full names.
        **short: Options by their short names: `data="EMNIST"`.

    Raises:
        LabError: With the text that the command line would show.
    """
    return measured("test", run, options, short)


def validate(run: Which = "last", options: Options | None = None, **short: object) -> Figures:
    """Measure a trained model on validation images, as `mnistlab validate` does.

    Args:
        run: The run, or its weights; the newest one if not given.
        options: Options by their full names.
        **short: Options by their short names.

    Raises:
        LabError: With the text that the command line would show.
    """
    return measured("validate", run, options, short)


def explain(run: Which = "last", options: Options | None = None, **short: object) -> Picture:
    """Picture what a net looks at in test images, as `mnistlab explain` does.

    Args:
        run: The run, or its weights; the newest one if not given.
        options: Options by their full names.
        **short: Options by their short names: `method="gradcam", images=16, which="wrong"`.

    Raises:
        LabError: With the text that the command line would show.
    """
    return explained(run, options, short)


def export(
    run: Which = "last",
    options: Options | None = None,
    *,
    format: str | Sequence[str] | None = None,  # noqa: A002 - the command's word
    output: str | PathLike[str] | None = None,
    **short: object,
) -> Path | list[Path]:
    """Write a trained net for other programs, as `mnistlab export` does.

    Args:
        run: The run, or its weights; the newest one if not given.
        options: Options by their full names.
        format: Which form, or several: `pt2`, `onnx`, `onnx-int8`, `c`, `c-int8`, `html`.
        output: The file, or a folder for several; the folder of the run if not given.
        **short: Options by their short names.

    Returns:
        The file; of several forms all.

    Raises:
        LabError: With the text that the command line would show.
    """
    return exported(run, options, {"format": format, "output": output}, short)


def sweep(model: object = None, options: Options | None = None, *, data: object = None, **short: object) -> Trials:
    """Try many values of any options, as `mnistlab sweep` does: `lr=[1e-3, 1e-2]`, `lr=lab.interval(1e-4, 1e-2)`.

    A list, a range or an array of one dimension is values to be tried, as `lab.choice` has them; a tuple is one value.

    Args:
        model: As in `fit`; also several, as a list.
        options: Options by their full names.
        data: As in `fit`.
        **short: Options by their short names, and those of the command: `trials=40, workers=2`.

    Raises:
        LabError: With the text that the command line would show.
    """
    options = {name: tried(name, value) for name, value in (options or {}).items()}
    short = {name: tried(name, value) for name, value in short.items()}
    said = {"model": tried("model", model), "data": tried("data", data)}
    return _trials(done("sweep", options, {}, said, short))


def compare(
    models: object = None, options: Options | None = None, *, data: object = None, **short: object
) -> Table[Mapping[str, object]]:
    """Train models, or presets, under the same conditions, as `mnistlab compare` does.

    Args:
        models: Names, or classes.
        options: Options by their full names.
        data: As in `fit`.
        **short: Options by their short names, and those of the command: `seeds=3`, `presets=["A", "B"]`.

    Returns:
        A row for each model.

    Raises:
        LabError: With the text that the command line would show.
    """
    did = done("compare", options, {"models": models}, {"data": data}, short, switches=["--json"], silent=True)
    folder, rows, lines = did.made[-3:]
    return Table(json.loads(str(rows)), "\n".join(cast("list[str]", lines)), cast("Path", folder).absolute())


def judge(
    baseline: Which | None = None,
    options: Options | None = None,
    *,
    model: object = None,
    data: object = None,
    **short: object,
) -> Verdict:
    """Say whether a change is better, seldom wrongly, as `mnistlab judge` does.

    Args:
        baseline: A run, or the name of a preset.
        options: The change by full names; `{"baseline.model": "TinyModel"}` is of the baseline.
        model: The model of the change.
        data: The data of the change.
        **short: The change by short names, and options of the command: `max_pairs=20, effect=0.05`.

    Raises:
        LabError: With the text that the command line would show.
    """
    said = {"baseline": named(baseline)[0] if baseline is not None else None}
    did = done("judge", options, said, {"model": model, "data": data}, short, switches=["--json"], silent=True)
    folder, plain, words = did.made[-3:]
    return Verdict(str(words), json.loads(str(plain)), cast("Path", folder).absolute())


def runs(**filters: object) -> Table[object]:
    """The runs that are kept, the newest first, as `mnistlab runs` lists them.

    Args:
        **filters: `model="CNN68K"`, `status="finished"`, `tag="x"`, `sort="-test_acc"`, `limit=10`, `dir="elsewhere"`.

    Returns:
        The runs; with `by` or `format` a row for those that differ in nothing but their seed.

    Raises:
        LabError: With the text that the command line would show.
    """
    filters = {name: value for name, value in filters.items() if value is not None}
    with told_here():
        words = words_of("runs", filters)
    did = perform(words, silent=True)
    if {"by", "format"} & set(filters):
        asked = [word for word in words if not word.startswith("--format=")]
        return Table(json.loads(perform([*asked, "--format=json"], silent=True).text), did.text.rstrip())
    return Table([Run.of(each.folder) for each in did.made if isinstance(each, KeptRun)], did.text.rstrip())


def report(*which: Which, output: str | PathLike[str] | None = None, **options: object) -> Path:
    """Write a page about runs, a sweep or a judgement, as `mnistlab report` does.

    Args:
        *which: The runs, or one sweep by its name or its folder; the newest training run if there are none.
        output: The file; in the folder of the run if not given.
        **options: Those of the command: `live=True`, `dir="elsewhere"`.

    Returns:
        The file.

    Raises:
        LabError: With the text that the command line would show.
    """
    return reported(which, {"output": output, **options})


def _trials(did: Done) -> Trials:
    return Trials.within(next(each.absolute() for each in did.made if isinstance(each, Path)))
