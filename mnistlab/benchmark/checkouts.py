"""Another checkout of the lab: a folder, or a revision of the repository that this one lies in."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mnistlab.errors import LabError

HERE = Path(__file__).parent.parent.parent
PACKAGE = "mnistlab"


@dataclass(frozen=True)
class Checkout:
    """What `--against` says."""

    name: str  # as it was typed
    folder: Path | None  # that holds the package; a revision has none yet
    commit: str = ""  # of a revision


def find_checkout(typed: str) -> Checkout:
    """The checkout in a folder, or that of a revision.

    Raises:
        LabError: If it is neither.
    """
    folder = Path(typed).absolute()
    if (folder / PACKAGE / "__init__.py").is_file():
        return Checkout(typed, folder)
    neither = f"--against={typed}: there is no folder {typed} with a {PACKAGE}/ in it, and"
    if _git("ls-files", "--error-unmatch", PACKAGE) is None:
        raise LabError(f"{neither} {HERE} is no git checkout, which would have revisions.")
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{typed}^{{commit}}")
    if commit is None:
        raise LabError(f"{neither} git knows no such revision of {HERE}.")
    if _git("cat-file", "-e", f"{commit}:./{PACKAGE}/__init__.py") is None:
        raise LabError(f"--against={typed}: that revision has no {PACKAGE}/ in it.")
    return Checkout(typed, None, commit)


@contextmanager
def checked_out(checkout: Checkout, scratch: Path) -> Iterator[Path]:
    """The folder that holds its package: a revision is checked out in `scratch`, and goes again.

    Raises:
        LabError: If git cannot check it out.
    """
    if checkout.folder:
        yield checkout.folder
        return
    tree = scratch / "checkout"
    try:
        if _git("worktree", "add", "--quiet", "--detach", str(tree), checkout.commit) is None:
            raise LabError(f"--against={checkout.name}: git could not check it out in {tree}.")
        yield tree / (_git("rev-parse", "--show-prefix") or "")
    finally:
        _git("worktree", "remove", "--force", "--force", str(tree))  # also one that is half made


def _git(*command: str) -> str | None:
    """What git says in the folder of this build; None where it refuses."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            ["git", "-C", str(HERE), *command],  # noqa: S607 - the git of the user
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
