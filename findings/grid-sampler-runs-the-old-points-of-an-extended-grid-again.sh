#!/usr/bin/env bash
# Guess: one more value in a grid that is done costs the trials with that value.
# What happens: points are known by their number in one exact grid, so with another value every old point runs again.
# Whom it hurts: whoever extends a search of days by one column.
set -euo pipefail
source "$(dirname "$0")/packages" optuna==5.0.0

run <<'PYTHON'
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
storage, tried = optuna.storages.InMemoryStorage(), []


def objective(trial):
    tried.append((trial.suggest_categorical("width", [128, 256, 512]), trial.suggest_categorical("layers", [2, 4])))
    return 0.0


for widths in ([128, 256], [128, 256, 512]):
    sampler = optuna.samplers.GridSampler({"width": widths, "layers": [2, 4]}, seed=0)
    study = optuna.create_study(storage=storage, study_name="grid", sampler=sampler, load_if_exists=True)
    study.optimize(objective)
    print(len(widths) * 2, "points,", len(tried), "trials so far,", len(set(tried)), "of them different")
PYTHON
expect <<'SEEN'
4 points, 4 trials so far, 4 of them different
6 points, 10 trials so far, 6 of them different
SEEN
