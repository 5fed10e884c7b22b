"""Fetching: files come whole or not at all, whatever server, disk and process do."""

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
import torch
from support import idx
from torchvision import datasets

from mnistlab.data import download
from mnistlab.data.idx_data import IdxData
from mnistlab.data.mnist import EMNIST, MNIST, QMNIST
from mnistlab.errors import DataUnavailableError

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def whole(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Answer as it should be."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def truncated(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Promise more than is sent."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content[:-7])


def altered(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send as many bytes as promised, one of them wrong."""
    whole(request, bytes([content[0] ^ 1]) + content[1:])


def dropped(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Hang up without an answer."""
    del content
    request.close_connection = True


def absent(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Have no such file."""
    del content
    request.send_error(404)


class Site:
    """A server on this machine that answers each folder in its own way.

    Attributes:
        answers: How each folder answers.
        requests: The paths that were asked for, in order.
        halfway: Set when a stalled answer has sent its first half.
        released: Set to let stalled answers go on.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {"good": whole, "stalled": self.stalled}
        self.requests: list[str] = []
        self.contents: dict[str, bytes] = {}
        self.halfway = threading.Event()
        self.released = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append(self.path)
                _, folder, name = self.path.split("/")
                site.answers[folder](self, site.contents[name])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stalled(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        """Send half, and the rest when released."""
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content[: len(content) // 2])
        self.halfway.set()
        self.released.wait(30)
        request.wfile.write(content[len(content) // 2 :])


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A running server."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.released.set()
    site.server.shutdown()
    site.server.server_close()
    thread.join()


def small_files(data: IdxData) -> dict[str, bytes]:
    """The files of a set, with 20 images in each split."""
    files = {}
    for part in data.parts.values():
        files[part.images] = idx(torch.randint(256, (20, 28, 28), dtype=torch.uint8))
        labels = torch.ones(20, part.columns, dtype=torch.int32) if part.columns else torch.ones(20, dtype=torch.uint8)
        files[part.labels] = idx(labels)
    return files


def md5(content: bytes) -> str:
    """The checksum by which torchvision knows a file."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def publish(site: Site, files: Mapping[str, bytes], mirrors: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torchvision's MNIST come from folders of the site."""
    site.contents |= {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    resources = [(f"{name}.gz", md5(site.contents[f"{name}.gz"])) for name in files]
    monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{site.url}/{mirror}/" for mirror in mirrors])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)


def found(folder: Path) -> dict[str, bytes]:
    """The files of a folder and what is in them; none where there is no folder."""
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_a_missing_set_is_fetched(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each file arrives unpacked, nothing else stays, and the progress is shown on stderr."""
    data = MNIST(data_dir=str(tmp_path))
    files = small_files(data)
    publish(site, files, ["good"], monkeypatch)

    data.prepare_data()

    assert found(data.raw) == files
    assert not (data.raw.parent / ".fetching").exists()
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "Fetching MNIST/train-images-idx3-ubyte.gz" in shown.err
    assert len(data.read("train")) == 20


FAULTS: dict[str, tuple[Answer | None, str]] = {
    "truncated": (truncated, "the connection ended after "),
    "altered": (altered, "its md5 is "),
    "dropped": (dropped, "Remote end closed connection without response"),
    "absent": (absent, "the server answers 404 Not Found"),
    "stalled": (None, "nothing came for 0.3 s"),
}
each_fault = pytest.mark.parametrize("fault", FAULTS)


@each_fault
def test_a_failed_download_leaves_nothing(
    fault: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message says what failed, from where, why and what to do; no half file stays."""
    answer, reason = FAULTS[fault]
    site.answers[fault] = answer or site.stalled
    monkeypatch.setattr(download, "STALL_S", 0.3)
    data = MNIST(data_dir=str(tmp_path))
    publish(site, small_files(data), [fault], monkeypatch)

    with pytest.raises(DataUnavailableError) as error:
        data.prepare_data()

    message = str(error.value)
    url = f"{site.url}/{fault}/train-images-idx3-ubyte.gz"
    missing = ", ".join(f"{name} ({size:,} bytes)" for name, size in data.original_bytes().items())
    assert message.startswith(f"train-images-idx3-ubyte.gz of MNIST could not be fetched: {url}: {reason}")
    assert "Use --data=SyntheticDigits" in message
    assert "MNISTLAB_DATA_DIR" in message
    assert f"put what is missing into {data.raw} by hand: {missing}, as it is or packed in " in message
    assert "\n" not in message
    assert not data.raw.exists()
    assert not (data.raw.parent / ".fetching").exists()


@each_fault
def test_every_mirror_is_tried(fault: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the first mirror, the second one serves."""
    site.answers[fault] = FAULTS[fault][0] or site.stalled
    monkeypatch.setattr(download, "STALL_S", 0.3)
    data = MNIST(data_dir=str(tmp_path))
    files = small_files(data)
    publish(site, files, [fault, "good"], monkeypatch)

    data.prepare_data()

    assert found(data.raw) == files


def test_without_a_network_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address is listed with its reason."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/one/", "http://127.0.0.1:9/two/"])

    with pytest.raises(DataUnavailableError) as error:
        MNIST(data_dir=str(tmp_path)).prepare_data()

    assert "/one/train-images-idx3-ubyte.gz: Connection refused" in str(error.value)
    assert "/two/train-images-idx3-ubyte.gz: Connection refused" in str(error.value)


def test_a_file_with_the_right_checksum_but_no_images_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is unpacked is looked at before it is put in place."""
    data = MNIST(data_dir=str(tmp_path))
    publish(site, dict.fromkeys(small_files(data), b"something else"), ["good"], monkeypatch)

    with pytest.raises(DataUnavailableError, match=r"it does not hold train-images-idx3-ubyte: .* is no idx file"):
        data.prepare_data()

    assert found(data.raw) == {}


def test_only_what_is_missing_is_fetched(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are there are neither fetched nor written, and what a killed process left is cleared away."""
    data = MNIST(data_dir=str(tmp_path))
    files = small_files(data)
    publish(site, files, ["good"], monkeypatch)
    data.raw.mkdir(parents=True)
    mine = idx(torch.full((20,), 7, dtype=torch.uint8))
    (data.raw / "t10k-labels-idx1-ubyte").write_bytes(mine)
    (data.raw.parent / ".fetching").mkdir()
    (data.raw.parent / ".fetching/train-images-idx3-ubyte").write_bytes(b"half")

    data.prepare_data()

    assert found(data.raw) == {**files, "t10k-labels-idx1-ubyte": mine}
    assert "/good/t10k-labels-idx1-ubyte.gz" not in site.requests
    assert not (data.raw.parent / ".fetching").exists()


def test_a_packed_file_put_there_by_hand_serves(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good one saves the network, and a broken one does no harm."""
    data = MNIST(data_dir=str(tmp_path))
    files = small_files(data)
    publish(site, files, ["good"], monkeypatch)
    data.raw.mkdir(parents=True)
    good, bad = "train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"
    (data.raw / good).write_bytes(site.contents[good])
    (data.raw / bad).write_bytes(site.contents[bad][:-1])

    data.prepare_data()

    assert {name: content for name, content in found(data.raw).items() if name in files} == files
    assert f"/good/{good}" not in site.requests
    assert f"/good/{bad}" in site.requests


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """The message names the folder and the reason."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DataUnavailableError, match=r"MNIST cannot be written to .*file/MNIST/raw: Not a directory"):
        MNIST(data_dir=str(tmp_path / "file")).prepare_data()


def test_a_full_disk_is_not_blamed_on_the_network(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while writing ends the attempt, and no other mirror is asked."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    data = MNIST(data_dir=str(tmp_path))
    publish(site, small_files(data), ["good", "good"], monkeypatch)
    plain_download = download._download
    monkeypatch.setattr(download, "_download", lambda url, _: plain_download(url, Path("/dev/full")))

    with pytest.raises(DataUnavailableError, match="No space left on device"):
        data.prepare_data()

    assert len(site.requests) == 1
    assert found(data.raw) == {}


def test_qmnist_is_fetched(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its files has an address of its own."""
    data = QMNIST(data_dir=str(tmp_path))
    files = small_files(data)
    site.contents |= {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    resources = {
        split: [(f"{site.url}/good/{name}.gz", md5(site.contents[f"{name}.gz"])) for name in (part.images, part.labels)]
        for split, part in data.parts.items()
    }
    monkeypatch.setattr(datasets.QMNIST, "resources", resources)

    data.prepare_data()

    assert found(data.raw) == files


def test_emnist_is_fetched_once_for_all_splits(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the split that is wanted is unpacked; the archive stays and has the others, without network."""
    letters, digits = EMNIST("letters", data_dir=str(tmp_path)), EMNIST("digits", data_dir=str(tmp_path))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {**small_files(letters), **small_files(digits)}.items():
            archive.writestr(f"gzip/{name}.gz", gzip.compress(content))
    site.contents["gzip.zip"] = packed.getvalue()
    monkeypatch.setattr(datasets.EMNIST, "url", f"{site.url}/good/gzip.zip")
    monkeypatch.setattr(datasets.EMNIST, "md5", md5(packed.getvalue()))

    letters.prepare_data()
    assert set(found(letters.raw)) == {"gzip.zip", *letters.original_bytes()}
    digits.prepare_data()

    assert set(found(digits.raw)) == {"gzip.zip", *letters.original_bytes(), *digits.original_bytes()}
    assert site.requests == ["/good/gzip.zip"]


FETCH = """
import sys
from pathlib import Path
from mnistlab.data.download import Archive, fetch

url, md5, raw = sys.argv[1:]
fetch([Archive([url], md5, {"train-images-idx3-ubyte": 0})], Path(raw))
"""


def fetch_elsewhere(site: Site, raw: Path, folder: str) -> subprocess.Popen[bytes]:
    """Fetch the training images in another process, which is past its start when the server is asked."""
    name = "train-images-idx3-ubyte.gz"
    command = [sys.executable, "-c", FETCH, f"{site.url}/{folder}/{name}", md5(site.contents[name]), str(raw)]
    path = str(Path(__file__).parents[2])
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL)


def test_two_attempts_at_once_fetch_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The second one says that it waits, and finds what the first one fetched."""
    data = MNIST(data_dir=str(tmp_path))
    files = small_files(data)
    publish(site, files, ["stalled"], monkeypatch)
    first = threading.Thread(target=data.prepare_data)

    first.start()
    assert site.halfway.wait(30)
    release = threading.Timer(0.3, site.released.set)
    release.start()
    data.prepare_data()
    first.join()
    release.join()

    assert "Waiting for another process to fetch MNIST" in capfd.readouterr().err
    assert found(data.raw) == files
    assert sorted(site.requests) == sorted(f"/stalled/{name}.gz" for name in files)


@pytest.mark.slow
def test_a_killed_download_does_not_disturb_the_next(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle, it has put nothing in place, and the one that waited for it clears up and succeeds."""
    data = MNIST(data_dir=str(tmp_path))
    files = small_files(data)
    publish(site, files, ["good"], monkeypatch)

    with fetch_elsewhere(site, data.raw, "stalled") as process:
        assert site.halfway.wait(60)
        assert list((data.raw.parent / ".fetching").iterdir())
        assert found(data.raw) == {}
        kill = threading.Timer(0.3, process.send_signal, [signal.SIGKILL])
        kill.start()
        data.prepare_data()
        kill.join()

    assert process.returncode == -signal.SIGKILL
    assert found(data.raw) == files
    assert not (data.raw.parent / ".fetching").exists()
