"""A new model from a trained one: what fits is taken, and what not is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mnistlab import CNN8K, SmallModel, TinyModel
from mnistlab.checkpoints.init_from import take_weights
from mnistlab.checkpoints.reading import pack
from mnistlab.errors import LabError


def saved(weights: Mapping[str, object], path: Path) -> Path:
    """A checkpoint with these weights."""
    torch.save({"state_dict": dict(weights)}, path)
    return path


def moved(model: nn.Module) -> dict[str, Tensor]:
    """The weights of a model, none of them as it was drawn."""
    return {name: tensor + 1 for name, tensor in model.state_dict().items()}


def test_the_same_model_is_taken_whole(tmp_path: Path) -> None:
    """Every tensor to the bit, running statistics among them; from a safetensors file as well."""
    weights = moved(CNN8K())
    as_tensors = tmp_path / "w.safetensors"
    pack(as_tensors, weights, {})
    for path in (saved(weights, tmp_path / "w.ckpt"), as_tensors):
        model = CNN8K()
        taken = take_weights(model, path)

        assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
        assert str(taken) == f"{len(taken.taken)} of {len(taken.taken)} layers taken from {path}."
        assert "net.backbone.conv1.1" in taken.taken


def test_another_number_of_classes_leaves_the_head(tmp_path: Path) -> None:
    """All else is taken, and the head is as it was drawn."""
    weights = moved(TinyModel())
    model = TinyModel(num_classes=47)
    drawn = model.state_dict()["net.heads.label.weight"].clone()
    taken = take_weights(model, saved(weights, tmp_path / "w.ckpt"))

    assert taken.left == {"net.heads.label": "weight 47x128 here, 10x128 there"}
    assert torch.equal(model.state_dict()["net.heads.label.weight"], drawn)
    assert torch.equal(model.net.backbone.state_dict()["stem.2.weight"], weights["net.backbone.stem.2.weight"])
    assert str(taken).endswith("Not taken: net.heads.label (weight 47x128 here, 10x128 there).")


def test_further_heads_begin_anew(tmp_path: Path) -> None:
    """A head of the same name and size is taken; what the checkpoint has besides is told."""
    path = saved(moved(TinyModel(num_classes={"digit": 10, "loops": 3})), tmp_path / "w.ckpt")
    taken = take_weights(TinyModel(num_classes={"digit": 10, "slant": 3}), path)

    assert "net.heads.digit" in taken.taken
    assert taken.left == {"net.heads.slant": "not in it"}
    assert taken.unused == ["net.heads.loops"]


def test_a_relative_gives_the_layers_of_its_size(tmp_path: Path) -> None:
    """A deeper net of the same width begins with the blocks that are there."""
    weights = moved(TinyModel())
    model = TinyModel(layers=4)
    taken = take_weights(model, saved(weights, tmp_path / "w.ckpt"))

    assert {name.partition(".blocks.")[2][0] for name in taken.left} == {"2", "3"}
    assert set(taken.left.values()) == {"not in it"}
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in weights.items())


def test_half_a_layer_is_not_taken(tmp_path: Path) -> None:
    """A weight without its bias would be worse than a new layer."""
    weights = moved(TinyModel())
    weights["net.heads.label.bias"] = torch.zeros(3)
    del weights["net.backbone.stem.2.bias"]
    model = TinyModel()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    taken = take_weights(model, saved(weights, tmp_path / "w.ckpt"))

    assert taken.left == {"net.backbone.stem.2": "it has no bias", "net.heads.label": "bias 10 here, 3 there"}
    for layer in taken.left:
        assert torch.equal(model.state_dict()[f"{layer}.weight"], before[f"{layer}.weight"])


def test_long_lists_are_cut(tmp_path: Path) -> None:
    """A sentence names a few and counts the others."""
    taken = take_weights(TinyModel(layers=12), saved(TinyModel().state_dict(), tmp_path / "w.ckpt"))
    named = str(taken).partition("Not taken: ")[2]

    assert len(taken.left) == 20
    assert named.count("(not in it)") == 6
    assert named.endswith("and 14 more.")


@pytest.mark.parametrize("odd", ["text", torch.zeros(10, dtype=torch.complex64), torch.zeros(10).to_sparse()])
def test_what_is_no_weight_is_not_taken(tmp_path: Path, odd: object) -> None:
    """A stranger's file may hold anything under a name."""
    weights = {**TinyModel().state_dict(), "net.heads.label.bias": odd}
    taken = take_weights(TinyModel(), saved(weights, tmp_path / "w.ckpt"))

    assert taken.left["net.heads.label"].startswith("its bias is ")


def test_a_name_that_is_no_text_is_not_taken(tmp_path: Path) -> None:
    """A stranger's file may hold that, too."""
    weights: dict[Any, Any] = {**TinyModel().state_dict(), 1: torch.zeros(2)}
    del weights["net.heads.label.bias"]
    taken = take_weights(TinyModel(), saved(weights, tmp_path / "w.ckpt"))

    assert taken.left == {"net.heads.label": "it has no bias"}


def test_a_name_of_the_file_reaches_no_terminal_as_it_is(tmp_path: Path) -> None:
    """Control characters in it could repaint the screen."""
    weights = {**TinyModel().state_dict(), "net.\x1b[2J.weight": torch.zeros(1)}

    assert "\x1b" not in str(take_weights(TinyModel(), saved(weights, tmp_path / "w.ckpt")))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CNN8K(), r"w\.ckpt has nothing that fits CNN8K: net\.backbone\.conv1\.0 \(not in it\)\."),
        (
            SmallModel(),
            r"nothing that fits SmallModel: net\.backbone\.stem\.2 \(weight 256x784 here, 128x784 there\)\.",
        ),
    ],
    ids=["another family", "another width"],
)
def test_a_file_of_which_nothing_fits_is_refused(tmp_path: Path, model: nn.Module, message: str) -> None:
    """With the first layer and the reason."""
    path = saved(TinyModel().state_dict(), tmp_path / "w.ckpt")

    with pytest.raises(LabError, match=message):
        take_weights(model, path)
