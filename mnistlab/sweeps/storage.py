"""Where a sweep is kept: a database that several processes may use at once, and be killed at any time."""

import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import psutil
import sqlalchemy
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import ArgumentError, IntegrityError, ProgrammingError, SQLAlchemyError

from mnistlab.errors import LabError
from mnistlab.system.locks import locked
from mnistlab.text.addresses import is_incomplete, masked, opened, without_mask
from mnistlab.training.failures import RunFailedError, explained, is_full_disk

HEARTBEAT_S = 15
"""Seconds between two signs of life of a running trial."""

GRACE_S = 60
"""Seconds without one after which the process of another machine counts as dead."""

_WAIT_S = 60  # seconds for which a process waits for another one's write to a SQLite file
_FILE = "sqlite:///"

_ELSEWHERE = "say it in the address, in PGPASSWORD, or in ~/.pgpass."
_LOCK = 0x6D6E697374  # the name of our lock on a server: some number that nobody else takes
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "lustre", "gpfs", "beegfs", "ceph", "9p", "afs")


def open_storage(url: str) -> RDBStorage:
    """Open the database of a sweep; a SQLite file is made where there is none.

    Args:
        url: `sqlite:///file`, or `postgresql://user@host/database`; a password that is not known is asked for where
            the driver looks for it.

    Raises:
        LabError: If it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _told(url), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # the heartbeat; tests/sweeps watches over it
        if url.startswith(_FILE):
            _refuse_remote(Path(url.removeprefix(_FILE)))
            return _hardened(url)
        return _on_server(without_mask(opened(url)))


@contextmanager
def alone(url: str, storage: RDBStorage) -> Iterator[None]:
    """Keep all other processes, on any machine, from what is within; one that dies lets the next one in.

    Args:
        url: The address of the database.
        storage: It.
    """
    if not url.startswith(_FILE):
        with storage.engine.begin() as connection:
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
            yield
        return
    with locked(Path(f"{url.removeprefix(_FILE)}.lock")):  # SQLite has its own of the file
        yield


def _hardened(url: str) -> RDBStorage:
    """SQLite that claims a trial for one process only.

    Optuna claims with SELECT ... FOR UPDATE, which SQLite ignores: two workers then run the same trial (optuna #4621,
    #4002; 2 of 60 trials in each of our tries). A transaction that locks when it begins cures it, and a write-ahead log
    lets the others read meanwhile. `RDBStorage.engine` is public; tests/sweeps/test_storage.py fails without these
    hooks, and one test in it tells when they can go.
    """
    file = url.removeprefix(_FILE)  # not by an address: a folder may be called anything
    options = {
        "creator": lambda: sqlite3.connect(file, timeout=_WAIT_S, check_same_thread=False),
        "poolclass": sqlalchemy.QueuePool,
    }
    storage = RDBStorage("sqlite://", options, heartbeat_interval=HEARTBEAT_S, grace_period=GRACE_S)

    def prepare(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = None  # so that the driver begins no transaction of its own
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=normal")

    def lock(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    sqlalchemy.event.listen(storage.engine, "connect", prepare)
    sqlalchemy.event.listen(storage.engine, "begin", lock)
    storage.engine.dispose()  # the connection that was opened before the hooks
    return storage


def _on_server(url: str) -> RDBStorage:
    """The database of a server; where several machines make its tables at once, all but one try again."""
    for wait in (1.0, 2.0, None):
        try:
            return RDBStorage(
                _with_driver(url), {"pool_pre_ping": True}, heartbeat_interval=HEARTBEAT_S, grace_period=GRACE_S
            )
        except (IntegrityError, ProgrammingError):
            if wait is None:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _with_driver(url: str) -> str:
    """PostgreSQL by psycopg 3, which the extra installs."""
    name, _, rest = url.partition("://")
    if name not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError(name)
    return f"postgresql+psycopg://{rest}"


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong with a database, in a line."""
    where = f"--storage={masked(url)}"
    way_out = f" Its password is kept nowhere: {_ELSEWHERE}" if is_incomplete(url) else ""
    try:
        with told_of_the_database(where, way_out):
            yield
    except ImportError as error:
        raise LabError(f"{where}: its driver is not installed. Run: pip install 'mnistlab[postgres]'") from error
    except (ArgumentError, ValueError) as error:
        raise LabError(
            f"{where}: this is no address of a database. Write sqlite:///file.db or postgresql://user@host/name."
        ) from error


@contextmanager
def told_of_the_database(where: str = "the database of the sweep", way_out: str = "") -> Iterator[None]:
    """What a database refuses within, in a line with its cause: Optuna speaks of invalid data, whatever it was.

    Args:
        where: The database.
        way_out: A sentence that ends the line.

    Raises:
        RunFailedError: If it refuses something.
    """
    try:
        yield
    except ArgumentError:
        raise
    except (SQLAlchemyError, StorageInternalError) as error:
        if is_full_disk(error):
            raise explained(error, {}) from error
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        raise RunFailedError(f"{where} cannot be used: {reason.rstrip('.')}.{way_out}") from error


def _refuse_remote(file: Path) -> None:
    """A write-ahead log needs memory that all its readers share: one machine, and its own disk."""
    place = file.absolute().parent
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    mount = next((mounts[folder] for folder in (place, *place.parents) if folder in mounts), "")
    if mount in _REMOTE:
        raise LabError(
            f"{place} lies on a network drive ({mount}), where SQLite loses data when several processes write. Choose "
            "a local folder with --run.dir=..., or a server with --storage=postgresql://user@host/name."
        )
