"""Where something can be written, and how what was written there is put together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnistlab.options.entries import ClassEntry, KindEntry, OptionEntry
from mnistlab.options.notation import NULLS
from mnistlab.options.reading import takes_parts, takes_several, takes_text
from mnistlab.options.written import Key, Written

Entries = list[tuple[Key, Written]]
"""What was written below a place: the rest of the key, and the whole.

Within `model.optimizer` it is `(("lr",), --model.optimizer.lr=0.1)`, and `((), --model.optimizer=SGD)`.
"""

Described = Mapping[str, Any]
"""A class as configurations have it: `{"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}}`."""


@dataclass(frozen=True)
class Place:
    """Where something can be written, and what counts there.

    Attributes:
        key: `("model", "optimizer", "lr")`; the classes of a list are numbered.
        owner: The class whose option it is; None for what stands at the top.
        option: The option; None for a section, and for one of several classes.
        kind: What classes can be chosen here, a key of `Kinds`; empty where none can.
        default: What would count if nobody had written anything here; of a class its name.
        chosen: The class that is; None where none is.
        value: What counts, as plain data; of a class the short name, of several those of all.
        written: Who has written something.
    """

    key: Key
    owner: ClassEntry | None = None
    option: OptionEntry | None = None
    kind: str = ""
    default: object = None
    chosen: ClassEntry | None = None
    value: object = None
    written: Written | None = None

    @property
    def name(self) -> str:
        """The key as it is typed."""
        return ".".join(self.key)


def divided(entries: Iterable[tuple[Key, Written]], names: Iterable[str]) -> tuple[dict[str, Entries], Entries]:
    """What was written below each name, and what was written below none of them."""
    below: dict[str, Entries] = {name: [] for name in names}
    others: Entries = []
    for path, entry in entries:
        if path and path[0] in below:
            below[path[0]].append((path[1:], entry))
        else:
            others.append((path, entry))
    return below, others


def as_texts(option: OptionEntry, entries: Entries) -> list[tuple[Key, Written, object]]:
    """The values of entries; what stands in brackets, or names a file, is one text where an option takes no parts."""
    found: list[tuple[Key, Written, object]] = []
    seen: Written | None = None
    for path, entry in entries:
        whole = entry.whole  # of --run.name=[a,b], which has become the entries of a list, one after the other
        of_option = whole is not None and len(whole.key) == len(entry.key) - len(path)
        parts = takes_parts(option.takes) if path or entry.value == {} else takes_several(option.takes)
        if whole is None or not of_option or parts or option.kind or not takes_text(option.takes):
            found.append((path, entry, entry.value))
        elif whole is not seen:
            found.append(((), entry, str(whole.value)))
        seen = whole
    return found


def merged(before: object, path: Key, value: object, *, append: bool) -> object:
    """A value with one more entry of a mapping or a list, or a new value."""
    if path:
        return {**(before if isinstance(before, dict) else {}), ".".join(path): value}
    if append:
        return [*(before if isinstance(before, list) else []), value]
    return value


def copied(value: object) -> object:
    """A default anew, so that nobody changes it for the next one."""
    if isinstance(value, Mapping):
        return {name: copied(part) for name, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def default_of(option: OptionEntry) -> Described | None:
    """The class that an option takes by default, None where it has none."""
    if option.default_path is None:
        return None
    return {"class_path": option.default_path, "init_args": dict(option.default_options)}


def arguments_in(described: Described | None) -> Mapping[str, object]:
    """The options of a class as configurations have them."""
    return described.get("init_args", {}) if described else {}


def short(default: object) -> object:
    """A default as people call it: a class by its name."""
    if isinstance(default, Mapping) and "class_path" in default:
        return str(default["class_path"]).rpartition(".")[2]
    return default


def is_plain(kind: KindEntry, entries: Entries) -> bool:
    """Whether an option that takes a class or a plain value has been given a plain one."""
    values = [entry.value for path, entry in entries if not path]
    if not kind.plain or not values or any(path for path, _ in entries):
        return False
    last = values[-1]
    names_class = isinstance(last, str) and last not in NULLS and ("." in last or last in kind.classes)
    return not (names_class or isinstance(last, list))


def names_in(value: object) -> Sequence[object]:
    """The names in a list or a text, or the one name."""
    if value in NULLS:
        return []
    if isinstance(value, str):
        return value.split(",")
    return value if isinstance(value, list) else [value]
