"""What a command sets for its whole process, as it was before: a notebook has other work to do afterwards."""

import logging
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

Restore = Callable[[], object]
"""Sets something as it was."""


@contextmanager
def settings_kept() -> Iterator[Callable[[], None]]:
    """Let all that belongs to the process be afterwards as it was before: of Python, torch, numpy, and matplotlib.

    What it gives is to be called once torch is imported, for who had not imported it; it is as it comes then.
    """
    restores = [*_of_python(), *_of_numpy(), *_of_matplotlib(), *_of_torch()]
    known = "torch" in sys.modules

    def torch_comes() -> None:
        if not known:
            restores.extend(_of_torch())

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # tqdm's, which others import: the bars are ours
        try:
            yield torch_comes
        finally:
            for restore in reversed(restores):
                restore()


def _of_python() -> Iterator[Restore]:
    variables, path, state, hook = dict(os.environ), [*sys.path], random.getstate(), sys.excepthook
    yield lambda: _restore_variables(variables)
    yield lambda: sys.path.__setitem__(slice(None), path)
    yield lambda: random.setstate(state)
    yield lambda: setattr(sys, "excepthook", hook)
    levels = {logger: logger.level for logger in _loggers()}
    yield lambda: _restore_levels(levels)
    if current_thread() is main_thread():
        heard: dict[int, Any] = {number: signal.getsignal(number) for number in signal.valid_signals()}
        yield lambda: _restore_signals(heard)


def _of_numpy() -> Iterator[Restore]:
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        state: Any = numpy.random.get_state()
        yield lambda: numpy.random.set_state(state)


def _of_matplotlib() -> Iterator[Restore]:
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None:
        settings = dict.copy(matplotlib.rcParams)  # its own way to copy asks for the backend, which chooses one
        yield lambda: dict.update(matplotlib.rcParams, settings)


def _of_torch() -> Iterator[Restore]:
    if "torch" not in sys.modules:
        return
    import torch  # noqa: PLC0415 - it is there

    from mnistlab.system.threads import compute_with  # noqa: PLC0415 - as above

    threads, kind, precision = (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.get_float32_matmul_precision(),
    )
    yield lambda: compute_with(threads)
    yield lambda: torch.set_default_dtype(kind)
    yield lambda: torch.set_float32_matmul_precision(precision)
    exact, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    yield lambda: torch.use_deterministic_algorithms(exact, warn_only=warns)
    gradients = torch.is_grad_enabled()
    yield lambda: torch.set_grad_enabled(gradients)
    cudnn, filled = torch.backends.cudnn, torch.utils.deterministic
    flags: list[tuple[Any, str]] = [(cudnn, name) for name in ("benchmark", "deterministic", "allow_tf32", "enabled")]
    flags += [(torch.backends.cuda.matmul, "allow_tf32"), (filled, "fill_uninitialized_memory")]
    for owner, name in flags:
        yield _setting(owner, name)
    state, devices = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    yield lambda: torch.set_rng_state(state)
    yield lambda: torch.cuda.set_rng_state_all(devices) if devices else None


def _setting(owner: Any, name: str) -> Restore:
    value = getattr(owner, name)
    return lambda: setattr(owner, name, value) if getattr(owner, name) != value else None


def _loggers() -> list[logging.Logger]:
    known = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    return [logging.root, *known]


def _restore_levels(levels: dict[logging.Logger, int]) -> None:
    for logger in _loggers():
        if logger in levels or logger.name.startswith("lightning"):  # what others set as they are imported is theirs
            logger.setLevel(levels.get(logger, logging.NOTSET))


def _restore_variables(variables: dict[str, str]) -> None:
    for name in [*os.environ]:
        if name not in variables:
            del os.environ[name]
    os.environ.update({name: value for name, value in variables.items() if os.environ.get(name) != value})


def _restore_signals(heard: dict[int, Any]) -> None:
    for number, handler in heard.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)
