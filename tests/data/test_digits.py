"""What the drawn digits promise: reproducible, balanced, labelled truly, cached safely."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from mnistlab.data import digits
from mnistlab.data.digits import SyntheticDigits, cached_digits, draw_digits
from mnistlab.data.imageset import ImageSet


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mnistlab"


@pytest.fixture(scope="module")
def many() -> ImageSet:
    """Enough digits for averages over one class."""
    return draw_digits(6000, seed=1)


def factor(data: ImageSet, name: str) -> Tensor:
    """One factor of a set."""
    assert data.factors is not None
    return data.factors[name]


def same(one: ImageSet, other: ImageSet) -> bool:
    """Whether two sets agree bit by bit."""
    assert one.factors is not None
    return (
        torch.equal(one.images, other.images)
        and torch.equal(one.targets["digit"], other.targets["digit"])
        and all(torch.equal(values, factor(other, name)) for name, values in one.factors.items())
    )


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's."""
    return float(torch.corrcoef(torch.stack([one, other]))[0, 1])


def moments(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Centre x, centre y, and how far right the ink goes for each pixel up."""
    ink = images[:, 0].float() / images.float().sum((1, 2, 3))[:, None, None]
    axis = torch.arange(images.shape[-1], dtype=torch.float32)
    x, y = (ink.sum(1) * axis).sum(1), (ink.sum(2) * axis).sum(1)
    dx, dy = axis - x[:, None], axis - y[:, None]
    covariance = (ink * dy[:, :, None] * dx[:, None, :]).sum((1, 2))
    return x, y, -covariance / (ink.sum(2) * dy.square()).sum(1)


def count_holes(images: Tensor) -> Tensor:
    """How many parts of the background the ink encloses."""
    paper = (images < 100).float()
    parts = torch.arange(1.0, 1 + images[0].numel()).view(1, 1, *images.shape[2:]) * paper
    for _ in range(60):  # longer than any way around in a digit
        spread = torch.maximum(max_pool2d(parts, (3, 1), 1, (1, 0)), max_pool2d(parts, (1, 3), 1, (0, 1)))
        parts = spread * paper
    return torch.tensor([len(part[part > 0].unique()) - 1 for part in parts])


def test_shapes_and_types() -> None:
    """Images as MNIST's, and one number of each factor for each image."""
    data = draw_digits(25, seed=0)

    assert (data.images.shape, data.images.dtype) == ((25, 1, 28, 28), torch.uint8)
    assert (data.targets["digit"].shape, data.targets["digit"].dtype) == ((25,), torch.int64)
    assert data.factors is not None
    assert all((values.shape, values.dtype) == ((25,), torch.float32) for values in data.factors.values())


def test_seed_decides() -> None:
    """The same seed draws the same bytes, another seed other ones."""
    assert same(draw_digits(50, seed=3), draw_digits(50, seed=3))
    assert not same(draw_digits(50, seed=3), draw_digits(50, seed=4))


def test_threads_do_not_matter() -> None:
    """The bytes are the same for any number of threads, and that number is left alone."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = draw_digits(100, seed=0)
        torch.set_num_threads(3)
        three = draw_digits(100, seed=0)
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)

    assert same(one, three)
    assert after == 3


def test_global_randomness_is_apart() -> None:
    """Drawing neither reads the global random state nor moves it."""
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one = draw_digits(30, seed=0)

    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert same(one, draw_digits(30, seed=0))


@pytest.mark.parametrize("size", [1, 10, 57, 1003])
def test_classes_are_balanced(size: int) -> None:
    """No class has more than one image more than another, and they come in no order."""
    counts = draw_digits(size, seed=0).targets["digit"].bincount(minlength=10)

    assert counts.sum() == size
    assert counts.max() - counts.min() <= 1


def test_classes_are_shuffled(many: ImageSet) -> None:
    """A digit does not tell the next one."""
    digit = many.targets["digit"]

    assert (digit[1:] == digit[:-1]).float().mean() == pytest.approx(0.1, abs=0.03)


def test_white_on_black(many: ImageSet) -> None:
    """Every digit has full ink somewhere, and most of the paper is black."""
    assert (many.images.amax((1, 2, 3)) > 150).all()
    assert ((many.images == 0).float().mean((1, 2, 3)) > 0.4).all()


def test_digits_stay_inside(many: ImageSet) -> None:
    """Hardly any ink touches the edge of the image."""
    inner = many.images[:, :, 1:-1, 1:-1].float().sum()

    assert inner / many.images.float().sum() > 0.99


def test_ink_grows_with_thickness(many: ImageSet) -> None:
    """A thicker stroke leaves more ink, in every class."""
    ink = many.images.float().mean((1, 2, 3))
    for digit in range(10):
        of_class = many.targets["digit"] == digit
        assert correlation(ink[of_class], factor(many, "thickness")[of_class]) > 0.7


def test_grey_grows_with_smoothness(many: ImageSet) -> None:
    """A softer edge turns black and white into grey."""
    grey = ((many.images > 20) & (many.images < 235)).float().sum((1, 2, 3)) / (many.images > 20).float().sum((1, 2, 3))

    assert correlation(grey, factor(many, "smoothness")) > 0.4


def test_ones_lean_as_told(many: ImageSet) -> None:
    """Slant leans a 1 to the right, rotation turns it to the left, by as many degrees as it says."""
    ones = many.targets["digit"] == 1
    told = (factor(many, "slant") - factor(many, "rotation"))[ones]
    lean = torch.rad2deg(moments(many.images[ones])[2].atan())

    assert correlation(lean, told) > 0.9
    assert (lean - told).mean().abs() < 3


def test_zeros_lie_where_told(many: ImageSet) -> None:
    """The centre of an upright digit is the centre of the image plus the shift."""
    zeros = many.targets["digit"] == 0
    x, y, _ = moments(many.images[zeros])

    assert (x - 13.5 - factor(many, "shift_x")[zeros]).abs().mean() < 0.5
    assert (y - 13.5 - factor(many, "shift_y")[zeros]).abs().mean() < 0.5


def test_size_is_as_told(many: ImageSet) -> None:
    """Scale is the height over 20 pixels, aspect makes a zero wider."""
    zeros = many.targets["digit"] == 0
    ink = many.images[zeros, 0] > 127
    height, width = ink.any(2).sum(1), ink.any(1).sum(1)
    told = 20 * factor(many, "scale")[zeros] + factor(many, "thickness")[zeros]

    assert correlation(height.float(), told) > 0.8
    assert (height - told).mean().abs() < 1.5
    assert correlation(width / height, factor(many, "aspect")[zeros]) > 0.35


def test_turning_keeps_distances() -> None:
    """Rotation bends nothing: points stay as far from each other, and from the right they go up."""
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.4, -0.7]]])
    one, none, angle = torch.ones(1), torch.zeros(1), torch.full((1,), 30.0)
    upright = {"slant": none, "scale": one, "aspect": one, "shift_x": none, "shift_y": none}
    placed = digits._place(points, {**upright, "rotation": angle})[0]

    assert torch.allclose(torch.pdist(placed), 10 * torch.pdist(points[0]), atol=1e-4)
    assert placed[1, 1] < placed[0, 1]


def test_loops_are_there(many: ImageSet) -> None:
    """Thin digits enclose as many patches of paper as they have loops; an unsteady hand leaves some open."""
    steady = ((factor(many, "thickness") < 2.2) & (factor(many, "jitter") < 0.06)).nonzero()[:300, 0]
    loops = factor(many, "loops")[steady]
    holes = count_holes(many.images[steady])
    for number in range(3):
        assert (holes[loops == number] == number).float().mean() > 0.75


def test_loops_belong_to_digits(many: ImageSet) -> None:
    """A 2 and a 4 are written with a loop or without, the others in one way."""
    loops, digit = factor(many, "loops"), many.targets["digit"]
    found = [set(loops[digit == value].tolist()) for value in range(10)]

    assert found == [{1.0}, {0.0}, {0.0, 1.0}, {0.0}, {0.0, 1.0}, {0.0}, {1.0}, {0.0}, {2.0}, {1.0}]


def test_a_real_task(many: ImageSet) -> None:
    """Class means tell most digits apart, but far from all."""
    images, digit = many.images.flatten(1).float(), many.targets["digit"]
    means = torch.stack([images[:5000][digit[:5000] == value].mean(0) for value in range(10)])
    accuracy = (torch.cdist(images[5000:], means).argmin(1) == digit[5000:]).float().mean()

    assert 0.5 < accuracy < 0.9


def test_cache_is_read(cache_folder: Path) -> None:
    """What lies in the cache is not drawn again."""
    drawn = cached_digits("train", 20, seed=0)
    (file,) = cache_folder.iterdir()
    marked = drawn.images.clone().fill_(7)
    digits._save(ImageSet(marked, drawn.targets, drawn.factors), file)

    assert torch.equal(cached_digits("train", 20, seed=0).images, marked)


def test_cache_holds_what_was_drawn() -> None:
    """Read back, a set is the same bit by bit."""
    assert same(cached_digits("train", 20, seed=0), cached_digits("train", 20, seed=0))


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:0],
        lambda whole: whole[:10],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: b"\x80" * len(whole),
        lambda whole: whole[:9000] + bytes([whole[9000] ^ 1]) + whole[9001:],
    ],
    ids=["empty", "stump", "half", "last byte", "garbage", "one bit"],
)
def test_damaged_cache_is_replaced(cache_folder: Path, damage: Callable[[bytes], bytes]) -> None:
    """A damaged file is drawn again and made whole."""
    drawn = cached_digits("test", 20, seed=0)
    (file,) = cache_folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))

    assert same(cached_digits("test", 20, seed=0), drawn)
    assert file.read_bytes() == whole


def test_foreign_cache_is_replaced(cache_folder: Path) -> None:
    """A file of torch's that holds something else is drawn again."""
    drawn = cached_digits("test", 20, seed=0)
    (file,) = cache_folder.iterdir()
    for foreign in ([1, 2], {"images": drawn.images[:5], "targets": {}}):
        torch.save(foreign, file)
        assert same(cached_digits("test", 20, seed=0), drawn)


def test_cache_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder to write to, the digits are drawn all the same."""
    drawn = cached_digits("test", 20, seed=0)
    no_folder = tmp_path / "file"
    no_folder.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_folder))

    assert same(cached_digits("test", 20, seed=0), drawn)


def test_full_disk_leaves_nothing(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that could not be finished is not there at all."""

    def break_off(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", break_off)

    assert len(cached_digits("test", 20, seed=0)) == 20
    assert list(cache_folder.iterdir()) == []


def test_edited_code_draws_anew(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the source keeps a file of its own."""
    cached_digits("test", 20, seed=0)
    edited = tmp_path / "digits.py"
    edited.write_bytes(Path(digits.__file__).read_bytes() + b"\n# edited")
    monkeypatch.setattr(digits, "__file__", str(edited))
    digits._version.cache_clear()
    try:
        cached_digits("test", 20, seed=0)
    finally:
        digits._version.cache_clear()

    assert len(list(cache_folder.iterdir())) == 2


def test_splits_are_independent() -> None:
    """The test set does not depend on the size of the training set, and shares no image with it."""
    small, large = SyntheticDigits(train_size=20, test_size=40), SyntheticDigits(train_size=40, test_size=40)
    train, test = large.read("train"), large.read("test")

    assert same(small.read("test"), test)
    assert torch.pdist(torch.cat([train.images, test.images]).flatten(1).float()).min() > 0


def test_draw_seed_decides() -> None:
    """Another `draw_seed` is another data set, however large the seed."""
    first, second = (SyntheticDigits(train_size=20, draw_seed=seed) for seed in (0, 2**70))

    assert not same(first.read("train"), second.read("train"))


def test_data_module_draws_ahead(cache_folder: Path) -> None:
    """`prepare_data` leaves both sets in the cache, and the batches come from them."""
    data = SyntheticDigits(train_size=60, test_size=20, val_size=10, batch_size=25)
    data.prepare_data()
    data.setup("fit")
    images, targets = next(iter(data.train_dataloader()))

    assert len(list(cache_folder.iterdir())) == 2
    assert images.shape == (25, 1, 28, 28)
    assert list(targets) == list(data.heads)
