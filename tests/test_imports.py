"""Imports run downwards only, private names stay private, and a light command stays light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import mnistlab
from mnistlab.catalogue import load_catalogue
from mnistlab.commands.table import COMMANDS
from mnistlab.commands.tables import TABLES

PACKAGE = Path(mnistlab.__file__).parent

# From the lowest to the highest. A part imports lower ones, never one beside it or above it.
ORDER = [
    {"addresses"},
    {"errors", "nearest", "numbers", "counts", "command_table", "interruptions", "wish", "finite", "shapes"},
    {"environment"},
    {"files", "threads"},
    {"options"},  # what can be written, and what becomes of it
    {"arguments"},
    {"checkpoints"},
    {
        "losses",
        "schedules",
        "data",
        "nets",
        "picture",
        "trial",
        "answers",
        "thrift",
    },  # plain torch; these do not know each other
    {"optimization", "objective", "freezing", "attribution"},
    {"transfer"},
    {"classifier", "profiling", "runs"},  # these know Lightning, or the folder of a run
    {"models", "callbacks", "charts", "unsuited"},
    {"trackers"},
    {"sections", "linking", "clusters", "group"},
    {"presets", "origins"},
    {"catalogue"},
    {"hints"},
    {"invocation"},
    {"discovery"},
    {"effects"},
    {"lab", "explanation", "screen", "inspection", "doctor", "failures", "trainer_options", "starting"},
    {"making"},
    {"evaluation", "training"},
    {"commands", "inspect_command"},
    {"sweeps", "reports", "reproduction", "browsing", "benchmark"},
    {
        "explain_command",
        "sweep_command",
        "compare_command",
        "runs_command",
        "report_command",
        "reproduce_command",
        "bench_command",
    },
    {"dispatch"},
    {"cli"},
    {"__init__", "__main__"},
]
RANK = {part: rank for rank, parts in enumerate(ORDER) for part in parts}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """The dotted name of a file's module."""
    return ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, within functions and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else str(node.module)


def part_of(module: str) -> str:
    """The part of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards_only(path: Path) -> None:
    """Never sideways or up; a new module is given its place in `ORDER`."""
    own = part_of(module_of(path))
    others = {part_of(name) for name in imports(path) if name.partition(".")[0] == "mnistlab"} - {own}

    assert not {other for other in others if RANK[other] >= RANK[own]}


def test_no_module_imports_itself_by_a_detour() -> None:
    """Not within a package either."""
    graph = {name: [other for other in imports(path) if other in MODULES] for name, path in MODULES.items()}

    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_private_is_imported(path: Path) -> None:
    """Programs that import `jsonargparse._x` are frozen on old versions of it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in ("lightning", "jsonargparse"):
            names = [*str(node.module).split("."), *(alias.name for alias in node.names)]
            assert not [name for name in names if name.startswith("_")]
    assert not [name for name in imports(path) if any(part.startswith("_") for part in name.split(".")[1:])]


def loaded(script: str) -> set[str]:
    """The top-level names in `sys.modules` after a script has run in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys\nprint('LOADED', *sys.modules)"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.partition("LOADED")[2].split()}


HEAVY = {"torch", "lightning", "jsonargparse", "numpy"}


@pytest.mark.parametrize(
    "script",
    [
        "import mnistlab",
        "import mnistlab.cli",
        "import mnistlab; dir(mnistlab)",
        "from mnistlab import main; main(['--help'])",
        "from mnistlab import main; main(['--version'])",
        "from mnistlab import main; main(['fti'])",
    ],
)
def test_what_needs_no_torch_loads_none(script: str) -> None:
    """The commands are there at once."""
    assert not loaded(script) & {*HEAVY, "yaml"}


def test_ctrl_c_is_heard_before_anything_else_is_imported() -> None:
    """What is imported until then is what `signal` needs: each millisecond more is one of tracebacks."""
    before, after = loaded("import os, signal, sys"), loaded("import mnistlab.cli")

    assert after - before == {"mnistlab"}


@pytest.mark.parametrize(
    "arguments",
    [
        *([command, "--help"] for command in COMMANDS if command != "inspect"),  # it reads checkpoints
        *([command] for command in TABLES),
        ["models", "--json"],
        ["fit", "--model=SmallModel", "--data=EMNIST", "--config=QuickTest", "--help"],
        ["fit", "--help=all"],
        ["fit", "--model.optimizer.help=SGD"],
        ["fit", "--trainer.callbacks.help=EarlyStopping"],
        ["fit", "--model.help=torch.optim.SGD"],
        ["fit", "--model.help=Nonsense"],
    ],
    ids=" ".join,
)
def test_help_and_tables_load_no_torch(arguments: list[str]) -> None:
    """Whatever is asked, mistakes too; only a class that has to be imported needs torch."""
    load_catalogue()  # what has never been asked for is compiled in a process of its own
    found = loaded(f"from mnistlab import main; main({arguments})")

    assert HEAVY & found == (HEAVY if "--model.help=torch.optim.SGD" in arguments else set())


def test_nothing_imports_scipy() -> None:
    """Where it is installed it costs every command half a second."""
    sabotage = "import sys; sys.modules['scipy'] = None"
    work = "from mnistlab import main; main(['fit', '--print_config'])"

    assert "torch" in loaded(f"{sabotage}; {work}")
    assert not [path for path in FILES if "scipy" in {name.partition(".")[0] for name in imports(path)}]


def test_every_public_name_is_there() -> None:
    """The lazy names are those that type checkers see, and no others."""
    assert all(getattr(mnistlab, name) for name in mnistlab.__all__)
    assert set(mnistlab.__all__) <= set(dir(mnistlab))
    with pytest.raises(AttributeError, match="nonsense"):
        mnistlab.__getattr__("nonsense")
