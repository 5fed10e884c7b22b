"""What may stand at the cursor: the words that continue a command line, from the catalogue and the folders here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mnistlab.catalogue import Catalogue, OptionEntry
from mnistlab.catalogue.used import FOLLOWS, WORDS, steering
from mnistlab.commands.help.chosen import Chosen
from mnistlab.commands.help.run_words import root_in, run_names, run_values, run_words
from mnistlab.commands.table import BENCH_SECTIONS
from mnistlab.options.written import SWITCHES, Key, key_of
from mnistlab.presets.finding import SUFFIXES, list_presets
from mnistlab.runs.folder import is_run
from mnistlab.text.values import shown
from mnistlab.text.words import first_sentence
from mnistlab.training.explain_options import METHODS, TARGETS, WHICH

_CHECKPOINTS = (".ckpt", ".safetensors")
_REPEATED = ("config", "trust")


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


def offer(
    catalogue: Callable[[], Catalogue], commands: Mapping[str, str], training: Iterable[str], words: Sequence[str]
) -> Offer:
    """What may stand at the cursor.

    Args:
        catalogue: Loads the catalogue, where it is needed.
        commands: The commands with what they do.
        training: Those of them that take the options of a model, its data and a trainer.
        words: What stands after `mnistlab`, up to the cursor; the last word is the one at the cursor, "" for a new one.
    """
    *before, word = words
    if not before:
        known = [*(Candidate(name, text) for name, text in commands.items()), *_OVERALL]
        return Offer("", _beginning(word, known, hide="-"))
    if before[0] not in (*training, *_LIKE):
        return _simple(catalogue, before[0], before[1:], word) if before[0] in commands else Offer("", [])
    like, own = _LIKE.get(before[0], (before[0], {}))
    line = _Line(catalogue(), like, before[1:])
    name, equals, value = word.partition("=")
    if equals and word.startswith("--"):
        several = name == "--models" or (before[0] == "sweep" and value.startswith(_CHOICE))
        head, value = _last_of(value) if several else ("", value)
        option = "model" if name == "--models" else name[2:]
        values = map(Candidate, own[option]) if option in own else line.values(option, value)
        return Offer(f"{name}={head}", _beginning(value, values))
    last = before[-1]
    if last.startswith("--") and "=" not in last and last[2:] not in (*SWITCHES, "help") and not word.startswith("-"):
        values = map(Candidate, own[last[2:]]) if last[2:] in own else line.values(last[2:], word)
        return Offer("", _beginning(word, values))
    fresh = [Candidate(f"--{each}=", ends=False) for each in own if not any(_is_said(each, said) for said in before)]
    return Offer("", _beginning(word, [*fresh, *line.options(word)]))


def _is_said(name: str, word: str) -> bool:
    return word.partition("=")[0] == f"--{name}"


_CHOICE = "choice:"

_EXPLAIN = {"method": METHODS, "images": (), "which": WHICH, "head": (), "stage": (), "target": TARGETS}
_MANY = {"seeds": (), "workers": (), "threads": (), "name": (), "storage": (), "launcher": ("processes", "ray")}
_SWEEP = {
    "trials": (),
    "sampler": ("auto", "grid", "random", "tpe"),
    "pruner": ("none", "median", "halving", "hyperband"),
    "metric": ("val/acc", "val/loss"),
    "keep": (),
    "sampler_seed": (),
    "retry_failed": ("true", "false"),
    "allow_drift": ("true", "false"),
    **_MANY,
}
_LIKE: Mapping[str, tuple[str, Mapping[str, Sequence[str]]]] = {
    "explain": ("predict", _EXPLAIN),
    "sweep": ("fit", _SWEEP),
    "compare": ("fit", {"models": (), **_MANY}),
}
"""The commands that take the options of another one, and those that they have besides, each with its values."""


def _last_of(value: str) -> tuple[str, str]:
    """What stays of several values with commas between them, and the one at the cursor."""
    start = value.removeprefix(_CHOICE)
    last = start.rpartition(",")[2]
    return value[: len(value) - len(last)], last


_SIMPLE: Mapping[str, Sequence[str]] = {
    "bench": ("--quick", "--only=", "--seeds=", "--output=", "--data="),
    "completion": ("--install", "--uninstall"),
    "schema": ("--output=",),
    "inspect": ("--json", "--trust=", "--run.dir="),
    "report": ("--output=", "--trust=", "--run.dir="),
    "reproduce": ("--json", "--debug", "--trust=", "--run.dir="),
}
"""The options of the commands that train nothing and have others than `--json`."""

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


def _simple(catalogue: Callable[[], Catalogue], command: str, before: Sequence[str], word: str) -> Offer:
    """For the commands that train nothing."""
    if command == "runs":
        return _of_runs(before, word)
    options = _SIMPLE.get(command, ("--json",))
    name, equals, value = word.partition("=")
    if command == "bench" and name == "--only" and equals:
        head, last = _last_of(value)
        return Offer(f"{name}={head}", _beginning(last, map(Candidate, BENCH_SECTIONS)))
    if command == "bench" and name == "--data" and equals:
        return Offer(f"{name}=", _beginning(value, _Line(catalogue(), "fit", []).values("data", value)))
    if equals:
        suffixes = {"--output": (".html" if command == "report" else ".json",), "--run.dir": ()}.get(name)
        return Offer(f"{name}=", [] if suffixes is None else _beginning(value, _paths(value, suffixes)))
    offered = [Candidate(name, ends=not name.endswith("=")) for name in (*options, "--help") if name not in before]
    if command == "inspect":
        offered = [*_checkpoints(word, root_in(before)), *offered]
    if command in ("report", "reproduce"):
        offered = [Candidate("last", "the newest run"), *_runs(root_in(before)), *_paths(word, (), runs=True), *offered]
    if command == "completion":
        offered = [*map(Candidate, ("bash", "zsh", "fish")), *offered]
    return Offer(
        "", _beginning(word, offered, hide="-" if command in ("inspect", "report", "reproduce", "completion") else "")
    )


def _of_runs(before: Sequence[str], word: str) -> Offer:
    name, equals, value = word.partition("=")
    if equals:
        known = _paths(value, ()) if name == "--run.dir" else map(Candidate, run_values(name))
        return Offer(f"{name}=", _beginning(value, known))
    words = [Candidate(each, text, ends=not each.endswith("=")) for each, text in run_words(before).items()]
    folders = _paths(word, (), runs=True) if "/" in word else ()
    return Offer("", _beginning(word, [*words, *folders, Candidate("--help")], hide="-"))


class _Line:
    """The options of one command line.

    Args:
        catalogue: What there is to choose from.
        command: `fit`, `validate`, `test`, `predict` or `explain`.
        before: What stands between the command and the word at the cursor.
    """

    def __init__(self, catalogue: Catalogue, command: str, before: Sequence[str]) -> None:
        self._catalogue = catalogue
        self._command = command
        self._chosen = Chosen(catalogue, before)
        self._root = root_in(before)

    def options(self, typed: str) -> Iterator[Candidate]:
        """The options of the level that has been reached: `--model.` lists those of the model."""
        parent, dot, _ = typed.removeprefix("--").rpartition(".")
        if not dot:
            yield from self._top()
            return
        key = key_of(parent)
        owner = self._chosen.owner(key)
        for option in owner.options if owner else ():
            yield from self._option((*key, option.name), f"--{parent}.{option.name}", option, typed)
        if owner:
            takes_class = self._chosen.kind(key) is not None
            text = f"the options of {'a class' if takes_class else key[-1]}"
            yield Candidate(f"--{parent}.help{'=' if takes_class else ''}", text, ends=not takes_class)

    def values(self, name: str, typed: str) -> Iterator[Candidate]:
        """What may follow `--name=`."""
        key = key_of(name.removesuffix("+"))
        if name == "config":
            yield from (Candidate(entry.name, entry.description) for entry in list_presets())
            yield from _paths(typed, SUFFIXES)
        elif name == "ckpt_path":
            yield from _checkpoints(typed, self._root)
        elif name == "help":
            yield from map(Candidate, (*self._catalogue.sections, "all"))
        elif name in SWITCHES:
            yield from map(Candidate, ("true", "false", *(["origins"] if name == "print_config" else [])))
        elif key[-1:] == ("help",):
            yield from self._classes(key[:-1])
        elif key:
            yield from self._values(key, typed)

    def _top(self) -> Iterator[Candidate]:
        given = self._chosen.given
        for name, section in self._catalogue.sections.items():
            owner = self._chosen.owner((name,))
            if section.kind and (name,) not in given:
                count = len(self._catalogue.kinds[section.kind].classes)
                yield Candidate(f"--{name}=", f"[{section.default_class}] one of {count} classes", ends=False)
            if owner:
                yield Candidate(f"--{name}.", f"the options of {owner.name}", ends=False)
        for option in self._catalogue.top:
            yield from self._option((option.name,), f"--{option.name}", option, "")
        texts = {name: text for name, (_, text) in steering(self._command).items()}
        for name, text in {**texts, "help": "Show the options that people use"}.items():
            if name in _REPEATED or (name,) not in given:
                ends = name in (*SWITCHES, "help")
                yield Candidate(f"--{name}{'' if ends else '='}", text, ends=ends)

    def _option(self, key: Key, name: str, option: OptionEntry, typed: str) -> Iterator[Candidate]:
        kind = self._catalogue.kinds[option.kind] if option.kind else None
        given = key in self._chosen.given
        text = f"[{FOLLOWS.get('.'.join(key)) or _default(option)}] {_sentence(option.text)}"
        if not given:
            yield Candidate(f"{name}=", text, ends=False)
        if kind and kind.many and (given or typed.startswith(f"{name}+")):
            yield Candidate(f"{name}+=", "one more", ends=False)
        owner = self._chosen.owner(key) if kind else None
        if owner and owner.options:
            yield Candidate(f"{name}.", f"the options of {owner.name}", ends=False)

    def _values(self, key: Key, typed: str) -> Iterator[Candidate]:
        option = self._chosen.option(key)
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


def _checkpoints(typed: str, root: Path) -> Iterator[Candidate]:
    """What stands for a checkpoint: words, runs, files, and the folders of runs."""
    yield Candidate("best", "the best weights of the newest run")
    yield Candidate("last", "the last weights of the newest run")
    yield from _runs(root)
    yield from _paths(typed, _CHECKPOINTS, runs=True)


def _runs(root: Path) -> Iterator[Candidate]:
    return (Candidate(name, text) for name, text in run_names(root).items())


def _paths(typed: str, suffixes: Sequence[str], *, runs: bool = False) -> Iterator[Candidate]:
    """Folders to go into, and the files in them with these suffixes.

    Args:
        typed: The beginning of the path.
        suffixes: Of the files to offer.
        runs: Whether the folder of a run is something to name.
    """
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
