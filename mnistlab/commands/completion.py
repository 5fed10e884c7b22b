"""Shell completion: `mnistlab completion` installs it, and is what the shells ask when TAB is pressed."""

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from mnistlab.catalogue import load_catalogue
from mnistlab.commands.help.candidates import offer
from mnistlab.commands.help.shells import SHELLS, Shell
from mnistlab.commands.table import COMMANDS
from mnistlab.errors import LabError
from mnistlab.options.arguments import read_arguments
from mnistlab.system.files import telling, write_text
from mnistlab.text.nearest import suggestion

_HELP = """\
Press TAB for commands, options, classes, values, presets and files.

Usage: mnistlab completion [bash|zsh|fish] [--install|--uninstall]

  mnistlab completion --install    for the shell that you use
  mnistlab completion --uninstall  take it away again
  mnistlab completion zsh          print the script, to put it where you like

Options are completed level by level: --mo TAB, --model. TAB,
--model.optimizer=S TAB. What is offered after --model. belongs to the class
that is chosen on the line."""

_MARK = "# mnistlab completion"


def completion(command: str, arguments: Sequence[str]) -> int:
    """Print a script, install it, take it away, or answer one.

    Raises:
        LabError: If there is no such shell, or a file cannot be written.
    """
    if arguments[:1] == ["--complete"]:
        _answer(arguments[1:])
        return 0
    read = read_arguments(command, arguments, switches=("install", "uninstall"))
    if len(read.names) > 1:
        raise LabError(f"{read.names[1]}: {command} takes one shell at a time.")
    if "help" in read.switches or not (read.names or read.switches):
        print(_HELP)
        return 0
    shell = _shell(read.names[0] if read.names else None)
    if {"install", "uninstall"} <= read.switches:
        raise LabError("--install and --uninstall exclude each other.")
    if not read.switches:
        print(shell.script, end="")
    elif "install" in read.switches:
        _install(shell, os.environ)
    else:
        _uninstall(shell, os.environ)
    return 0


def _answer(passed: Sequence[str]) -> None:
    """Print what a script asks for; where anything at all goes wrong, nothing, since somebody is typing."""
    with suppress(Exception):
        name, *rest = passed
        shell = SHELLS[name]
        summaries = {name: entry.summary for name, entry in COMMANDS.items()}
        training = [name for name, entry in COMMANDS.items() if entry.trains]
        lines = shell.answer(rest, offer(load_catalogue, summaries, training, shell.words(rest)))
        print("\n".join(lines))


def _shell(name: str | None) -> Shell:
    wanted = name or Path(os.environ.get("SHELL", "")).name
    if wanted in SHELLS:
        return SHELLS[wanted]
    if name is None:
        said = (
            f"$SHELL names {wanted}, for which there is no completion" if wanted else "$SHELL does not say which it is"
        )
        raise LabError(f"for which shell? {said}. Name bash, zsh or fish: mnistlab completion bash --install")
    there_are = f"There are {', '.join(SHELLS)}."
    raise LabError(f"{name}: there is no completion for such a shell.{suggestion(name, SHELLS)} {there_are}")


def _install(shell: Shell, environment: Mapping[str, str]) -> None:
    kept, startup = shell.kept(environment), shell.startup(environment)
    with _writing(kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, shell.script)
    print(f"Wrote {kept}.")
    if startup is not None:
        _add_line(startup, f"[ -r {shlex.quote(str(kept))} ] && . {shlex.quote(str(kept))} {_MARK}")
    load_catalogue()  # so that the first TAB need not wait for it
    print(f"Open a new {shell.name}, and press TAB. To undo: mnistlab completion {shell.name} --uninstall")


def _uninstall(shell: Shell, environment: Mapping[str, str]) -> None:
    kept, startup = shell.kept(environment), shell.startup(environment)
    lines = _lines(startup) if startup else []
    others = _without_ours(lines)
    if others != lines and startup is not None:
        with _writing(startup):
            write_text(startup, "".join(others))
        print(f"Took the line out of {startup}.")
    if kept.is_file():
        with _writing(kept):
            kept.unlink()
        print(f"Removed {kept}.")
    elif others == lines:
        print(f"There is no completion of mnistlab for {shell.name}.")


def _add_line(startup: Path, line: str) -> None:
    """Have new shells load the script; said once only, however often it is installed."""
    lines = _lines(startup)
    if f"{line}\n" in lines:
        print(f"{startup} loads it already.")
        return
    others = _without_ours(lines)
    gap = "\n" if others and not others[-1].endswith("\n") else ""
    with _writing(startup):
        startup.parent.mkdir(parents=True, exist_ok=True)
        write_text(startup, f"{''.join(others)}{gap}{line}\n")
    print(f"Added a line to {startup} that loads it.")


def _lines(path: Path) -> list[str]:
    with _writing(path):
        return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(True) if path.exists() else []


def _without_ours(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not line.rstrip().endswith(_MARK)]


def _writing(path: Path) -> AbstractContextManager[None]:
    return telling(path, "`mnistlab completion bash` prints the script.")
