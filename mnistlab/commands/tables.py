"""Tables of what there is: models, data sets, losses, optimizers, schedules, presets; the same as JSON."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mnistlab.catalogue import Catalogue, ClassEntry, load_catalogue
from mnistlab.errors import LabError
from mnistlab.options.arguments import read_arguments
from mnistlab.presets.finding import PresetEntry, list_presets
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import fitted, paragraph, screen_width, table

Row = dict[str, object]
"""One entry of a table, as JSON has it."""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        rows: Gives its entries; each has a `name`, a `command` and a `default`, which is None where there is none.
        columns: The parts of an entry that are shown between its name and its description, with their headings.
        use: How to use an entry.
        more: How to know more of one.
    """

    rows: Callable[[], list[Row]]
    columns: Sequence[tuple[str, str]]
    use: str
    more: str


def show_table(command: str, arguments: Sequence[str]) -> int:
    """`mnistlab models` and the like; the exit code.

    Raises:
        LabError: If there is no such option.
    """
    shown = TABLES[command]
    asked = read_arguments(command, arguments, switches=("json",))
    if asked.names:
        raise LabError(f"mnistlab {command} lists all and takes no name, got {asked.names[0]}. {shown.more}")
    if "help" in asked.switches:
        lines = _help(command, shown)
    elif "json" in asked.switches:
        lines = [as_json(shown.rows())]
    else:
        lines = _lines(shown.rows(), shown)
    print(fitted("\n".join(lines)))
    return 0


def _help(command: str, shown: Table) -> list[str]:
    return [
        f"mnistlab {command}: a table of what there is, with the default marked by *.",
        "",
        "  --json  the same for machines: a list of objects",
        "",
        *_tail(shown),
    ]


def _tail(shown: Table) -> list[str]:
    return [line for text in (shown.use, shown.more) for line in paragraph(text, screen_width())]


def _lines(rows: Sequence[Row], shown: Table) -> list[str]:
    width = screen_width()
    head = ["name", *(heading for _, heading in shown.columns), "description"]
    cells = [
        [
            f"{row['name']}{' *' if row['default'] else ''}",
            *(_cell(row.get(key)) for key, _ in shown.columns),
            _description(row),
        ]
        for row in rows
    ]
    numbers = [
        at for at, (key, _) in enumerate(shown.columns, 1) if all(isinstance(row.get(key) or 0, int) for row in rows)
    ]
    default = ["* is the default."] if any(row["default"] for row in rows) else []
    tail = [*default, *_tail(shown)]
    return [*table(head, cells, width, numbers), "", *tail] if rows else ["There are none.", "", *tail]


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _description(row: Row) -> str:
    needs = row.get("needs")
    what = f" Needs {' and '.join(needs)}." if isinstance(needs, list) and needs else ""
    return f"{row['description']}{what}"


def _classes(kind: str, option: str) -> Callable[[], list[Row]]:
    """The rows of a kind of class that `--option=` takes, without those that do not serve the models here."""

    def rows() -> list[Row]:
        catalogue = load_catalogue()
        default = _default(catalogue, kind)
        usable = [entry for entry in catalogue.kinds[kind].classes.values() if not entry.problem]
        facts = dict.fromkeys(fact for entry in usable for fact in entry.facts)
        return [_row(entry, option, default, facts) for entry in _by_size(usable)]

    return rows


def _row(entry: ClassEntry, option: str, default: str | None, facts: Iterable[str]) -> Row:
    needs = [each.name for each in entry.options if each.required]
    typed = [f"--{option}={entry.name}", *(f"--{option}.{name}=..." for name in needs)]
    typed += [f"--data={entry.data}"] if entry.data else []
    count = entry.facts.get("parameters", 0)
    return {
        "name": entry.name,
        "default": entry.name == default,
        "description": entry.summary.replace(f"; {count:,} parameters", ""),
        "source": entry.source,
        "class": entry.path,
        **dict.fromkeys(facts),
        **entry.facts,
        "needs": needs,
        "command": " ".join(["mnistlab fit", *typed]),
    }


def _by_size(entries: Iterable[ClassEntry]) -> list[ClassEntry]:
    """By name; models by their size."""
    return sorted(entries, key=lambda entry: (entry.facts.get("parameters", 0), entry.name))


def _default(catalogue: Catalogue, kind: str) -> str | None:
    """The class of a kind that `fit` takes where none is named."""
    if kind in catalogue.sections:
        return catalogue.sections[kind].default_class
    model = catalogue.kinds["model"].find(catalogue.sections["model"].default_class or "")
    option = model.option(kind) if model else None
    return option.default_class if option else None


def _presets() -> list[Row]:
    return [
        {
            "name": entry.name,
            "default": None,
            "description": f"It cannot be read: {entry.problem}." if entry.problem else entry.description,
            "from": _origin(entry),
            "path": str(entry.path),
            "shadows": str(entry.shadows) if entry.shadows else None,
            "command": f"mnistlab fit --config={entry.name}",
        }
        for entry in list_presets()
    ]


def _origin(entry: PresetEntry) -> str:
    if entry.path.is_absolute():
        return "mnistlab"
    return f"{entry.path}, hides one" if entry.shadows else str(entry.path)


TABLES = {
    "models": Table(
        _classes("model", "model"),
        [("parameters", "parameters")],
        "Train one: mnistlab fit --model=SmallModel",
        "Its options: mnistlab fit --model.help=SmallModel",
    ),
    "datasets": Table(
        _classes("data", "data"),
        [("train", "train"), ("test", "test"), ("classes", "classes")],
        "Train on one: mnistlab fit --data=SyntheticDigits",
        "Its options: mnistlab fit --data.help=EMNIST",
    ),
    "losses": Table(
        _classes("loss", "model.loss"),
        [],
        "Use one: mnistlab fit --model.loss=MSELoss",
        "Its options: mnistlab fit --model.loss.help=HuberLoss",
    ),
    "optimizers": Table(
        _classes("optimizer", "model.optimizer"),
        [],
        "Use one: mnistlab fit --model.optimizer=SGD --model.optimizer.lr=0.1",
        "Its options: mnistlab fit --model.optimizer.help=SGD",
    ),
    "schedules": Table(
        _classes("scheduler", "model.scheduler"),
        [],
        "Use one: mnistlab fit --model.scheduler=StepLR --model.scheduler.step_size=3. "
        "For a constant rate: --model.scheduler=null",
        "Its options: mnistlab fit --model.scheduler.help=StepLR",
    ),
    "presets": Table(
        _presets,
        [("from", "from")],
        "Use one: mnistlab fit --config=QuickTest",
        "See all of its values: mnistlab fit --config=QuickTest --print_config",
    ),
}
"""The tables by the command that shows them."""
