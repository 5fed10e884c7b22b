"""Sweeps on several machines: a real PostgreSQL, and a Ray cluster of two nodes, all on this machine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import psutil
import pytest
from forked import Popen

from mnistlab.sweeps import storage

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow

OPTIONS = (
    "--model=TinyModel",
    "--model.hidden_dim=choice:16,32",
    "--model.optimizer.lr=choice:0.001,0.01",
    "--data=SyntheticDigits",
    "--data.train_size=6000",
    "--data.test_size=200",
    "--data.val_size=500",
    "--trainer.max_epochs=5",
    "--name=it",
)
PATIENCE_S = 180
PASSWORD = "s3cr3tPW"  # noqa: S105 - of a server that is there for these tests only


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def programs() -> Path | None:
    """Where the server's programs lie; Debian keeps them off the path."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which("initdb")
    return next((place for place in places if (place / "initdb").is_file()), Path(found).parent if found else None)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty database on a server that is there for these tests only."""
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'mnistlab[postgres]'")
    folder = programs()
    if folder is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    place, port = tmp_path_factory.mktemp("postgres"), free_port()
    as_user: dict[str, str] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        ours = [parent for parent in place.parents if Path(tempfile.gettempdir()) in parent.parents]
        for parent in (place, *ours):
            parent.chmod(0o755)
        shutil.chown(place, "postgres")
        as_user["user"] = "postgres"
    cluster = place / "cluster"
    said = f"-F -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={place}"

    def call(*command: str) -> None:
        subprocess.run(  # type: ignore[call-overload]  # a user or none
            [str(folder / command[0]), *command[1:]],
            check=True,
            cwd=place,
            timeout=60,
            stdout=subprocess.DEVNULL,
            **as_user,
        )

    (place / "password").write_text(PASSWORD)
    call("initdb", "--auth=scram-sha-256", f"--pwfile={place / 'password'}", "--username=lab", f"--pgdata={cluster}")
    call("pg_ctl", "start", "--wait", f"--pgdata={cluster}", f"--options={said}", f"--log={place / 'log'}")
    try:
        yield f"postgresql://lab:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "stop", "--mode=immediate", f"--pgdata={cluster}")


def start(folder: Path, *options: str, anew: bool = False) -> subprocess.Popen[str]:
    """A sweep as a process of its own; if started anew, so are its workers."""
    return (subprocess.Popen if anew else Popen)(
        [sys.executable, "-m", "mnistlab", "sweep", *OPTIONS, *options],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    )


def outcome(folder: Path) -> dict[str, tuple[str, object]]:
    """The table and the metrics of each run, all of which have finished, and none of which holds the password."""
    assert not [path for path in folder.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    found = {}
    for path in sorted(folder.glob("runs/it/*/run.json")):
        record = json.loads(path.read_text())
        assert record["status"] == "finished"
        found[path.parent.name] = ((path.parent / "metrics.csv").read_text(), record["metrics"])
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, object]]:
    """What one process finds with a file as a database."""
    folder = tmp_path_factory.mktemp("alone")
    out, _ = (sweep := start(folder, "--workers=1", anew=True)).communicate(timeout=PATIENCE_S)
    assert sweep.returncode == 0, out
    return outcome(folder)


def test_one_machine_at_a_time_draws(postgres: str) -> None:
    """The server keeps the others waiting, and lets the next one in when a connection ends."""
    first, second = storage.open_storage(postgres), storage.open_storage(postgres)
    entered = Event()

    def enter() -> None:
        with storage.alone(postgres, second):
            entered.set()

    with storage.alone(postgres, first):
        thread = Thread(target=enter)
        thread.start()
        assert not entered.wait(0.5)
    assert entered.wait(10)
    thread.join()
    for each in (first, second):
        each.engine.dispose()


def test_the_same_command_on_two_machines_shares_the_work(
    tmp_path: Path, postgres: str, alone: dict[str, tuple[str, object]]
) -> None:
    """One of them is killed whole; the other does its job too, from the checkpoint, and nothing is done twice."""
    both = [start(tmp_path, "--workers=1", f"--storage={postgres}") for _ in range(2)]
    end = time.monotonic() + PATIENCE_S
    while sum(len(path.read_text().splitlines()) for path in tmp_path.glob("runs/it/*/metrics.csv")) < 6:
        assert time.monotonic() < end
        time.sleep(0.05)
    for process in [*psutil.Process(both[0].pid).children(recursive=True), psutil.Process(both[0].pid)]:
        process.send_signal(signal.SIGKILL)
    both[0].communicate()
    out, _ = both[1].communicate(timeout=PATIENCE_S)

    assert both[1].returncode == 0, out
    assert "4 finished" in out
    assert outcome(tmp_path) == alone


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In one line, without the password, before anything is written."""
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'mnistlab[postgres]'")
    sweep = start(tmp_path, f"--storage=postgresql://lab:secret@127.0.0.1:{free_port()}/postgres")
    out, _ = sweep.communicate(timeout=PATIENCE_S)

    assert sweep.returncode == 1
    assert "cannot be used: connection failed" in out
    assert "secret" not in out
    assert not list(tmp_path.iterdir())


@pytest.fixture
def ray_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator["Cluster"]:
    """Two nodes with a core each, on the loopback address only."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'mnistlab[ray]'")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # Ray's way of saying: no other address than loopback
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - an extra, and it reads the environment

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster
    finally:
        cluster.shutdown()


def test_a_ray_cluster_loses_a_node_and_nothing_else(
    tmp_path: Path, postgres: str, alone: dict[str, tuple[str, object]], ray_cluster: "Cluster"
) -> None:
    """Its worker is started again on the other node, and goes on from the checkpoint.

    Ray 2.60 itself falls now and then, where the worker of a dead node answers after all: the same command goes on.
    """
    command = ("--workers=2", "--launcher=ray", f"--storage={postgres}", "--name=ray")
    sweep = start(tmp_path, *command)
    end = time.monotonic() + PATIENCE_S
    while sum(len(path.read_text().splitlines()) for path in tmp_path.glob("runs/ray/*/metrics.csv")) < 4:
        assert time.monotonic() < end
        assert sweep.poll() is None, sweep.communicate()[0]
        time.sleep(0.05)
    ray_cluster.remove_node(next(iter(ray_cluster.worker_nodes)), allow_graceful=False)
    out, _ = sweep.communicate(timeout=PATIENCE_S)
    if sweep.returncode and "discovered a bug in Ray" in out:
        out, _ = (sweep := start(tmp_path, *command)).communicate(timeout=PATIENCE_S)

    assert sweep.returncode == 0, out
    assert "4 finished" in out
    (tmp_path / "runs/ray").rename(tmp_path / "runs/it")
    assert outcome(tmp_path) == alone


@pytest.mark.usefixtures("ray_cluster")
def test_a_cluster_needs_a_database_for_all(tmp_path: Path) -> None:
    """A file beside the runs serves one machine only."""
    sweep = start(tmp_path, "--workers=2", "--launcher=ray")
    out, _ = sweep.communicate(timeout=PATIENCE_S)

    assert sweep.returncode == 2
    assert "--storage=postgresql://" in out
