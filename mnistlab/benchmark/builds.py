"""Builds of the lab in processes of their own: this one, and another checkout's beside it."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mnistlab.benchmark.checkouts import HERE, PACKAGE, Checkout, checked_out
from mnistlab.benchmark.processes import Ended, ended


@dataclass(frozen=True)
class Build:
    """The lab of a checkout."""

    name: str  # in the table
    environment: Mapping[str, str]  # of its processes
    scratch: Path  # a folder for what it leaves

    def python(self, *arguments: str, code: int = 0) -> Ended:
        """Run Python with that lab to its end.

        Args:
            arguments: What is typed after `python`.
            code: The exit code that it must have.

        Raises:
            RunFailedError: If it has another.
        """
        return ended([sys.executable, *arguments], code, self.environment)

    def run(self, *arguments: str, code: int = 0) -> Ended:
        """Run a command of the lab to its end; otherwise as `python`."""
        return self.python("-m", PACKAGE, *arguments, code=code)


@contextmanager
def builds(other: Checkout | None) -> Iterator[list[Build]]:
    """This build, and the other where there is one, as long as they are needed.

    Raises:
        LabError: If the other cannot be checked out.
    """
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="mnistlab-bench-")))
        folders = {"this build": HERE}
        if other:
            folders[other.name] = stack.enter_context(checked_out(other, scratch))
        variables = {**os.environ, "PYTHONSAFEPATH": "1"}  # or a lab in the current folder would be run
        if sys.dont_write_bytecode or not all(os.access(folder / PACKAGE, os.W_OK) for folder in folders.values()):
            variables.pop("PYTHONDONTWRITEBYTECODE", None)
            variables["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
        made = []
        for number, (name, folder) in enumerate(folders.items()):
            path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
            own = scratch / f"{number}"
            own.mkdir()
            made.append(Build(name, {**variables, "PYTHONPATH": path}, own))
        yield made
