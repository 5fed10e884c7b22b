"""A net as a page that runs it: one file without a server or a network."""

import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from mnistlab.errors import LabError
from mnistlab.export.browser import Browser, find_browser
from mnistlab.export.document import SCRIPTS, Part, as_json, packed, page_of, parts_of
from mnistlab.export.form import Form, NothingToTryItError
from mnistlab.export.graph import Subject
from mnistlab.export.javascript import write_engine
from mnistlab.export.preparing import preparation_of
from mnistlab.export.proof import Images, Probabilities, Runner
from mnistlab.export.showing import features_of

_TESTS, _MISTAKEN = 40, 10  # test images that the page shows, and how many of them the net gets wrong
_SIMILAR, _FEATURES = 300, 1024  # training images that it compares with, and how many features it may keep of each


class Page(Form):
    """A page that runs the net in a browser."""

    is_code = True
    remark = f"html: up to {_TESTS} test and {_SIMILAR} training images stand in the page, for whoever gets it."

    def write(self, subject: Subject, path: Path) -> None:
        """Write a net into a file."""
        path.write_text(page_of([_part(subject)]), encoding="utf-8")

    def about(self, path: Path) -> Mapping[str, Any]:
        """What a page says of its first net."""
        try:
            said: Mapping[str, Any] = json.loads(parts_of(path)[0].told)["about"]
        except (OSError, ValueError, LookupError) as error:
            raise LabError(f"{path} is no file of mnistlab export.") from error
        return said

    @contextmanager
    def opened(self, path: Path, heads: Mapping[str, int]) -> Iterator[Runner]:
        """What runs the net of a file: node, or else Chromium."""
        node, browser = shutil.which("node"), find_browser()
        with ExitStack() as stack:
            if node:
                yield stack.enter_context(_by_node(node, path, list(heads.values())))
            elif browser:
                yield stack.enter_context(_by_browser(browser, path, list(heads.values())))
            else:
                raise NothingToTryItError("neither node nor Chromium is here")


def _part(subject: Subject) -> Part:
    engine = write_engine(subject)
    tests, labels = _tests(subject)
    with torch.inference_mode():
        probs = torch.cat(subject.net(tests), dim=1)
    images, classes, features = _similar(subject)
    told = {
        "about": subject.about,
        "heads": {head: subject.about["labels"][head] for head in subject.heads},
        "shape": subject.shape,
        "preparation": preparation_of(subject.data, subject.shape),
        "stages": [asdict(stage) for stage in engine.stages],
        "heat": engine.heat and {"method": engine.heat.method, "stage": engine.heat.stage, "shape": engine.heat.shape},
        "normalization": subject.alone.normalization,
        "weights": len(engine.weights),
        "kind": subject.kind,
        "tests": labels.tolist(),
        "similar": classes.tolist(),
        "features": features.shape[1],
        "packed": packed(map(_bytes, (engine.weights, probs, tests, images, features))),
    }
    return Part(as_json(told), f"engines.push({engine.source});")


def _tests(subject: Subject) -> tuple[Tensor, Tensor]:
    """Some test images, the first ones and some that the net gets wrong, and their classes."""
    images, classes = subject.images.images, subject.images.primary
    first = torch.arange(min(len(images), _TESTS - _MISTAKEN))
    rest = images[len(first) : 40 * 256]
    with torch.inference_mode():
        answers = (
            torch.cat([subject.net(some)[0].argmax(dim=1) for some in rest.split(256)]) if len(rest) else classes[:0]
        )
    wrong = (answers != classes[len(first) : len(first) + len(answers)]).nonzero().flatten()[:_MISTAKEN] + len(first)
    rows = torch.cat([first, wrong])
    return images[rows], classes[rows]


def _similar(subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
    """Some training images, their classes, and their last features with length 127; none where there are none."""
    none = torch.zeros(0, *subject.shape, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 0)
    try:
        some = subject.data.seen(_SIMILAR)
    except LabError:  # nobody needs them to run the net
        return none
    images, classes = some.images, some.primary
    features = features_of(subject, images) if len(images) else None
    if features is None or features.shape[1] > _FEATURES:
        return none
    whole = 127 * features / features.abs().amax(dim=1, keepdim=True).clamp(min=1e-9)
    return images, classes, whole.round().to(torch.int8)


def _bytes(values: Tensor) -> bytes:
    return values.contiguous().numpy().tobytes()


def _split(found: bytes, sizes: Sequence[int]) -> Sequence[Probabilities]:
    probs = np.frombuffer(bytearray(found), np.float32).reshape(-1, sum(sizes))
    return np.split(probs, np.cumsum(sizes)[:-1], axis=1)


@contextmanager
def _by_node(node: str, path: Path, sizes: Sequence[int]) -> Iterator[Runner]:
    """A process for each thread, which share the images."""
    command = [node, str(SCRIPTS / "node.js"), str(path)]
    with ExitStack() as stack:
        pipes = [stack.enter_context(_process(command)) for _ in range(torch.get_num_threads())]

        def run(images: Images) -> Sequence[Probabilities]:
            shares = [(pipe, part) for pipe, part in zip(pipes, np.array_split(images, len(pipes)), strict=True)]
            for (into, _), part in shares:
                into.write(len(part).to_bytes(4, "little") + part.tobytes())
                into.flush()
            wanted = [4 * sum(sizes) * len(part) for _, part in shares]
            found = [out.read(size) for ((_, out), _), size in zip(shares, wanted, strict=True)]
            if [*map(len, found)] != wanted:
                raise LabError(f"{node} cannot run {path.name}.")
            return _split(b"".join(found), sizes)

        yield run


@contextmanager
def _process(command: Sequence[str]) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A process, by what goes into it and what comes out."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own file
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdin, process.stdout  # type: ignore[misc]  # of bytes


@contextmanager
def _by_browser(browser: str, path: Path, sizes: Sequence[int]) -> Iterator[Runner]:
    with tempfile.TemporaryDirectory() as folder, Browser(browser) as page:
        copy = Path(folder, "net.html")  # a browser goes by the ending of a name
        shutil.copyfile(path, copy)
        page.open(copy.as_uri())

        def run(images: Images) -> Sequence[Probabilities]:
            text = base64.b64encode(np.ascontiguousarray(images).tobytes()).decode()
            return _split(base64.b64decode(str(page.evaluate(f"answerPacked({json.dumps(text)})"))), sizes)

        yield run
