"""Further labels: from the table, and measured from images whose answer is known."""

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mnistlab import MNIST, FashionMNIST, SyntheticDigits, main
from mnistlab.data import DigitTable, ImageData, LabelScheme, MeasuredLabels, MultiheadMNIST
from mnistlab.data.digits import draw_digits
from mnistlab.data.imageset import ImageSet
from mnistlab.data.labels import measure
from mnistlab.data.loader import EvalLoader
from mnistlab.errors import LabError

Fit = Callable[..., Path]
FINE = 16
"""Points along a pixel that its ink is a mean of."""


def paper() -> Tensor:
    """An image without ink, (1, 1, 28, 28)."""
    return torch.zeros(1, 1, 28, 28, dtype=torch.uint8)


def drawn(*rows: str) -> Tensor:
    """An image with ink where a row has #, its upper left corner at (4, 4)."""
    image = paper()
    for y, row in enumerate(rows):
        for x, mark in enumerate(row):
            image[0, 0, 4 + y, 4 + x] = 255 * (mark == "#")
    return image


def bar(lean: float) -> Tensor:
    """A bar of width 4 and height 17, sheared so that it moves by `lean` to the right for each row up; soft edges."""
    y, x = (torch.arange(28 * FINE).float()[:, None] + 0.5) / FINE - 14, (torch.arange(28 * FINE) + 0.5) / FINE - 14
    inside = ((x + lean * y).abs() <= 2) & (y.abs() <= 8.5)
    return (functional.avg_pool2d(inside.float()[None, None], FINE) * 255).round().to(torch.uint8)


# The table -----------------------------------------------------------------------------------------------------------


def test_the_table_says_what_it_should() -> None:
    """Thickness in five classes and smoothness in three, for each digit."""
    labels = DigitTable().label(paper(), torch.arange(10))

    assert DigitTable().heads == {"thickness": 5, "smoothness": 3}
    assert labels["thickness"].tolist() == [0, 2, 1, 3, 2, 4, 3, 4, 4, 4]
    assert labels["smoothness"].tolist() == [2, 0, 1, 2, 0, 1, 2, 0, 2, 2]
    assert labels["thickness"].dtype == torch.int64


def test_the_table_is_for_digits_only() -> None:
    """Ten classes of clothes are refused; the way out is named, and works."""
    with pytest.raises(LabError, match=r"needs the ten digits, but FashionMNIST has 10 classes of .*MeasuredLabels"):
        _ = FashionMNIST(labels=DigitTable()).heads
    clothes, *others = FashionMNIST(labels=MeasuredLabels()).heads

    assert clothes != "digit"
    assert others == ["thickness", "slant", "loops"]


def test_a_label_that_is_there_already_is_refused() -> None:
    """Two labels of one name would be one head."""

    class Thick(SyntheticDigits):
        """Digits that say already how thick they are."""

        @property
        def own_heads(self) -> dict[str, int]:
            """As if it had been written down for each image."""
            return {"digit": 10, "thickness": 2}

    with pytest.raises(LabError, match=r"^Thick has labels called thickness already, so DigitTable cannot"):
        _ = Thick(labels=DigitTable()).heads


# Measures of what is known -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(3, 15), (15, 3), (1, 20), (5, 18)])
def test_the_thickness_of_a_rectangle_is_its_shorter_side(width: int, height: int) -> None:
    """In pixels, lying or standing; one corner of four is cut, by a root of two."""
    measured = measure(drawn(*["#" * width] * height))

    assert measured["thickness"].item() == pytest.approx(min(width, height), rel=0.1)
    assert measured["slant"].abs() < 1e-3


@pytest.mark.parametrize(
    ("image", "loops"),
    [
        (drawn("####", "#..#", "#..#", "####"), 1),
        (drawn("####", "#..#", "####", "#..#", "####"), 2),
        (drawn("####", "#..#", "#...", "####"), 0),
        (drawn("###", "#.#", "###"), 0),  # one pixel is no hole
        (drawn(".##.", "#..#", "#..#", ".##."), 1),  # ink that meets at a corner closes it
        (drawn("#####", "#.#.#", "##.##", "#.#.#", "#####"), 0),  # paper that meets at a corner is apart
        (drawn("#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######"), 1),  # an island
        (drawn("########", "#......#", "#.####.#", "#.#..#.#", "#.####.#", "#......#", "########"), 2),  # in another
        (drawn("#####", "#...#", "#.###", "#...#", "###.#", "#...#", "#####"), 1),  # a winding hole
        (drawn("####" * 3, "#..#" * 3, "####" * 3), 3),
        (drawn("#"), 0),
    ],
)
def test_loops_are_the_holes_of_two_pixels_and_more(image: Tensor, loops: int) -> None:
    """Whatever their form; the class stops at two."""
    assert measure(image)["loops"].item() == loops
    assert MeasuredLabels().label(image, torch.zeros(1))["loops"].item() == min(loops, 2)


def test_faint_ink_closes_no_loop() -> None:
    """Less than half the strongest ink is paper; the whole image may be faint."""
    ring = drawn("####", "#..#", "#..#", "####")
    gap = ring.clone()
    gap[0, 0, 5, 4] = 100

    assert measure(gap)["loops"].item() == 0
    assert measure(ring // 5)["loops"].item() == 1


@pytest.mark.parametrize("lean", [-0.6, -0.25, 0.0, 0.25, 0.6])
def test_slant_is_the_angle_of_a_sheared_bar(lean: float) -> None:
    """In degrees, positive where the top leans to the right; its thickness is measured across it."""
    measured, angle = measure(bar(lean)), math.atan(lean)

    assert measured["slant"].item() == pytest.approx(math.degrees(angle), abs=0.2)
    assert measured["thickness"].item() == pytest.approx(4 * math.cos(angle), rel=0.1)


@pytest.mark.parametrize("width", [1, 2, 7, 17])
def test_ink_in_one_row_has_no_slant(width: int) -> None:
    """Wherever the row is: rounding errors have no angle."""
    line = drawn("#" * width)
    moved = torch.cat([line.roll((y, y), dims=(2, 3)) for y in range(-4, 7)])

    assert not measure(moved)["slant"].any()


def test_an_empty_image_measures_0() -> None:
    """No division by nothing."""
    assert {name: value.item() for name, value in measure(paper()).items()} == {"thickness": 0, "slant": 0, "loops": 0}


def test_a_mirror_turns_the_slant_and_nothing_else() -> None:
    """No direction is preferred."""
    images = draw_digits(100, 3).images
    seen, mirrored = measure(images), measure(images.flip(3))

    for name, sign in (("thickness", 1), ("slant", -1), ("loops", 1)):
        assert torch.allclose(mirrored[name], sign * seen[name], atol=1e-3), name


def test_neither_place_nor_company_matters() -> None:
    """An image alone, moved, in colour or among others measures the same."""
    images = draw_digits(40, 4).images
    images = functional.pad(images, (4, 4, 4, 4))
    together = measure(images)
    for other in (images.roll((3, -4), dims=(2, 3)), images.expand(-1, 3, -1, -1)):
        for name, values in measure(other).items():
            assert torch.allclose(values, together[name], atol=2e-3), name
    for index in (0, 39):
        for name, values in measure(images[index : index + 1]).items():
            assert torch.allclose(values[0], together[name][index], atol=1e-4), name


def test_measures_follow_what_the_images_were_drawn_with() -> None:
    """Synthetic digits tell how thick, slanted and looped they are; what is measured goes with it."""
    data = draw_digits(2_000, 1)
    assert data.factors is not None
    measured, digit = measure(data.images), data.targets["digit"]
    lean = data.factors["slant"] - data.factors["rotation"]  # turning to the left takes from the slant

    assert correlation(measured["thickness"], data.factors["thickness"]) > 0.93
    assert (measured["thickness"] - data.factors["thickness"]).mean().abs() < 0.25  # pixels
    assert (measured["loops"].clamp(max=2) == data.factors["loops"]).float().mean() > 0.9
    for each in range(10):
        assert correlation(measured["slant"][digit == each], lean[digit == each]) > 0.85


def correlation(x: Tensor, y: Tensor) -> float:
    """Pearson's."""
    return torch.corrcoef(torch.stack([x, y]))[0, 1].item()


# Cut into classes ----------------------------------------------------------------------------------------------------


def test_a_bound_belongs_to_the_class_above() -> None:
    """One class more than there are bounds; any measure finds one."""
    scheme = MeasuredLabels(thickness_bounds=[0, 3], slant_bounds=[0])
    images = torch.cat([bar(0.5), bar(-0.5), paper()])
    labels = scheme.label(images, torch.zeros(3))

    assert scheme.heads == {"thickness": 3, "slant": 2, "loops": 3}
    assert labels["slant"].tolist() == [1, 0, 1]
    assert labels["thickness"].tolist() == [2, 2, 1]
    assert all(values.dtype == torch.int64 for values in labels.values())


def test_the_default_bounds_cut_mnist_into_fifths(real_data: Path) -> None:
    """To a few hundredths, on the training images."""
    data = MNIST(data_dir=str(real_data)).read("train")
    labels = MeasuredLabels().label(data.images[:10_000], data.targets["digit"][:10_000])

    for name in ("thickness", "slant"):
        share = labels[name].bincount(minlength=5) / 10_000
        assert ((share - 0.2).abs() < 0.03).all(), name


@pytest.mark.parametrize("bounds", [[], [3.0, 2.0], [2.0, 2.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_bounds_out_of_order_are_refused(bounds: list[float]) -> None:
    """With the option's name."""
    for option in ("thickness_bounds", "slant_bounds"):
        with pytest.raises(ValueError, match=rf"^`{option}` must be finite numbers in ascending order, got \["):
            MeasuredLabels(**{option: bounds})


# In a data set -------------------------------------------------------------------------------------------------------


def given_out(data: ImageData, stage: str) -> Mapping[str, Tensor]:
    """The targets of all images of the validation or test split."""
    data.prepare_data()
    data.setup(stage)
    loader = data.val_dataloader() if stage == "validate" else data.test_dataloader()
    assert isinstance(loader, EvalLoader)
    batches = [targets for _, targets in loader]
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


@pytest.mark.parametrize("partition", ["official", "pooled"])
def test_further_labels_come_after_the_digit_and_fit_their_images(partition: str) -> None:
    """For every split of every partition: the table is true of each image."""
    data = SyntheticDigits(300, 100, val_size=50, labels=DigitTable(), partition=partition)
    for stage in ("validate", "test"):
        targets = given_out(data, stage)

        assert list(targets) == list(data.heads) == ["digit", "thickness", "smoothness"]
        for name, values in DigitTable().label(paper(), targets["digit"]).items():
            assert torch.equal(targets[name], values)


def test_labels_do_not_change_the_images_nor_what_is_held_out() -> None:
    """The digits given out are the same with and without further labels."""
    plain, labelled = (SyntheticDigits(300, 100, val_size=50, labels=labels) for labels in (None, MeasuredLabels()))

    assert torch.equal(given_out(plain, "validate")["digit"], given_out(labelled, "validate")["digit"])


def test_what_images_were_drawn_with_is_no_label() -> None:
    """`thickness` is measured from the pixels, whatever the data know about themselves."""
    data = SyntheticDigits(train_size=200, test_size=100, val_size=50, labels=MeasuredLabels())
    official: ImageSet = data.read("test")
    expected = MeasuredLabels().label(official.images, official.targets["digit"])
    targets = given_out(data, "test")

    assert official.factors is not None
    assert all(torch.equal(targets[name], values) for name, values in expected.items())


def test_multihead_mnist_has_the_table_unless_told_otherwise() -> None:
    """It is MNIST with `labels` set."""
    assert MultiheadMNIST().heads == {"digit": 10, "thickness": 5, "smoothness": 3}
    assert list(MultiheadMNIST(labels=MeasuredLabels()).heads) == ["digit", "thickness", "slant", "loops"]
    assert MultiheadMNIST(labels=None).heads == MNIST().heads == {"digit": 10}


def test_the_command_line_chooses_labels_and_a_checkpoint_remembers_them(
    fit: Fit, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A test of the checkpoint alone has the same labels, cut at the same bounds."""
    folder = fit(
        "--data.labels=MeasuredLabels", "--data.labels.thickness_bounds=[2,3]", "--data.labels.slant_bounds=[5]"
    )
    capsys.readouterr()
    saved = (folder / "checkpoints" / "last.ckpt").rename(here / "alone.ckpt")

    assert main(["predict", f"--ckpt_path={saved}"]) == 0
    (table,) = here.glob("runs/*/*/predictions.csv")
    header, *rows = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    data = SyntheticDigits(train_size=600, test_size=200).read("test")
    expected = MeasuredLabels([2, 3], [5]).label(data.images, data.targets["digit"])
    for name, values in expected.items():
        place = header.index(f"{name}_target")
        assert [int(row[place]) for row in rows] == values.tolist(), name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--data.labels=MeasuredLabels", "--data.labels.slant_bounds=[3,1]"), "ascending order, got [3.0, 1.0]"),
        (("--data.labels=MeasuredLabels", "--data.labels.slant_bound=[3]"), "Did you mean"),
        (("--data.labels=MeasuredLabel",), "Did you mean MeasuredLabels?"),
        (("--data=FashionMNIST", "--data.labels=DigitTable"), "needs the ten digits"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    """Before any work, with the way out."""
    assert main(["fit", "--model=TinyModel", "--data=SyntheticDigits", *options]) == 2
    message = capsys.readouterr().err

    assert said in message
    assert len(message.splitlines()) == 1
    assert not list(here.iterdir())


class Promised(LabelScheme):
    """Three classes of angle, if it keeps what it says."""

    given: ClassVar[dict[str, Tensor]]

    @property
    def heads(self) -> dict[str, int]:
        """What it says."""
        return {"angle": 3}

    def label(self, images: Tensor, primary: Tensor) -> dict[str, Tensor]:
        """What it gives."""
        del images, primary
        return self.given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Promised says that it has angle, but it gives nothing."),
        ({"angles": torch.zeros(50).long()}, "Promised says that it has angle, but it gives angles."),
        (
            {"angle": torch.zeros(50)},
            "angle of Promised must be 50 numbers of type int64, got 50 of type torch.float32.",
        ),
        ({"angle": torch.zeros(49).long()}, "must be 50 numbers of type int64, got 49 of type torch.int64."),
        ({"angle": torch.full((50,), 3)}, "angle of Promised must be classes from 0 to 2, got 3."),
        ({"angle": torch.full((50,), -1)}, "angle of Promised must be classes from 0 to 2, got -1."),
    ],
)
def test_labels_of_ones_own_that_are_not_as_promised_are_refused(given: dict[str, Tensor], said: str) -> None:
    """When they are read, with the name of what gave them."""
    Promised.given = given

    with pytest.raises(LabError, match=re.escape(said)):
        SyntheticDigits(50, 20, val_size=10, labels=Promised()).setup("fit")
