"""Pictures of handwriting become images as MNIST has them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnistlab import EMNIST, KMNIST, MNIST, FashionMNIST
from mnistlab.data.digits import draw_digits
from mnistlab.data.own.decoding import as_seen
from mnistlab.data.pictures import Prepared, grey, handwriting, ink_in, resized

Pixels = NDArray[np.uint8]
DIGITS = draw_digits(60, seed=1).images[:, 0].numpy()


def on_paper(image: Pixels, scale: int = 4, paper: int = 230, pen: int = 40, margin: int = 30) -> Pixels:
    """An image enlarged, dark on light, with paper around it."""
    ink = np.kron(np.pad(image, margin // scale), np.ones((scale, scale))) / 255
    values: Pixels = (paper - (paper - pen) * ink).astype(np.uint8)
    return values


def only(picture: Pixels | Image.Image) -> Prepared:
    """The only sign of a picture."""
    (sign,) = handwriting(picture if isinstance(picture, Image.Image) else Image.fromarray(picture))
    return sign


def apart(one: Pixels, other: Pixels) -> float:
    """How far two images are apart, in levels of 255 for a pixel."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def centre(image: Pixels) -> tuple[float, float]:
    """The centre of mass of an image, counted from 0."""
    places = np.mgrid[0:28, 0:28]
    down, right = (float((image[0] * place).sum() / image.sum()) for place in places)
    return down, right


def test_the_longer_side_is_twenty_pixels() -> None:
    """As in MNIST, whatever the size of the picture."""
    for scale in (1, 3, 8):
        for digit in DIGITS[:10]:
            rows, columns = np.nonzero(only(on_paper(digit, scale)).image[0] > 0)
            assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20


def test_the_centre_of_mass_is_in_the_middle() -> None:
    """Within half a pixel of 14, since images move by whole ones."""
    for digit in DIGITS[:20]:
        assert all(abs(at - 14) <= 0.51 for at in centre(only(on_paper(digit)).image))


def test_what_was_prepared_is_prepared_alike() -> None:
    """An image of MNIST's kind stays nearly as it is."""
    prepared = [only(on_paper(digit, 1)).image[0] for digit in DIGITS[:20]]

    assert np.mean([apart(image, only(image).image[0]) for image in prepared]) < 4


def test_paper_and_pencil_are_as_good_as_chalk_on_a_board() -> None:
    """Ink is what is rare."""
    for digit in DIGITS[:20]:
        paper = on_paper(digit)
        assert apart(only(paper).image, only(255 - paper).image) < 1


def test_shade_is_no_ink() -> None:
    """A picture that darkens to one side gives about the image that it gives in even light."""
    papers = [on_paper(digit) for digit in DIGITS[:20]]
    shaded = [(paper * np.linspace(1, 0.7, paper.shape[1])).astype(np.uint8) for paper in papers]

    assert np.mean([apart(only(a).image, only(b).image) for a, b in zip(papers, shaded, strict=True)]) < 8


def test_signs_are_cut_in_reading_order() -> None:
    """Line by line, from left to right."""
    rows = [np.hstack([on_paper(digit) for digit in DIGITS[at : at + 4]]) for at in (0, 4, 8)]
    found = handwriting(Image.fromarray(np.vstack(rows)))

    assert len(found) == 12
    assert all(apart(sign.image, only(on_paper(digit)).image) < 6 for sign, digit in zip(found, DIGITS, strict=False))


def test_a_box_is_where_the_sign_is() -> None:
    """In pixels of the picture, of a large one too."""
    picture = Image.new("L", (4000, 2400), 235)
    ImageDraw.Draw(picture).line((3000, 500, 3000, 1100), fill=20, width=60)

    left, top, right, bottom = only(picture).box
    assert np.allclose((left, top, right, bottom), (2970, 500, 3031, 1101), atol=12)


def test_a_broken_stroke_is_one_sign() -> None:
    """What lies close together belongs together."""
    picture = Image.new("L", (100, 140), 240)
    draw = ImageDraw.Draw(picture)
    draw.line((30, 30, 30, 70, 60, 70, 60, 110, 30, 110), fill=10, width=6)
    draw.line((40, 28, 70, 28), fill=10, width=6)

    only(picture)


def test_a_small_sign_in_the_shade_is_found() -> None:
    """The light of the whole is no ink, however much it falls off to a corner."""
    down, right = np.mgrid[0:180, 0:180] / 180
    sheet = 240 * (1 - 0.5 * right) * (1 - 0.3 * (down - 0.1) ** 2)
    sheet[150:164, 160:174] *= 1 - 0.6 * resized(DIGITS[0] / 255, (14, 14))
    grain = np.random.default_rng(0).normal(0, 1.5, sheet.shape)

    left, top, right_end, bottom = only((sheet + grain).astype(np.uint8)).box
    assert 158 <= left < right_end <= 176
    assert 148 <= top < bottom <= 166


def test_a_bar_above_a_bow_belongs_to_it() -> None:
    """As that of a 5, which begins beside it; what stands beside it does not."""
    picture = Image.new("L", (200, 140), 240)
    draw = ImageDraw.Draw(picture)
    draw.arc((30, 50, 70, 110), 200, 130, fill=10, width=6)
    draw.line((62, 44, 90, 40), fill=10, width=6)
    only(picture)

    draw.line((140, 40, 140, 110), fill=10, width=6)
    assert len(handwriting(picture)) == 2


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_sheet_without_ink_has_no_sign(level: int) -> None:
    """Nor has one with grain and shade."""
    noise = np.random.default_rng(0).normal(0, 3, (200, 300))
    shade = np.linspace(1, 0.7, 300)

    assert handwriting(Image.fromarray(np.full((200, 300), level, dtype=np.uint8))) == []
    assert handwriting(Image.fromarray((level * shade + noise).clip(0, 255).astype(np.uint8))) == []


def test_shrinking_takes_the_mean_of_the_area() -> None:
    """To the bit where the sizes divide, and with all of the mass where they do not."""
    values = np.random.default_rng(0).uniform(0, 1, (28, 42))

    assert np.allclose(resized(values, (14, 21)), values.reshape(14, 2, 21, 2).mean(axis=(1, 3)))
    assert resized(values, (20, 20)).mean() == pytest.approx(values.mean())


def test_ink_lies_between_nothing_and_all() -> None:
    """0 for paper, 1 for ink."""
    ink = ink_in(grey(Image.fromarray(on_paper(DIGITS[0]))))

    assert (ink.min(), ink.max()) == (0, 1)


def test_other_data_prepare_pictures_their_own_way() -> None:
    """EMNIST fits characters into 24 pixels, Fashion-MNIST what is not ground into 28, light on dark."""
    picture = Image.new("RGB", (90, 120), "white")
    ImageDraw.Draw(picture).rectangle((20, 30, 69, 89), fill=(200, 30, 30))
    (digit,), (character,), (article,) = (data().pictured(picture) for data in (MNIST, EMNIST, FashionMNIST))

    assert [int((part.image[0] > 60).any(axis=1).sum()) for part in (digit, character, article)] == [20, 24, 28]
    assert article.image[0, 0, 0] == 0 < article.image[0, 14, 14]


def test_all_ink_of_a_picture_is_one_kuzushiji() -> None:
    """Light on dark, as large as the image; nothing where there is no ink."""
    picture = Image.new("L", (200, 300), 235)
    draw = ImageDraw.Draw(picture)
    draw.line((40, 30, 40, 270), fill=20, width=12)
    draw.line((160, 60, 160, 200), fill=20, width=12)
    (character,) = KMNIST().pictured(picture)

    assert character.image[0].max(axis=1).min() > 0
    assert character.image[0, 14, 14] == 0 < character.image[0, 14].max()
    assert KMNIST().pictured(Image.new("L", (200, 300), 235)) == []


def test_every_class_with_a_name_has_one() -> None:
    """In the order of torchvision's lists."""
    for data in (FashionMNIST(), KMNIST(), *EMNIST.arrangements()):
        assert {head: len(names) for head, names in data.class_names.items()} == data.own_heads
    assert EMNIST("balanced").class_names["character"][36:38] == ["a", "b"]


def test_a_picture_is_seen_as_a_person_sees_it(tmp_path: Path) -> None:
    """Upright, 16 bits as 8, palettes as they look, what is transparent on white, one bit as black and white."""
    levels = np.array([[0, 64], [128, 255]], dtype=np.uint8)
    grey_levels = Image.fromarray(levels)
    turned = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    grey_levels.save(turned, exif=exif)
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))

    def saved(picture: Image.Image, name: str) -> Pixels:
        picture.save(tmp_path / name)
        with Image.open(tmp_path / name) as opened:
            return np.asarray(as_seen(opened))

    assert (saved(Image.fromarray(levels.astype(np.uint16) * 257), "deep.png") == levels).all()
    assert (np.asarray(as_seen(Image.open(turned))) == np.rot90(levels, -1)).all()
    assert (saved(grey_levels.convert("P"), "palette.png") == levels).all()
    assert (saved(clear, "clear.png") == 255).all()
    assert (saved(Image.fromarray(levels > 100), "one-bit.png") == np.where(levels > 100, 255, 0)).all()


def test_a_deep_tiff_whose_zero_is_white_is_turned(tmp_path: Path) -> None:
    """Pillow leaves one of 16 bits as it is."""
    levels = np.array([[0, 65535]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.tif")
    content = bytearray((tmp_path / "deep.tif").read_bytes())
    entry = content.index((262).to_bytes(2, "little") + (3).to_bytes(2, "little"))  # the tag and its type
    content[entry + 8] = 0  # its value: zero is white
    (tmp_path / "deep.tif").write_bytes(content)

    with Image.open(tmp_path / "deep.tif") as opened:
        assert np.asarray(as_seen(opened)).tolist() == [[255, 0]]
