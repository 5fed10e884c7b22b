"""`mnistlab board`: the best of each on a page, as a file or served, whatever people call themselves."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from mnistlab.cli import main
from mnistlab.export.browser import find_browser
from mnistlab.options.arguments import Arguments
from mnistlab.reports.board.asked import Board
from mnistlab.reports.board.serving import make_server, reached_at

Told = Callable[..., str]
EVIL = "<script>alert(1)</script>&\"'\x1b[2J"


FITS = """<script>
document.documentElement.dataset.probe = JSON.stringify([
  document.documentElement.scrollHeight <= innerHeight,
  document.documentElement.scrollWidth <= innerWidth,
  [...document.querySelectorAll("tbody tr")].every(each => each.getBoundingClientRect().bottom <= innerHeight),
]);
</script></body>"""


def make(number: int, accuracy: float | None, user: str | None, **record: object) -> Path:
    """A run that was validated."""
    folder = Path(f"runs/tiny/20260101T000000Z-{number:06x}")
    folder.mkdir(parents=True)
    time = f"2026-01-01T10:{number % 60:02}:00+00:00"
    basis = {"command": "fit", "class": "TinyModel", "data": "MNIST", "status": "finished", "started": time}
    best = {"best": {"epoch": 1, "val/acc": accuracy}} if accuracy is not None else {}
    said = {**basis, "ended": time, "user": user, "metrics": best, **record}
    (folder / "run.json").write_text(json.dumps(said))
    return folder


@pytest.fixture
def several(here: Path) -> None:
    """Runs of a class, one of which is called as nobody is."""
    del here
    make(1, 0.91, "anna", looks=0, data_fingerprint={"test": "f" * 64})
    make(2, 0.95, "anna", looks=1, data_fingerprint={"test": "f" * 64}, name="wide")
    make(3, 0.93, EVIL, name=EVIL)
    make(4, None, "ben")
    make(5, 0.999, "ben", command="test")
    make(6, 0.99, "ben", data="KMNIST")
    make(7, 0.95, None)
    Path("runs/looks.csv").write_text(f"time,images\n1,{'f' * 64}\n2,{'f' * 64}\n3,{'e' * 64}\n")


class _Reading(HTMLParser):
    """Reads the rows of a page, and which elements it has."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        del attrs
        self.elements.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        """Add to a cell."""
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def rows_of(page: str) -> list[list[str]]:
    """The rows of the table."""
    reading = _Reading()
    reading.feed(page.partition("</table>")[0])
    return reading.rows[1:]


@pytest.mark.usefixtures("several")
def test_each_has_a_row_with_the_best_run(told: Told) -> None:
    """By validation accuracy, of equal ones the earlier first; of other data and without validation none counts."""
    told("board")
    page = Path("board.html").read_text()

    assert [[row[1][:7], *row[2:]] for row in rows_of(page)] == [
        ["anna", "95.00", "TinyModel", "2", "2"],
        ["unknown", "95.00", "TinyModel", "1", "0"],
        ["<script", "93.00", "TinyModel", "1", "0"],
    ]
    assert "They have been looked at 2 times." in page
    assert "1 run of KMNIST" in page
    assert "the test images are no leaderboard" in page
    assert "Newest runs" in page
    assert re.search(r"Written by mnistlab board, 20\d\d-\d\d-\d\d \d\d:\d\d UTC", page)


@pytest.mark.usefixtures("here")
def test_who_is_equally_good_shares_a_place(told: Told) -> None:
    """And the place of the next one counts all before; who share the first are all named."""
    for number, (who, accuracy) in enumerate({"anna": 0.9, "ben": 0.95, "carl": 0.9, "dora": 0.95, "eva": 0.8}.items()):
        make(number, accuracy, who)
    told("board")
    page = Path("board.html").read_text()

    ranks = {row[1]: row[0] for row in rows_of(page)}
    assert ranks == {"ben": "1", "dora": "1", "anna": "3", "carl": "3", "eva": "5"}
    assert "ben and dora</span> <b>95.00" in page
    make(9, 0.95, "frida-of-the-other-class")
    told("board")
    assert "ben and 2 others</span>" in Path("board.html").read_text()


@pytest.mark.usefixtures("here")
def test_long_names_do_not_look_the_same(told: Told) -> None:
    """They are cut in the middle, and where they differ there alone, there."""
    begin = "first-try-with-learning-rate-"
    names = [f"{begin}{rate}-and-width-{width}-and-dropout" for rate in (0.1, 0.01) for width in (64, 128)]
    for number, name in enumerate([*names, f"{begin}1", f"{begin}2", "short"]):
        make(number, 0.9 - number / 100, "anna", name=name)
    told("board", "--by=name")
    page = Path("board.html").read_text()
    shown = [row[1] for row in rows_of(page)]

    assert len({*shown}) == len(shown)
    assert [each[9:] for each in shown[:4]] == [
        "1-and-width-64…",
        "1-and-width-12…",
        "01-and-width-6…",
        "01-and-width-1…",
    ]
    assert shown[4:] == ["first-tr…learning-rate-1", "first-tr…learning-rate-2", "short"]
    assert max(map(len, shown)) == 24
    assert "first-tr…learning-rate-2" in re.sub("<[^>]*>", "", page.partition("Newest runs")[2])


@pytest.mark.usefixtures("here")
def test_who_has_no_room_on_a_projector_stands_below(told: Told) -> None:
    """Which the head of the page says, and nobody is left out."""
    for number in range(200):
        make(number, 0.999 - number / 1000, f"user{number}")
    told("board")
    page = Path("board.html").read_text()
    first, *further = page.split('<section class="more-places ')

    assert "Below: 116 more, from place 85 on." in first
    assert [part.count("<tr") - part.count("<thead") for part in (first, *further)] == [84, 84, 32]
    assert "<h2>From place 169 on</h2>" in further[1]
    assert "user199" not in first


@pytest.mark.slow
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("people", [5, 30, 80])
def test_a_class_fits_on_a_projector(told: Told, people: int) -> None:
    """Of each usual size, without scrolling, however long their names."""
    browser = find_browser()
    if browser is None:
        pytest.skip("needs chromium, chromium-browser or google-chrome on the path")
    for number in range(people):
        make(number, 0.9 + number // 3 / 1000, f"anna-{number}{'-of-elsewhere' * (number % 5)}")
    told("board")
    page = Path("board.html").read_text()
    Path("board.html").write_text(re.sub("<meta http-equiv[^>]*>", "", page).replace("</body>", FITS))
    for size in ("1920,1080", "1280,720", "1024,768"):
        fixed = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={Path('profile').absolute()}")
        found = subprocess.run(
            [browser, *fixed, f"--window-size={size}", "--dump-dom", Path("board.html").absolute().as_uri()],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert 'data-probe="[true,true,true]"' in found.stdout, size


@pytest.mark.usefixtures("several")
def test_filters_that_leave_nothing_write_nothing(told: Told) -> None:
    """What they have left is told, by a board that is served on its page; the page that is there stays."""
    told("board")
    before = Path("board.html").read_text()

    assert "None of the 7 runs in runs has --where=val_acc>1. Nothing was written." in told(
        "board", "--where=val_acc>1", code=2
    )
    assert "No run of fit with --command=test has been validated." in told("board", "--command=test", code=2)
    assert Path("board.html").read_text() == before
    asked = Arguments("board", (), frozenset({"serve"}), {"where": "val_acc>1"})
    assert "None of the 7 runs in runs has --where=val_acc&gt;1." in Board(asked).inner()


@pytest.mark.usefixtures("several")
def test_a_record_that_cannot_be_read_is_told_once(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """As by `runs`; a board that is served does not say it at each look."""
    damaged = make(8, 0.9, "carl") / "run.json"
    damaged.write_text("{")
    told("board")
    assert main(["board"]) == 0
    assert capsys.readouterr().err == f"note: a record cannot be read: {damaged}\n"
    board = Board(Arguments("board", (), frozenset(), {}))
    board.inner()
    board.inner()

    assert capsys.readouterr().err.count("cannot be read") == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", ["runs", "board", "runs show last", "report last", "fit --model=SDN8K"])
def test_a_file_in_place_of_the_folder_of_runs_is_told(told: Told, command: str) -> None:
    """In the same words by whatever wants it, and nobody takes it for a record."""
    Path("runs").write_text("mine")
    said = told(*command.split(), code=2)

    assert "runs is a file; a folder for the runs is wanted. Choose one with --run.dir=..." in said
    assert len(said.splitlines()) == 1


@pytest.mark.usefixtures("several")
def test_what_is_asked_for_is_shown(told: Told) -> None:
    """Names in place of people, some of the runs, the best alone, another file."""
    told("board", "--by=name", "--best", "--user=anna", "--output=other.html")
    page = Path("other.html").read_text()

    assert [row[1] for row in rows_of(page)] == ["wide", "20260101T000000Z-000001"]
    assert "Newest runs" not in page
    assert not Path("board.html").exists()
    told("board", "--data=KMNIST", "--where=val_acc>0.9")
    assert [row[1] for row in rows_of(Path("board.html").read_text())] == ["ben"]


@pytest.mark.usefixtures("several")
def test_nothing_that_people_write_does_anything(told: Told) -> None:
    """Names stand there as they are typed; nothing is fetched, and the file has no script."""
    told("board")
    page = Path("board.html").read_text()
    reading = _Reading()
    reading.feed(page)

    assert not {"script", "link", "img", "iframe"} & reading.elements
    assert "default-src &#x27;none&#x27;" in page
    assert "\x1b" not in page
    assert "http" not in page.replace('http-equiv="', "")
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--by=model"], "user or name is wanted"),
        (["--port=3"], "--port=3: it is for a board that is served, with --serve"),
        (["--serve", "--output=x.html"], "--output=x.html: a board that is served is no file"),
        (["--serve", "--port=70000"], "a number from 1 to 65535"),
        (["--where=lr>1", "--serve"], "no run has lr"),
        (["--output=nowhere/x.html"], "cannot be written"),
        (["--run.dir=nowhere"], "there is no such folder"),
    ],
)
@pytest.mark.usefixtures("several")
def test_a_mistake_is_told_in_a_line(told: Told, arguments: list[str], why: str) -> None:
    """Before anything is written or served."""
    refused = told("board", *arguments, code=2)

    assert why in refused
    assert len(refused.splitlines()) == 1


def test_where_there_is_nothing_yet_the_board_says_so(here: Path, told: Told) -> None:
    """A class begins with it."""
    del here
    told("board")

    assert "No run of fit has been validated yet." in Path("board.html").read_text()


@pytest.fixture
def served(several: None) -> Iterator[Callable[..., tuple[int, str, http.client.HTTPMessage]]]:
    """What a board that is served answers."""
    del several
    server = make_server(Board(Arguments("board", (), frozenset({"serve"}), {})), "127.0.0.1", 0)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def ask(path: str, method: str = "GET", host: str | None = None) -> tuple[int, str, http.client.HTTPMessage]:
        port = server.server_address[1]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, content, answer.headers

    yield ask
    server.shutdown()
    server.server_close()
    thread.join()


def test_new_runs_appear_by_themselves(
    served: Callable[..., tuple[int, str, http.client.HTTPMessage]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page asks for news, which is short where there is none."""
    monkeypatch.setattr("mnistlab.reports.board.serving._AT_MOST_EACH_S", 0.0)
    status, page, headers = served("/")
    assert status == 200
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]
    news = json.loads(served("/board.json")[1])
    assert "carl" not in news["html"]
    assert json.loads(served(f"/board.json?since={news['stamp']}")[1]) == {"stamp": news["stamp"]}

    make(8, 0.97, "carl")

    later = json.loads(served(f"/board.json?since={news['stamp']}")[1])
    assert rows_of(later["html"])[0][1] == "carl"
    assert rows_of(page)[0][1] == "anna"


def test_only_its_own_paths_are_read(served: Callable[..., tuple[int, str, http.client.HTTPMessage]]) -> None:
    """No file of the folder, no other method, and no name of elsewhere that leads here."""
    assert served("/runs/looks.csv")[0] == served("/../etc/passwd")[0] == served("//board.json/")[0] == 404
    assert [served("/", method)[0] for method in ("POST", "PUT", "DELETE")] == [501] * 3
    assert served("/", host="evil.example:80")[0] == 403
    assert served("/", host="localhost:80")[0] == 200


@pytest.mark.usefixtures("several")
def test_head_is_answered_as_get_without_the_page(
    served: Callable[..., tuple[int, str, http.client.HTTPMessage]],
) -> None:
    """With the length that the page has."""
    status, content, headers = served("/", "HEAD")
    assert (status, content) == (200, "")
    assert int(headers["Content-Length"]) == len(served("/")[1].encode())
    assert served("/none", "HEAD")[:2] == (404, "")


def test_the_curve_says_what_lies_below_its_edge(here: Path, told: Told) -> None:
    """On the page, and to who hears it."""
    del here
    for number in range(1, 9):
        make(number, 0.1 * number, f"user{number}")
    told("board", "--output=board.html")
    page = Path("board.html").read_text(encoding="utf-8")
    assert "2 runs below 30.00 %" in page
    assert "The lower edge is 30.00 %, with 2 runs below 30.00 %." in page


def test_a_port_that_is_taken_is_told(told: Told) -> None:
    """With the next one."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"--port={port}: another program has it. Try --port=" in told(
            "board", "--serve", f"--port={port}", code=2
        )


def test_an_address_that_others_can_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a board for all each address of the machine on a network that is up; no name is looked up."""
    own = {"lo": "127.0.0.1", "eth0": "192.0.2.7", "wlan0": "198.51.100.2", "off": "203.0.113.9"}
    addresses = {name: [SimpleNamespace(family=socket.AF_INET, address=each)] for name, each in own.items()}
    monkeypatch.setattr("psutil.net_if_addrs", lambda: addresses)
    monkeypatch.setattr("psutil.net_if_stats", lambda: {name: SimpleNamespace(isup=name != "off") for name in own})

    assert reached_at("0.0.0.0") == ["192.0.2.7", "198.51.100.2"]  # noqa: S104 - as a teacher types it
    assert reached_at("127.0.0.1") == ["127.0.0.1"]
    assert reached_at("board.example") == ["board.example"]


@pytest.mark.usefixtures("several")
def test_ctrl_c_ends_it_and_nothing_heavy_was_loaded() -> None:
    """As a program of its own; the list of runs and the board need no torch."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-X", "importtime", "-m", "mnistlab", "board", "--serve", f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"The board is at http://127.0.0.1:{port}/ until Ctrl-C.\n"
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, "The board has ended.\n")
    loaded = {line.rpartition("|")[2].strip() for line in error.splitlines()}
    assert "mnistlab.reports.board.page" in loaded
    assert not {"torch", "lightning", "numpy", "matplotlib"} & loaded
    assert "Traceback" not in error
