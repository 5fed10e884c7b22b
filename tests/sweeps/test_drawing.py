"""What a search draws: no choice of values twice, as long as any are left."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from mnistlab.sections.parts import prepare
from mnistlab.sweeps.drawing import identified
from mnistlab.sweeps.plan import Plan, sampling
from mnistlab.sweeps.space import Space
from mnistlab.sweeps.study import Study
from mnistlab.system.processes import that_process

ASKED = 12
SPACES = {
    "plain": ("--model=TinyModel", "--model.hidden_dim=choice:16,32", "--model.layers=int:1..2"),
    "factors": ("--model=TinyModel", "--model.hidden_dim=logint:16..24"),
    "steps": ("--model=TinyModel", "--model.dropout=float:0..0.5:0.1", "--model.layers=choice:1,2"),
    "conditional": (
        "--model=choice:TinyModel,SDN8K",
        "--model.hidden_dim=choice:16,32",
        "--model.optimizer=choice:SGD,AdamW",
        "--model.optimizer.momentum=choice:0,0.9",
    ),
    "one of them endless": ("--model=choice:TinyModel,SDN8K", "--model.dropout=float:0..0.5"),
    "preset": ("--config=wide.py",),
}
POINTS = {"plain": 4, "factors": 9, "steps": 12, "conditional": 9, "one of them endless": ASKED, "preset": 7}
PRESET = '''
from torch.optim import SGD, AdamW

from mnistlab import Preset, SDN8K, TinyModel, choice, config, interval


class Wide(Preset):
    """Choices within choices."""

    model = choice(
        config(TinyModel, optimizer=choice(config(SGD, momentum=choice(0.0, 0.5, 0.9)), AdamW)),
        config(SDN8K, optimizer=config(SGD, lr=interval(1, 3, log=True))),
    )
'''
WORKERS = """
import os
import sys
from pathlib import Path
from mnistlab.sections.parts import prepare
from mnistlab.sweeps.plan import read_plan
from mnistlab.sweeps.study import Study
prepare()
other = os.fork()
for folder in sys.argv[1:]:
    study = Study(read_plan(Path(folder)))
    while (trial := study.claim()) is not None:
        study.tell(trial, 0.5)
if other:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]))
"""


@pytest.fixture(autouse=True)
def _place(here: Path) -> None:
    """A folder with the preset."""
    prepare()
    (here / "wide.py").write_text(PRESET)


def planned(arguments: Sequence[str], sampler: str, seed: int = 0, name: str = "some") -> Plan:
    """A sweep of as many trials as are asked for, or as there are choices of values."""
    typed = [*arguments, "--data=SyntheticDigits"]
    sampler, trials = sampling(Space(typed), sampler, ASKED)
    Path(name).mkdir()
    return Plan(
        kind="sweep",
        name=name,
        root=".",
        arguments=typed,
        content="",
        storage="",
        sampler=sampler,
        pruner="none",
        metric="val/acc",
        epochs=1,
        trials=trials,
        seeds=[0],
        threads=1,
        keep=1,
        sampler_seed=seed,
        identity={},
    )


def begun(plan: Plan) -> Study:
    """The state of a sweep whose jobs wait."""
    study = Study(plan)
    study.add(plan.jobs())
    return study


def drawn(study: Study) -> Iterator[str]:
    """What one worker draws, with some metric of each."""
    while (trial := study.claim()) is not None:
        point = identified(trial.user_attrs["point"])
        study.tell(trial, len(point) % 7 / 7)
        yield point


@pytest.mark.parametrize("name", SPACES)
def test_a_random_search_takes_nothing_twice(name: str) -> None:
    """There are as many trials as there are choices of values, where that is less than was asked for."""
    plan = planned(SPACES[name], "random")

    for seed in range(10):
        points = [identified(job.point) for job in replace(plan, sampler_seed=seed).jobs() if job.point]
        assert len(points) == len(set(points)) == POINTS[name]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", SPACES)
def test_tpe_takes_nothing_twice(name: str, seed: int) -> None:
    """It learns meanwhile, and would insist on what was good."""
    points = list(drawn(begun(planned(SPACES[name], "tpe", seed))))

    assert len(points) == len(set(points)) == POINTS[name]


def test_values_are_those_of_the_domain() -> None:
    """Whole ones whole, steps without what rounding adds, each within its ends."""
    points = [job.point or {} for job in planned(SPACES["steps"], "random").jobs()]

    assert sorted({point["model.dropout"] for point in points}, key=str) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    factors = [job.point or {} for job in planned(SPACES["factors"], "random", name="b").jobs()]
    assert sorted(str(point["model.hidden_dim"]) for point in factors) == [str(number) for number in range(16, 25)]


@pytest.mark.parametrize(
    ("option", "domain", "middle"),
    [("model.optimizer.lr", "log:1e-4..1e-2", 1e-3), ("data.partition_seed", "logint:1000..100000", 10_000)],
)
def test_every_factor_is_as_likely(option: str, domain: str, middle: float) -> None:
    """Half of all draws lie below the geometric mean, of whole numbers too."""
    plan = planned(("--model=TinyModel", f"--{option}={domain}"), "random")
    values = [float(str(job.point[option])) for job in replace(plan, trials=200).jobs() if job.point]

    assert 75 < sum(value < middle for value in values) < 125


def test_a_longer_random_search_begins_as_the_shorter_one() -> None:
    """So trials can be added."""
    plan = planned(SPACES["factors"], "random")

    assert [job.point for job in replace(plan, trials=5).jobs()] == [job.point for job in plan.jobs()][:5]
    assert [job.point for job in replace(plan, sampler_seed=1).jobs()] != [job.point for job in plan.jobs()]


def test_a_worker_that_dies_before_it_has_drawn_changes_nothing() -> None:
    """The next one draws the same for the job."""
    undisturbed = next(drawn(begun(planned(SPACES["factors"], "tpe", name="a"))))
    study = begun(planned(SPACES["factors"], "tpe", name="b"))
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    identity = that_process(process.pid)
    process.wait()
    number = study.storage.get_trial_id_from_study_id_trial_number(study.storage.get_study_id_from_name("b"), 0)
    study.storage.set_trial_state_values(number, TrialState.RUNNING)
    study.storage.set_trial_user_attr(number, "process", identity)
    study.free()

    again = list(drawn(study))
    assert again[0] == undisturbed
    assert len(again) == len(set(again)) == POINTS["factors"]


def test_a_job_keeps_what_it_has_drawn() -> None:
    """Whatever becomes of its worker, and however little of it Optuna was told."""
    study = begun(planned(SPACES["plain"], "tpe"))
    trial = study.claim()
    assert trial is not None
    point = trial.user_attrs["point"]
    study.tell(trial, state=TrialState.FAIL)
    study.free()
    points = list(drawn(study))

    assert points[0] == identified(point)
    assert len(set(points)) == POINTS["plain"]


@pytest.mark.slow
def test_two_workers_at_once_draw_nothing_twice() -> None:
    """They take turns at drawing."""
    plans = [planned(SPACES[name], "tpe", name=name) for name in ("plain", "factors", "conditional")]
    for plan in plans:
        begun(plan)
        (plan.folder / "sweep.json").write_text(plan.as_text())
    folders = [str(plan.folder) for plan in plans]
    assert not subprocess.run([sys.executable, "-c", WORKERS, *folders], timeout=240, check=False).returncode
    for plan in plans:
        study = Study(plan)
        points = [identified(each.last.user_attrs["point"]) for each in study.jobs().values()]
        assert len(points) == len(set(points)) == plan.trials
