"""Parts of a net that rest while others are trained: `--model.freeze`."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support import quiet_trainer
from torch import Tensor, nn

from mnistlab import CNN8K, SyntheticDigits, TinyModel, main
from mnistlab.checkpoints.reading import read_checkpoint

Fit = Callable[..., Path]


def weights(folder: Path) -> dict[str, Tensor]:
    """All that a run ended with."""
    state: dict[str, Tensor] = read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]
    return state


def changed(folder: Path, begin: Path) -> set[str]:
    """What is not as it was where the run began."""
    before = weights(begin)
    return {name for name, tensor in weights(folder).items() if not torch.equal(tensor, before[name])}


def trained(model: nn.Module) -> set[str]:
    """The parameters that an optimizer may change."""
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("frozen", ["backbone", "backbone.stem,backbone.blocks.0", "[heads,backbone.norm]"])
def test_frozen_parts_do_not_change(fit: Fit, frozen: str) -> None:
    """Neither weights nor running statistics, under weight decay and momentum; everything else does."""
    begin = fit("--seed_everything=1")
    decay = ("--model.optimizer.lr=0.01", "--model.optimizer.weight_decay=0.1")
    folder = fit(f"--model.init_from={begin}", f"--model.freeze={frozen}", "--trainer.max_epochs=2", *decay)
    parts = tuple(f"net.{part}." for part in frozen.strip("[]").split(","))

    assert changed(folder, begin) == {name for name in weights(begin) if not name.startswith(parts)}


def test_a_single_parameter_can_be_frozen(fit: Fit) -> None:
    """Its name is as good as that of a module."""
    begin = fit()
    folder = fit(f"--model.init_from={begin}", "--model.freeze=heads.label.bias,backbone")

    assert changed(folder, begin) == {"net.heads.label.weight"}


def test_dropout_of_frozen_parts_rests() -> None:
    """And that of the others does not, also after the model was evaluated in between."""
    model = TinyModel(dropout=0.5)
    model.freeze_parts("backbone")
    images = torch.randn(4, 1, 28, 28)
    for mode in (True, False, True):
        model.train(mode)
        assert torch.equal(model(images), model(images))
    model.unfreeze_parts("backbone.stem")
    assert not torch.equal(model(images), model(images))


def test_validation_wakes_nothing(fit: Fit) -> None:
    """Lightning sets the modes of all modules after it; statistics of a frozen net stay as they are to the end."""
    begin = fit("--model=CNN8K")
    many = ("--trainer.max_epochs=2", "--trainer.val_check_interval=2")
    folder = fit("--model=CNN8K", f"--model.init_from={begin}", "--model.freeze=backbone", *many)

    assert changed(folder, begin) == {"net.heads.label.weight", "net.heads.label.bias"}


def test_an_inner_part_of_a_frozen_one_is_trained_again() -> None:
    """Freezing and unfreezing go by names, in any order; without names all is trained."""
    model = CNN8K()
    every = trained(model)
    model.freeze_parts("backbone")
    assert trained(model) == {"net.heads.label.weight", "net.heads.label.bias"}
    model.unfreeze_parts("backbone.fc")
    assert trained(model) == {name for name in every if "backbone.conv" not in name}
    model.freeze_parts("backbone.fc.1")
    assert "net.backbone.fc.1.weight" not in trained(model)
    model.unfreeze_parts()
    assert trained(model) == every
    assert all(module.training for module in model.modules())


@pytest.mark.filterwarnings("ignore:Found .* in eval mode")  # the frozen ones
def test_in_python_a_model_is_frozen_when_its_training_begins(tmp_path: Path) -> None:
    """By the option as by the method, without the command."""
    by_option, by_method = TinyModel(freeze=["backbone"]), TinyModel()
    by_method.freeze_parts("backbone")
    for model in (by_option, by_method):
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        quiet_trainer(tmp_path).fit(model, SyntheticDigits(600, 200, val_size=100))
        after = model.state_dict()

        assert {name for name in after if not torch.equal(after[name], before[name])} == {
            "net.heads.label.weight",
            "net.heads.label.bias",
        }


def test_a_run_says_how_much_is_trained(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the number of parameters; of a net that is trained whole it says nothing."""
    fit("--model.freeze=backbone")
    assert "TinyModel (135,562 parameters, 1,290 of them trained) on SyntheticDigits" in capsys.readouterr().out
    fit()
    assert "TinyModel (135,562 parameters) on SyntheticDigits" in capsys.readouterr().out


def test_a_frozen_run_goes_on_frozen_to_the_bit(fit: Fit) -> None:
    """Its checkpoint remembers; what is typed then counts from there on."""
    options = ("--model.freeze=backbone.stem", "--model.scheduler=null")
    whole, parts = fit(*options, "--trainer.max_epochs=3"), fit(*options, "--trainer.max_epochs=2")
    assert main(["fit", f"--ckpt_path={parts}", "--trainer.max_epochs=3"]) == 0
    assert not changed(parts, whole)

    assert main(["fit", f"--ckpt_path={parts}", "--trainer.max_epochs=4", "--model.freeze=backbone"]) == 0
    assert changed(parts, whole) == {"net.heads.label.weight", "net.heads.label.bias"}


@pytest.mark.parametrize(
    ("frozen", "said"),
    [
        ("backbon", "`freeze` must name parts of the net, got backbon. Did you mean backbone"),
        ("backbone.stem.9", "got backbone.stem.9. Did you mean backbone.stem"),
        ("net.backbone", "Did you mean backbone"),
        ("backbone, head", "got head. Did you mean heads"),
        ("backbone,heads", "`freeze` must leave something to train"),
    ],
)
def test_what_cannot_be_frozen_is_refused_before_work(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], frozen: str, said: str
) -> None:
    """In one line, with the nearest names and those there are."""
    assert main(["fit", "--model=TinyModel", *small_data, f"--model.freeze={frozen}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()

    assert line.startswith(f"mnistlab: --model.freeze={frozen}: ")
    assert said in line
    assert not list(here.glob("runs/*/*"))
