"""The page of some nets, as HTML that holds all that it needs; torch is not needed here."""

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from mnistlab.errors import LabError
from mnistlab.export.kernel import kernel
from mnistlab.system.files import read_text

SCRIPTS = Path(__file__).with_name("page")
"""Where its parts lie."""

_MOST_BYTES = 1 << 30
_WHOLE = ("preparation.js", "drawing.js", "saving.js", "page.js")
_LIVE = ("preparation.js", "drawing.js", "live.js")
_BLOCK = '<script type="application/json" class="net">{}</script>\n<script class="engine">{}</script>'
_NET = re.compile(_BLOCK.format("(.*?)", "(.*?)"), re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A net as it stands in a page.

    Attributes:
        told: All that the page knows of it, as JSON.
        engine: What runs it, as JavaScript.
    """

    told: str
    engine: str


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        text: The page.
        scripts: The scripts that may run in it, as a policy names them.
    """

    text: str
    scripts: Sequence[str]


def parts_of(path: Path) -> list[Part]:
    """The nets of a page."""
    return [Part(*found) for found in _NET.findall(read_text(path, _MOST_BYTES))]


def page_of(parts: Sequence[Part]) -> str:
    """The page of some nets, side by side."""
    return _filled("page.html", parts, _WHOLE).text


def live_of(path: Path) -> Page:
    """A small page of the first net of a page: a paper, what the net sees and what it answers.

    Raises:
        LabError: If that is no page of a net.
    """
    try:
        part = parts_of(path)[0]
        told = json.loads(part.told)
        weights = zlib.decompressobj().decompress(base64.b64decode(told["packed"]), 4 * told["weights"])
        told |= {"tests": [], "similar": [], "features": 0, "heat": None, "packed": packed([weights])}
        return _filled("live.html", [Part(as_json(told), part.engine)], _LIVE)
    except (OSError, ValueError, TypeError, LookupError, zlib.error) as error:
        raise LabError(f"{path} is no page of mnistlab export. Remove it, and it is written anew.") from error


def as_json(told: object) -> str:
    """JSON in which no element of a page ends."""
    return json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")


def packed(parts: Iterable[bytes]) -> str:
    """Bytes one after the other, as a page unpacks them."""
    return base64.b64encode(zlib.compress(b"".join(parts), 9)).decode()


def _filled(template: str, parts: Sequence[Part], names: Sequence[str]) -> Page:
    style, scripts = _read("page.css"), [*map(_read, names)]
    engine = f'{_read("engine.js")}const KERNEL = "{base64.b64encode(kernel()).decode()}";\n'
    allowed = ["'wasm-unsafe-eval'", *map(_hash, (engine, *(part.engine for part in parts), *scripts))]
    policy = (
        f"default-src 'none'; script-src {' '.join(allowed)}; style-src {_hash(style)}; img-src data: blob:; "
        "base-uri 'none'"
    )
    title = " and ".join(json.loads(part.told)["about"]["model"] for part in parts)
    text = Template(_read(template)).substitute(
        policy=html.escape(policy, quote=False), title=html.escape(title), style=style, engine=engine,
        paper=_read("paper.html"), nets="\n".join(_BLOCK.format(part.told, part.engine) for part in parts),
        scripts="\n".join(f"<script>{each}</script>" for each in scripts),
    )  # fmt: skip
    return Page(text, allowed)


def _read(name: str) -> str:
    return (SCRIPTS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
