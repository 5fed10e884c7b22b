#!/usr/bin/env bash
# Guess: McNemar's test of two nets that are right and wrong on the very same pictures gives p = 1.
# What happens: with the continuity correction, which is the default, (|b - c| - 1)^2 / (b + c) is 1 / 0: mlxtend and
# statsmodels both say p = 0, the clearest difference there is. Without the correction it is nan. The exact test is right.
# Whom it hurts: whoever compares a net with its own export, or two runs that came out alike, in a loop over p < 0.05.
set -euo pipefail
source "$(dirname "$0")/packages" numpy==2.4.6 mlxtend==0.25.0 statsmodels==0.15.0

run <<'PYTHON'
import numpy as np
from mlxtend.evaluate import mcnemar
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_statsmodels

same = np.array([[950, 0], [0, 50]])
print("mlxtend", float(mcnemar(same)[1]), float(mcnemar(same, corrected=False)[1]), float(mcnemar(same, exact=True)[1]))
print("statsmodels", *(float(mcnemar_of_statsmodels(same, exact=exact).pvalue) for exact in (False, True)))
PYTHON
expect <<'SEEN'
mlxtend 0.0 nan 1.0
statsmodels 0.0 1.0
SEEN
