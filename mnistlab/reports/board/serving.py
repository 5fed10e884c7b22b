"""Serves a board: its page, and the news for who has it open. Nothing else is served, and nothing changed."""

import errno
import hashlib
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET
from threading import Lock
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from mnistlab.errors import LabError
from mnistlab.reports.board.asked import Board
from mnistlab.reports.board.page import policy
from mnistlab.system.strict_json import as_json

_AT_MOST_EACH_S = 1.0  # however many look, runs are read no more often
_CLOSING = "Served by mnistlab board: new runs appear by themselves."


def make_server(board: Board, host: str, port: int) -> ThreadingHTTPServer:
    """A server of a board, which has its port already.

    Args:
        board: What it serves.
        host: Where.
        port: At which port; 0 is any that is free.

    Raises:
        LabError: If it cannot be served there.
    """
    try:
        return _Server((host, port), board)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LabError(f"--port={port}: another program has it. Try --port={port % 65_535 + 1}.") from error
        raise LabError(
            f"--host={host} --port={port}: nothing can be served there: {error.strerror or error}."
        ) from error


def serve(board: Board, host: str, port: int) -> int:
    """Serve a board until it is interrupted; the exit code.

    Raises:
        LabError: If it cannot be served there.
    """
    server = make_server(board, host, port)
    with server:
        at = " and ".join(f"http://{each}:{port}/" for each in reached_at(host))
        print(f"The board is at {at} until Ctrl-C.", flush=True)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            print("The board has ended.")
    return 0


def reached_at(host: str) -> list[str]:
    """The hosts that others type for a board that is served there, which nobody is asked for: no name is looked up.

    Args:
        host: Where it is served; `0.0.0.0` is each address of this machine.
    """
    if not _is(host, "is_unspecified"):
        return [f"[{host}]" if ":" in host else host]
    import psutil  # noqa: PLC0415 - where it is served to others only

    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    every = [each for name, own in psutil.net_if_addrs().items() if name in up for each in own]
    found = [each.address for each in every if each.family == AF_INET and not _is(each.address, "is_loopback")]
    return found or ["127.0.0.1"]


class _Server(ThreadingHTTPServer):
    """A server of one board."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], board: Board) -> None:
        self.board = board
        self.hosts = _hosts(address[0])
        self._lock, self._read, self._news = Lock(), 0.0, ("", "")
        super().__init__(address, _Handler)

    def news(self) -> tuple[str, str]:
        """What the board shows now, and what tells it from what it has shown before."""
        with self._lock:
            if time.monotonic() - self._read > _AT_MOST_EACH_S:
                inner = self.board.inner()
                self._news = inner, hashlib.sha256(inner.encode()).hexdigest()[:16]
                self._read = time.monotonic()
            return self._news


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "mnistlab", ""
    protocol_version = "HTTP/1.0"
    timeout = 10

    def do_GET(self) -> None:
        """Answer with the page or with its news."""
        asked = urlsplit(self.path)
        if self.server.hosts and self.headers.get("Host", "").rpartition(":")[0] not in self.server.hosts:
            self.send_error(HTTPStatus.FORBIDDEN)  # a page from elsewhere that has its name lead here
        elif asked.path == "/":
            self._answer("text/html; charset=utf-8", self.server.board.page(_CLOSING, live=True))
        elif asked.path == "/board.json":
            html, stamp = self.server.news()
            known = parse_qs(asked.query).get("since") == [stamp]
            self._answer("application/json", as_json({"stamp": stamp} if known else {"stamp": stamp, "html": html}))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_HEAD(self) -> None:
        """Answer as to GET, without what the answer holds."""
        self.do_GET()

    def _answer(self, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy(live=True))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base has it
        """Say nothing of each look."""


def _hosts(host: str) -> frozenset[str]:
    """The names by which a board may be asked for that only this machine reaches; none where others do."""
    local = host == "localhost" or _is(host, "is_loopback")
    return frozenset(("localhost", "127.0.0.1", "[::1]", host)) if local else frozenset()


def _is(host: str, what: Literal["is_loopback", "is_unspecified"]) -> bool:
    """Whether a host is such an address; a name is none."""
    try:
        return bool(getattr(ip_address(host), what))
    except ValueError:
        return False
