"""Fetches the files of a data set: whole and checked, or not at all."""

import gzip
import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from mnistlab.data.idx import read_header
from mnistlab.errors import DataUnavailableError, LabError
from mnistlab.system.locks import locked

STALL_S = 20.0
"""Seconds without a byte after which a connection is given up."""

_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Archive:
    """A packed file that can be had from several places."""

    urls: Sequence[str]  # where it is, in the order in which to try
    md5: str  # of the packed file, in hexadecimal
    files: Mapping[str, int]  # the idx files wanted from it, and the size in bytes that the original of each has
    keep: bool = False  # whether the packed file stays next to them, because there is more in it

    @property
    def name(self) -> str:
        """The name of the packed file."""
        return self.urls[0].rpartition("/")[2]


class _SourceError(Exception):
    """Why a source did not serve."""


def fetch(archives: Sequence[Archive], raw: Path) -> None:
    """Put the files of `archives` that are missing into the folder `raw`.

    A file appears in `raw` only after its checksum and its header were found right. Several processes may do this at
    once: one fetches, the others wait and find the files there. A packed file that lies in `raw` serves as a source.

    Raises:
        DataUnavailableError: If no source has a file, or it cannot be written.
    """
    try:
        raw.parent.mkdir(parents=True, exist_ok=True)
        with _staging(raw) as staging, _present(raw):
            for archive in archives:
                try:
                    _fetch(archive, raw, staging)
                except _SourceError as error:
                    raise DataUnavailableError(_failed(archive.name, str(error), archives, raw)) from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise DataUnavailableError(
            f"{raw.parent.name} cannot be written to {raw}: {error.strerror or error}{where}. Name another folder with "
            "--data.data_dir or MNISTLAB_DATA_DIR, or use --data=SyntheticDigits, which needs no files."
        ) from error


@contextmanager
def _staging(raw: Path) -> Iterator[Path]:
    """An empty folder on the file system of `raw`, for one process at a time."""
    folder = raw.parent / ".fetching"
    waiting = f"Waiting for another process to fetch {raw.parent.name} into {raw} ..."
    with locked(raw.parent / ".fetching.lock", waiting):  # so whatever is in the folder is left from a dead process
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _present(raw: Path) -> Iterator[None]:
    """The folder, which is not left behind empty."""
    raw.mkdir(exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # there is something in it
            raw.rmdir()


def _fetch(archive: Archive, raw: Path, staging: Path) -> None:
    names = [name for name in archive.files if not (raw / name).exists()]
    if not names:  # another process was faster
        return
    failures = []
    sources: list[Path | str] = [raw / archive.name, *archive.urls]
    for source in sources:
        if isinstance(source, Path) and not source.exists():
            continue
        try:
            _obtain(source, archive, names, staging)
        except _SourceError as error:
            failures.append(f"{source}: {error}")
        else:
            break
    else:
        raise _SourceError("; ".join(failures))
    if archive.keep and (staging / archive.name).exists():
        (staging / archive.name).replace(raw / archive.name)
    for name in names:
        (staging / name).replace(raw / name)


def _obtain(source: Path | str, archive: Archive, names: Sequence[str], staging: Path) -> None:
    """Bring the files `names` from `source` into `staging`, checked."""
    packed = source if isinstance(source, Path) else staging / archive.name
    if isinstance(source, str):
        _download(source, packed)
    with packed.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != archive.md5:
        raise _SourceError(f"its md5 is {md5}, but must be {archive.md5}")
    for name in names:
        _unpack(packed, staging / name)


def _unpack(packed: Path, target: Path) -> None:
    """Unpack the idx file `target` from a .gz of its own or from a .zip of .gz files."""
    try:
        with _opened(packed, target.name) as stream, gzip.open(stream) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK_BYTES)
        read_header(target)
    except (EOFError, KeyError, LabError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise _SourceError(f"it does not hold {target.name}: {error}") from error


@contextmanager
def _opened(packed: Path, name: str) -> Iterator[BinaryIO]:
    if packed.suffix == ".zip":
        with zipfile.ZipFile(packed) as folder, folder.open(f"gzip/{name}.gz") as stream:
            yield stream  # type: ignore[misc]
    else:
        with packed.open("rb") as stream:
            yield stream


def _download(url: str, target: Path) -> None:
    """Copy what is at `url` to `target`, with a progress bar on stderr."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with (
        Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True)) as progress,
        target.open("wb") as file,
    ):
        task = progress.add_task(f"Fetching {target.parent.parent.name}/{target.name}", total=None)
        for chunk, total_bytes in _chunks(url):
            file.write(chunk)
            progress.update(task, total=total_bytes, advance=len(chunk))


def _chunks(url: str) -> Iterator[tuple[bytes, int | None]]:
    """The content of `url` in pieces, each with the length of the whole.

    Only what goes wrong here is the network's fault: an error of the caller while it writes does not pass through.
    """
    done = 0
    try:
        request = Request(url, headers={"User-Agent": "mnistlab"})  # noqa: S310 - addresses are torchvision's constants
        with urlopen(request, timeout=STALL_S) as response:  # noqa: S310
            total = response.length
            # A server may leave the connection open at the end, so the length counts where it is known.
            while (total is None or done < total) and (chunk := response.read1(_CHUNK_BYTES)):
                done += len(chunk)
                yield chunk, total
    except (OSError, HTTPException) as error:
        raise _SourceError(_reason(error)) from error
    if total is not None and done < total:
        raise _SourceError(f"the connection ended after {done:,} of {total:,} bytes")


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"the server answers {error.code} {error.reason}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"nothing came for {STALL_S:g} s"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _failed(name: str, reasons: str, archives: Sequence[Archive], raw: Path) -> str:
    sizes = {file: size for archive in archives for file, size in archive.files.items() if not (raw / file).exists()}
    missing = ", ".join(f"{file} ({size:,} bytes)" for file, size in sizes.items())
    packed = ", ".join(archive.name for archive in archives)
    return (
        f"{name} of {raw.parent.name} could not be fetched: {reasons}. Use --data=SyntheticDigits, which needs neither "
        "files nor network; or name the folder that holds it with --data.data_dir or MNISTLAB_DATA_DIR; or put what is "
        f"missing into {raw} by hand: {missing}, as it is or packed in {packed}."
    )
