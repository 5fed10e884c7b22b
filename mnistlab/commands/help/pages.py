"""The pages of help: a command's on one screen, a class's, a single option's, everything."""

from collections.abc import Iterator, Sequence

from mnistlab.catalogue import ClassEntry, OptionEntry
from mnistlab.catalogue.present import Present
from mnistlab.catalogue.used import FOLLOWS, MOST_OWN, SHARED, SHORT, TEXTS, WORDS
from mnistlab.commands.declaring.model import Command
from mnistlab.options.arguments import STEERING, Option, steering
from mnistlab.options.written import Key
from mnistlab.text.layout import paragraph, shortened
from mnistlab.text.values import shown
from mnistlab.text.words import first_sentence

_TABLES = {"model": "models", "data": "datasets", "loss": "losses", "optimizer": "optimizers", "scheduler": "schedules"}
"""The command that lists a kind of class."""

_MORE = "More: --help=model, =data, =trainer, =run, =all, or --model.optimizer.help=SGD"
_FOREIGN = ("torch.", "lightning.")
_WIDEST_NAME = 38
_TRUE = (True, "true", "True")
_MEASURING = ("validate", "test", "predict")
_STEERING = {option.name: option for option in STEERING}


def command_page(
    name: str, command: Command, present: Present, presets: Sequence[str], width: int, height: int
) -> list[str]:
    """The options of a command that people use, with what counts now.

    Args:
        name: Of the command.
        command: The command.
        present: What is chosen and written.
        presets: The names of the presets.
        width: Of the page.
        height: Of the screen; where it has room, the groups stand apart.
    """
    unknown = _in_checkpoint(name, present)
    groups = [
        [_row(name, present, option, presets, unknown) for pattern in group for option in _matching(present, pattern)]
        for group in command.shows
    ]
    own = [] if callable(command.options) else command.options
    groups += [[(own_option(option), [option.text]) for option in own]] if own else []
    column = min(max(len(left) for group in groups for left, _ in group), _WIDEST_NAME) + 4
    head, foot = [f"mnistlab {name}: {command.summary}."], [_MORE]
    if unknown:
        foot = ["What stands as =... is what the checkpoint says.", *foot]
    parts = [*([_short_line(left, texts, column, width) for left, texts in group] for group in groups), foot]
    has_room = len(head) + sum(1 + len(part) for part in parts) <= height
    gap = [""] if has_room else []
    return [*head, *(line for part in parts for line in (*gap, *part))]


def own_option(option: Option) -> str:
    """An option of the command itself, with what counts without it where it takes something."""
    return f"--{option.name}={option.default or option.takes}" if option.takes else f"--{option.name}"


def class_page(present: Present, key: Key, width: int, *, full: bool) -> list[str]:
    """What the class at `key` takes, with what counts now, and what could be chosen in its place.

    Args:
        present: What is chosen and written.
        key: Where the class stands: `("model", "optimizer")`.
        width: Of the page.
        full: Whether to show whole texts of other packages too.
    """
    entry, lines = present.place(key).chosen, []
    if entry is not None:
        lines += _head(entry, width)
        lines += _options(present, key, entry.options, width, full=full or not _is_foreign(entry))
    kind = present.kind(key)
    if kind is None:
        return lines
    name = ".".join((*key, "NAME") if present.takes_names(present.place(key)) else key)
    other = " A list is taken too, and --" + name + "+=CLASS adds to it." if kind.many else ""
    null = ", or null for none" if kind.optional else ""
    option = present.place(key).option
    if entry is None and option is not None:
        lines += [f"--{'.'.join(key)}={shown(present.place(key).value)}", *paragraph(option.text, width, 6)]
    choices = option.choices if option and kind.plain else ()
    words = [*WORDS.get(key[-1], ()), *(choice for choice in choices if choice != "null")]
    plain = f"{', '.join(words)}, or a class: " if words else ""
    lines += [
        *([""] if lines else []),
        *paragraph(f"--{name}=CLASS takes {plain}{', '.join(kind.offered())}{null}.{other}", width),
    ]
    return [*lines, *paragraph(f"--{name}.help=CLASS shows what one takes.", width)]


def option_page(present: Present, key: Key, option: OptionEntry, width: int) -> list[str]:
    """One option with all that is known of it."""
    return _options(present, key[:-1], [option], width, full=True)


def steering_page(name: str) -> list[str]:
    """An option that configures nothing."""
    option = _STEERING[name]
    return [f"  --{name}{f'={option.takes}' if option.takes else ''}", f"      {option.text}."]


def whole_page(command: str, present: Present, width: int) -> list[str]:
    """Every option of every section, and of every class that is chosen now."""
    lines = [line for name in steering(command) for line in steering_page(name)]
    lines += _options(present, (), present.catalogue.top, width, full=True)
    for key in option_keys(present):
        if present.place(key).chosen is not None:
            lines += ["", "", *class_page(present, key, width, full=True)]
    return lines


def option_keys(present: Present, above: Key = ()) -> Iterator[Key]:
    """The keys of all sections and options, each before those below it."""
    owner = present.place(above).chosen
    tops = (option.name for option in present.catalogue.top if option.kind)
    sections = () if above else (*present.catalogue.sections, *tops)
    for name in [option.name for option in owner.options] if owner else sections:
        yield (*above, name)
        yield from option_keys(present, (*above, name))


def _head(entry: ClassEntry, width: int) -> list[str]:
    lines = paragraph(f"{entry.name}: {entry.summary}" if entry.summary else entry.name, width)
    if entry.source:
        lines += paragraph(f"Source: {entry.source}", width)
    if entry.problem:
        lines += paragraph(f"Not for the models here: {entry.problem}", width)
    return [*lines, f"Class: {entry.path}", ""]


def _options(present: Present, above: Key, options: Sequence[OptionEntry], width: int, *, full: bool) -> list[str]:
    """Options with what counts now, their types in words, and what they are for."""
    lefts = [_with_value(present, (*above, option.name), option) for option in options]
    column = min(max(map(len, lefts), default=0), _WIDEST_NAME) + 2
    lines: list[str] = []
    for left, option in zip(lefts, options, strict=True):
        kind = _takes(present, (*above, option.name), option)
        line = f"{left:<{max(column, len(left) + 2)}}{kind}"
        lines += [line] if len(line) <= width else [left, *paragraph(f"Takes {kind}.", width, 6)]
        lines += paragraph(option.text if full else first_sentence(option.text), width, 6)
    return lines


def _takes(present: Present, key: Key, option: OptionEntry) -> str:
    """What values an option takes, in words."""
    kind = present.kind(key)
    if kind is None:
        return option.type
    return f"{'text or ' if kind.plain else ''}a class: --{'.'.join(key)}.help"


def _with_value(present: Present, key: Key, option: OptionEntry) -> str:
    name, value = ".".join(key), present.place(key).value
    if name in FOLLOWS:
        return f"  --{name}  ({FOLLOWS[name]})"
    return f"  --{name}{'  (required)' if option.required and value is None else f'={shown(value)}'}"


def _matching(present: Present, pattern: str) -> list[str]:
    """The options of a name of `USED`: itself if it is there, or those of the class itself."""
    key = tuple(pattern.split("."))
    if key[-1] != "*":
        return [pattern] if pattern in _STEERING or pattern in present.places else []
    owner = present.place(key[:-1]).chosen
    own: list[str] = []
    for option in owner.options if owner else ():
        if option.kind or option.name in SHARED or len(own) == MOST_OWN:
            break
        own.append(".".join((*key[:-1], option.name)))
    return own


def _in_checkpoint(command: str, present: Present) -> Sequence[str]:
    """The sections whose values are known only to a checkpoint."""
    if command in _MEASURING:
        return () if present.steering("untrained") in _TRUE else ("model", "data")
    return ("model", "data", "trainer") if present.steering("ckpt_path") else ()


def _row(
    command: str, present: Present, name: str, presets: Sequence[str], unknown_in: Sequence[str]
) -> tuple[str, list[str]]:
    """An option with what counts now, and what to say of it: the first text that fits."""
    key = tuple(name.split("."))
    if name in _STEERING:
        takes, text = steering(command)[name].takes, steering(command)[name].text
        known = f"{', '.join(presets)}, or a file"
        value = present.steering(name)
        typed = f"={takes}" if takes else ""
        typed = typed if value in (None, True) else f"={shown(value)}"
        return f"--{name}{typed}", [known, text] if name == "config" else [text]
    unknown = key[0] in unknown_in and present.place(key).written is None
    left = f"--{name}={'...' if unknown else shown(present.place(key).value)}"
    kind, option = present.kind(key), present.place(key).option
    if kind is None or kind.plain:
        own = option.text if option else ""
        return left, ([TEXTS[name]] if name in TEXTS else [own, SHORT.get(name, own)])
    others = [each for each in kind.offered() if unknown or each != present.place(key).value]
    table, one = _TABLES.get(key[-1]), "One" if unknown else "Or one"
    return left, [
        f"{'' if unknown else 'Or '}{', '.join(others)}",
        f"{one} of {len(others)}: mnistlab {table}" if table else f"--{name}.help lists them",
    ]


def _short_line(left: str, texts: Sequence[str], column: int, width: int) -> str:
    """An option and what is said of it, in one line."""
    room = width - max(column, len(left) + 4)
    text = next((text for text in texts if len(text) <= room), None) or shortened(texts[-1], room)
    text = text.removesuffix(".") if not text.endswith("...") else text
    return f"  {left:<{column - 2}}{'' if len(left) + 4 <= column else '  '}{text}".rstrip()


def _is_foreign(entry: ClassEntry) -> bool:
    return entry.path.startswith(_FOREIGN)
