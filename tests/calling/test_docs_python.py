"""What docs/python.md shows runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "python.md"


def test_every_block_of_the_page_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as somebody would type them who reads on."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 - it is our own page

    assert blocks
    assert (here / "confusion.pdf").read_bytes().startswith(b"%PDF")
    assert "Run(runs/tiny/" in capsys.readouterr().out
