"""`nox` lints, checks the types and runs the tests, all in the environment that nox itself runs in.

torch is gigabytes: a second copy for each session would take minutes and buy nothing.
"""

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "typecheck", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    session.run("ruff", "check", ".", external=True)
    session.run("ruff", "format", "--check", ".", external=True)


@nox.session
def typecheck(session: nox.Session) -> None:
    session.run("mypy", external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; `nox -s tests -- -m "not slow"` leaves out the slow ones."""
    session.run("pytest", "--cov", "--cov-report=term:skip-covered", *session.posargs, external=True)
