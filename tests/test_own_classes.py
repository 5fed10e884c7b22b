"""Classes of the user's own, from any module that can be imported."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from torch import nn

from mnistlab import Classifier, ImageData, TinyModel, main
from mnistlab.options.classes import candidates

SMALL_DATA = ("--data=SyntheticDigits", "--data.train_size=600", "--data.test_size=200", "--data.val_size=100")

MODULE = '''
"""Classes of a user."""
from typing import Any, Literal
import torch
from torch import Tensor, nn
from mnistlab import Classifier, Loss
from mnistlab.options.numbers import PositiveInt

class {Model}(Classifier):
    """A convolution and a line.

    Args:
        channels: Of the convolution.
        pool: How they are summed up.
    """

    name = "{name}"

    def __init__(self, channels: PositiveInt = 4, pool: Literal["mean", "max"] = "mean", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pooled = nn.AdaptiveAvgPool2d(4) if pool == "mean" else nn.AdaptiveMaxPool2d(4)
        line = nn.Linear(16 * channels, self.heads[self.primary])
        self.net = nn.Sequential(nn.Conv2d(1, channels, 3), nn.ReLU(), pooled, nn.Flatten(), line)

class {Model}Loss(Loss):
    """Cross-entropy, scaled.

    Args:
        scale: What it is multiplied by.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return self.scale * nn.functional.cross_entropy(logits, target)

class {Model}Plain(nn.Module):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return logits.mean()

class {Model}Optimizer(torch.optim.SGD):
    """Plain descent."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        if lr > 5:
            raise ValueError("lr is too large")
        super().__init__(params, lr=lr)
'''


@pytest.fixture
def own(here: Path) -> tuple[str, str]:
    """A module in the current folder: its name, and the stem of its classes' names."""
    stem = "Own" + "".join(part for part in here.name if part.isalnum())
    module = f"module_{stem.lower()}"
    (here / f"{module}.py").write_text(MODULE.format(Model=stem, name=stem.lower()))
    return module, stem


@pytest.fixture
def config(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """The configuration that `fit` would run with."""

    def resolved(*arguments: str) -> dict[str, Any]:
        assert main(["fit", *arguments, "--print_config"]) == 0
        printed: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
        return printed

    return resolved


def test_a_model_and_a_loss_of_the_current_folder_train(own: tuple[str, str], here: Path) -> None:
    """By their dotted paths; the checkpoint says them."""
    module, stem = own
    chosen = (
        f"--model={module}.{stem}",
        "--model.channels=3",
        f"--model.loss={module}.{stem}Loss",
        "--model.loss.scale=2",
    )

    assert main(["fit", *chosen, *SMALL_DATA, "--trainer.max_epochs=1"]) == 0

    (run,) = here.glob(f"runs/{stem.lower()}/*")
    assert main(["test", f"--ckpt_path={run}", f"--trust={module}"]) == 0
    assert main(["test", f"--ckpt_path={run}", *chosen]) == 0


def test_its_options_are_typed_and_explained(
    own: tuple[str, str], config: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Like those of mnistlab's own classes, those behind `**kwargs` too."""
    module, stem = own
    model = f"--model={module}.{stem}"

    assert config(model, "--model.pool=max")["model"]["init_args"]["pool"] == "max"
    assert main(["fit", f"--model.help={module}.{stem}"]) == 0
    text = capsys.readouterr().out
    assert all(part in text for part in ("--model.channels", "Of the convolution", "mean or max", "--model.optimizer"))
    for wrong in ("channels=0", "pool=median", "chanels=3", "optimizer.lrr=1"):
        assert main(["fit", model, f"--model.{wrong}"]) == 2
        assert wrong.partition("=")[0].rpartition(".")[2] in capsys.readouterr().err


def test_it_has_a_short_name_once_it_is_imported(
    own: tuple[str, str], config: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """And then stands in the lists."""
    module, stem = own
    config(f"--model={module}.{stem}")

    assert config(f"--model={stem}")["model"]["class_path"] == f"{module}.{stem}"
    assert main(["fit", "--model=Nonsense"]) == 2
    assert stem in capsys.readouterr().err


def test_a_class_switch_keeps_what_the_own_class_has(
    own: tuple[str, str], config: Callable[..., dict[str, Any]]
) -> None:
    """The rule does not ask where a class is from."""
    module, stem = own
    Path("a.yaml").write_text(f"model:\n  class_path: {module}.{stem}\n  channels: 7\n  optimizer: SGD\n")

    switched = config("--config=a.yaml", "--model=TinyModel")["model"]

    assert switched["class_path"] == "mnistlab.models.TinyModel"
    assert switched["init_args"]["optimizer"]["class_path"] == "torch.optim.SGD"


def test_an_own_optimizer_is_made_once_before_any_work(
    own: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What it refuses is told as a mistake in the input."""
    module, stem = own
    chosen = ["fit", f"--model.optimizer={module}.{stem}Optimizer"]

    assert main([*chosen, "--print_config"]) == 0
    assert main([*chosen, "--model.optimizer.lr=9"]) == 2
    assert "lr is too large" in capsys.readouterr().err


def test_a_plain_module_as_a_loss_is_told_what_to_subclass(
    own: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no idea of probabilities or weights."""
    module, stem = own

    assert main(["fit", f"--model.loss={module}.{stem}Plain"]) == 2

    message = capsys.readouterr().err
    assert f"{module}.{stem}Plain" in message
    assert "mnistlab.losses.Loss" in message


def test_a_module_of_the_current_folder_shadows_nothing(
    own: tuple[str, str], here: Path, config: Callable[..., dict[str, Any]]
) -> None:
    """The current folder is looked in last."""
    module, stem = own
    for name in ("torch", "yaml", "lightning", "mnistlab"):
        (here / f"{name}.py").write_text("raise AssertionError('shadowed')\n")

    config(f"--model={module}.{stem}", "--model.loss=torch.nn.MSELoss")

    assert sys.path[0] != str(here)


def test_a_module_that_fails_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason, not a traceback."""
    (here / "broken_module.py").write_text("import no_such_thing\n")
    (here / "failing_module.py").write_text("1 / 0\n")

    for name, reason in (("broken_module", "no_such_thing"), ("failing_module", "ZeroDivisionError")):
        assert main(["fit", f"--model={name}.Model"]) == 2
        message = capsys.readouterr().err
        assert name in message
        assert reason in message
        assert "Traceback" not in message


@pytest.mark.parametrize("body", [{}, {"name": "base"}, {"name": "tiny"}, {"name": 3}, {"name": "two words"}])
def test_a_model_needs_a_name_of_its_own(body: dict[str, object]) -> None:
    """Refused when the class is defined: runs are found by it."""
    with pytest.raises(TypeError, match="name"):
        type("Nameless", (Classifier,), body)


def test_a_name_is_not_inherited() -> None:
    """A size of a model is a model of its own."""
    with pytest.raises(TypeError, match="needs a `name` of its own"):
        type("Tinier", (TinyModel,), {})


def test_a_data_set_of_ones_own_is_offered_where_it_is_whole() -> None:
    """Base classes are not."""
    assert "ImageData" not in candidates((ImageData,))
    assert "IdxData" not in candidates((ImageData,))
    assert nn.Linear not in [cls for found in candidates((Classifier,)).values() for cls in found]
