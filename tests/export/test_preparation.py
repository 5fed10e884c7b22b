"""A page prepares pictures as Python does."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mnistlab import EMNIST, KMNIST, MNIST, FashionMNIST, SyntheticDigits
from mnistlab.data import ImageData
from mnistlab.data.pictures import Prepared, character, handwriting, trimmed, whole
from mnistlab.export import preparing
from mnistlab.export.preparing import preparation_of, stretched

Way = Callable[[Image.Image], Sequence[Prepared]]

_PAGE = Path(preparing.__file__).with_name("page")
_GREY, _COLOUR = (1, 28, 28), (3, 32, 24)
_NODE = """
const fs = require("fs"), vm = require("vm");
for (const name of ["engine.js", "preparation.js"])
  vm.runInThisContext(fs.readFileSync(`${process.argv[1]}/${name}`, "utf8"));
const asked = JSON.parse(fs.readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map(({ width, height, data, way, shape }) =>
  prepared({ width, height, data: decoded(data) }, way, shape).map(({ image, box }) => ({ image: [...image], box })))));
"""


def drawn(number: int) -> Image.Image:
    """A picture of one sign or three: drawn or taken, dark or light ink, grey or in colour."""
    rng = np.random.default_rng(number)
    width = int(rng.integers(90, 320))
    size, in_colour = (width, int(width * rng.uniform(0.7, 1.3))), number % 3 > 0
    paper, ink = (rng.integers(200, 256, 3), rng.integers(0, 90, 3)) if in_colour else ([255] * 3, [0] * 3)
    picture = Image.new("RGB", size, tuple(map(int, paper)))
    pen = ImageDraw.Draw(picture)
    for _ in range(3 if number % 4 == 0 else 1):
        x = rng.uniform(0.1, 0.8) * width
        points = [
            (x + rng.normal(0, 0.12) * width, rng.uniform(0.15, 0.85) * size[1]) for _ in range(rng.integers(2, 6))
        ]
        pen.line(points, tuple(map(int, ink)), int(width * rng.uniform(0.03, 0.1)), joint="curve")
    values = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.7))).astype(float)
    if number % 5 == 0:
        values = 255 - values
    if number % 7 == 0:  # a photograph: uneven light, and grain
        values = values * np.linspace(0.5, 1, width)[None, :, None] + rng.normal(0, 4, values.shape)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("told", "shape", "way", "count"),
    [
        ({"way": "handwriting", "box": 20, "byMass": True}, _GREY, handwriting, 200),
        (
            {"way": "handwriting", "box": 24, "byMass": False},
            _GREY,
            lambda each: handwriting(each, 24, by_mass=False),
            20,
        ),
        ({"way": "character"}, _GREY, character, 20),
        ({"way": "trimmed"}, _GREY, lambda each: [trimmed(each)], 20),
        ({"way": "whole"}, _GREY, lambda each: [whole(each, _GREY)], 20),
        ({"way": "whole"}, _COLOUR, lambda each: [whole(each, _COLOUR)], 20),
        ({"way": "stretched"}, _GREY, lambda each: [stretched(each, _GREY)], 20),
        ({"way": "stretched"}, _COLOUR, lambda each: [stretched(each, _COLOUR)], 20),
    ],
)
def test_the_page_prepares_as_predict_does(
    told: Mapping[str, object], shape: Sequence[int], way: Way, count: int
) -> None:
    """The same signs in the same boxes, within one level of grey."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    pictures = [drawn(number) for number in range(count)]
    asked = [
        {
            "width": each.width, "height": each.height, "way": told, "shape": shape,
            "data": base64.b64encode(np.asarray(each.convert("RGBA")).tobytes()).decode(),
        }
        for each in pictures
    ]  # fmt: skip

    done = subprocess.run(
        [node, "-e", _NODE, str(_PAGE)], input=json.dumps(asked), capture_output=True, text=True, check=True
    )

    found: list[list[dict[str, Any]]] = json.loads(done.stdout)
    for picture, mine in zip(pictures, found, strict=True):
        wanted = way(picture)
        assert [each["box"] for each in mine] == [each.box._asdict() for each in wanted]
        for one, other in zip(mine, wanted, strict=True):
            assert np.abs(np.array(one["image"]) - other.image.flatten().astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (MNIST(), {"way": "handwriting", "box": 20, "byMass": True}),
        (SyntheticDigits(), {"way": "handwriting", "box": 20, "byMass": True}),
        (EMNIST(), {"way": "handwriting", "box": 24, "byMass": False}),
        (KMNIST(), {"way": "character"}),
        (FashionMNIST(), {"way": "trimmed"}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_page_prepares_as_its_data_would(data: ImageData, told: Mapping[str, object]) -> None:
    """Known by what the data do to a picture."""
    assert preparation_of(data, (1, 28, 28)) == told
