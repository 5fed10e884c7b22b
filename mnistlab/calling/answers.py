"""`lab.predict`: rows as the command writes them, of what has a file; of all else what the run answers itself."""

import csv
import json
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import overload

from mnistlab.calling.doing import Options, Which, done, kept, of, outcome
from mnistlab.calling.predicted import Predictions
from mnistlab.calling.results import Table
from mnistlab.calling.run import Run
from mnistlab.errors import LabError
from mnistlab.runs.folder import PREDICTIONS
from mnistlab.runs.run import Run as KeptRun

Rows = Table[Mapping[str, object]]

_FILES = ("npz", "parquet")  # forms of answers that are no rows of text


@overload
def predict(  # type: ignore[overload-overlap] # a file is not an image, whatever its type
    run: Which = ...,
    pictures: "str | PathLike[str] | Sequence[str | PathLike[str]] | None" = ...,
    options: Options | None = ...,
    **short: object,
) -> Rows: ...
@overload
def predict(run: Which, pictures: object, options: None = ..., **short: object) -> Predictions: ...
def predict(
    run: Which = "last", pictures: object = None, options: Options | None = None, **short: object
) -> Rows | Predictions:
    """Answer pictures, images, or all test images, as `mnistlab predict` does.

    Args:
        run: The run, or its weights; the newest one if not given.
        pictures: Files, or folders of them; or what `run.predict` takes; all test images if not given.
        options: Options by their full names.
        **short: Options by their short names.

    Returns:
        A row for each sign of a picture, or for each test image; of arrays and Pillow's what `run.predict` gives.

    Raises:
        LabError: With the text that the command line would show.
    """
    if pictures is None:
        return _of_test_images(run, options, short)
    files = pictures if isinstance(pictures, list | tuple) and pictures else [pictures]
    paths = [fspath(each) for each in files if isinstance(each, str | PathLike)]
    if len(paths) < len(files):
        return _asked(run, {**(options or {}), **short}).predict(pictures)
    did = done("predict", options, of(run), short, positional=paths, silent=True)
    return Table(json.loads(str(did.made[-1])), outcome(did), kept(did, "predict"))


def _of_test_images(run: Which, options: Options | None, short: Options) -> Rows:
    if (form := {**(options or {}), **short}.get("format")) in _FILES:
        raise LabError(f"format: what Python gets is rows; the file is written by mnistlab predict --format={form}.")
    did = done("predict", options, of(run), short, silent=True)
    path = kept(did, "predict") / PREDICTIONS
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: _number(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    return Table(rows, outcome(did), path.parent)


def _asked(run: Which, said: Options) -> Run:
    """The run that answers images."""
    if said:
        raise LabError(f"{next(iter(said))}: images are answered by run.predict(images), which has no options.")
    if not isinstance(run, str | PathLike | KeptRun):
        raise LabError("run: images are answered by one run. Several answer files, and the test images.")
    return run if isinstance(run, Run) else Run.of(run if isinstance(run, KeptRun) else fspath(run))


def _number(cell: str) -> object:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
