"""The page of help of a command that is about its own options, from what it declares."""

from collections.abc import Iterator, Sequence

from mnistlab.commands.declaring.model import Command
from mnistlab.options.arguments import Option
from mnistlab.text.layout import fitted, paragraph, screen_width

_MOST_USES = 3  # of what else a command can do, each with its options


def show_usage(name: str, command: Command) -> int:
    """Print the page: how it is typed, what it does, its options in columns, and what else there is to say."""
    width = screen_width()
    uses = [(name, command), *((f"{name} {word}", each) for word, each in command.commands.items())]
    rows = list(_rows(command))
    column = max((len(left) for left, _ in rows), default=0) + 4
    if len(command.commands) > _MOST_USES:
        uses = [(name, command), (name, Command("", "", usage=_in_short(command)))]
    lines = [line for number, (what, each) in enumerate(uses) for line in _usage(what, each, width, first=not number)]
    lines += ["", *fitted(command.about).splitlines(), ""]
    for left, text in rows:
        lines += paragraph(text, width, column, f"  {left:<{column - 2}}")
    if command.like:
        like = f"mnistlab {command.like} --help"
        lines += paragraph(like, width, column, f"  {'the rest':<{column - 2}}")
    notes = command.notes() if callable(command.notes) else command.notes
    print("\n".join([*lines, *(["", *fitted(notes).splitlines()] if notes else [])]))
    return 0


def _usage(name: str, command: Command, width: int, *, first: bool) -> list[str]:
    opening = f"{'Usage:' if first else '      '} mnistlab {name} "
    return paragraph(command.usage or " ".join(_parts(command)), width, len(opening), opening) or [opening.rstrip()]


def _in_short(command: Command) -> str:
    """What else it can do, where that is much: `show ID | diff ID ID`."""
    uses = {word: [part for part in _parts(each) if "--" not in part] for word, each in command.commands.items()}
    return " | ".join(" ".join([word, *parts]) for word, parts in uses.items())


def _parts(command: Command) -> Iterator[str]:
    """What may stand after a command: `RUN [--json] [--trust=PACKAGE]`."""
    for option in command.names:
        if option.takes or command.needs:
            yield from [option.takes or option.name] * (command.needs or 1)
    yield from dict.fromkeys(
        f"[{option.under}...]" if option.under else f"[--{option.name}{f'={option.takes}' if option.takes else ''}]"
        for option in command.own
    )


def _rows(command: Command) -> Iterator[tuple[str, str]]:
    """The names and options, each with what is said of it."""
    for option in command.names:
        yield option.name, _said(option)
    for option in command.own:
        if not option.under:
            yield f"--{option.name}", _said(option)
        elif option is next(each for each in command.own if each.under == option.under):
            among = [f"--{each.name}" for each in command.own if each.under == option.under]
            yield option.under, _either(among)


def _said(option: Option) -> str:
    """What an option is for, its words, and what counts without it."""
    listed = option.takes and (option.wanted or not isinstance(option.values, str))  # elsewhere there are many
    words = option.words if listed and len(option.words) > 1 else ()
    choices = [f"{word} (default)" if word == option.default else word for word in words]
    text = option.text.removesuffix(".") + (f": {_either(choices)}" if choices else "")
    return text if not option.default or option.default in words else f"{text} (default {option.default})"


def _either(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
