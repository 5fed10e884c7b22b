"""A checkpoint cannot ask for more than it has brought along."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mnistlab import Classifier, TinyModel, main
from mnistlab.checkpoints.limits import check_extent, made_for
from mnistlab.checkpoints.reading import misfit, read_plain
from mnistlab.errors import LabError

Fit = Callable[..., Path]


def endless() -> dict[str, object]:
    """What contains itself."""
    found: dict[str, object] = {}
    found["again"] = [found]
    return found


def doubling() -> object:
    """A value of 60 lists that is written out as 2 ** 60."""
    value: object = [0]
    for _ in range(49):
        value = [value, value]
    return value


def deep() -> object:
    """Lists in lists."""
    value: object = 0
    for _ in range(60):
        value = [value]
    return value


@pytest.mark.parametrize("value", [endless(), doubling(), deep(), [0] * 200_000, {str(n): 0 for n in range(99_999)}])
def test_what_has_no_end_is_refused(value: object) -> None:
    """At once, however little memory it takes."""
    with pytest.raises(LabError, match="mine describes more than a run"):
        check_extent(value, "mine")


def test_what_describes_a_run_is_not() -> None:
    """With room to spare."""
    check_extent(
        {"class_path": "x", "init_args": {"weight": [1.0] * 1000, "inner": {"a": {"b": [{"c": "d"}]}}}}, "mine"
    )


@pytest.mark.parametrize("value", [endless(), doubling()], ids=["endless", "doubling"])
@pytest.mark.parametrize("key", ["model", "data"])
def test_a_checkpoint_without_end_is_refused(
    trained: Fit, capsys: pytest.CaptureFixture[str], key: str, value: object
) -> None:
    """By the command line and in Python."""
    contents: dict[str, Any] = torch.load(trained() / "checkpoints" / "best.ckpt", weights_only=True)
    contents["mnistlab"][key]["init_args"]["batch_size"] = value
    torch.save(contents, "endless.ckpt")
    capsys.readouterr()

    assert main(["test", "--ckpt_path=endless.ckpt"]) == 2
    assert "endless.ckpt describes more than a run" in capsys.readouterr().err
    with pytest.raises(LabError, match="more than a run"):
        Classifier.load_from_checkpoint("endless.ckpt")


@pytest.mark.parametrize("change", [{"hidden_dim": 10**9}, {"hidden_dim": 10**30}, {"layers": 10**9}])
def test_a_huge_model_is_not_made(fit: Fit, change: dict[str, int]) -> None:
    """Neither the memory nor the time is spent."""
    contents: dict[str, Any] = torch.load(fit() / "checkpoints" / "best.ckpt", weights_only=True)
    contents["mnistlab"]["model"]["init_args"].update(change)
    torch.save(contents, "huge.ckpt")

    with pytest.raises(LabError, match=r"huge\.ckpt describes a model that is far larger than its own weights"):
        Classifier.load_from_checkpoint("huge.ckpt")


def test_other_models_are_made_as_large_as_they_are(tmp_path: Path) -> None:
    """Only what is made within is counted, and an error of another kind passes."""
    with made_for({}, tmp_path):
        TinyModel()
        nn.LazyLinear(3)
    with pytest.raises(ValueError, match="of mine"), made_for({}, tmp_path):
        raise ValueError("of mine")
    with torch.device("meta"), pytest.raises(LabError), made_for({"w": torch.zeros(3)}, tmp_path):
        nn.Linear(10_000, 10_000)
    with torch.device("meta"):
        assert nn.Linear(10_000, 10_000).weight.is_meta


def test_an_archive_that_unpacks_to_more_is_refused(tmp_path: Path) -> None:
    """Before any of it is unpacked; torch itself packs nothing."""
    path, bomb = tmp_path / "honest.ckpt", tmp_path / "bomb.ckpt"
    torch.save({"state_dict": {"w": torch.zeros(1_000_000)}}, path)
    with zipfile.ZipFile(path) as honest, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in honest.infolist():
            packed.writestr(member.filename, honest.read(member), zipfile.ZIP_DEFLATED)
    torch.load(bomb, weights_only=True)

    assert isinstance(read_plain(path), dict)
    with pytest.raises(LabError, match=r"bomb\.ckpt unpacks to more than its own size"):
        read_plain(bomb)


@pytest.mark.parametrize(
    ("weight", "what"),
    [
        ("text", "no tensor but a str"),
        (torch.eye(2).to_sparse(), "of layout torch.sparse_coo"),
        (torch.eye(2, device="meta"), "a tensor without values"),
        (torch.eye(2, dtype=torch.complex64), "of torch.complex64"),
        (torch.zeros(3), "is (3,), the model's (2, 2)"),
    ],
)
def test_a_weight_of_an_odd_kind_does_not_fit(weight: object, what: str) -> None:
    """It is told as a weight of another shape is."""
    assert what in str(misfit({"w": weight}, {"w": torch.eye(2)}))
    assert misfit({"w": torch.eye(2, dtype=torch.float64)}, {"w": torch.eye(2)}) is None


def test_a_file_of_any_bytes_is_refused(tmp_path: Path) -> None:
    """An archive that breaks off as well as text."""
    content = io.BytesIO()
    torch.save({"state_dict": {"w": torch.zeros(1000)}}, content)
    for number, part in enumerate((content.getvalue()[:-100], b"PK\x05\x06" + b"\0" * 18, b"PK", b"")):
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(part)
        with pytest.raises(LabError, match=f"{number}.ckpt"):
            read_plain(path)
