#!/usr/bin/env bash
# Guess: a seeded sampler and a deterministic pruner stop the same trials every time.
# What happens: HyperbandPruner puts a trial into a bracket by a checksum of the study's name and the trial's number,
# so another name stops other trials. A study without a name gets a random one: then no two runs are alike.
# Whom it hurts: whoever repeats a search "with the same seed", or renames a study and compares.
set -euo pipefail
source "$(dirname "$0")/packages" optuna==5.0.0

run <<'PYTHON'
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    value = trial.suggest_float("x", 0, 1)
    for epoch in range(1, 10):
        trial.report(value * epoch, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value


def states(name):
    study = optuna.create_study(
        study_name=name,
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9, reduction_factor=3),
    )
    study.optimize(objective, n_trials=12)
    return "".join(trial.state.name[0] for trial in study.trials)


for name in ("a", "b", "c", "a"):
    print(name, states(name))
print("unnamed: one outcome in 8 runs?", len({states(None) for _ in range(8)}) == 1)
PYTHON
expect <<'SEEN'
a CCCPPPPCCPCP
b CCCPPCCCCPCP
c CCCPPCPCCPPP
a CCCPPPPCCPCP
unnamed: one outcome in 8 runs? False
SEEN
