"""In a kernel of Jupyter, as a notebook has it."""

from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.slow

FIT = """
import mnistlab as lab
names = dict(data="SyntheticDigits", train_size=600, test_size=200, val_size=100)
run = lab.fit("TinyModel", epochs=5000, **names)
"""


class Kernel:
    """A kernel that is asked."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager, self.client = manager, client

    def run(self, code: str, interrupt_at: str = "") -> list[Any]:
        """Run a cell; what it shows, interrupted once that has this in it."""
        asked, shown, waiting = self.client.execute(code), list[Any](), bool(interrupt_at)
        for message in iter(self._next, None):
            if message["parent_header"].get("msg_id") != asked:
                continue
            shown.append((message["msg_type"], message["content"]))
            if waiting and interrupt_at in str(message["content"]):
                waiting = False
                self.manager.interrupt_kernel()
            if message["content"].get("execution_state") == "idle":
                break
        return shown

    def _next(self) -> Any:
        try:
            return self.client.get_iopub_msg(timeout=60)
        except Empty:
            return None


@pytest.fixture
def kernel(here: Path) -> Iterator[Kernel]:
    """One that stands in a folder of its own."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(here))
    yield Kernel(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_an_interrupted_cell_shows_one_line_and_the_run_goes_on(kernel: Kernel) -> None:
    """No traceback, no warning; the kernel and its settings serve the next cell."""
    shown = kernel.run(FIT, interrupt_at=" 3/5000")
    (error,) = [content for kind, content in shown if kind == "error"]
    said = [content["text"] for kind, content in shown if kind == "stream" and content["name"] == "stderr"]

    assert len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("Interrupted: interrupted. Go on with:\n  lab.Run.of('runs/tiny/")
    assert not any("Warning" in text for text in said)
    way_on = error["traceback"][0].splitlines()[-1].strip().removesuffix(".resume()")
    shown = kernel.run(f"run = {way_on}\nrun.resume(epochs=run.epochs + 1).status")
    assert [content["data"]["text/plain"] for kind, content in shown if kind == "execute_result"] == ["'finished'"]
