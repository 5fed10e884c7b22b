"""One command within this process, which belongs to somebody else: nothing that it sets stays, and nothing ends it."""

import io
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from mnistlab.calling.kept_settings import settings_kept
from mnistlab.commands.declaring.dispatch import command_of
from mnistlab.errors import TOO_LITTLE_MEMORY, LabError, is_out_of_memory, visible
from mnistlab.runs.folder import continues_from, is_run
from mnistlab.system.handing import handed
from mnistlab.system.interruptions import forget_interruptions, interruptions_noted, was_interrupted
from mnistlab.system.purpose import Purpose
from mnistlab.text.addresses import kept_out
from mnistlab.text.values import short_path

_INTERRUPTED = 130

_alone = RLock()  # what a command sets is of its whole process: in another thread the next one waits


class Interrupted(KeyboardInterrupt):
    """A command was interrupted.

    Attributes:
        folder: The run that it has left: `lab.Run.of(folder).resume()` goes on with it,
            as far as it has kept a checkpoint; None where there is none.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None:
            said = "interrupted before anything was kept."
        elif continues_from(folder):
            said = f"interrupted. Go on with:\n  lab.Run.of({short_path(folder)!r}).resume()"
        else:
            said = "interrupted. Nothing was kept to go on with."
        super().__init__(said)
        self.folder = folder

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Done:
    """What has come of a command."""

    code: int  # that of the shell: of `judge` the verdict
    text: str  # what it has printed, where it was to be silent
    made: Sequence[object]  # what it has handed over


def perform(words: Sequence[str], *, silent: bool = False) -> Done:
    """Run `mnistlab words` here, as the shell would, one command at a time: another thread waits for its turn.

    Args:
        words: What would be typed.
        silent: Whether what it prints is given back instead.

    Raises:
        LabError: With the text that the shell would show.
        Interrupted: If it was interrupted.
    """
    out = io.StringIO()
    with _alone, handed() as made:
        try:
            with settings_kept() as torch_comes, redirect_stdout(out) if silent else nullcontext():
                Purpose.begun = time.monotonic()
                forget_interruptions()
                with interruptions_noted(signal.default_int_handler):
                    command = command_of([kept_out(word, typed=True) for word in words])
                    torch_comes()
                    code = command()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - it is raised below, without its way
            told = _told(error, made)
        else:
            return Done(code, out.getvalue(), made)
    raise told.with_traceback(None) from None


@contextmanager
def told_here() -> Iterator[None]:
    """Let a mistake be told without the way that it has come; no command runs meanwhile."""
    try:
        with _alone:
            yield
    except LabError as error:
        told = error
    else:
        return
    raise told.with_traceback(None) from None


def _told(error: BaseException, made: Sequence[object]) -> BaseException:
    """What the caller hears of an error."""
    interrupted = isinstance(error, LabError) and error.exit_code == _INTERRUPTED
    if interrupted or was_interrupted() or isinstance(error, KeyboardInterrupt):
        return Interrupted(run_in(made))
    if isinstance(error, LabError):
        error.args = ("\n".join(map(visible, str(error).splitlines())),)
        error.__cause__ = error.__context__ = None
        return error
    if is_out_of_memory(error):
        return LabError(f"{TOO_LITTLE_MEMORY} ({error}).")
    return error


def run_in(made: Sequence[object]) -> Path | None:
    """The run among what a command has handed over, wherever one stands later; None where none was begun."""
    return next((each.absolute() for each in reversed(made) if isinstance(each, Path) and is_run(each)), None)
