"""`nox` lints, checks the types and runs the tests, all in the environment that nox itself runs in.

torch is gigabytes: a second copy for each session would take minutes and buy nothing.
"""

import sys

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "typecheck", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    _run(session, "ruff", "check", ".")
    _run(session, "ruff", "format", "--check", ".")


@nox.session
def typecheck(session: nox.Session) -> None:
    _run(session, "mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; `nox -s tests -- -m "not slow"` leaves out the slow ones."""
    _run(
        session, "pytest", "-n", "2", "--dist", "worksteal", "--cov", "--cov-report=term:skip-covered", *session.posargs
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the lab on this machine; `nox -s bench -- --quick` in two minutes."""
    _run(session, "mnistlab", "bench", *session.posargs)


@nox.session
def catalogue(session: nox.Session) -> None:
    """Write down the classes that there are and their options, for help and completion; a test tells when it is due."""
    code = "from mnistlab.catalogue.store import *; write_catalogue(SHIPPED, current_identity(), new_catalogue())"
    session.run(sys.executable, "-c", code)


def _run(session: nox.Session, module: str, *arguments: str) -> None:
    """Run a tool of this environment, wherever the shell's path leads."""
    session.run(sys.executable, "-m", module, *arguments)
