"""Tables of what there is: models, data sets, losses, optimizers, schedules, presets; the same as JSON."""

from collections.abc import Iterable, Mapping, Sequence

from mnistlab.catalogue import Catalogue, ClassEntry, load_catalogue
from mnistlab.errors import LabError, tell
from mnistlab.options.beside import Offered, offered
from mnistlab.options.kit import misplaced
from mnistlab.presets.finding import PresetEntry, list_presets
from mnistlab.presets.shipped import is_shipped_file
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import fitted, paragraph, screen_width, table
from mnistlab.text.nearest import suggestion

Row = dict[str, object]
"""One entry of a table, as JSON has it."""


def show_table(option: str, columns: Sequence[str], tail: str, chosen: Mapping[str, str], *, for_machines: bool) -> int:
    """Print what an option of `fit` can be; the exit code.

    Args:
        option: The option.
        columns: The parts of an entry that are shown between its name and its description.
        tail: How to use an entry, and how to know more of one.
        chosen: What entries must have, by the name of the option that says so.
        for_machines: Whether to print it as JSON.
    """
    rows = _presets(chosen.get("tag")) if option == "config" else _classes(option)
    print(as_json(rows) if for_machines else fitted("\n".join(_lines(rows, columns, tail))))
    return 0


def _lines(rows: Sequence[Row], columns: Sequence[str], tail: str) -> list[str]:
    width = screen_width()
    cells = [
        [f"{row['name']}{' *' if row['default'] else ''}", *(_cell(row.get(key)) for key in columns), _description(row)]
        for row in rows
    ]
    numbers = [at for at, key in enumerate(columns, 1) if all(isinstance(row.get(key) or 0, int) for row in rows)]
    default = ["* is the default."] if any(row["default"] for row in rows) else []
    shown = table(["name", *columns, "description"], cells, width, numbers) if rows else ["There are none."]
    return [*shown, "", *default, *(line for text in tail.splitlines() for line in paragraph(text, width))]


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _description(row: Row) -> str:
    needs = row.get("needs")
    what = f" Needs {' and '.join(needs)}." if isinstance(needs, list) and needs else ""
    return f"{row['description']}{what}"


def _classes(option: str) -> list[Row]:
    """The classes that an option takes, without those that do not serve the models here."""
    catalogue, kind = load_catalogue(), option.rpartition(".")[2]
    default = _default(catalogue, kind)
    by_name = catalogue.kinds[kind].classes
    usable = [entry for entry in by_name.values() if not entry.problem]
    facts = dict.fromkeys(fact for entry in usable for fact in entry.facts)
    by_size = sorted(usable, key=lambda entry: (entry.facts.get("parameters", 0), entry.name))
    own = [each for name, found in offered(catalogue.kinds[kind]).items() if name not in by_name for each in found]
    return [
        *(_row(entry, option, default, facts) for entry in by_size),
        *(_own_row(each, option, facts) for each in own),
    ]


def measurable(names: Sequence[str]) -> dict[str, str]:
    """The classes of models that can be made with their defaults, by name, the smallest first.

    Args:
        names: Those that are wanted; all where none is.

    Raises:
        LabError: If there is no such model, or one cannot be made without options.
    """
    rows = {str(row["name"]): row for row in _classes("model")}
    of_lower = {name.lower(): name for name in rows}
    for name in names:
        if name.lower() not in of_lower:
            raise LabError(f"there is no model {name}.{suggestion(name, rows) or ' `mnistlab models` lists them.'}")
        needs = rows[of_lower[name.lower()]]["needs"]
        if isinstance(needs, list) and needs:
            raise LabError(f"{name} is no model before it has its {' and '.join(needs)}: it has no cost by itself.")
    chosen = [of_lower[name.lower()] for name in names] or [name for name, row in rows.items() if row["parameters"]]
    return {name: str(rows[name]["class"]) for name in chosen}


def _own_row(each: Offered, option: str, facts: Iterable[str]) -> Row:
    """A class of a file here, or of another package, of which nothing but that is known."""
    return {
        "name": each.name,
        "default": False,
        "description": f"{each.summary} In {each.source}.".strip(),
        "source": "",
        "class": each.path,
        **dict.fromkeys(facts),
        "needs": [],
        "command": f"mnistlab fit --{option}={each.name}",
    }


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


def _default(catalogue: Catalogue, kind: str) -> str | None:
    """The class of a kind that `fit` takes where none is named."""
    if kind in catalogue.sections:
        return catalogue.sections[kind].default_class
    model = catalogue.kinds["model"].find(catalogue.sections["model"].default_class or "")
    option = model.by_name.get(kind) if model else None
    return option.default_class if option else None


def _presets(tag: str | None) -> list[Row]:
    """The presets, or those with a tag."""
    for sentence in misplaced("presets"):
        tell(f"note: {sentence}")
    from mnistlab.presets.source import is_sweep, presets_tagged, problem_of, tags_of  # noqa: PLC0415 - the other tables need no YAML

    return [
        {
            "name": entry.name,
            "default": None,
            "description": f"It cannot be read: {problem.rstrip('.')}." if problem else entry.description,
            "from": _origin(entry),
            "tags": tags_of(entry),
            "path": str(entry.path),
            "shadows": str(entry.shadows) if entry.shadows else None,
            "command": f"mnistlab {'sweep' if is_sweep(entry) else 'fit'} --config={entry.name}",
        }
        for entry in (list_presets() if tag is None else presets_tagged(tag))
        for problem in [problem_of(entry)]
    ]


def _origin(entry: PresetEntry) -> str:
    if is_shipped_file(entry.path):
        return "mnistlab"
    return f"{entry.path}, hides one" if entry.shadows else str(entry.path)
