"""Writes trained nets for other programs, each proved on the test images before it has its name."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError, say, tell
from mnistlab.export.form import Form, NothingToTryItError
from mnistlab.export.forms import form_of
from mnistlab.export.graph import Subject, subject_of
from mnistlab.export.lowering import UnknownOperationError
from mnistlab.export.proof import Images, Probabilities, Proof, batches, prove, refuse_other_answers
from mnistlab.options.settling import Settled
from mnistlab.options.specification import Specification
from mnistlab.runs.record import now
from mnistlab.system.files import replacing
from mnistlab.system.handing import hand_over
from mnistlab.system.strict_json import spelt
from mnistlab.text.layout import screen_width, table
from mnistlab.text.values import counted, in_percent, percent
from mnistlab.training.answers import names_by_head
from mnistlab.training.export_options import Export
from mnistlab.training.found import Found
from mnistlab.training.going import Going
from mnistlab.training.invocation import Invocation
from mnistlab.training.means import Assembled
from mnistlab.training.opening import open_page
from mnistlab.training.weights import load_weights

_HEAD = ("file", "bytes", "right", "differ", "off by", "us alone", "us of 256")


@dataclass(frozen=True)
class _Told:
    """What the net itself says about the images that are asked."""

    images: Images
    probs: Sequence[Probabilities]
    target: "np.ndarray[Any, np.dtype[np.int64]]"


def export(
    invocation: Invocation,
    settled: Settled,
    found: Found | None,
    wanted: Export,
    assemble: Callable[[Invocation, Settled, Found | None], Assembled],
) -> int:
    """Write the forms that are asked for; the exit code.

    Args:
        invocation: The command as it was typed.
        settled: The configuration.
        found: The checkpoint.
        wanted: Which forms, and where they are to be written.
        assemble: Builds the parts.

    Raises:
        LabError: If a form cannot hold the net, or one answers otherwise than the net.
    """
    if found is not None and found.members and "html" in wanted.forms:
        raise LabError(
            f"{invocation.ckpt_where}: html shows one net, and these are {len(found.members)}. Use pt2, onnx or c."
        )
    forms = {name: form_of(name) for name in wanted.forms}
    assembled = assemble(invocation, settled, found)
    load_weights(assembled.model, found, speaks=True)
    data = assembled.data
    data.prepare_data()
    with assembled.means.at_work():
        subject = subject_of(assembled.model, data, {})
        told = _told(subject)
        subject = replace(subject, about=_about(assembled.model, subject, found, told))
        rows, proofs = [], []
        for name, form in forms.items():
            path = wanted.path_of(name, found.folder if found else None)
            proof = _write(name, form, subject, told, path)
            rows.append(_row(path, proof))
            hand_over(path)
            proofs += [proof] if proof else []
    say(table(_HEAD, rows, screen_width(), right=range(1, len(_HEAD))))
    if wanted.opens:
        open_page(path)
    if not proofs:
        return 0
    answered = counted(len(told.images), f"{subject.kind} image")
    text = (
        f"Each has answered {answered}: how many otherwise than the net, by how much a probability is off at most (the "
        f"two best classes of an image are {proofs[0].gap:.1e} apart at least), and microseconds an image, alone and "
        "of a batch of 256."
    )
    say([text, *dict.fromkeys(form.remark for form in forms.values() if form.remark)])
    return 0


def _told(subject: Subject) -> _Told:
    """What the net says about all images that are asked."""
    images = subject.images.images.numpy()
    parts = []
    given = batches(images)
    with torch.inference_mode(), Going("asking the net", len(given)) as going:
        for part in given:
            parts.append([each.numpy() for each in subject.net(torch.from_numpy(part))])
            going.move()
    return _Told(images, [np.concatenate(each) for each in zip(*parts, strict=True)], subject.images.primary.numpy())


def _write(name: str, form: Form, subject: Subject, told: _Told, path: Path) -> Proof | None:
    """Write one form; it has its name once it has answered as the net does. None where it can only try itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        try:
            form.write(subject, temporary)
        except UnknownOperationError as error:
            raise LabError(f"{name} does not know {error}, which this net uses. Use pt2 or onnx.") from error
        try:
            going = Going(f"proving {name}", len(batches(told.images)))
            with form.opened(temporary, subject.heads) as run, going:
                proof = prove(run, told.images, told.probs, told.target, going.move)
        except NothingToTryItError as error:
            tell(f"note: {path} is not tried on the {subject.kind} images: {error}. It tries itself when it is opened.")
            return None
        if form.exact:
            refuse_other_answers(name, proof)
    return proof


def _row(path: Path, proof: Proof | None) -> list[str]:
    if proof is None:
        return [str(path), f"{path.stat().st_size:,}", *["-"] * (len(_HEAD) - 2)]
    micros = [f"{proof.micros[batch]:,.0f}" for batch in sorted(proof.micros)]
    right = in_percent(proof.right)
    return [str(path), f"{path.stat().st_size:,}", right, f"{proof.differing:,}", f"{proof.largest:.1e}", *micros]


def _settings(data: ImageData) -> Mapping[str, Any]:
    """The options of the data, as `test --model_file` reads them; where the files lie is no business of others."""
    recorded = data.recorded()
    options = {name: value for name, value in recorded.init_args.items() if name not in data.located()}
    return spelt(Specification(recorded.class_path, options).as_dict())  # type: ignore[return-value]  # as it was


def _about(model: Classifier, subject: Subject, found: Found | None, told: _Told) -> Mapping[str, Any]:
    """What is said of the net in each file."""
    data = subject.data
    names = names_by_head(model, data)
    right = float((told.probs[0].argmax(axis=1) == told.target).mean())
    channels, height, width = told.images.shape[1:]
    return {
        "made by": f"mnistlab {metadata.version('mnistlab')}",
        "model": type(model).__name__,
        "settings": _settings(data),
        "data": type(data).__name__,
        "run": found.folder.name if found and found.folder else None,
        "labels": {
            head: names.get(head) or [str(each) for each in range(count)] for head, count in model.heads.items()
        },
        "input": f"uint8, batch x {channels} x {height} x {width}, as the data have them; normalized within",
        "preparation": str(inspect.getdoc(data.pictured)).partition("\n")[0],
        "output": "the probabilities of each label's classes",
        "accuracy": f"{percent(right)} of {counted(len(told.images), f'{subject.kind} image')}",
        "written": now(),
        "licence": f"MIT for what mnistlab adds; for weights and images what {type(data).__name__} allows",
    }
