"""All that torch and Lightning import and a run does not use: it is executed once somebody asks for it after all.

A run that compiles nothing, draws nothing and counts no operations needs neither torch's compiler (with sympy and
triton) nor torchvision nor matplotlib, more than half of what importing Lightning takes beside torch. None of them is
missing: the module is there, has what those ask of it that import it, and becomes the real one where anything else is
wanted of it. Only a process that is the program does so, nobody's notebook.

Seen in torch 2.14, Lightning 2.6.6, torchmetrics 1.9. tests/system/test_later.py notices where more is asked at the
start, and where a stand-in is no longer what it stands for.
"""

import functools
import importlib
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:  # they only declare, and take longer to import than all of this file
    Loader = MetaPathFinder = object


def import_later() -> None:
    """Let this process execute them late; those that are there already stay as they are."""
    sys.meta_path.insert(0, _Finder())


class _Spared(NamedTuple):
    """What can be had of a module that has not been executed."""

    names: Mapping[str, Callable[[], object]]
    submodules: Sequence[str] = ()  # which need none of it


class _Later(ModuleType):
    """A module before it is executed."""

    def __getattr__(self, name: str) -> Any:
        """What is known of it, or what it has once it is executed."""
        loader = self.__dict__.get("__loader__", None)
        if not isinstance(loader, _LateLoader) or not loader.is_there or name == "__path__":
            raise AttributeError(name)  # the import system looks what it has to set, and whether this is a package
        with loader.lock:
            if loader.is_executing:
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} yet")
            if type(self) is _Later:
                if name in loader.spared.names:
                    return loader.spared.names[name]()
                loader.execute(self)
        return getattr(self, name)


class _LateLoader(Loader):
    """Puts a module there, and executes it when it is asked to."""

    def __init__(self, real: Loader, spared: _Spared) -> None:
        self.real, self.spared = real, spared
        self.lock = threading.RLock()  # of this module alone, as the import system has them
        self.is_there = self.is_executing = False

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Later(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        self.is_there = True

    def execute(self, module: ModuleType) -> None:
        self.is_executing = True
        try:
            self.real.exec_module(module)
        finally:
            self.is_executing = False
        module.__class__, module.__loader__ = ModuleType, self.real
        if module.__spec__ is not None:
            module.__spec__.loader = self.real  # which knows of sources and files


class _Present(Loader):
    """Gives the import system a module that was imported while it looked for it."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec


class _Finder(MetaPathFinder):
    """Finds what is spared, and executes it before a submodule that needs it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in _SPARED:
            spec = PathFinder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _LateLoader(spec.loader, _SPARED[fullname])
            return spec
        for parent, spared in _SPARED.items():
            if fullname.startswith(f"{parent}."):
                inner = fullname.removeprefix(f"{parent}.").partition(".")[0]
                if inner not in spared.submodules and _execute(parent) and fullname in sys.modules:
                    return ModuleSpec(fullname, _Present(sys.modules[fullname]))
        return None


def _execute(name: str) -> bool:
    """Execute a module that waits for it; whether there was one."""
    module = sys.modules.get(name)
    loader = getattr(module, "__loader__", None)
    if type(module) is not _Later or not isinstance(loader, _LateLoader):
        return False
    with loader.lock:
        if type(module) is not _Later or loader.is_executing:
            return False
        loader.execute(module)
    return True


def _executed(name: str) -> ModuleType | None:
    """A module, if it has been executed."""
    module = sys.modules.get(name)
    return None if type(module) is _Later else module


def _call(module: str, name: str) -> Callable[[], Callable[..., Any]]:
    """A stand-in for a function, or for a class that is only called."""

    def stand_in() -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            _execute(module)
            return getattr(sys.modules[module], name)(*args, **kwargs)

        return called

    return stand_in


def _from(module: str, name: str, first: str = "") -> Callable[[], Any]:
    """Something of a submodule, which has to be imported after the `first`."""

    def imported() -> Any:
        if first:
            importlib.import_module(first)
        return getattr(importlib.import_module(module), name)

    return imported


class _IsCompiled(type):
    """Nothing is a compiled module before there is a compiler."""

    def __instancecheck__(cls, instance: object) -> bool:
        compiler = _executed("torch._dynamo")
        return compiler is not None and isinstance(instance, compiler.OptimizedModule)

    def __subclasscheck__(cls, subclass: type) -> bool:
        compiler = _executed("torch._dynamo")
        return compiler is not None and issubclass(subclass, compiler.OptimizedModule)


class _OptimizedModule(metaclass=_IsCompiled):
    """Stands for torch's class where it is only asked whether something is one."""


def _disable(fn: Any = None, recursive: bool = True, **how: Any) -> Any:
    """Keep a function out of what is compiled, once something is."""
    if fn is None:
        return functools.partial(_disable, recursive=recursive, **how)
    if not isinstance(fn, FunctionType):
        _execute("torch._dynamo")
        return sys.modules["torch._dynamo"].disable(fn, recursive, **how)
    chosen: list[Callable[..., Any]] = []

    @functools.wraps(fn)
    def disabled(*args: Any, **kwargs: Any) -> Any:
        if not chosen:
            compiler = _executed("torch._dynamo")
            if compiler is None:
                return fn(*args, **kwargs)
            chosen.append(compiler.disable(fn, recursive, **how))
        return chosen[0](*args, **kwargs)

    return disabled


def _break_graph(msg: str = "") -> None:
    """Break what is being compiled into two: here nothing is."""


_SPARED = {
    # Lightning asks whether a module is compiled, and keeps a method out; so does each optimizer of torch.
    "torch._dynamo": _Spared(
        {"OptimizedModule": lambda: _OptimizedModule, "disable": lambda: _disable, "graph_break": lambda: _break_graph}
    ),
    # `torch.use_deterministic_algorithms` sets a variable of the compiler's settings.
    "torch._inductor": _Spared({}, ("config", "custom_graph_pass")),
    # Lightning imports it for one class, and it brings torchvision in.
    "torchmetrics": _Spared(
        {
            "Metric": _from("torchmetrics.metric", "Metric", first="torchmetrics.utilities"),
            "MetricCollection": _from("torchmetrics.collections", "MetricCollection", first="torchmetrics.utilities"),
            "_logger": lambda: importlib.import_module("logging").getLogger("torchmetrics"),
            "__version__": _from("torchmetrics.__about__", "__version__"),
        },
        ("utilities", "metric", "collections", "__about__"),
    ),
    # That class can draw itself, with matplotlib.
    "torchmetrics.utilities.plot": _Spared(
        {
            "_AX_TYPE": lambda: object,
            "_PLOT_OUT_TYPE": lambda: object,
            "plot_single_or_multi_val": _call("torchmetrics.utilities.plot", "plot_single_or_multi_val"),
        }
    ),
    # Lightning's summary of a model can count operations, also those of triton.
    "torch.utils.flop_counter": _Spared({"FlopCounterMode": _call("torch.utils.flop_counter", "FlopCounterMode")}),
}
