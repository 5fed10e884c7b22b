"""A typed lab for training and comparing image classifiers on MNIST and its family.

The public names are imported when they are first used, so that `import mnistlab` loads neither torch nor Lightning.
"""

import sys

TYPE_CHECKING = False  # the module `typing` takes longer to import than all else that a command needs to begin
if TYPE_CHECKING:  # the public names: type checkers read them here, and so does `_homes`
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from mnistlab.calling.answers import predict as predict
    from mnistlab.calling.calls import compare as compare
    from mnistlab.calling.calls import explain as explain
    from mnistlab.calling.calls import export as export
    from mnistlab.calling.calls import fit as fit
    from mnistlab.calling.calls import judge as judge
    from mnistlab.calling.calls import report as report
    from mnistlab.calling.calls import runs as runs
    from mnistlab.calling.calls import sweep as sweep
    from mnistlab.calling.calls import test as test
    from mnistlab.calling.calls import validate as validate
    from mnistlab.calling.results import Figures as Figures
    from mnistlab.calling.results import Picture as Picture
    from mnistlab.calling.results import Table as Table
    from mnistlab.calling.results import Verdict as Verdict
    from mnistlab.calling.run import Run as Run
    from mnistlab.calling.trials import Trials as Trials
    from mnistlab.calling.within import Interrupted as Interrupted
    from mnistlab.classifier import Classifier as Classifier
    from mnistlab.cli import main as main
    from mnistlab.data import *  # noqa: F403 - each data set that is imported there
    from mnistlab.errors import LabError as LabError
    from mnistlab.losses import Loss as Loss
    from mnistlab.models import *  # noqa: F403 - each model that is imported there
    from mnistlab.nets import Backbone as Backbone
    from mnistlab.nets import Head as Head
    from mnistlab.presets.domains import choice as choice
    from mnistlab.presets.domains import interval as interval
    from mnistlab.presets.nodes import Config as Config
    from mnistlab.presets.nodes import config as config
    from mnistlab.presets.preset_class import Preset as Preset
    from mnistlab.presets.preset_class import preset as preset

    __all__: list[str]

_MOVED = {"mnistlab.numbers": "mnistlab.options.numbers", "mnistlab.profiling": "mnistlab.callbacks.profiling"}


class _Moved:
    """Finds a module by the name that it had once, which configurations, checkpoints and programs may still have."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """Where it is now; asked only where no module has this name."""
        if name not in _MOVED:
            return None
        from importlib.machinery import ModuleSpec  # noqa: PLC0415 - only here

        return ModuleSpec(name, self)  # type: ignore[arg-type] # it need not derive from Python's class

    def create_module(self, spec: "ModuleSpec") -> None:
        """Leave it to Python to make one."""

    def exec_module(self, module: "ModuleType") -> None:
        """Fill the module of the old name with what is in that of the new one."""
        from importlib import import_module  # noqa: PLC0415 - only here

        now = vars(import_module(_MOVED[module.__name__]))
        vars(module).update({name: value for name, value in now.items() if not name.startswith("__")})


sys.meta_path.append(_Moved())


class _CalledToo(type(sys)):  # type: ignore[misc] # the class of modules
    """A package with the name of a command: `lab.runs()` runs it, and `lab.runs.run` is its module."""

    def __call__(self, *arguments: object, **options: object) -> object:
        """Run the command."""
        from importlib import import_module  # noqa: PLC0415 - only here

        name = self.__name__.rpartition(".")[2]
        return getattr(import_module(_homes()[name]), name)(*arguments, **options)


class _Lab(type(sys)):  # type: ignore[misc] # as above
    """This package: whichever comes first, the import of such a package or the call, both work."""

    def __setattr__(self, name: str, value: object) -> None:
        """Take a module in, as Python does once it has imported it."""
        if name in ("runs", "export") and type(value) is type(sys):
            value.__class__ = _CalledToo
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Lab

_HOMES: dict[str, str] = {}


def _homes(module: str = __name__) -> dict[str, str]:
    """The module of each public name, as the imports for type checkers say, without importing any."""
    import ast  # noqa: PLC0415 - only here
    from importlib.util import find_spec  # noqa: PLC0415 - only here

    if _HOMES and module == __name__:
        return _HOMES
    spec = find_spec(module)
    source = spec.loader.get_source(module) if spec and spec.loader else ""  # type: ignore[attr-defined] # all that read files have it
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mnistlab."):
            home = str(node.module)
            names = [alias.name for alias in node.names]
            _homes(home) if names == ["*"] else _HOMES.update(dict.fromkeys(names, home))
    return _HOMES


def __getattr__(name: str) -> object:
    if name == "__all__":
        return sorted(_homes())
    if name not in _homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only here

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_homes()})
