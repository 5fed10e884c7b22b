#!/usr/bin/env bash
# Guess: mlxtend's proportion_difference of 99 % and 90 % right on 1,000 pictures each gives a tiny p-value, in any order.
# What happens: it gives the lower tail, the chance of a smaller difference: 1 for the better net first, and nearly 0 for
# the better net second, so p < 0.05 holds for the loser.
# Whom it hurts: whoever tests a new net against an old one with the new one first: no gain is ever significant.
set -euo pipefail
source "$(dirname "$0")/packages" numpy==2.4.6 mlxtend==0.25.0

run <<'PYTHON'
from mlxtend.evaluate import proportion_difference

for first, second in ((0.99, 0.90), (0.90, 0.99), (0.95, 0.95)):
    z, p = proportion_difference(first, second, n_1=1000, n_2=1000)
    print(first, second, f"z = {z:.3f}, p = {p:.6f}")
PYTHON
expect <<'SEEN'
0.99 0.9 z = 9.005, p = 1.000000
0.9 0.99 z = -9.005, p = 0.000000
0.95 0.95 z = 0.000, p = 0.500000
SEEN
