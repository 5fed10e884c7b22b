"""What was probably meant by a word after a command that takes no such word."""

from collections.abc import Collection, Mapping, Sequence

from mnistlab.options.elsewhere import asked_elsewhere, done_elsewhere
from mnistlab.text.nearest import nearest, said


def meant_option(command: str, word: str, options: Mapping[str, Sequence[str]], commands: Collection[str] = ()) -> str:
    """' Did you mean --format=latex?', or nothing where nothing is near.

    Args:
        command: What the word stands after.
        word: An option that it does not have, without dashes.
        options: Those that it has, each with the words that it takes.
        commands: What else it can do: a word may be meant for one of these.
    """
    word = word.replace("-", "_")
    own = [f"mnistlab {command} {each}" for each in commands if each == word]
    values = [f"--{name}={word}" for name, words in options.items() if word in words]
    asked = [f"--{each}" for each in asked_elsewhere(word) if each.partition("=")[0] in options]
    done = [f"mnistlab {each}" for each in done_elsewhere(word) if commands and each.startswith(f"{command} ")]
    near = [f"--{each}" for each in nearest(word, options)]
    return said([*own, *values] or [*asked, *done] or near or _near_commands(command, word, commands))


def meant_name(
    command: str,
    word: str,
    options: Mapping[str, Sequence[str]],
    commands: Collection[str] = (),
    others: Collection[str] = (),
) -> str:
    """The same of a name after a command that takes none.

    Args:
        command: What the name stands after.
        word: The name.
        options: The options of the command, each with the words that it takes.
        commands: What else it can do.
        others: All commands.
    """
    done = done_elsewhere(word) if commands else []
    own = [f"--{name}=..." for name in options if name == word]
    own += [f"--{name}={word}" for name, words in options.items() if word in words]
    exact = [*own, *(f"mnistlab {each}" for each in [*done, *([word] if word in others else [])])]
    if exact or commands:  # a name may be that of a run, which is like any word
        return said(exact or _near_commands(command, word, commands))
    return said([f"--{name}={each}" for name, words in options.items() for each in nearest(word, words)])


def meant_command(word: str, commands: Mapping[str, Collection[str]]) -> str:
    """The same of a command that is none.

    Args:
        word: What was typed in its place.
        commands: All commands, each with what else it can do.
    """
    own = [f"{name} {word}" for name, also in commands.items() if word in also]
    return said([f"mnistlab {each}" for each in own or done_elsewhere(word)] or nearest(word, commands))


def _near_commands(command: str, word: str, commands: Collection[str]) -> list[str]:
    return [f"mnistlab {command} {each}" for each in nearest(word, commands)]
