"""What a run does not use is imported once it is asked for, and is the real thing then."""

import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = "import sys\nfrom mnistlab.system.later import import_later\nimport_later()\n"

HEAVY = ("sympy", "triton", "torchvision", "matplotlib", "torch._dynamo.eval_frame", "torch._inductor.lowering")


def _says(script: str, *arguments: str) -> str:
    """What a program prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_training_executes_neither_the_compiler_nor_what_draws(small_data: tuple[str, ...], here: Path) -> None:
    """They take longer to import than all the rest."""
    script = (
        "import atexit, sys; atexit.register(lambda: print('LOADED', *sys.modules)); "
        "from mnistlab.cli import entry; entry()"
    )
    loaded = _says(script, "fit", "--model=CNN8K", "--trainer.max_epochs=1", *small_data).partition("LOADED")[2].split()

    assert list(here.glob("runs/*/*/run.json"))
    assert "lightning.pytorch" in loaded
    assert not set(loaded) & set(HEAVY)


ASKED = {
    "a compiled module is one for Lightning, and others are none": """
from lightning.fabric.wrappers import OptimizedModule
from torch import compile, nn
plain = nn.Linear(1, 1)
assert not isinstance(plain, OptimizedModule) and not issubclass(nn.Linear, OptimizedModule)
assert "sympy" not in sys.modules
compiled = compile(plain)
assert isinstance(compiled, OptimizedModule) and issubclass(type(compiled), OptimizedModule)
assert not isinstance(plain, OptimizedModule)
""",
    "what is kept out of the compiler stays out": """
import torch
@torch.compiler.disable
def inside(x):
    return torch.compiler.is_compiling(), x
@torch.compiler.disable(recursive=False)
def also(x):
    return torch.compiler.is_compiling(), x
assert inside(1) == also(1) == (False, 1) and inside.__name__ == "inside"
assert "sympy" not in sys.modules
def outside(x):
    return torch.compiler.is_compiling(), inside(x)[0], also(x)[0]
assert torch.compile(outside, backend="eager")(torch.ones(1)) == (True, False, False)
assert isinstance(torch.compiler.disable(torch.nn.Linear(1, 1)), torch._dynamo.OptimizedModule)
""",
    "an optimizer steps before and after the compiler is there": """
import torch
weight = torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([weight], lr=0.5)
def step():
    optimizer.zero_grad()
    weight.sum().backward()
    optimizer.step()
    return weight.item()
assert step() == 0.5 and "sympy" not in sys.modules
torch._dynamo.reset()
assert "sympy" in sys.modules and step() == 0.0
""",
    "deterministic algorithms are asked of the compiler too": """
import torch
torch.use_deterministic_algorithms(True)
assert "sympy" not in sys.modules
import torch._inductor.lowering
assert torch._inductor.config.deterministic is True and callable(torch._inductor.compile)
""",
    "the metrics of torchmetrics are those of Lightning": """
import torchmetrics
from lightning.pytorch.core.module import Metric
assert torchmetrics.__version__ and "torchvision" not in sys.modules
from torchmetrics.classification import MulticlassAccuracy
assert issubclass(MulticlassAccuracy, Metric) and torchmetrics.Metric is Metric
assert torchmetrics.MeanMetric()(3) == 3 and "torchvision" in sys.modules
""",
    "all of torchmetrics is there": """
import lightning.pytorch
from torchmetrics import *
assert callable(MeanMetric)
import importlib.resources, inspect
assert "class" in inspect.getsource(sys.modules["torchmetrics"].Metric)
assert importlib.resources.files("torchmetrics").joinpath("py.typed").is_file()
""",
    "a metric draws itself": """
import lightning.pytorch
import torchmetrics
assert "matplotlib" not in sys.modules
metric = torchmetrics.MeanMetric()
metric.update(3)
figure, axes = metric.plot()
import matplotlib.figure
assert isinstance(figure, matplotlib.figure.Figure)
""",
    "operations are counted": """
import torch
from lightning.pytorch.utilities.model_summary.model_summary import FlopCounterMode
with FlopCounterMode(display=False) as counter:
    torch.ones(2, 3) @ torch.ones(3, 4)
assert counter.get_total_flops() == 48
""",
    "a picture is transformed by torchvision": """
import torch
import lightning.pytorch
from torchvision.transforms import v2
assert v2.Pad(1)(torch.ones(1, 2, 2)).shape == (1, 4, 4)
import torch._dynamo.utils
assert sys.modules["torch._dynamo"].utils is torch._dynamo.utils
""",
    "an unknown name is one": """
import torch
import lightning.pytorch
try:
    torch._dynamo.nonsense
except AttributeError as error:
    assert str(error) == "module 'torch._dynamo' has no attribute 'nonsense'", error
else:
    raise AssertionError
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("script", ASKED.values(), ids=ASKED)
def test_what_is_asked_for_is_the_real_thing(script: str) -> None:
    """And nothing of it is there before."""
    _says(f"{BEGIN}{script}")
