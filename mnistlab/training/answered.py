"""What was answered about pictures, as a table on the screen, as CSV, as JSON, and as a picture."""

import csv
import json
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnistlab.runs.folder import PREDICTED, PREDICTIONS
from mnistlab.system.files import replacing
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import counted, cut, percent
from mnistlab.training.answering import Answered

_TILE, _BARS, _GAP, _TEXT, _FONT = 140, 130, 12, 20, 14
_NUMBERED, _NAMED = 28, 80  # pixels for what a class is called
_PAPER, _INK, _FAINT, _WRONG = (250, 250, 248), (40, 40, 40), (190, 190, 185), (185, 30, 30)
_MOST = 120  # that are drawn
_CLASSES = 10  # that have a bar


def answered_lines(answered: Sequence[Answered], thing: str, folder: Path) -> Iterator[str]:
    """The table, and where it is kept.

    Args:
        answered: The answers.
        thing: What the net knows, such as `digit`.
        folder: Where they are kept.
    """
    rows = [[each.file, str(each.number), *_cells(each, thing)] for each in answered]
    yield from table(["file", "nr", "answer", "probability", "second"], rows, screen_width(), right=(1, 3))
    yield f"{counted(len(answered), 'answer')} in {folder / PREDICTIONS}, drawn in {folder / PREDICTED}"


def _cells(each: Answered, thing: str) -> list[str]:
    if each.refused:
        return [f"no {thing}", "", each.refused]
    head = next(iter(each.probs))
    (first, sure), *others = [(each.name(head, number), prob) for number, prob in each.best(head)]
    return [first, percent(sure, 1), f"{others[0][0]} ({percent(others[0][1], 1)})" if others else ""]


def as_json(answered: Sequence[Answered]) -> str:
    """The same for machines."""
    return json.dumps([_fields(each) for each in answered], indent=2)


def _fields(each: Answered) -> dict[str, Any]:
    heads = {
        head: {
            "prediction": each.best(head)[0][0],
            **({"class": each.name(head, each.best(head)[0][0])} if head in each.names else {}),
            "probs": [float(f"{value:.6g}") for value in probs.tolist()],
        }
        for head, probs in each.probs.items()
    }
    return {"file": each.file, "number": each.number, "box": list(each.box), "refused": each.refused or None, **heads}


def keep_answered(answered: Sequence[Answered], thing: str, folder: Path) -> None:
    """Write the table and the picture into the folder of a run."""
    with replacing(folder / PREDICTIONS) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        rows = [_row(each) for each in answered]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        writer.writerow(columns)
        writer.writerows([row.get(name, "") for name in columns] for row in rows)
    with replacing(folder / PREDICTED) as temporary:
        _drawn(answered, thing).save(temporary, format="PNG")


def _row(each: Answered) -> dict[str, object]:
    """A row of the table: as one about test images, with the place of the sign in place of its index."""
    row: dict[str, object] = {"file": each.file, "number": each.number, **each.box._asdict(), "refused": each.refused}
    for head, probs in each.probs.items():
        prefix = "" if len(each.probs) == 1 else f"{head}_"
        row[f"{prefix}prediction"] = answer = each.best(head)[0][0]
        if head in each.names:
            row[f"{prefix}class"] = each.name(head, answer)
        row |= {f"{prefix}prob_{number}": f"{value:.6g}" for number, value in enumerate(probs.tolist())}
    return row


def _drawn(answered: Sequence[Answered], thing: str) -> Image.Image:
    """Each sign as it is in the picture, as the net saw it, the answer, and how probable each class is."""
    shown = answered[:_MOST]
    columns = min(3, ceil(len(shown) ** 0.5))
    rows = ceil(len(shown) / columns)
    width, height = 2 * _TILE + _BARS + 3 * _GAP, _TILE + _TEXT + _GAP
    picture = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(_FONT)
    for number, each in enumerate(shown):
        row, column = divmod(number, columns)
        left, top = _GAP + column * width, _GAP + row * height
        picture.paste(each.original, (left, top))
        answer, sure, _ = _cells(each, thing)
        said = f"{_ended(Path(each.file).name)} {each.number}: {answer}  {f'({sure})' if sure else ''}"
        draw.text((left, top + _TILE + 2), said, fill=_WRONG if each.refused else _INK, font=font)
        if each.image is not None:
            picture.paste(_enlarged(each.image.numpy()), (left + _TILE + _GAP // 2, top))
            _draw_bars(draw, each, (left + 2 * _TILE + _GAP, top), font)
    return picture


def _ended(name: str) -> str:
    return cut(name, 28)


def _enlarged(image: np.ndarray) -> Image.Image:
    """What the net saw, (channels, height, width)."""
    pixels = image[0] if len(image) == 1 else image[:3].transpose(1, 2, 0)
    return Image.fromarray(pixels).convert("RGB").resize((_TILE, _TILE), Image.Resampling.NEAREST)


def _draw_bars(draw: ImageDraw.ImageDraw, each: Answered, place: tuple[int, int], font: Any) -> None:
    """A bar for each class; of more than ten for the most probable ones."""
    left, top = place
    head = next(iter(each.probs))
    classes = sorted(each.best(head)[:_CLASSES])
    step, margin = _TILE / _CLASSES, _NAMED if head in each.names else _NUMBERED
    for row, (number, prob) in enumerate(classes):
        y = top + row * step
        draw.text((left, y - 2), cut(each.name(head, number), margin // 7), fill=_INK, font=font)
        begin = left + margin
        end = begin + prob * (_BARS - margin)
        draw.rectangle((begin, y + 3, end, y + step - 3), fill=_FAINT if each.refused else _INK)
