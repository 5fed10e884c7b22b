"""Shell completion: it is installed here, and answers the shells when TAB is pressed."""

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from mnistlab.catalogue import load_catalogue
from mnistlab.commands.declaring.model import find_command
from mnistlab.commands.help.candidates import offer
from mnistlab.commands.help.shells import SHELLS, Shell
from mnistlab.commands.help.usage import show_usage
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments
from mnistlab.system.files import telling, write_text
from mnistlab.text.nearest import suggestion

_MARK = "# mnistlab completion"


def completion(asked: Arguments) -> int:
    """Print a script, install it, or take it away; the exit code.

    Raises:
        LabError: If there is no such shell, or a file cannot be written.
    """
    if len(asked.names) > 1:
        raise LabError(f"{asked.names[1]}: {asked.command} takes one shell at a time.")
    declared = find_command(asked.command)
    if declared and not (asked.names or asked.switches):
        return show_usage(asked.command, declared)
    shell = _shell(asked.names[0] if asked.names else None)
    if {"install", "uninstall"} <= asked.switches:
        raise LabError("--install and --uninstall exclude each other.")
    if not asked.switches:
        print(shell.script, end="")
    elif "install" in asked.switches:
        _install(shell, os.environ)
    else:
        _uninstall(shell, os.environ)
    return 0


def answer(passed: Sequence[str]) -> int:
    """Print what a script asks for; where anything at all goes wrong, nothing, since somebody is typing."""
    with suppress(Exception):
        name, *rest = passed
        shell = SHELLS[name]
        print("\n".join(shell.answer(rest, offer(shell.words(rest)))))
    return 0


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
