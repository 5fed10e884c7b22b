"""The focal and the label-smoothed loss."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional

from mnistlab import main
from mnistlab.losses import FocalLoss, LabelSmoothingLoss, as_loss

WEIGHT = torch.tensor([1.0, 2.0, 0.0, 5.0])


def batch(size: int = 16, num_classes: int = 4) -> tuple[Tensor, Tensor]:
    """Logits and class indices."""
    return torch.randn(size, num_classes, requires_grad=True), torch.randint(num_classes, (size,))


def test_focal_by_hand() -> None:
    """Four undecided classes: 3/4 is missing, twice as a factor, of log 4."""
    assert FocalLoss(2.0)(torch.zeros(3, 4), torch.tensor([0, 1, 3])).item() == pytest.approx(9 / 16 * math.log(4))


def test_focal_by_hand_with_weights() -> None:
    """Odds 1 to 3 and 3 to 1, weights 1 and 4: (1 * 3/4 * log 4 + 4 * 1/4 * log 4/3) / 5."""
    logits, target = torch.tensor([[0.0, math.log(3)]]).repeat(2, 1), torch.tensor([0, 1])
    loss = FocalLoss(1.0, torch.tensor([1.0, 4.0]))

    assert loss(logits, target).item() == pytest.approx((3 / 4 * math.log(4) + math.log(4 / 3)) / 5)
    assert loss.weight_of_batch(target) == 5


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_focal_with_gamma_0_is_cross_entropy(weight: Tensor | None) -> None:
    """Nothing fades, with and without weights; the gradient agrees too."""
    logits, target = batch()
    reference = functional.cross_entropy(logits, target, weight=weight)
    value = FocalLoss(0.0, weight)(logits, target)

    assert value.item() == pytest.approx(reference.item())
    ours, theirs = (torch.autograd.grad(each, logits)[0] for each in (value, reference))
    assert torch.allclose(ours, theirs, atol=1e-7)


def test_easy_examples_fade() -> None:
    """At 90 % gamma 2 leaves a hundredth; at 10 % four fifths."""
    for p, left in ((0.9, 0.01), (0.1, 0.81)):
        logits, target = torch.tensor([[math.log(p), math.log(1 - p)]]), torch.tensor([0])

        assert FocalLoss(2.0)(logits, target) / FocalLoss(0.0)(logits, target) == pytest.approx(left, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 1.0, 2.0])
def test_what_is_learnt_for_certain_has_a_finite_gradient(gamma: float) -> None:
    """1 - p is 0 in float32, and the slope of its root infinite."""
    logits = torch.tensor([[200.0, 0.0], [17.0, 0.0]], requires_grad=True)
    FocalLoss(gamma)(logits, torch.tensor([0, 0])).backward()

    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_a_batch_of_weight_0_is_zero() -> None:
    """Nothing counts and nothing is learnt, where a division would give NaN."""
    logits, target = batch(2)[0], torch.tensor([2, 2])
    loss = FocalLoss(weight=WEIGHT)
    value = loss(logits, target)
    value.backward()

    assert value == loss.weight_of_batch(target) == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_focal_takes_whole_and_half_numbers_as_weights() -> None:
    """As torch's own losses do here; sums are in full precision."""
    logits, target = batch(257)[0], torch.arange(257) % 4  # of weight 513, for which bfloat16 has no number
    loss = FocalLoss(weight=WEIGHT)
    for other in (FocalLoss(weight=WEIGHT.long()), FocalLoss(weight=WEIGHT).bfloat16()):
        assert torch.allclose(other(logits, target), loss(logits, target))
        assert other.weight_of_batch(target) == loss.weight_of_batch(target)


def test_smoothing_by_hand() -> None:
    """Odds 3 to 1, a fifth shared by two: 0.9 log 4/3 + 0.1 log 4."""
    loss = LabelSmoothingLoss(0.2)(torch.tensor([[math.log(3), 0.0]]), torch.tensor([0]))

    assert loss.item() == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_smoothing_is_that_of_torch(smoothing: float) -> None:
    """At 0 it is cross-entropy; the default is the paper's 0.1."""
    logits, target = batch()

    assert torch.equal(
        LabelSmoothingLoss(smoothing)(logits, target),
        nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, target),
    )
    assert LabelSmoothingLoss().smoothing == 0.1


def test_smoothing_is_lowest_at_its_target() -> None:
    """There the loss is the entropy of the target, 0.50 for 0.1 and ten classes, and the gradient is 0."""
    logits = torch.tensor([[0.91, *[0.01] * 9]]).log().requires_grad_()
    value = LabelSmoothingLoss()(logits, torch.tensor([0]))
    value.backward()

    assert value.item() == pytest.approx(0.5003, abs=1e-4)
    assert logits.grad is not None
    assert torch.allclose(logits.grad, torch.zeros(1, 10), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FocalLoss(-1.0), r"^`gamma` must .* from 0 on, got -1.0\. 2 is usual"),
        (lambda: FocalLoss(math.nan), r"^`gamma` must .* finite .* got nan"),
        (lambda: FocalLoss(math.inf), r"^`gamma` must .* finite .* got inf"),
        (lambda: FocalLoss(weight=-WEIGHT), r"^`weight` of FocalLoss must .* from 0 on"),
        (lambda: FocalLoss(weight=torch.zeros(4)), r"^`weight` of FocalLoss must .* not all 0"),
        (lambda: FocalLoss(weight=WEIGHT / 0), r"^`weight` of FocalLoss must .* finite"),
        (lambda: FocalLoss(weight=torch.ones(0)), r"^`weight` of FocalLoss must"),
        (lambda: LabelSmoothingLoss(-0.1), r"^`smoothing` must be from 0 to 1, got -0.1"),
        (lambda: LabelSmoothingLoss(1.1), r"^`smoothing` must be from 0 to 1, got 1.1"),
        (lambda: LabelSmoothingLoss(math.nan), r"^`smoothing` must be from 0 to 1, got nan"),
    ],
)
def test_a_bad_option_is_refused_at_once(make: Callable[[], nn.Module], message: str) -> None:
    """With the option, the rule and what came."""
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("weight", [torch.ones(3), torch.ones(4, 2)])
def test_weights_of_another_shape_are_refused(weight: Tensor) -> None:
    """One number for each class; that is known with the first row of logits."""
    with pytest.raises(ValueError, match=r"^`weight` of FocalLoss must hold 4 numbers, one for each class"):
        as_loss(FocalLoss(weight=weight), 4)(*batch())


# On the command line ------------------------------------------------------------------------------------------------


def test_the_command_line_finds_the_loss_by_name(fit: Callable[..., Path]) -> None:
    """With its options; the run says so, and its checkpoint is tested with them."""
    folder = fit("--model.loss=FocalLoss", "--model.loss.gamma=1", "--model.loss.weight=[1,1,2,1,1,1,1,1,1,1]")
    loss = yaml.safe_load((folder / "config.yaml").read_text())["model"]["init_args"]["loss"]

    assert loss["class_path"].endswith("FocalLoss")
    assert loss["init_args"] == {"gamma": 1.0, "weight": [1, 1, 2, 1, 1, 1, 1, 1, 1, 1]}
    (checkpoint,) = folder.glob("**/last.ckpt")
    assert main(["test", f"--ckpt_path={checkpoint}"]) == 0


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("gamma=-1", "gamma"),
        ("gamma=inf", "`gamma` must be a finite number from 0 on"),
        ("gama=1", "gamma"),
        ("weight=[1,2]", "must hold 10 numbers, one for each class (num_classes), got 2"),
        ("weight=[0,0,0,0,0,0,0,0,0,0]", "not all 0"),
    ],
)
def test_a_bad_option_ends_with_one_line(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str], option: str, said: str
) -> None:
    """Before any work: no run is left behind."""
    code = main(["fit", "--model=TinyModel", *small_data, "--model.loss=FocalLoss", f"--model.loss.{option}"])
    message = capsys.readouterr().err

    assert code == 2
    assert said in message
    assert "Traceback" not in message
    assert len(message.splitlines()) == 1
    assert not list(here.glob("runs/*/*"))
