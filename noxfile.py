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
    _run(session, "pytest", "--cov", "--cov-report=term:skip-covered", *session.posargs)


def _run(session: nox.Session, module: str, *arguments: str) -> None:
    """Run a tool of this environment, wherever the shell's path leads."""
    session.run(sys.executable, "-m", module, *arguments)
