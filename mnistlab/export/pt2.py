"""A net as torch.export keeps it: one file that torch loads and runs without mnistlab."""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from mnistlab.errors import LabError
from mnistlab.export.form import Form
from mnistlab.export.graph import Subject
from mnistlab.export.proof import Images, Probabilities, Runner

ABOUT = "about.json"
"""The extra file within it that says what it is."""


class Pt2(Form):
    """`torch.export.save`; read by `torch.export.load`."""

    is_code = True

    def write(self, subject: Subject, path: Path) -> None:
        """Write a net into a file."""
        with path.open("wb") as file:
            torch.export.save(subject.traced(), file, extra_files={ABOUT: json.dumps(subject.about)})

    def about(self, path: Path) -> Mapping[str, Any]:
        """What a file says of itself."""
        try:
            with zipfile.ZipFile(path) as archive:
                (name,) = (each for each in archive.namelist() if each.endswith(f"extra/{ABOUT}"))
                said: Mapping[str, Any] = json.loads(archive.read(name))
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise LabError(f"{path} is no file of mnistlab export.") from error
        return said

    @contextmanager
    def opened(self, path: Path, heads: Mapping[str, int]) -> Iterator[Runner]:
        """What runs the net of a file."""
        with path.open("rb") as file:
            net = torch.export.load(file).module()

        def run(images: Images) -> Sequence[Probabilities]:
            with torch.inference_mode():
                return [each.numpy() for each in net(torch.from_numpy(images))]

        yield run
