"""What a program can import has types that say something."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mnistlab


def functions() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every public function of mnistlab, and every public method that it writes itself."""
    for name in mnistlab.__all__:
        thing = getattr(mnistlab, name)
        if not isinstance(thing, type):
            yield name, thing
            continue
        for owner in thing.__mro__:
            if owner.__module__.partition(".")[0] == "mnistlab":
                for method, value in vars(owner).items():
                    function = getattr(value, "__func__", value)
                    if inspect.isfunction(function) and (not method.startswith("_") or method == "__init__"):
                        yield f"{owner.__name__}.{method}", function


FUNCTIONS = dict(functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_parameter_is_untyped_or_any(name: str) -> None:
    """Only `**kwargs`, which lead to a typed parent, may be `Any`."""
    for parameter in inspect.signature(FUNCTIONS[name]).parameters.values():
        if parameter.name not in ("self", "cls") and parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            assert parameter.annotation not in (Any, "Any", inspect.Parameter.empty)


def test_the_walk_reaches_what_it_should() -> None:
    """A walk that finds nothing would prove nothing."""
    assert {"config", "preset", "Config.clone", "Preset.build", "SmallModel.__init__", "ImageData.setup"} <= set(
        FUNCTIONS
    )
