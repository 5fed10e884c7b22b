"""`python -m mnistlab.catalogue` prints the catalogue as JSON, made in a process that has imported nothing else."""

import json
import sys

from mnistlab.catalogue.compile import compile_catalogue

if __name__ == "__main__":
    sys.stdout.write(json.dumps(compile_catalogue().as_dict(), separators=(",", ":")))
