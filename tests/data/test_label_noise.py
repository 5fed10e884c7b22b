"""`--data.label_noise`: wrong labels on purpose, for training alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from support import record_of
from torch import Tensor

from mnistlab.cli import main
from mnistlab.data import DigitTable, Images, SyntheticDigits
from mnistlab.data.images import ImageData
from mnistlab.data.imageset import ImageSet
from mnistlab.errors import LabError

Fit = Callable[..., Path]


def _labels(noise: float, split: str = "train", **options: object) -> Tensor:
    data = SyntheticDigits(train_size=1000, test_size=200, val_size=200, label_noise=noise, **options)  # type: ignore[arg-type]
    images, rows = data.rows_of(split)
    return images.primary[rows]


def test_exactly_a_share_of_each_class_is_another_one() -> None:
    """And never the right one."""
    right, noisy = _labels(0.0), _labels(0.25)
    wrong = right != noisy

    assert int(wrong.sum()) == 200
    shares = [float(wrong[right == digit].double().mean()) for digit in range(10)]
    assert shares == pytest.approx([0.25] * 10, abs=0.01)


def test_every_other_class_is_as_likely() -> None:
    """Over all right classes."""
    images = ImageSet(torch.zeros(90_000, 1, 1, 1, dtype=torch.uint8), {"label": torch.arange(90_000) % 10})
    noisy = images.mislabelled(torch.arange(90_000), 1.0, 10, seed=0).primary
    steps = ((noisy - images.primary) % 10).bincount(minlength=10)

    assert steps[0] == 0
    assert steps[1:].tolist() == pytest.approx([10_000] * 9, rel=0.03)


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("partition", ["official", "pooled"])
def test_what_is_measured_keeps_its_labels(split: str, partition: str) -> None:
    """However the images are divided."""
    assert torch.equal(_labels(0.0, split, partition=partition), _labels(0.9, split, partition=partition))


def test_less_noise_is_a_part_of_more() -> None:
    """So that a curve over the noise has one source of chance less; another seed takes others."""
    right, little, more = _labels(0.0), _labels(0.1), _labels(0.3)
    changed = right != little

    assert torch.equal(little[changed], more[changed])
    assert torch.equal(little, _labels(0.1))
    assert not torch.equal(_labels(0.1, partition_seed=1), _labels(0.1))


def test_a_part_that_is_held_out_has_its_share() -> None:
    """Which labels are wrong has nothing to do with how the images are divided."""
    data = SyntheticDigits(train_size=1000, test_size=100, val_size=0, label_noise=0.2)
    data.rows_of("train")

    counts = [int(torch.isin(part, data.planted).sum()) for part in data.in_parts(5)]
    assert sum(counts) == 200
    assert all(25 <= count <= 55 for count in counts)


def test_further_labels_stay_right() -> None:
    """They are those of the true digit."""
    data = [
        SyntheticDigits(train_size=500, test_size=100, label_noise=noise, labels=DigitTable()) for noise in (0, 0.5)
    ]
    right, noisy = (each.rows_of("train")[0].targets for each in data)

    assert not torch.equal(right["digit"], noisy["digit"])
    assert torch.equal(right["thickness"], noisy["thickness"])


def test_pictures_of_ones_own_are_mislabelled_too(tmp_path: Path) -> None:
    """And the planted ones are known."""
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.new("L", (4, 4), 10 * number + (name == "dog")).save(tmp_path / name / f"{number}.png")
    pair: list[ImageData] = [Images(path=tmp_path, label_noise=noise, val_size=0) for noise in (0.0, 0.25)]
    (right, rows), (noisy, _) = (each.rows_of("train") for each in pair)

    changed = (right.primary != noisy.primary).nonzero().flatten()
    assert len(changed) == round(0.25 * len(rows))
    assert torch.equal(pair[1].planted, changed)


def test_one_class_has_no_other() -> None:
    """That is said."""
    images = ImageSet(torch.zeros(4, 1, 1, 1, dtype=torch.uint8), {"label": torch.zeros(4, dtype=torch.int64)})

    with pytest.raises(LabError, match="label_noise needs two classes"):
        images.mislabelled(torch.arange(4), 0.5, 1, seed=0)


def test_a_run_says_that_its_labels_were_wrong(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """In its configuration and its checkpoint, which is tested as any other."""
    folder = fit("--data.label_noise=0.5")

    assert "label_noise" in capsys.readouterr().out
    assert "label_noise: 0.5" in (folder / "config.yaml").read_text()
    assert main(["test", "--ckpt_path=last", "--print_config"]) == 0
    assert "label_noise: 0.5" in capsys.readouterr().out
    assert record_of(folder)["metrics"]["test"]
