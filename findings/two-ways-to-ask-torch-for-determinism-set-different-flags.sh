#!/usr/bin/env bash
# Guess: torch.set_deterministic_debug_mode("error") and torch.use_deterministic_algorithms(True) are two names of one
# setting: torch calls the first an alternative interface for the second, and are_deterministic_algorithms_enabled says
# True after either.
# What happens: only the second one sets the compiler's own flag, torch._inductor.config.deterministic, and to set it
# imports the whole compiler (torch._inductor, torch._dynamo, sympy), also where nothing is ever compiled: nine hundred
# modules for a flag. After the first one compiled code goes on without that flag, and nothing is imported. Turning the
# mode off again by the first leaves the compiler's flag on.
# Whom it hurts: whoever wonders why a program starts twice as slowly once it asks for determinism; and whoever sets the
# mode by the one call, switches it off by the other, and compiles.
set -euo pipefail
source "$(dirname "$0")/packages" torch==2.14.1 numpy==2.4.6

run <<'PYTHON'
import sys

import torch


def told(what):
    compiler = sys.modules.get("torch._inductor.config")
    flag = "not imported" if compiler is None else f"deterministic={compiler.deterministic}"
    print(f"{what:<36} enabled={torch.are_deterministic_algorithms_enabled()}, compiler: {flag}")


told("import torch")
torch.set_deterministic_debug_mode("error")
told("set_deterministic_debug_mode(error)")
print("sympy imported:", "sympy" in sys.modules)
torch.use_deterministic_algorithms(True)
told("use_deterministic_algorithms(True)")
print("sympy imported:", "sympy" in sys.modules)
torch.set_deterministic_debug_mode("default")
told("set_deterministic_debug_mode(default)")
PYTHON
expect <<'SEEN'
import torch                         enabled=False, compiler: not imported
set_deterministic_debug_mode(error)  enabled=True, compiler: not imported
sympy imported: False
use_deterministic_algorithms(True)   enabled=True, compiler: deterministic=True
sympy imported: True
set_deterministic_debug_mode(default) enabled=False, compiler: deterministic=True
SEEN
