"""`validate`, `test`, `predict` and `explain`: a trained model on images, in a run folder of its own."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from mnistlab.callbacks import Answering
from mnistlab.catalogue.editors import schema_line
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError, tell
from mnistlab.options.settling import Settled
from mnistlab.runs.folder import CONFIG, OUTCOMES, PICTURE, PREDICTIONS, RECORD
from mnistlab.runs.metrics import ACC, figure, recorded
from mnistlab.runs.record import config_text, now, start_record, write_json
from mnistlab.runs.recorder import rounded
from mnistlab.system.files import replacing, write_text
from mnistlab.system.threads import threads
from mnistlab.training.assemble import LabCLI, assemble
from mnistlab.training.checks import load_weights, tell_notes
from mnistlab.training.configured import Configured
from mnistlab.training.explain import explain
from mnistlab.training.explain_options import Wish
from mnistlab.training.found import Found
from mnistlab.training.invocation import Invocation
from mnistlab.training.origins import differing
from mnistlab.training.picture import save_picture
from mnistlab.training.screen import Screen


def _check(command: str, data: ImageData, trainer: Trainer) -> None:
    """Refuse what cannot be measured, before any work."""
    if command in ("predict", "explain") and trainer.world_size > 1:
        raise LabError(f"{command} writes one file and runs in one process. Add --trainer.devices=1.")
    if command in ("predict", "explain") and trainer.limit_predict_batches == 0:
        raise LabError(f"{command} has no images: trainer.limit_predict_batches is 0. Leave it out for all of them.")
    split = {"test": "test", "validate": "val"}.get(command)
    if split and getattr(trainer, f"limit_{split}_batches") == 0:
        raise LabError(f"{command} has no images: trainer.limit_{split}_batches is 0. Leave it out for all of them.")
    if command == "validate" and not data.val_size:
        raise LabError(f"there is nothing to validate: val_size of {type(data).__name__} is 0. Use test.")


def evaluate(invocation: Invocation, settled: Settled, found: Found | None, wish: Wish | None) -> int:
    """Run the command and keep its outcome; the exit code.

    Raises:
        LabError: If there is nothing to measure, or the parts do not go together.
    """
    answering = Answering()
    cli = assemble(invocation, settled, found)
    cli.build_trainer(answering)
    _check(invocation.command, cli.datamodule, cli.trainer)
    load_weights(cli, found)
    tell_notes(Configured(invocation.command, cli.configuration, settled.origins, invocation.typed), cli)
    screen = Screen(speaks=cli.trainer.is_global_zero)
    if found is not None and found.path is not None:
        screen.weights(found.path)
    screen.settings(differing(settled, cli.resolved))
    with threads(cli.configuration.threads), cli.group.watched(cli.trainer, lambda lost: tell(f"mnistlab: {lost}")):
        return _evaluate(invocation, cli, found, answering, wish)


def _evaluate(invocation: Invocation, cli: LabCLI, found: Found | None, answering: Answering, wish: Wish | None) -> int:
    model, data, trainer, resolved = cli.model, cli.datamodule, cli.trainer, cli.resolved
    folder = cli.folder
    record = start_record(invocation.command, invocation.arguments, resolved, model.name, invocation.presets)
    record |= recorded(model.measures)
    record["checkpoint"] = str(found.path.resolve()) if found and found.path else None
    if invocation.command == "predict":
        batches: list[Any] = trainer.predict(model, data) or []
    elif wish is not None:
        explained, used = explain(wish, model, data, trainer)
    else:
        metrics = _measured(invocation.command, model, data, trainer)
    if not trainer.is_global_zero:
        return 0
    with _whole(folder):
        write_text(folder / CONFIG, config_text(resolved, schema_line()))
        if invocation.command == "predict":
            outcome: dict[str, Any] = {"predictions": _write_predictions(folder / PREDICTIONS, model, data, batches)}
            print(f"{outcome['predictions']:,} predictions are in {folder / PREDICTIONS}")
        elif wish is not None:
            title = f"{type(model).__name__} on the test images of {type(data).__name__}, by {used['method']}"
            save_picture(explained, folder / PICTURE, title)
            outcome = {"explained": {**asdict(wish), **used}}
            print(f"{len(explained)} of the test images explained by {used['method']} in {folder / PICTURE}")
        else:
            outcome = {"metrics": metrics}
            answering.keep(folder, model, data)
            _show(invocation.command, model, data, metrics, folder)
        record["segments"][-1].update(ended=now(), status="finished")
        record["data_fingerprint"] = data.fingerprint
        write_json(folder / RECORD, {**record, "status": "finished", "ended": now(), **outcome})
    return 0


@contextmanager
def _whole(folder: Path) -> Iterator[None]:
    """Keep a run with all that belongs to it, or none: on a full disk it would be one that cannot be read."""
    folder.mkdir(parents=True, exist_ok=True)  # a callback may have written there
    try:
        yield
    except BaseException:
        for name in (CONFIG, RECORD, PREDICTIONS, OUTCOMES, PICTURE):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()
        raise


def _measured(command: str, model: Classifier, data: ImageData, trainer: Trainer) -> dict[str, float]:
    function = trainer.test if command == "test" else trainer.validate
    (metrics,) = function(model, data, verbose=False)
    return {name: rounded(value) for name, value in metrics.items()}


def _show(command: str, model: Classifier, data: ImageData, metrics: Mapping[str, float], folder: Path) -> None:
    split: Literal["test", "val"] = "test" if command == "test" else "val"
    guesses = data.majority(split) if len(model.heads) > 1 else {}
    largest = {
        f"{split}/{head}_{ACC.name}": f" (always naming the largest class: {ACC.figure(share)})"
        for head, share in guesses.items()
    }
    print(f"{type(model).__name__} on the {split} images of {type(data).__name__}")
    width = max(map(len, metrics))
    for name, value in metrics.items():
        print(f"  {name:<{width}} {figure(name, value, model.measures, '.6g')}{largest.get(name, '')}")
    print(f"kept in {folder}")


def _write_predictions(path: Path, model: Classifier, data: ImageData, batches: Sequence[Any]) -> int:
    """A row per image: its index, and for each head the prediction, the probabilities and the target."""
    targets = data.test_images().targets
    columns: list[tuple[str, list[Any]]] = []
    for number, (head, size) in enumerate(model.heads.items()):
        prefix = "" if len(model.heads) == 1 else f"{head}_"
        probs: Tensor = torch.cat([batch[head] for batch in batches]).float().cpu()
        target = targets[head if head in targets else list(targets)[number]]
        columns.append((f"{prefix}prediction", probs.argmax(dim=1).tolist()))
        columns.extend((f"{prefix}prob_{index}", _short(probs[:, index])) for index in range(size))
        columns.append((f"{prefix}target", target[: len(probs)].tolist()))
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["index", *(name for name, _ in columns)])
        writer.writerows([index, *values] for index, values in enumerate(zip(*(v for _, v in columns), strict=True)))
    return len(columns[0][1])


def _short(values: Tensor) -> list[str]:
    return [f"{value:.6g}" for value in values.tolist()]
