"""Schedules of the learning rate."""

import io
import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer, lr_scheduler

from mnistlab.schedules import ReduceLROnPlateau, RunSchedule, WarmupCosine, steps_every_batch


def optimizer_at(lr: float = 1.0) -> Optimizer:
    """An optimizer of one parameter."""
    return SGD([nn.Parameter(torch.zeros(1))], lr=lr)


def rates(schedule: RunSchedule, steps: int) -> list[float]:
    """Run the schedule and return the learning rate that each optimizer step uses."""
    seen = []
    for _ in range(steps):
        seen.append(float(schedule.optimizer.param_groups[0]["lr"]))
        schedule.optimizer.step()
        schedule.step()
    return seen


# WarmupCosine -------------------------------------------------------------------------------------------------------


def test_warmup_cosine_by_hand() -> None:
    """Ten steps, four of them warm-up from a fifth: a line, the peak, then half a cosine over six steps."""
    schedule = WarmupCosine(optimizer_at(), warmup=0.4, start_factor=0.2)
    schedule.set_length(10, 5)

    cosine = [(1 + math.cos(math.pi * part / 6)) / 2 for part in range(6)]
    assert rates(schedule, 10) == pytest.approx([0.2, 0.4, 0.6, 0.8, *cosine])


def test_without_warmup_it_is_torchs_cosine() -> None:
    """CosineAnnealingLR over the same number of steps."""
    schedule = WarmupCosine(optimizer_at(0.3), warmup=0, min_lr=0.01)
    schedule.set_length(50, 10)
    optimizer = optimizer_at(0.3)
    torchs = lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=0.01)

    for rate in rates(schedule, 50):
        assert rate == pytest.approx(torchs.get_last_lr()[0])
        optimizer.step()
        torchs.step()


def test_past_the_end_the_rate_stays_at_the_minimum() -> None:
    """A cosine that went on would rise again."""
    schedule = WarmupCosine(optimizer_at(), min_lr=0.05)
    schedule.set_length(10, 10)

    assert rates(schedule, 25)[10:] == [0.05] * 15


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("steps", [0, 1, 2, 7, 1000])
def test_the_rate_rises_once_and_falls_once_within_its_bounds(steps: int, warmup: float) -> None:
    """For runs of any length, none at all included."""
    schedule = WarmupCosine(optimizer_at(), warmup=warmup, start_factor=0.0, min_lr=0.0)
    schedule.set_length(steps, 1)

    seen = rates(schedule, steps + 3)
    rises = [later > earlier for earlier, later in itertools.pairwise(seen)]

    assert all(0 <= rate <= 1 for rate in seen)
    assert rises == sorted(rises, reverse=True)
    assert seen[-1] == 0


def test_warmup_epochs_win_over_the_fraction() -> None:
    """Two epochs of 2.5 steps are five steps; none is no warm-up."""
    schedule = WarmupCosine(optimizer_at(), warmup=0.5, start_factor=0.5, warmup_epochs=2)
    schedule.set_length(20, 2.5)
    assert rates(schedule, 6) == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])

    none = WarmupCosine(optimizer_at(), warmup=0.5, warmup_epochs=0)
    none.set_length(20, 2.5)
    assert none.get_last_lr() == [1.0]


def test_a_run_shorter_than_its_warmup_stays_in_it() -> None:
    """A trial of a few steps with a preset's warm-up is no error."""
    schedule = WarmupCosine(optimizer_at(), start_factor=0.0, warmup_epochs=5)
    schedule.set_length(2, 2)

    assert rates(schedule, 3) == pytest.approx([0.0, 0.1, 0.0])


def test_each_parameter_group_keeps_its_own_rate() -> None:
    """The schedule is a factor of each group's learning rate."""
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (1.0, 0.1)]
    schedule = WarmupCosine(SGD(groups), warmup=0.0)
    schedule.set_length(2, 1)
    rates(schedule, 1)

    assert schedule.get_last_lr() == pytest.approx([0.5, 0.05])


def test_a_learning_rate_in_a_tensor_is_written_in_place() -> None:
    """A compiled or captured optimizer reads that very tensor."""
    lr = torch.tensor(1.0)
    optimizer = AdamW([nn.Parameter(torch.zeros(1))], lr=lr)
    held = optimizer.param_groups[0]["lr"]
    schedule = WarmupCosine(optimizer, start_factor=0.25)
    schedule.set_length(10, 10)

    assert optimizer.param_groups[0]["lr"] is held
    assert held.item() == 0.25


def test_a_minimum_above_the_rate_is_refused() -> None:
    """The schedule would rise."""
    with pytest.raises(ValueError, match=r"^`min_lr` must not be above the optimizer's lr, 0\.001, got 0\.1\.$"):
        WarmupCosine(optimizer_at(1e-3), min_lr=0.1)


# The length of the run ----------------------------------------------------------------------------------------------


def test_before_the_length_is_known_the_rate_is_the_optimizers() -> None:
    """And the first step's is right as soon as it is."""
    schedule = WarmupCosine(optimizer_at(0.5))
    assert schedule.get_last_lr() == [0.5]

    schedule.set_length(100, 10)

    assert schedule.get_last_lr() == [schedule.optimizer.param_groups[0]["lr"]] == pytest.approx([0.05])


def test_a_step_without_a_length_is_refused() -> None:
    """It would train the whole run at the optimizer's rate, unseen."""
    schedule = WarmupCosine(optimizer_at())
    schedule.optimizer.step()

    with pytest.raises(ValueError, match="WarmupCosine needs the length of the run"):
        schedule.step()


@pytest.mark.parametrize("steps", [math.inf, -1])
def test_a_run_without_an_end_is_refused(steps: float) -> None:
    """Lightning gives infinity where max_epochs is -1."""
    with pytest.raises(ValueError, match=r"WarmupCosine needs a run that ends, got .* Set max_epochs or max_steps"):
        WarmupCosine(optimizer_at()).set_length(steps, 1)  # type: ignore[arg-type]


# Resuming -----------------------------------------------------------------------------------------------------------


def state_after(steps: int, total_steps: int) -> dict[str, int]:
    """The state of a schedule, through a checkpoint that may hold plain values only."""
    schedule = WarmupCosine(optimizer_at())
    schedule.set_length(total_steps, 10)
    rates(schedule, steps)
    file = io.BytesIO()
    torch.save(schedule.state_dict(), file)
    file.seek(0)
    state: dict[str, int] = torch.load(file, weights_only=True)
    return state


def test_a_resumed_schedule_goes_on_to_the_last_bit() -> None:
    """Every later rate is that of the run without a break."""
    whole = WarmupCosine(optimizer_at())
    whole.set_length(20, 10)
    expected = rates(whole, 20)
    resumed = WarmupCosine(optimizer_at())
    resumed.set_length(20, 10)

    resumed.load_state_dict(state_after(7, total_steps=20))

    assert resumed.state_dict() == state_after(7, total_steps=20)
    assert rates(resumed, 13) == expected[7:]


@pytest.mark.parametrize("length_first", [True, False])
def test_a_resumed_run_of_another_length_ends_where_it_should(*, length_first: bool) -> None:
    """The new length wins, whether it was set before or after the state was loaded."""
    longer = WarmupCosine(optimizer_at())
    longer.set_length(40, 10)
    expected = rates(longer, 40)
    resumed = WarmupCosine(optimizer_at())
    work: list[Callable[[], None]] = [
        lambda: resumed.set_length(40, 10),
        lambda: resumed.load_state_dict(state_after(7, total_steps=20)),
    ]

    for part in work if length_first else reversed(work):
        part()

    assert rates(resumed, 33) == expected[7:]


def test_options_typed_for_a_resumed_run_win() -> None:
    """The state holds no option, nor the learning rate."""
    resumed = WarmupCosine(optimizer_at(2.0), min_lr=0.5)
    resumed.set_length(20, 10)

    resumed.load_state_dict(state_after(20, total_steps=20))

    assert resumed.get_last_lr() == [0.5]


def test_the_state_of_another_schedule_is_refused() -> None:
    """Its count would be in epochs."""
    torchs = lr_scheduler.StepLR(optimizer_at(), step_size=1)

    with pytest.raises(
        ValueError, match=r"WarmupCosine resumes from a state with `step` alone, got one with step_size"
    ):
        WarmupCosine(optimizer_at()).load_state_dict(torchs.state_dict())


# ReduceLROnPlateau --------------------------------------------------------------------------------------------------


def test_plateau_is_torchs_and_knows_its_metric() -> None:
    """The same rates as torch's on the same values."""
    ours = ReduceLROnPlateau(optimizer_at(), "val/acc", mode="max", patience=1, factor=0.5)
    torchs = lr_scheduler.ReduceLROnPlateau(optimizer_at(), mode="max", patience=1, factor=0.5)

    for accuracy in (0.5, 0.6, 0.6, 0.6, 0.6, 0.7, 0.1, 0.1):
        ours.step(accuracy)
        torchs.step(accuracy)
        assert ours.get_last_lr() == torchs.get_last_lr()
    assert ours.monitor == "val/acc"
    assert ReduceLROnPlateau(optimizer_at()).monitor == "val/loss"


def test_a_plateau_refuses_what_it_cannot_use() -> None:
    """A factor that lowers nothing."""
    with pytest.raises(ValueError, match=r"^`factor` must be at least 0 and below 1, got 1"):
        ReduceLROnPlateau(optimizer_at(), factor=1.0)


# How often ----------------------------------------------------------------------------------------------------------


def test_which_schedules_step_after_every_batch() -> None:
    """Those that follow the run, and the two that torch documents so; all others after every epoch."""
    optimizer = optimizer_at()

    assert steps_every_batch(WarmupCosine(optimizer))
    assert steps_every_batch(lr_scheduler.OneCycleLR(optimizer_at(), max_lr=1.0, total_steps=10, cycle_momentum=False))
    assert steps_every_batch(lr_scheduler.CyclicLR(optimizer_at(), 0.1, 1.0, cycle_momentum=False))
    assert not steps_every_batch(ReduceLROnPlateau(optimizer))
    assert not steps_every_batch(lr_scheduler.StepLR(optimizer_at(), 1))
    assert not steps_every_batch(lr_scheduler.CosineAnnealingLR(optimizer_at(), 10))
    assert not steps_every_batch(lr_scheduler.CosineAnnealingWarmRestarts(optimizer_at(), 10))


# An end that is moved -------------------------------------------------------------------------------------------------


def test_an_end_that_never_moves_changes_nothing() -> None:
    """To the bit."""
    plain, followed = WarmupCosine(optimizer_at()), WarmupCosine(optimizer_at())
    plain.set_length(97, 10)
    followed.set_length(1000, 10)
    followed.follow([(0, 97)])

    assert rates(plain, 97) == rates(followed, 97)


def test_the_rest_of_a_schedule_fills_the_rest_of_a_run() -> None:
    """Twice as fast over half the steps, and then at its end."""
    schedule = WarmupCosine(optimizer_at(), warmup=0)
    schedule.set_length(100, 10)
    schedule.follow([(0, 100)])
    before = rates(schedule, 40)
    schedule.follow([(0, 100), (40, 70)])
    after = rates(schedule, 30)

    whole = [(1 + math.cos(math.pi * step / 100)) / 2 for step in range(100)]
    assert before == pytest.approx(whole[:40])
    assert after == pytest.approx(whole[40::2], abs=0.02)


def test_a_new_length_forgets_where_the_end_was() -> None:
    """`set_length` is of a run without a clock."""
    schedule = WarmupCosine(optimizer_at())
    schedule.set_length(10, 5)
    schedule.follow([(0, 100), (0, 20)])
    schedule.set_length(10, 5)
    other = WarmupCosine(optimizer_at())
    other.set_length(10, 5)

    assert rates(schedule, 10) == rates(other, 10)
