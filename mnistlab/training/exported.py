"""A net in a file that `mnistlab export` has written, measured as a checkpoint is."""

import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mnistlab.classifier import Classifier
from mnistlab.errors import LabError, tell, visible
from mnistlab.export.form import Form
from mnistlab.export.forms import form_of
from mnistlab.options.files import from_data
from mnistlab.options.notation import Plain
from mnistlab.options.written import Source, Written
from mnistlab.system.files import is_file
from mnistlab.system.shapes import fields, listed, mapping, maybe, named, text
from mnistlab.training.export_options import FORMS, ModelFile, suffix_of
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation

_DESCRIBES = fields(
    {"labels": named(listed(text))},
    {"settings": maybe(fields({"class_path": text, "init_args": mapping}))},
)
_SMALLEST = torch.finfo(torch.float32).tiny  # of which there is a logarithm


class Exported(Classifier):
    """A net in a file. It takes the images as they are, so the data must not normalize them.

    Args:
        file: The file.
    """

    name = "exported"
    abstract = True  # none to be trained

    def __init__(self, file: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = nn.Identity()
        stack = ExitStack()
        self._run = stack.enter_context(_form(file).opened(file, self.heads))
        weakref.finalize(self, stack.close)

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        """Images (batch, channels, height, width) with values from 0 to 255 -> logarithms of probabilities."""
        found = self._run(images.cpu().float().round().to(torch.uint8).numpy())
        logits = {
            head: torch.from_numpy(probs).clamp_min(_SMALLEST).log().to(images.device)
            for head, probs in zip(self.heads, found, strict=True)
        }
        return logits if len(logits) > 1 else logits[self.primary]


def find_exported(invocation: Invocation, wanted: ModelFile) -> Found:
    """Read what a file says of itself, as a checkpoint that is measured; its images are not normalized.

    Raises:
        LabError: If there is no such file, it is none of the lab's, or it would be run and nobody vouches for it.
    """
    path = wanted.path
    if not is_file(path):
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise LabError(f"--model_file={path}: {what}.")
    form = _form(path)
    if form.is_code:
        invocation.vouching.check_code_of(path)
    about = form.about(path)
    problem = _DESCRIBES(about)
    if problem:
        raise LabError(f"{path} is no file of mnistlab export, or changed by hand: {visible(problem).lstrip('.')}.")
    heads = {head: len(names) for head, names in about["labels"].items()}
    told: dict[str, Any] = {
        "model": {
            "class_path": f"{__name__}.Exported",
            "init_args": {"file": str(path), "num_classes": heads if len(heads) > 1 else next(iter(heads.values()))},
        }
    }
    if about.get("settings"):
        told["data"] = about["settings"]
    layer = [invocation.vouching.vouch(entry) for entry in from_data(told, str(path))]
    for name, value in (("mean", "0"), ("std", repr(1 / 255))):
        invocation.typed.append(Written(("data", name), Plain(value), Source.COMMAND_LINE, str(path)))
    tell(f"note: {path} gives probabilities; its loss is the cross-entropy of these.")
    return Found(path, None, {"state_dict": {}}, layer, {})


def _form(path: Path) -> Form:
    names = {suffix_of(name): name for name in FORMS if "-" not in name}  # 8 bits are the file's own business
    if path.suffix not in names:
        raise LabError(f"--model_file={path}: a file that ends with {', '.join(names)} is wanted.")
    return form_of(names[path.suffix])
