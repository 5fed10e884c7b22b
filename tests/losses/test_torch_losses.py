"""Torch's losses: what each is given, and what is refused."""

import functools
import math
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.loss import _Loss

from mnistlab.losses import Loss, LossLike, TorchLoss, as_loss
from mnistlab.losses.torch_losses import GIVEN, REFUSED

NUM_CLASSES = 10
SUPPORTED = [
    *GIVEN,
    functools.partial(nn.KLDivLoss, log_target=True),
    functools.partial(nn.PoissonNLLLoss, log_input=False),
    functools.partial(nn.PoissonNLLLoss, full=True),
]


def named(value: object) -> str:
    """A case by its text, the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


every_loss = pytest.mark.parametrize("factory", SUPPORTED, ids=named)


def batch(size: int = 16) -> tuple[Tensor, Tensor]:
    """Logits and class indices."""
    return torch.randn(size, NUM_CLASSES, requires_grad=True), torch.randint(NUM_CLASSES, (size,))


# What each is given -------------------------------------------------------------------------------------------------


@every_loss
def test_a_better_answer_costs_less(factory: Callable[[], _Loss]) -> None:
    """Every loss falls from wrong over undecided to right."""
    target = torch.tensor([3])
    right = functional.one_hot(target, NUM_CLASSES).float() * 4
    loss = as_loss(factory, NUM_CLASSES)

    assert loss(right, target) < loss(torch.zeros_like(right), target) < loss(right.roll(1, dims=1), target)


@every_loss
def test_a_step_downhill_makes_the_right_class_more_probable(factory: Callable[[], _Loss]) -> None:
    """The gradient of each example points to its class, and what `predict` says follows; a margin may be met."""
    logits, target = batch()
    loss = as_loss(factory, NUM_CLASSES)
    (gradient,) = torch.autograd.grad(loss(logits, target), logits)

    before, after = (loss.probs(x).gather(1, target[:, None]) for x in (logits, logits - gradient))

    moved = gradient.abs().sum(dim=1) > 0
    assert moved.float().mean() > 0.5
    assert (after > before)[moved].all()


@every_loss
@pytest.mark.parametrize("size", [100.0, 1e4])
def test_extreme_logits_stay_finite(factory: Callable[[], _Loss], size: float) -> None:
    """Value, gradient and probabilities, for logits of either sign."""
    logits = (torch.randn(64, NUM_CLASSES).sign() * size).requires_grad_()
    loss = as_loss(factory, NUM_CLASSES)

    value = loss(logits, torch.randint(NUM_CLASSES, (64,)))
    value.backward()

    assert value.shape == ()
    assert value.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert loss.probs(logits).isfinite().all()


@every_loss
def test_probabilities_sum_to_one_and_agree_with_the_largest_logit(factory: Callable[[], _Loss]) -> None:
    """One row for each example; the class predicted is the most probable one."""
    logits, _ = batch()
    probs = as_loss(factory, NUM_CLASSES).probs(logits)

    assert probs.shape == logits.shape
    assert torch.allclose(probs.sum(dim=1), torch.ones(len(logits)))
    assert torch.equal(probs.argmax(dim=1), logits.argmax(dim=1))


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        (nn.CrossEntropyLoss, math.log(4)),
        (nn.NLLLoss, math.log(4)),
        (nn.MultiMarginLoss, 3 / 4),  # three classes, a margin of 1 each, over 4
        (nn.MSELoss, (0.75**2 + 3 * 0.25**2) / 4),
        (nn.L1Loss, (0.75 + 3 * 0.25) / 4),
        (nn.SmoothL1Loss, (0.75**2 + 3 * 0.25**2) / 8),
        (nn.HuberLoss, (0.75**2 + 3 * 0.25**2) / 8),
        (nn.BCELoss, math.log(2)),
        (nn.BCEWithLogitsLoss, math.log(2)),
        (nn.SoftMarginLoss, math.log(2)),
        (nn.MultiLabelSoftMarginLoss, math.log(2)),
        (nn.KLDivLoss, math.log(4) / 4),
        (nn.KLDivLoss(reduction="batchmean"), math.log(4)),
        (nn.KLDivLoss(log_target=True), math.log(4) / 4),
        (nn.PoissonNLLLoss, (1 + math.log(4)) / 4),
        (nn.PoissonNLLLoss(log_input=False), (1 + math.log(4)) / 4),
    ],
    ids=named,
)
def test_four_undecided_classes_cost_what_the_formula_says(loss: LossLike, by_hand: float) -> None:
    """All logits 0 and four classes: the value of each loss on paper."""
    value = as_loss(loss, 4)(torch.zeros(3, 4), torch.tensor([0, 1, 3]))

    assert value.item() == pytest.approx(by_hand, rel=1e-5)


def test_every_supported_loss_has_its_value_on_paper() -> None:
    """The test above leaves none out."""
    (marks,) = test_four_undecided_classes_cost_what_the_formula_says.pytestmark  # type: ignore[attr-defined]
    tested = {loss if isinstance(loss, type) else type(loss) for loss, _ in marks.args[1]}

    assert tested == set(GIVEN)


def test_cross_entropy_is_torchs_to_the_last_bit() -> None:
    """With the options that change it."""
    logits, target = batch()
    torchs = nn.CrossEntropyLoss(weight=torch.rand(NUM_CLASSES) + 0.1, label_smoothing=0.1)

    assert torch.equal(as_loss(torchs, NUM_CLASSES)(logits, target), torchs(logits, target))


def test_losses_that_are_one_in_theory_agree() -> None:
    """NLL on log-probabilities, KL summed over classes, Poisson less its constant: all are cross-entropy."""
    logits, target = batch()
    reference = functional.cross_entropy(logits, target)

    for loss in (nn.NLLLoss(), nn.KLDivLoss(reduction="batchmean")):
        assert torch.allclose(as_loss(loss, NUM_CLASSES)(logits, target), reference)
    for log_input in (True, False):
        poisson = as_loss(nn.PoissonNLLLoss(log_input=log_input), NUM_CLASSES)(logits, target)
        assert torch.allclose(poisson * NUM_CLASSES - 1, reference, atol=1e-5)


class Doubled(nn.CrossEntropyLoss):
    """A subclass that a user wrote."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Twice the cross-entropy."""
        return 2 * super().forward(input, target)


def test_a_subclass_is_given_what_its_parent_is() -> None:
    """And its own forward is used."""
    logits, target = batch()

    assert torch.equal(as_loss(Doubled, NUM_CLASSES)(logits, target), 2 * functional.cross_entropy(logits, target))


@every_loss
def test_half_precision_is_computed_in_full(factory: Callable[[], _Loss]) -> None:
    """Under autocast, as on logits that autocast made: torch's BCELoss alone would refuse."""
    logits, target = batch()
    logits = logits.detach().bfloat16()
    loss = as_loss(factory, NUM_CLASSES)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(logits, target)

    assert value.dtype == torch.float32
    assert torch.equal(value, loss(logits.float(), target))


@every_loss
def test_double_precision_stays_double(factory: Callable[[], _Loss]) -> None:
    """So that a gradient can be checked against differences."""
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0, 1, 3])
    loss = as_loss(factory, 4)

    assert torch.autograd.gradcheck(lambda x: loss(x, target), logits)


# The mean over an epoch ---------------------------------------------------------------------------------------------

WEIGHT = torch.arange(1.0, 11.0)


@pytest.mark.parametrize(
    "loss",
    [
        *(kind() for kind in GIVEN),
        nn.CrossEntropyLoss(weight=WEIGHT),
        nn.CrossEntropyLoss(weight=WEIGHT, ignore_index=3, label_smoothing=0.1),
        nn.CrossEntropyLoss(ignore_index=3),
        nn.NLLLoss(weight=WEIGHT),
        nn.NLLLoss(weight=WEIGHT, ignore_index=3),
        nn.MultiMarginLoss(weight=WEIGHT),
        nn.BCELoss(weight=WEIGHT),
        nn.BCEWithLogitsLoss(weight=WEIGHT, pos_weight=WEIGHT),
        nn.MultiLabelSoftMarginLoss(weight=WEIGHT),
    ],
    ids=named,
)
def test_the_mean_over_uneven_batches_is_that_of_one_large_batch(loss: _Loss) -> None:
    """Whatever torch divides by: weights of the classes present, examples not ignored, or all examples."""
    logits, target = batch(57)
    ready = as_loss(loss, NUM_CLASSES)
    batches = [16, 16, 16, 8, 1]

    values = torch.stack(
        [ready(*part) for part in zip(torch.split(logits, batches), torch.split(target, batches), strict=True)]
    )
    weights = torch.tensor([float(ready.weight_of_batch(part)) for part in torch.split(target, batches)])

    assert torch.allclose((values * weights).sum() / weights.sum(), ready(logits, target), rtol=1e-5)


def test_the_weight_of_a_batch_by_hand() -> None:
    """Classes 0, 1, 2 weigh 1, 2, 3; of 0, 1, 1, 2 without class 2 that is 5."""
    loss = as_loss(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]), ignore_index=2), 3)

    assert loss.weight_of_batch(torch.tensor([0, 1, 1, 2])) == 5


@pytest.mark.parametrize(
    "loss", [nn.CrossEntropyLoss(ignore_index=3), nn.NLLLoss(weight=(torch.arange(10) != 3).float())], ids=named
)
def test_a_batch_in_which_nothing_counts_is_zero(loss: _Loss) -> None:
    """Torch's own value and gradient are NaN here, and would spoil the net."""
    logits, target = batch(2)[0], torch.tensor([3, 3])
    ready = as_loss(loss, NUM_CLASSES)

    value = ready(logits, target)
    value.backward()

    assert value == ready.weight_of_batch(target) == 0
    assert logits.grad is not None
    assert not logits.grad.any()


# What is kept -------------------------------------------------------------------------------------------------------


def test_class_weights_are_no_part_of_the_state_but_move_along() -> None:
    """An option is not learnt: a checkpoint loads with other weights, and a device or dtype is followed."""
    loss = as_loss(nn.BCEWithLogitsLoss(weight=WEIGHT, pos_weight=WEIGHT), NUM_CLASSES)

    assert loss.state_dict() == {}
    assert {name for name, _ in loss.named_buffers(remove_duplicate=False)} == {"loss.weight", "loss.pos_weight"}
    assert all(buffer.dtype == torch.float64 for buffer in loss.double().buffers())
    assert all(buffer.is_meta for buffer in loss.to("meta").buffers())


class Learned(Loss):
    """A user's loss with a parameter, a buffer and a torch loss inside."""

    def __init__(self) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(()))
        self.register_buffer("seen", torch.zeros(()))
        self.inner = nn.CrossEntropyLoss(weight=WEIGHT)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy at a learnt temperature."""
        value: Tensor = self.inner(logits / self.temperature, target)
        return value


def test_what_a_loss_of_ones_own_learns_is_kept() -> None:
    """Parameters and its own buffers stay in the state; the weights of a torch loss inside do not."""
    assert set(as_loss(Learned, NUM_CLASSES).state_dict()) == {"temperature", "seen"}


def test_weights_in_whole_numbers_are_taken() -> None:
    """Torch itself fails on them in the first batch."""
    loss = as_loss(nn.CrossEntropyLoss(weight=torch.arange(1, 11)), NUM_CLASSES)

    assert loss(*batch()).isfinite()


def test_weights_in_true_half_precision_are_taken() -> None:
    """Where the whole module is bfloat16, so are the weights."""
    loss = as_loss(nn.CrossEntropyLoss(weight=WEIGHT), NUM_CLASSES).bfloat16()
    logits, target = batch()

    assert loss(logits.bfloat16(), target).isfinite()


# What is taken and refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    [
        nn.MSELoss,
        nn.MSELoss(),
        functools.partial(nn.CrossEntropyLoss, label_smoothing=0.1),
        lambda: nn.HuberLoss(delta=0.5),
        lambda weight=WEIGHT: nn.CrossEntropyLoss(weight),
        Learned,
        Learned(),
        lambda: Learned(),  # noqa: PLW0108 - the case itself
    ],
    ids=named,
)
def test_a_loss_may_be_written_in_many_ways(loss: LossLike) -> None:
    """An instance, a class, a partial or a function; each gives a loss that can be used."""
    assert as_loss(loss, NUM_CLASSES)(*batch()).isfinite()


def test_a_ready_loss_stays_itself() -> None:
    """So that as_loss can be called twice."""
    loss = as_loss(nn.KLDivLoss, NUM_CLASSES)

    assert as_loss(loss, NUM_CLASSES) is loss


@pytest.mark.parametrize("name", [name for name in dir(nn) if name.endswith("Loss")])
def test_every_loss_of_torch_is_supported_or_refused_with_its_reason(name: str) -> None:
    """None is passed on unknown: a new one in a later torch fails here."""
    kind = getattr(nn, name)
    assert (kind in GIVEN) != (kind in REFUSED)
    if kind in GIVEN:
        assert isinstance(as_loss(kind, NUM_CLASSES), TorchLoss)
        return
    with pytest.raises(ValueError, match=rf"^`loss` must .* got {name}: ") as refusal:
        as_loss(kind, NUM_CLASSES)

    assert REFUSED[kind] in str(refusal.value)
    assert "CrossEntropyLoss" in str(refusal.value)


@pytest.mark.parametrize(
    ("loss", "parts"),
    [
        (nn.CTCLoss(), ["CTCLoss", "sequences"]),
        (functools.partial(nn.CTCLoss, blank=1), ["CTCLoss", "sequences"]),
        (nn.AdaptiveLogSoftmaxWithLoss(4, 4, [2]), ["AdaptiveLogSoftmaxWithLoss", "output layer"]),
        (nn.Linear(2, 2), ["got Linear", "subclass mnistlab.losses.Loss", "forward(logits, target)"]),
        (nn.Linear, ["got Linear", "subclass mnistlab.losses.Loss"]),
        (_Loss(), ["got _Loss", "subclass mnistlab.losses.Loss"]),
        ("CrossEntropyLoss", ["got 'CrossEntropyLoss'", "torch's losses"]),
        (None, ["got None"]),
        (int, ["got int"]),
        (functional.cross_entropy, ["without arguments", "cross_entropy", "input, target"]),
        (lambda: nn.MSELoss, ["got type"]),
        (lambda: nn.ReLU(), ["got ReLU"]),  # noqa: PLW0108 - the case itself
        (lambda gamma: gamma, ["without arguments", "requires gamma", "functools.partial"]),
        (nn.CrossEntropyLoss(reduction="sum"), ["`reduction` of CrossEntropyLoss", "'mean'", "'sum'"]),
        (nn.MSELoss(reduction="none"), ["`reduction` of MSELoss", "'none'"]),
        (nn.MSELoss(reduction="batchmean"), ["`reduction` of MSELoss", "'batchmean'"]),
        (nn.KLDivLoss(reduction="sum"), ["`reduction` of KLDivLoss", "'mean' or 'batchmean'", "'sum'"]),
        (nn.CrossEntropyLoss(torch.ones(3)), ["`weight` of CrossEntropyLoss", "num_classes", "10", "got 3"]),
        (nn.BCELoss(torch.ones(2, 10)), ["`weight` of BCELoss", "10", "(2, 10)"]),
        (nn.BCEWithLogitsLoss(pos_weight=torch.ones(1)), ["`pos_weight` of BCEWithLogitsLoss", "10", "got 1"]),
        (nn.CrossEntropyLoss(torch.zeros(10)), ["`weight`", "not all 0"]),
        (nn.CrossEntropyLoss(torch.arange(10) - 1.0), ["`weight`", "from 0 on", "-1.0"]),
        (nn.CrossEntropyLoss(torch.full((10,), math.nan)), ["`weight`", "finite", "nan"]),
        (TorchLoss(nn.MSELoss(), 3), ["made for 10 classes", "3"]),
    ],
    ids=named,
)
def test_a_refusal_names_what_came_and_the_way_out(loss: LossLike, parts: list[str]) -> None:
    """Before any work."""
    with pytest.raises(ValueError, match=r"^`") as refusal:
        as_loss(loss, NUM_CLASSES)

    assert all(part in str(refusal.value) for part in parts), str(refusal.value)


def test_the_users_own_object_is_left_as_it_was() -> None:
    """KLDivLoss is evaluated another way inside, on a copy."""
    mine = nn.KLDivLoss()
    as_loss(mine, NUM_CLASSES)

    assert mine.reduction == "mean"
