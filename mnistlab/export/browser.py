"""A Chromium without a window, that does as it is told through two pipes."""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from mnistlab.errors import LabError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE_S = 60.0


def find_browser() -> str | None:
    """Where a Chromium is."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Browser:
    """One page of it, by the DevTools protocol, whose messages end with a zero.

    Attributes:
        console: What the page has said there, and errors that nobody caught.

    Args:
        path: The program.
        options: Further ones of the command line.
    """

    def __init__(self, path: str, *options: str) -> None:
        self.console: list[str] = []
        self._profile = tempfile.TemporaryDirectory(prefix="mnistlab-browser-", ignore_cleanup_errors=True)
        to_read, self._into = os.pipe()
        self._out, to_write = os.pipe()
        script = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'  # the numbers that Chromium expects
        self._process = subprocess.Popen(  # noqa: S603 - a browser that was looked for by its name
            ["/bin/bash", "-c", script, path, *_OPTIONS, f"--user-data-dir={self._profile.name}", *options],
            pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._left = b""
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self._loaded = False

    def __enter__(self) -> Self:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._into)
        os.close(self._out)
        self._profile.cleanup()

    def open(self, address: str) -> None:
        """Go to a page, and wait until it is there."""
        self._loaded = False
        self.ask("Page.navigate", url=address)
        while not self._loaded:
            self._receive()

    def evaluate(self, expression: str) -> object:
        """What an expression of JavaScript gives, awaited."""
        said = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise LabError(f"the page fails: {said['exceptionDetails']}")
        return said["result"].get("value")

    def ask(self, method: str, **arguments: object) -> Mapping[str, Any]:
        """What a method of the protocol answers."""
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": arguments}
        if self._session:
            message["sessionId"] = self._session
        left = json.dumps(message).encode() + b"\0"
        while left:
            left = left[os.write(self._into, left) :]
        while True:
            said = self._receive()
            if said.get("id") == number:
                if "error" in said:
                    raise LabError(f"the browser refuses {method}: {said['error']['message']}")
                return said["result"]  # type: ignore[no-any-return]  # JSON

    def _receive(self) -> Mapping[str, Any]:
        began = time.monotonic()
        while b"\0" not in self._left:
            some = os.read(self._out, 1 << 20)
            if not some or time.monotonic() - began > _PATIENCE_S:
                raise LabError("the browser has ended.")
            self._left += some
        text, _, self._left = self._left.partition(b"\0")
        said: dict[str, Any] = json.loads(text)
        name, told = said.get("method"), said.get("params", {})
        if name == "Page.loadEventFired":
            self._loaded = True
        elif name == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(each.get("value", each)) for each in told["args"]))
        elif name == "Runtime.exceptionThrown":
            self.console.append(str(told["exceptionDetails"].get("exception", told["exceptionDetails"])))
        elif name == "Log.entryAdded":
            self.console.append(told["entry"]["text"])
        return said
