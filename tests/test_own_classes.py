"""Classes of the user's own, from any module that can be imported."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
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


def test_a_class_that_a_package_exports_from_within_trains(here: Path, own: tuple[str, str]) -> None:
    """It is defined elsewhere than where it is named."""
    module, stem = own
    package = here / f"package_{stem.lower()}"
    package.mkdir()
    (here / f"{module}.py").rename(package / "inner.py")
    (package / "__init__.py").write_text(f"from .inner import {stem}")

    assert main(["fit", f"--model={package.name}.{stem}", *SMALL_DATA, "--trainer.max_epochs=1"]) == 0


Command = Callable[..., tuple[str, bool]]

BESIDE = """
from typing import Any
from mnistlab import TinyModel
from {beside} import WIDTH

class {Model}(TinyModel):
    \"\"\"A width from a file beside this one.\"\"\"

    name = "{name}"

    def __init__(self, {option}: int = WIDTH, **kwargs: Any) -> None:
        super().__init__(**kwargs)
"""


@pytest.fixture
def command(here: Path) -> Command:
    """What a command in a process of its own says, and whether it has imported torch."""

    def run(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[str, bool]:
        script = f"import sys; from mnistlab import main; main({list(arguments)}); print('torch' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
            cwd=here,
            env={**os.environ, **(environment or {})},
        )
        *lines, imported = done.stdout.splitlines()
        return "\n".join(lines) + done.stderr, imported == "True"

    return run


def test_a_class_is_imported_for_help_once(own: tuple[str, str], command: Command) -> None:
    """The second time help, completion and a mistake need no torch; a class of another file beside it is no mistake."""
    module, stem = own
    model = f"--model={module}.{stem}"
    first, imported = command("fit", f"--model.help={module}.{stem}")
    assert imported
    assert "--model.channels=4" in first

    assert command("fit", f"--model.help={module}.{stem}") == (first, False)
    assert (
        command("completion", "--complete", "bash", f"mnistlab fit {model} --model.ch", "")[0].count("channels=") == 1
    )
    for wrong, right in (("chanels=3", "Did you mean channels?"), ("pool=median", "mean or max"), ("channels=0", "0")):
        message, imported = command("fit", model, f"--model.{wrong}")
        assert right in message
        assert not imported
    message, imported = command("sweep", model, "--model.channels=choice:3,0", f"--model.loss={stem}Loss")
    assert "--model.channels=0: channels of" in message
    assert not imported


def test_a_mistake_is_told_before_torch_the_second_time(own: tuple[str, str], command: Command) -> None:
    """The first one has kept what the class takes."""
    module, stem = own
    wrong = ("fit", f"--model.loss={module}.{stem}Loss", "--model.loss.scale=x")

    (first, imported), second = command(*wrong), command(*wrong)

    assert imported
    assert second == (first, False)


@pytest.mark.slow
def test_a_changed_file_is_imported_anew(here: Path, own: tuple[str, str], command: Command) -> None:
    """That of the class, and one that it imports from beside it."""
    _, stem = own
    beside = here / f"beside_{stem.lower()}.py"
    file = here / f"wide_{stem.lower()}.py"
    text = BESIDE.replace("{Model}", f"{stem}Wide").replace("{name}", f"{stem.lower()}_wide")
    text = text.replace("{beside}", beside.stem)
    asked = ("fit", f"--model.help={file.stem}.{stem}Wide")
    beside.write_text("WIDTH = 3\n")
    file.write_text(text.replace("{option}", "width"))
    assert "--model.width=3" in command(*asked)[0]

    beside.write_text("WIDTH = 5\n")
    changed, imported = command(*asked)
    assert ("--model.width=5" in changed, imported) == (True, True)
    assert command(*asked) == (changed, False)
    file.write_text(text.replace("{option}", "breadth"))
    changed, imported = command(*asked)
    assert ("--model.breadth=5" in changed, imported) == (True, True)


@pytest.mark.slow
def test_what_is_kept_of_a_class_may_be_damaged_or_not_be_kept(
    here: Path, own: tuple[str, str], command: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is imported again then."""
    module, stem = own
    asked = ("fit", f"--model.help={module}.{stem}")
    cache, nowhere = tmp_path_factory.mktemp("cache"), here / "a_file"
    nowhere.write_text("no folder")
    text, _ = command(*asked, environment={"XDG_CACHE_HOME": str(cache)})
    (kept,) = cache.glob("mnistlab/own-*.json")
    kept.write_text(kept.read_text()[:-9])

    assert command(*asked, environment={"XDG_CACHE_HOME": str(cache)}) == (text, True)
    assert command(*asked, environment={"XDG_CACHE_HOME": str(cache)}) == (text, False)
    said, imported = command(*asked, environment={"XDG_CACHE_HOME": str(nowhere)})
    assert said.startswith(text)
    assert imported


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
