"""Imports run downwards only, private names stay private, and a light command stays light."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import mnistlab
from mnistlab.benchmark.starts import MISTAKES
from mnistlab.catalogue import load_catalogue
from mnistlab.commands.declaring.model import TABLES, all_commands
from mnistlab.runs.outcomes import load_outcomes, save_outcomes

PACKAGE = Path(mnistlab.__file__).parent

# From the lowest to the highest, each floor with what its rooms are. A room imports lower ones, never one beside it.
FLOORS = [
    ("text", "words for people: near names, lines that fit, addresses without passwords"),
    ("errors", "what a user can mend, in one line"),
    ("system", "files, signals, threads, processes, the environment"),
    ("options", "what can be written, which class and which value counts"),
    ("checkpoints", "weights on disk, read without trust"),
    ("losses schedules data nets", "plain torch; these do not know each other"),
    ("runs", "one kept run, and how it is found again"),
    ("classifier", "the module that learns"),
    ("models callbacks", "a net and its sizes, one file each; what a user may name"),
    ("trackers", "a run in a tool of others, one file each"),
    ("sections", "what a configuration consists of"),
    ("catalogue", "what there is to choose from, known without torch"),
    ("presets", "configuration in Python and YAML"),
    ("export", "a trained net for other programs, each form proved"),
    ("training", "one command over one model"),
    ("reports", "what kept runs say, on pages and on the screen"),
    ("sweeps", "many runs"),
    ("benchmark", "how fast the lab is"),
    ("commands", "one file for each, and help"),
    ("calling", "the lab from Python"),
    ("cli", "from the shell to a command"),
    ("__init__ __main__", "the public names"),
]
RANK = {room: rank for rank, (rooms, _) in enumerate(FLOORS) for room in rooms.split()}
DESIGN = Path(__file__).parent.parent / "docs" / "design.md"
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


def room_of(module: str) -> str:
    """The room of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def drawing() -> str:
    """The floors as docs/design.md has them, the highest first."""
    shown = [(rooms.replace(" ", "  "), what) for rooms, what in reversed(FLOORS)]
    width = max(len(rooms) for rooms, _ in shown)
    return "\n".join(f"{rooms:<{width}}   {what}" for rooms, what in shown)


def test_the_drawing_of_the_house_is_the_order_that_is_kept() -> None:
    """Printed from it, so that it lacks no room: `python tests/test_imports.py` shows it."""
    assert f"```\n{drawing()}\n```" in DESIGN.read_text()


def test_every_room_has_its_place() -> None:
    """At most 28 of them, so that a stranger sees all at a glance."""
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}

    assert rooms == {*RANK}
    assert len([*rooms, "py.typed"]) <= 28


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards_only(path: Path) -> None:
    """Never sideways or up; a new room is given its place in `FLOORS`."""
    own = room_of(module_of(path))
    others = {room_of(name) for name in imports(path) if name.partition(".")[0] == "mnistlab"} - {own}

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
        *([command, "--help"] for command in all_commands()),
        *([name] for name, command in all_commands().items() if command.group == TABLES),
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


@pytest.mark.parametrize(
    "arguments",
    [["fit", "--help"], ["models"], ["completion", "--complete", "bash", "mnistlab fit --model.", "="]],
    ids=" ".join,
)
def test_help_and_completion_load_no_yaml_and_no_metadata_of_packages(arguments: list[str]) -> None:
    """These take a fifth of the time; `importlib.metadata` brings `email`."""
    load_catalogue()

    assert not {"yaml", "email"} & loaded(f"from mnistlab import main; main({arguments})")


OF_RUNS = [
    ("reproduce", "none"),
    ("report", "none"),
    ("report", "--trust=1", "none"),
    ("export", "none"),
    ("draw", "none"),
    ("draw",),
    ("inspect", "none.ckpt"),
    ("runs", "show", "none"),
    ("sweep", "--model.hidden_dim=choice:64,0"),
    ("sweep", "--model=choice:TinyModle,SDN8K"),
    ("sweep", "--model.hidden_dim=choise:64,128"),
    ("sweep", "--model.hidden_dim=int:5"),
    ("sweep", "--trials=many", "--seeds=2"),
    ("sweep", "--sampler=bayes", "--seeds=2"),
    ("sweep", "--name=a/b", "--seeds=2"),
    ("sweep", "--config=Nonsense", "--seeds=2"),
    ("sweep", "--model.init_from=none.ckpt", "--seeds=2"),
    ("sweep", "--model=SDN8K"),
    ("compare", "--models=SDN8K", "--seeds=0"),
    ("compare", "--models=SDN8K", "--model.hiden_dim=3"),
    ("compare", "--models=SDN8K", "--trainer.max_epochs=choice:1,2"),
]
"""What is wrong with a sweep or a comparison, and runs that are not there."""


@pytest.mark.parametrize("arguments", [*MISTAKES, *OF_RUNS], ids=" ".join)
def test_a_mistake_is_told_before_torch_is_imported(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Whatever is wrong: an option, a class, a value, a file, a checkpoint."""
    load_catalogue()
    script = f"import os; os.chdir({str(tmp_path)!r}); from mnistlab import main; assert main({list(arguments)}) == 2"

    assert not HEAVY & loaded(script)


@pytest.fixture
def tested(trained: Callable[..., Path]) -> list[str]:
    """Two runs, of one epoch and of two."""
    return [str(trained(f"--trainer.max_epochs={epochs}")) for epochs in (1, 2)]


@pytest.mark.parametrize("words", [("runs", "show"), ("runs", "diff"), ("report",), ("report", "of several")])
def test_what_kept_runs_say_loads_no_torch(tested: list[str], words: tuple[str, ...]) -> None:
    """Figures, charts, mistakes and their images, and what two tests say of the same images."""
    load_catalogue()
    named = tested if words[-1] in ("diff", "of several") else tested[:1]
    arguments = [*(word for word in words if word != "of several"), *named]
    found = loaded(f"from mnistlab import main; assert main({arguments}) == 0")

    assert not found & {"torch", "lightning", "torchvision", "jsonargparse"}


def test_a_report_in_which_one_can_draw_loads_no_torch(tested: list[str]) -> None:
    """Where the page of the net is there already."""
    load_catalogue()
    assert mnistlab.main(["export", tested[0], "--format=html"]) == 0
    found = loaded(f"from mnistlab import main; assert main(['report', {tested[0]!r}, '--live']) == 0")

    assert not found & {"torch", "lightning", "torchvision", "jsonargparse"}
    assert "<iframe" in Path(tested[0], "report.html").read_text()


def test_a_report_of_an_older_run_loads_no_lightning(tested: list[str]) -> None:
    """Whose test has not kept the images of its mistakes: the data are read for them."""
    load_catalogue()
    path = Path(tested[0], "outcomes.safetensors")
    save_outcomes(path, replace(load_outcomes(path), mistakes=None))
    command = f"import sys; from mnistlab.cli import entry; sys.argv[1:] = ['report', {tested[0]!r}]"
    found = loaded(f"{command}\ntry:\n    entry()\nexcept SystemExit as ended:\n    assert ended.code == 0")

    assert "torch" in found
    assert not found & {"lightning", "torchvision"}
    assert "data:image/png" in Path(tested[0], "report.html").read_text()


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


if __name__ == "__main__":
    sys.stdout.write(f"{drawing()}\n")
