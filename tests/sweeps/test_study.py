"""What is known of a sweep's jobs, whatever becomes of the processes."""

import subprocess
import sys
from pathlib import Path

import pytest
from optuna.trial import Trial

from mnistlab.sections.parts import prepare
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.plan import Plan
from mnistlab.sweeps.study import Study
from mnistlab.system.processes import that_process, this_process


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The state of a sweep of one trial."""
    prepare()
    (tmp_path / "some").mkdir()
    plan = Plan(
        kind="sweep",
        name="some",
        root=str(tmp_path),
        arguments=["--model=TinyModel", "--data=SyntheticDigits", "--model.hidden_dim=choice:16,32"],
        content="",
        storage="",
        sampler="random",
        pruner="none",
        metric="val/acc",
        epochs=1,
        trials=1,
        seeds=[0],
        threads=1,
        keep=1,
        sampler_seed=0,
        identity={},
    )
    made = Study(plan)
    made.add(plan.jobs())
    return made


def worker() -> tuple[subprocess.Popen[bytes], dict[str, object]]:
    """A process that waits, and what is said of it."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    return process, that_process(process.pid)


def end(process: subprocess.Popen[bytes]) -> None:
    """Let a worker die."""
    process.kill()
    process.communicate()


def broken_off(study: Study, **said: object) -> tuple[Trial, dict[str, object]]:
    """A trial whose worker has died, with what the trial says besides; and what is said of the worker."""
    process, identity = worker()
    trial = study.claim()
    assert trial is not None
    for name, value in {"process": identity, **said}.items():
        trial.set_user_attr(name, value)
    end(process)
    return trial, identity


@pytest.mark.parametrize("given_up_first", [False, True])
def test_a_death_counts_whoever_gives_the_trial_up_first(study: Study, given_up_first: bool) -> None:
    """Another worker may be faster than the one who looks after them; after three deaths the trial is to blame."""
    for _ in range(3):
        _, identity = broken_off(study)
        if given_up_first:
            study.free()

        assert study.note_crash(identity)
        study.free()

    (job,) = study.jobs().values()
    assert job.state is State.FAILED
    assert job.error == "its process has died 3 times"


def test_a_launcher_that_lives_says_first_what_a_worker_died_of(study: Study) -> None:
    """Else a job that kills its worker would begin once more before its last death is counted; 4 of 3 were seen."""
    launcher, known = worker()
    trial, _ = broken_off(study, launcher=known)
    study.free()

    assert study.is_ours(trial)
    end(launcher)
    study.free()
    (job,) = study.jobs().values()
    assert job.state is State.WAITING


def test_a_launcher_frees_what_its_own_worker_had(study: Study) -> None:
    """It has said what the worker died of."""
    _, identity = broken_off(study, launcher=this_process())
    assert study.note_crash(identity)
    study.free()

    (job,) = study.jobs().values()
    assert job.state is State.WAITING


def test_a_death_without_a_trial_is_no_trials_fault(study: Study) -> None:
    """A worker that has given its trial back, or never had one, was not killed by it."""
    _, identity = broken_off(study, interrupted=True)
    study.free()
    other, idle = worker()
    end(other)

    assert not study.note_crash(identity)
    assert not study.note_crash(idle)
    (job,) = study.jobs().values()
    assert job.state is State.WAITING
