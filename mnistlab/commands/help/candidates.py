"""What may stand at the cursor: the words that continue a command line, from the catalogue and the folders here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mnistlab.catalogue import Catalogue, OptionEntry
from mnistlab.catalogue.used import FOLLOWS, WORDS
from mnistlab.commands.declaring.model import Command, all_commands, find_command
from mnistlab.commands.help import known_catalogue
from mnistlab.commands.help.chosen import Chosen
from mnistlab.options.arguments import Option, spelt_out, steering
from mnistlab.options.beside import offered
from mnistlab.options.written import Key, key_of
from mnistlab.presets.finding import SUFFIXES, list_presets
from mnistlab.text.values import shown
from mnistlab.text.words import first_sentence

_CHECKPOINTS = (".ckpt", ".safetensors")
_WEIGHTS = {"best": "the best weights of the newest run", "last": "the last weights of the newest run"}


@dataclass(frozen=True)
class Candidate:
    """A word that may stand at the cursor.

    Attributes:
        word: The word, without what stands before it in `Offer.head`.
        text: What it is, in a few words.
        ends: Whether the next word may begin after it; not after `=`, `.` and `/`.
    """

    word: str
    text: str = ""
    ends: bool = True


@dataclass(frozen=True)
class Offer:
    """What to offer at the cursor.

    Attributes:
        head: The beginning of the word that stays as it is, such as `--model=`.
        candidates: What may follow it.
    """

    head: str
    candidates: Sequence[Candidate]


def offer(words: Sequence[str]) -> Offer:
    """What may stand at the cursor.

    Args:
        words: What stands after `mnistlab`, up to the cursor; the last word is the one at the cursor, "" for a new one.
    """
    *before, word = words
    if not before:
        known = [*(Candidate(name, each.summary) for name, each in all_commands().items()), *_OVERALL]
        return Offer("", _beginning(word, known, hide="-"))
    name, *said = before
    command = find_command(name)
    if command is None:
        return Offer("", [])
    if said and said[0] in command.commands:
        command, said = command.commands[said[0]], said[1:]
    return _Line(command, spelt_out(said) if command.like else said).offer(word)


_CHOICE = "choice:"


def _last_of(value: str) -> tuple[str, str]:
    """What stays of several values with commas between them, and the one at the cursor."""
    start = value.removeprefix(_CHOICE)
    last = start.rpartition(",")[2]
    return value[: len(value) - len(last)], last


_OVERALL = (Candidate("--help", "the commands"), Candidate("--version", "the version"))


def _beginning(typed: str, known: Iterable[Candidate], hide: str = "") -> list[Candidate]:
    """The candidates that begin as typed, in any case where none does in this one.

    Args:
        typed: What stands there.
        known: All candidates.
        hide: Those that begin so are offered only once this has been typed.
    """
    unique = list({candidate.word: candidate for candidate in known}.values())
    if hide and not typed:
        unique = [candidate for candidate in unique if not candidate.word.startswith(hide)]
    exact = [candidate for candidate in unique if candidate.word.startswith(typed)]
    return exact or [candidate for candidate in unique if candidate.word.lower().startswith(typed.lower())]


class _Line:
    """One command line.

    Args:
        command: The command.
        before: What stands between it and the word at the cursor.
    """

    def __init__(self, command: Command, before: Sequence[str]) -> None:
        self._command = command
        self._before = before
        self._own = {option.name: option for option in command.own}
        self._steering = steering(command.like) if command.like else {}

    @cached_property
    def _catalogue(self) -> Catalogue:
        return known_catalogue()

    @cached_property
    def _chosen(self) -> Chosen:
        return Chosen(self._catalogue, self._before if self._command.like else (), self._command.like)

    @cached_property
    def _runs(self) -> Mapping[str, str]:
        """The words that mean a run, each with what it is."""
        from mnistlab.commands.help.run_words import run_words  # noqa: PLC0415 - few options take one

        return run_words(self._before)

    def offer(self, word: str) -> Offer:
        """What may stand at the cursor, where `word` has been typed so far."""
        name, equals, value = word.partition("=")
        if equals and word.startswith("--"):
            option = self._own.get(name[2:])
            several = option.several if option else self._command.like and value.startswith(_CHOICE)
            head, value = _last_of(value) if several else ("", value)
            return Offer(f"{name}={head}", _beginning(value, self._values(name[2:], value)))
        last = self._before[-1] if self._before else ""
        if last.startswith("--") and "=" not in last and self._takes_value(last[2:]) and not word.startswith("-"):
            return Offer("", _beginning(word, self._values(last[2:], word)))
        first, fresh = [*self._first(word)], [*self._fresh(), *self._shared(word)]
        return Offer("", _beginning(word, [*first, *fresh], hide="-" if first or self._command.names else ""))

    def _takes_value(self, name: str) -> bool:
        option = self._own.get(name) or self._steering.get(name)
        return bool(option.takes if option else self._command.like and name != "help")

    def _first(self, typed: str) -> Iterator[Candidate]:
        """What else the command can do, and the names that it takes."""
        if not self._before:
            yield from (Candidate(name, each.summary) for name, each in self._command.commands.items())
        said = [word for word in self._before if not word.startswith("-")]
        if self._command.needs is None or len(said) < self._command.needs:
            for option in self._command.names:
                yield from (each for each in self._completed(option, typed) if each.word not in said)

    def _fresh(self) -> Iterator[Candidate]:
        """The command's own options that do not stand there yet."""
        said = {word.partition("=")[0] for word in self._before}
        page = () if self._command.like else (Option("help", "Show the options"),)
        for option in (*self._own.values(), *page):
            if option.again or f"--{option.name}" not in said:
                yield _of_option(option)

    def _shared(self, typed: str) -> Iterator[Candidate]:
        """The options of the command that it shares them with."""
        passed = any(option.parts and typed.startswith(f"--{option.name}.") for option in self._own.values())
        if self._command.like or passed:
            own = {word for each in self._own.values() for word in (_of_option(each).word, f"--{each.completes}=")}
            yield from (each for each in self._options(typed) if each.word not in own)  # `--models` is for `--model`

    def _values(self, name: str, typed: str) -> Iterator[Candidate]:
        """What may follow `--name=`."""
        option = self._own.get(name) or self._steering.get(name.removesuffix("+"))
        if option is not None:
            return self._completed(option, typed)
        passed = any(each.parts and name.startswith(f"{each.name}.") for each in self._own.values())
        return self._shared_values(name, typed) if self._command.like or passed else iter(())

    def _completed(self, option: Option, typed: str) -> Iterator[Candidate]:
        """The words that an option takes, and what else completes it."""
        yield from map(Candidate, option.words)
        what = option.completes
        if what.endswith("presets"):
            yield from (Candidate(word, text) for word, text in self._runs.items() if what.startswith("runs"))
            yield from (Candidate(entry.name, entry.description) for entry in list_presets())
            yield from _paths(typed, SUFFIXES)
        elif what == "tags":
            from mnistlab.presets.source import tags_of  # noqa: PLC0415 - YAML takes long to import

            yield from (Candidate(tag) for entry in list_presets() for tag in tags_of(entry))
        elif what == "checkpoints":
            yield from (Candidate(word, text) for word, text in _WEIGHTS.items())
            yield from (Candidate(word, text) for word, text in self._runs.items() if word not in _WEIGHTS)
            yield from _paths(typed, _CHECKPOINTS, runs=True)
        elif what.startswith("runs"):
            yield from (Candidate(word, text) for word, text in self._runs.items())
            yield from _paths(typed, (), runs=True) if "/" in typed or what.endswith("folders") else ()
        elif what == "folder" or what.startswith("."):
            yield from _paths(typed, (what,))
        elif what:
            yield from self._classes((what,))

    def _options(self, typed: str) -> Iterator[Candidate]:
        """The options of the level that has been reached: `--model.` lists those of the model."""
        parent, dot, _ = typed.removeprefix("--").rpartition(".")
        if not dot:
            yield from self._top()
            return
        key = key_of(parent)
        if self._chosen.takes_names(self._chosen.place(key)):
            data = self._chosen.place(("data",)).chosen
            yield from (Candidate(f"--{parent}.{name}=", ends=False) for name in (data.labels if data else ()))
            return
        owner = self._chosen.place(key).chosen
        for option in owner.options if owner else ():
            yield from self._option((*key, option.name), f"--{parent}.{option.name}", option, typed)
        if owner:
            takes_class = self._chosen.kind(key) is not None
            text = f"the options of {'a class' if takes_class else key[-1]}"
            yield Candidate(f"--{parent}.help{'=' if takes_class else ''}", text, ends=not takes_class)

    def _shared_values(self, name: str, typed: str) -> Iterator[Candidate]:
        """What may follow `--name=` of the options that are shared."""
        key = key_of(name.removesuffix("+"))
        if name == "help":
            yield from map(Candidate, (*self._catalogue.sections, "all"))
        elif key[-1:] == ("help",):
            yield from self._classes(key[:-1])
        elif key:
            yield from self._of_key(key, typed)

    def _top(self) -> Iterator[Candidate]:
        given = self._chosen.given
        for name, section in self._catalogue.sections.items():
            owner = self._chosen.place((name,)).chosen
            if section.kind and (name,) not in given:
                count = len(self._catalogue.kinds[section.kind].classes)
                yield Candidate(f"--{name}=", f"[{section.default_class}] one of {count} classes", ends=False)
            if owner:
                yield Candidate(f"--{name}.", f"the options of {owner.name}", ends=False)
        for each in self._catalogue.top:
            yield from self._option((each.name,), f"--{each.name}", each, "")
        for option in (*self._steering.values(), Option("help", "Show the options that people use")):
            if option.again or (option.name,) not in given:
                yield _of_option(option)

    def _option(self, key: Key, name: str, option: OptionEntry, typed: str) -> Iterator[Candidate]:
        kind = self._catalogue.kinds[option.kind] if option.kind else None
        given = key in self._chosen.given
        text = f"[{FOLLOWS.get('.'.join(key)) or _default(option)}] {_sentence(option.text)}"
        if not given:
            yield Candidate(f"{name}=", text, ends=False)
        if kind and kind.many and (given or typed.startswith(f"{name}+")):
            yield Candidate(f"{name}+=", "one more", ends=False)
        owner = self._chosen.place(key).chosen if kind else None
        if owner and owner.options:
            yield Candidate(f"{name}.", f"the options of {owner.name}", ends=False)
        if kind and kind.named:
            yield Candidate(f"{name}.", "one for a name", ends=False)

    def _of_key(self, key: Key, typed: str) -> Iterator[Candidate]:
        option = self._chosen.place(key).option
        for word in WORDS.get(key[-1], ()) if option else ():
            yield Candidate(word)
        yield from self._classes(key)
        if option is None:
            return
        if key[-1].endswith(("dir", "dirpath")):
            yield from _paths(typed, ())
            return
        default = _default(option)
        for choice in option.choices:
            yield Candidate(choice, "the default" if choice == default else "")
        if option.kind is None and not option.required and isinstance(option.default, bool | int | float | str):
            yield Candidate(default, "the default")

    def _classes(self, key: Key) -> Iterator[Candidate]:
        kind = self._chosen.kind(key)
        if kind is not None:
            yield from (Candidate(name, _sentence(kind.classes[name].summary)) for name in kind.offered())
            own = {name: found[0] for name, found in offered(kind).items() if name not in kind.classes}
            yield from (Candidate(name, _sentence(each.summary)) for name, each in own.items())


def _of_option(option: Option) -> Candidate:
    return Candidate(f"--{option.name}{'=' if option.takes else ''}", option.text, ends=not option.takes)


def _paths(typed: str, suffixes: Sequence[str], *, runs: bool = False) -> Iterator[Candidate]:
    """Folders to go into, and the files in them with these suffixes.

    Args:
        typed: The beginning of the path.
        suffixes: Of the files to offer.
        runs: Whether the folder of a run is something to name.
    """
    from mnistlab.runs.folder import is_run  # noqa: PLC0415 - few options take a path

    folder, slash, name = typed.rpartition("/")
    shown = folder + slash
    with suppress(OSError, RuntimeError):  # unreadable, or the home of an unknown user
        entries = sorted((Path(shown) if shown else Path()).expanduser().iterdir())
        for path in entries:
            if path.name.startswith((".", "__pycache__")) and not name.startswith("."):
                continue
            if path.is_dir():
                run = runs and is_run(path)
                yield Candidate(f"{shown}{path.name}{'' if run else '/'}", "a run" if run else "", ends=run)
            elif path.suffix in suffixes:
                yield Candidate(f"{shown}{path.name}")


def _default(option: OptionEntry) -> str:
    """A default as one types it."""
    return "required" if option.required else shown(option.default)


def _sentence(text: str) -> str:
    return first_sentence(text).removesuffix(".")
