"""Processes of this program that begin at once: forked from one that has imported everything and done nothing yet.

Python with torch and Lightning takes four seconds of a core to start. What `Popen` starts is a child of who starts it,
as ever, and what that starts with the same Python is made in the same way. Anything else is started as ever, and so is
everything elsewhere than on Linux.
"""

import atexit
import ctypes
import gc
import json
import os
import random
import runpy
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Never

import psutil

IMPORTED = ("lightning.pytorch.cli", "mnistlab.training.running", "mnistlab.sweeps.worker", "mnistlab.commands.sweep")
_CALLED, _ADOPTS = 15, 36  # what Linux can be told: a process's name, and whether it gets children of dead children
_here: socket.socket | None = None
"""The way to who forks for this process."""

_one_at_a_time = Lock()
_Started = subprocess.Popen  # also where a test has put another in its place


class Popen(subprocess.Popen[str]):
    """As that of `subprocess`."""

    def _execute_child(self, args: Any, *rest: Any) -> None:
        cwd, env, pipes, in_session = rest[4], rest[5], rest[9:15], rest[20]  # as Python passes them
        if sys.platform != "linux" or not _is_ours(args):
            super()._execute_child(args, *rest)  # type: ignore[misc]  # Python's own
            return
        streams = [number if pipe == -1 else pipe for number, pipe in enumerate(pipes[i] for i in (0, 3, 5))]
        place = os.fspath(cwd or Path.cwd())
        wanted = [os.getpid(), list(map(os.fspath, args[1:])), place, dict(env or os.environ), in_session]
        with _one_at_a_time:
            source = _here or _source()
            _tell_linux(_ADOPTS, 1)
            socket.send_fds(source, [json.dumps(wanted).encode()], streams)
            self.pid = int(source.recv(20))
            _tell_linux(_ADOPTS, 0)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # Python's own


def children(process: psutil.Process) -> list[psutil.Process]:
    """The processes of this program that a forked one has started."""
    return [child for child in process.children() if child.name() == _name(process.pid)]


def _is_ours(command: Sequence[str]) -> bool:
    match command:
        case [sys.executable, "-c" | "-m", what, *_]:
            return "mnistlab" in what
        case [sys.executable, path, *_]:
            return not path.startswith("-")
        case _:
            return False


@cache
def _source() -> socket.socket:
    """Start who forks for the tests; it ends with them."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]; import forked; forked.begin({its.fileno()})"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = _Started([sys.executable, "-c", code], pass_fds=[its.fileno()], env=environment)
    its.close()
    atexit.register(process.wait)
    atexit.register(ours.close)  # before
    return ours


def begin(requests: int) -> Never:
    """Import everything, and fork for the process that has started this one."""
    sys.path[:2] = []  # the folder of the tests, and the current one
    for name in IMPORTED:
        import_module(name)
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=requests))


def _serve(requests: socket.socket) -> Never:
    """Fork for one process until it ends; what is forked becomes its child once the process between has ended."""
    while True:
        message, streams, _, _ = socket.recv_fds(requests, 2**20, 3)
        if not message:
            os._exit(0)
        answer, said = os.pipe()
        between = os.fork()
        if not between:
            child = os.fork()
            if not child:
                _become(streams, *json.loads(message))
            os.write(said, b"%d" % child)
            os._exit(0)
        os.waitpid(between, 0)
        requests.send(os.read(answer, 20))
        for number in (answer, said, *streams):
            os.close(number)


def _become(streams: list[int], parent: int, args: list[str], cwd: str, env: dict[str, str], in_session: bool) -> Never:
    """Be what was wanted, in a state as after a start."""
    global _here
    if in_session:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    _tell_linux(_CALLED, b"forks")
    _here, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        _here.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        _serve(its)
    its.close()
    _tell_linux(_CALLED, _name(parent).encode())
    subprocess.Popen = Popen  # type: ignore[misc, assignment]
    sys.stdin, sys.stdout, sys.stderr = (open(number, "w" if number else "r", closefd=False) for number in range(3))  # noqa: SIM115
    sys.path[:0] = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
    for each in random, sys.modules["torch"], sys.modules["numpy"].random:
        each.seed()
    code = _ended(args)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _ended(args: list[str]) -> int:
    """Run as `python` runs, and give the exit code."""
    try:
        match args:
            case ["-c", code, *more]:
                sys.argv = ["-c", *more]
                sys.path.insert(0, "")
                sys.modules["__main__"] = main = ModuleType("__main__")
                exec(code, main.__dict__)  # noqa: S102 - of a test
            case ["-m", name, *more]:
                sys.argv = ["-m", *more]
                sys.path.insert(0, "")
                runpy.run_module(name, run_name="__main__", alter_sys=True)
            case [path, *more]:
                sys.argv = [path, *more]
                sys.path.insert(0, str(Path(path).parent))
                runpy.run_path(path, run_name="__main__")
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException as error:  # noqa: BLE001 - whatever has ended it
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def _name(parent: int) -> str:
    """How Linux calls a process: other programs have their parent's name for a moment, and so not this one."""
    return f"of {parent}"


def _tell_linux(what: int, value: object) -> None:
    ctypes.CDLL(None).prctl(what, value, 0, 0, 0)
