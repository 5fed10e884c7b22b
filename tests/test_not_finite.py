"""Numbers that are none: null in JSON and said, refused where they would be learnt from, told where measured."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from safetensors import safe_open

from mnistlab.cli import main
from mnistlab.system.strict_json import as_json, finite, spelt

Fit = Callable[..., Path]
LAST = Path("checkpoints", "last.ckpt")


def strictly(text: str) -> object:
    """JSON as any other language reads it."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_json_has_null_and_says_where() -> None:
    """In each object of a list too; what was said before stays."""
    nan, inf = float("nan"), float("inf")

    assert finite({"a": {"b/c": nan}, "d": [1.0, -inf]}) == {
        "a": {"b/c": None},
        "d": [1.0, None],
        "not_finite": ["a.b/c", "d.1"],
    }
    assert strictly(as_json([{"a": inf, "not_finite": ["b"]}, {"a": 1}])) == [
        {"a": None, "not_finite": ["b", "a"]},
        {"a": 1},
    ]
    assert spelt({"a": [inf, -inf, 1.0]}) == {"a": ["inf", "-inf", 1.0]}


def test_a_run_whose_loss_is_no_number_is_kept_in_plain_json(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """In every file and every command's JSON; the table of metrics has it as it was."""
    ruin = ("--model.optimizer=SGD", "--model.optimizer.lr=1e30", "--model.scheduler=null", "--run.stop_when_nan=false")
    fit(*ruin)
    capsys.readouterr()
    assert main(["reproduce", "last", "--json"]) == 0
    strictly(capsys.readouterr().out)
    run = fit()
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2", *ruin]) == 0
    record = strictly((run / "run.json").read_text())
    assert isinstance(record, dict)
    assert record["metrics"]["last"]["train/loss"] is None
    assert "metrics.last.train/loss" in record["not_finite"]
    assert "nan" in (run / "metrics.csv").read_text()
    with safe_open(run / "model.safetensors", framework="pt") as file:
        strictly(file.metadata()["mnistlab"])

    for command in (
        ["runs"],
        ["runs", "show", "last"],
        ["inspect", "best"],
        ["inspect", "last"],
    ):
        capsys.readouterr()
        assert main([*command, "--json"]) == 0
        strictly(capsys.readouterr().out)
    assert main(["runs", "show", "last"]) == 0
    assert "not finite  metrics." in capsys.readouterr().out


def spoilt(run: Path, value: float | torch.dtype) -> Path:
    """A copy of the last checkpoint in which a weight has that value, or all have that type."""
    contents = torch.load(run / LAST, weights_only=True)
    weights = contents["state_dict"]
    name = next(name for name in weights if weights[name].is_floating_point())
    if isinstance(value, torch.dtype):
        contents["state_dict"] = {n: w.to(value) if w.is_floating_point() else w for n, w in weights.items()}
    else:
        weights[name].view(-1)[0] = value
    torch.save(contents, "spoilt.ckpt")
    return Path("spoilt.ckpt")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_told_and_not_learnt_from(
    trained: Fit, capsys: pytest.CaptureFixture[str], value: float
) -> None:
    """With the first of them."""
    path = spoilt(run := trained(), value)
    before = (run / "run.json").read_bytes()

    assert main(["test", f"--ckpt_path={path}"]) == 0
    assert "is the first): what such weights answer means nothing" in capsys.readouterr().err
    assert main(["fit", "--model=TinyModel", "--data=SyntheticDigits", f"--model.init_from={path}"]) == 2
    assert "nothing can be learnt from it" in capsys.readouterr().err
    path.replace(run / LAST)
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 2
    assert f"nothing can be learnt from it. Try --ckpt_path={run}/checkpoints/best.ckpt" in capsys.readouterr().err
    assert (run / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (torch.float64, 0, "are rounded, net."),
        (torch.float16, 0, ""),
        (torch.int32, 2, "is of torch.int32"),
        (torch.bool, 2, "is of torch.bool"),
        (torch.complex64, 2, "is of torch.complex64"),
    ],
    ids=str,
)
def test_weights_of_another_type_are_told(
    trained: Fit, capsys: pytest.CaptureFixture[str], kind: torch.dtype, code: int, said: str
) -> None:
    """Or refused where they cannot be those of the model."""
    path = spoilt(trained(), kind)
    capsys.readouterr()

    assert main(["validate", f"--ckpt_path={path}"]) == code
    assert said in capsys.readouterr().err
    assert "rounded" not in capsys.readouterr().err


def test_a_run_in_float64_keeps_its_digits_when_it_goes_on(fit: Fit) -> None:
    """Lightning alone would load its weights into float32 first."""
    whole = fit("--trainer.precision=64-true", "--trainer.max_epochs=2", "--model.scheduler=null")
    half = fit("--trainer.precision=64-true", "--model.scheduler=null")
    assert main(["fit", f"--ckpt_path={half}", "--trainer.max_epochs=2"]) == 0

    one, other = (torch.load(run / LAST, weights_only=True)["state_dict"] for run in (whole, half))
    assert all(torch.equal(one[name], other[name]) for name in one)
