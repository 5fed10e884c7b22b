"""What the augmentations promise: true geometry, one draw for each image, bits that repeat."""

import math

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import Tensor

from mnistlab.data.augment import Augmentation, RandomDistortion, inverse_affine, warp

NOTHING = {"shift": 0.0, "rotation": 0.0, "scale": 0.0, "shear": 0.0, "elastic": 0.0}


def distort(
    images: Tensor, *, rotation: float = 0, scale: float = 1, shear: float = 0, shift: tuple[float, float] = (0, 0)
) -> Tensor:
    """Distort all images in one known way."""
    size = len(images)
    inverse = inverse_affine(
        rotation=torch.full((size,), float(rotation)),
        scale=torch.full((size,), float(scale)),
        shear=torch.full((size,), float(shear)),
        shift=torch.tensor([shift] * size, dtype=torch.float32),
        aspect=images.shape[3] / images.shape[2],
    )
    return warp(images, inverse)


def dot(height: int, width: int, row: int, column: int) -> Tensor:
    """An image with one white pixel."""
    image = torch.zeros(1, 1, height, width)
    image[0, 0, row, column] = 1
    return image


def centre(images: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of the centre of the ink."""
    ink = images.sum(1) / images.sum((1, 2, 3))[:, None, None]
    rows, columns = torch.arange(images.shape[2]), torch.arange(images.shape[3])
    return (ink.sum(2) * rows).sum(1), (ink.sum(1) * columns).sum(1)


def test_zero_everywhere_is_identity() -> None:
    """With every option 0 the images are returned unchanged, and no randomness is spent."""
    images = torch.rand(4, 1, 28, 28)
    state = torch.get_rng_state()

    assert RandomDistortion(**NOTHING)(images) is images
    assert torch.equal(torch.get_rng_state(), state)


def test_no_change_interpolates_nothing() -> None:
    """Drawing anew from the same places gives the same image."""
    images = torch.rand(3, 2, 9, 13)

    assert torch.allclose(distort(images), images, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"elastic": 2.0}, {**NOTHING, "elastic": 2.0}, {**NOTHING, "shift": 0.1}])
@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (1, 3, 32, 32), (2, 4, 7, 20), (3, 1, 1, 1)])
def test_any_size(options: dict[str, float], shape: tuple[int, ...]) -> None:
    """Any number of channels and any size of image keeps its shape, dtype and range of values."""
    images = torch.randn(shape)
    changed = RandomDistortion(**options)(images)

    assert (changed.shape, changed.dtype) == (images.shape, images.dtype)
    assert changed.min() >= images.min() - 1e-5
    assert changed.max() <= images.max() + 1e-5


@pytest.mark.parametrize("elastic", [0.0, 1.5])
def test_seed_repeats_bits(elastic: float) -> None:
    """The same `torch.manual_seed` gives the same bits, the next draw others."""
    images = torch.rand(16, 1, 28, 28)
    augment = RandomDistortion(elastic=elastic)
    torch.manual_seed(0)
    first, second = augment(images), augment(images)
    torch.manual_seed(0)

    assert torch.equal(augment(images), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("option", ["shift", "rotation", "scale", "shear", "elastic"])
def test_each_image_has_its_own_draw(option: str) -> None:
    """Copies of one image are changed differently, and the images do not mix."""
    images = torch.rand(1, 1, 28, 28).expand(12, -1, -1, -1)
    value = {"shift": 0.1, "rotation": 20.0, "scale": 0.3, "shear": 0.3, "elastic": 2.0}[option]
    changed = RandomDistortion(**{**NOTHING, option: value})(images)

    assert torch.pdist(changed.flatten(1)).min() > 0


def test_images_do_not_mix() -> None:
    """An image's result does not depend on the others in the batch."""
    images = torch.rand(8, 1, 28, 28)
    others = torch.cat([images[:1], torch.rand(7, 1, 28, 28)])
    augment = RandomDistortion(fill=0.0)
    torch.manual_seed(0)
    first = augment(images)
    torch.manual_seed(0)

    assert torch.equal(augment(others)[0], first[0])


def test_input_is_left_alone() -> None:
    """The batch that came in keeps its values."""
    images = torch.rand(4, 1, 28, 28)
    before = images.clone()
    RandomDistortion(elastic=1.0)(images)

    assert torch.equal(images, before)


def test_shift_moves_by_fractions_of_the_side() -> None:
    """0.2 of a width of 20 and 0.3 of a height of 10 are 4 pixels to the right and 3 down."""
    images = torch.rand(2, 1, 10, 20)
    expected = torch.full_like(images, float(images.min()))
    expected[:, :, 3:, 4:] = images[:, :, :-3, :-4]

    assert torch.allclose(distort(images, shift=(0.2, 0.3)), expected, atol=1e-5)


def test_half_a_pixel_is_the_mean_of_two() -> None:
    """Between two pixels values are interpolated."""
    images = torch.rand(1, 1, 4, 10)
    images[0, 0, 0, 0] = 0
    moved = distort(images, shift=(0.05, 0))

    assert torch.allclose(moved[..., 1:], (images[..., 1:] + images[..., :-1]) / 2, atol=1e-5)


@pytest.mark.parametrize("turns", [-1, 1, 2])
def test_quarter_turns(turns: int) -> None:
    """Turning by 90 degrees is torch.rot90."""
    images = torch.rand(3, 2, 28, 28)

    assert torch.allclose(distort(images, rotation=90 * turns), images.rot90(turns, (2, 3)), atol=1e-4)


def test_turning_keeps_distances_in_a_wide_image() -> None:
    """In a wide image, 6 to the right of the middle becomes 6 above it, and 5 above becomes 5 to the left."""
    turned = distort(torch.cat([dot(15, 31, 7, 21), dot(15, 31, 2, 15)]), rotation=90)

    assert turned[0, 0, 1, 15] == pytest.approx(1, abs=1e-4)
    assert turned[1, 0, 7, 10] == pytest.approx(1, abs=1e-4)


def test_shear_leans_to_the_right() -> None:
    """A pixel 6 above the middle moves 3 to the right under a shear of 0.5, whatever the shape of the image."""
    leant = distort(dot(15, 31, 1, 15), shear=0.5)

    assert leant[0, 0, 1, 18] == pytest.approx(1, abs=1e-4)


def test_scale_multiplies_the_size() -> None:
    """At twice the size a pixel 3 from the middle is 6 from it."""
    row, column = centre(distort(dot(31, 31, 12, 18), scale=2))

    assert [float(row), float(column)] == pytest.approx([9, 21], abs=1e-3)


def test_changes_come_in_order() -> None:
    """All at once is one after the other: shear, scale, turn, shift."""
    images = torch.nn.functional.avg_pool2d(dot(41, 41, 14, 24), 5, 1, 2)
    steps = distort(distort(images, shear=0.2), scale=1.2)
    steps = distort(distort(steps, rotation=25), shift=(0.1, -0.05))
    at_once = distort(images, shear=0.2, scale=1.2, rotation=25, shift=(0.1, -0.05))

    assert torch.stack(centre(at_once)).flatten().tolist() == pytest.approx(
        torch.stack(centre(steps)).flatten().tolist(), abs=0.05
    )


def test_shift_fills_its_range() -> None:
    """Draws reach the largest shift in every direction and never pass it."""
    images = torch.nn.functional.pad(torch.ones(2000, 1, 2, 2), (9, 9, 9, 9))
    for place in centre(RandomDistortion(**{**NOTHING, "shift": 0.2})(images)):
        moved = place - 9.5
        assert 3.9 < moved.max() <= 4.001
        assert -4.001 <= moved.min() < -3.9
        assert moved.mean().abs() < 0.3


def test_rotation_fills_its_range() -> None:
    """Draws reach the largest angle on both sides and never pass it."""
    image = torch.nn.functional.pad(torch.ones(2000, 1, 3, 3), (16, 2, 9, 9))
    row, column = centre(RandomDistortion(**{**NOTHING, "rotation": 30})(image))
    angle = torch.rad2deg(torch.atan2(10 - row, column - 10))

    assert 29 < angle.max() < 31
    assert -31 < angle.min() < -29


def test_elastic_bends_as_far_as_told() -> None:
    """The same field moves a whole image by its value, in pixels."""
    images = torch.rand(1, 1, 12, 20)
    field = torch.tensor([3.0, -2.0]).view(1, 2, 1, 1).expand(-1, -1, 5, 5)
    still = torch.eye(2, 3)[None]

    assert torch.allclose(warp(images, still, field)[..., 2:, :-3], images[..., :-2, 3:], atol=1e-4)


def test_elastic_is_smooth() -> None:
    """A slope stays one: neighbouring pixels are moved by nearly the same."""
    slope = torch.arange(28.0).expand(50, 1, 28, 28)
    bent = RandomDistortion(**{**NOTHING, "elastic": 1.0})(slope)[..., 3:-3, 3:-3]
    moved = bent - slope[..., 3:-3, 3:-3]

    assert 0.5 < moved.abs().max() < 2
    assert moved.diff(dim=-1).abs().max() < 0.7


@pytest.mark.parametrize(("fill", "outside"), [(None, -0.5), (3.0, 3.0)])
def test_fill_is_what_lies_outside(fill: float | None, outside: float) -> None:
    """What comes from outside the image has the given value, or the smallest of the batch."""
    images = torch.full((2, 1, 8, 8), 0.5)
    images[1, 0, 4, 4] = -0.5
    still = torch.tensor([[[1.0, 0, -1], [0, 1, 0]]]).expand(2, -1, -1)

    assert (warp(images, still, fill=fill)[:, :, :, :4] == outside).all()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("shift", -0.1),
        ("shift", 1.1),
        ("rotation", -1.0),
        ("rotation", 181.0),
        ("scale", 1.0),
        ("scale", math.nan),
        ("shear", -0.1),
        ("shear", math.inf),
        ("elastic", -1.0),
    ],
)
def test_numbers_out_of_range_are_refused(option: str, value: float) -> None:
    """The message names the option and what came."""
    with pytest.raises(ValueError, match=rf"`{option}` must be .* got {value}"):
        RandomDistortion(**{option: value})


def parser() -> ArgumentParser:
    """A command line with one augmentation."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--augment", type=Augmentation | None, default=None)
    return parser


def test_command_line_builds_it() -> None:
    """It is built by jsonargparse from the annotation of its base class."""
    config = {"augment": {"class_path": "mnistlab.data.augment.RandomDistortion", "init_args": {"rotation": 5}}}
    built = parser().instantiate(parser().parse_object(config))

    assert built.augment == RandomDistortion(rotation=5)


def test_command_line_refuses_a_wrong_number() -> None:
    """The types of the options are checked before anything runs."""
    config = {"augment": {"class_path": "mnistlab.data.augment.RandomDistortion", "init_args": {"rotation": -5}}}
    with pytest.raises(Exception, match="rotation"):
        parser().parse_object(config)
