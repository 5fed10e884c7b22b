"""`validate`, `test`, `predict` and `explain`: a trained model on images, in a run folder of its own."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mnistlab.catalogue.editors import schema_line
from mnistlab.classifier import Classifier
from mnistlab.data import ImageData
from mnistlab.errors import LabError, say, tell
from mnistlab.options.settling import Settled
from mnistlab.runs.folder import CONFIG, PICTURE, PREDICTIONS, RECORD
from mnistlab.runs.looks import after_looks, note_look
from mnistlab.runs.metrics import ACC, figure, recorded, rounded
from mnistlab.runs.record import config_text, now, start_record, write_json
from mnistlab.system.files import write_text
from mnistlab.system.handing import hand_over
from mnistlab.text.values import from_here
from mnistlab.training.answered import answered_lines, as_json, keep_answered
from mnistlab.training.answering import answer
from mnistlab.training.answers import keep_answers
from mnistlab.training.configured import Configured
from mnistlab.training.explain import explain
from mnistlab.training.found import Found
from mnistlab.training.idle_in_measuring import notes_on_measuring
from mnistlab.training.invocation import Invocation
from mnistlab.training.keeping import whole
from mnistlab.training.means import Assembled, Looked, Split
from mnistlab.training.origins import by_kit, differing
from mnistlab.training.picture import save_picture
from mnistlab.training.picture_files import Pictures
from mnistlab.training.predictions import ask, write
from mnistlab.training.screen import Screen
from mnistlab.training.taking import try_measuring
from mnistlab.training.wanted import Outcome, Table
from mnistlab.training.weights import load_weights


def check_measurable(command: str, assembled: Assembled, wanted: Outcome) -> None:
    """Refuse what cannot be measured, before any work.

    Raises:
        LabError: If there are no images for it, or it is not done by several processes.
    """
    means, data = assembled.means, assembled.data
    if command in ("predict", "explain") and means.processes > 1:
        raise LabError(f"{command} writes one file and runs in one process. Add --trainer.devices=1.")
    what: Looked = {"test": "test", "validate": "val"}.get(command, "predict")  # type: ignore[assignment]
    if means.limit(what) == 0:
        raise LabError(f"{command} has no images: trainer.limit_{what}_batches is 0. Leave it out for all of them.")
    lacking = "" if isinstance(wanted, Pictures) else data.lacks("val" if what == "val" else "test")
    if lacking:
        raise LabError(f"there is nothing to {command}: {lacking}. Use {'test' if what == 'val' else 'validate'}.")


def evaluate(
    invocation: Invocation,
    settled: Settled,
    found: Found | None,
    wanted: Outcome,
    assemble: Callable[[Invocation, Settled, Found | None], Assembled],
) -> int:
    """Run the command and keep its outcome; the exit code.

    Args:
        invocation: The command as it was typed.
        settled: The configuration.
        found: The checkpoint.
        wanted: What `explain` or `predict` shall give.
        assemble: Builds the parts.

    Raises:
        LabError: If there is nothing to measure, or the parts do not go together.
    """
    assembled = assemble(invocation, settled, found)
    means, configuration = assembled.means, assembled.configuration
    check_measurable(invocation.command, assembled, wanted)
    try_measuring(assembled.model, assembled.data, settled.origins)
    means.match_precision()
    load_weights(assembled.model, found, speaks=means.speaks)
    if means.speaks:
        for note in notes_on_measuring(
            Configured(invocation.command, configuration, settled.origins, invocation.typed)
        ):
            tell(f"note: {note}")
    screen = Screen(speaks=means.speaks and not (isinstance(wanted, Pictures) and wanted.as_json))
    if found is not None and found.path is not None:
        screen.weights(found.path)
    screen.settings(differing(settled, configuration.plain()))
    with means.at_work():
        return _evaluate(invocation, assembled, found, wanted, by_kit(settled))


def _evaluate(
    invocation: Invocation, assembled: Assembled, found: Found | None, wanted: Outcome, kit: Mapping[str, Any]
) -> int:
    model, data, means, folder = assembled.model, assembled.data, assembled.means, assembled.folder
    resolved = assembled.configuration.plain()
    record = start_record(invocation.command, invocation.arguments, resolved, model.name, invocation.presets)
    record |= {**recorded(model.measures), **kit}
    record["checkpoint"] = found.checkpoint if found else None
    if isinstance(wanted, Pictures):
        answered = answer(wanted.files, model, data, found)
    elif isinstance(wanted, Table):
        said = ask(assembled, logits=wanted.logits)
    elif wanted is not None:
        explained, used = explain(wanted, model, data, means)
    else:
        logged = means.measured("test" if invocation.command == "test" else "val")
        metrics = {name: rounded(value) for name, value in logged.items()}
    if not means.speaks:
        return 0
    if invocation.command == "test" or isinstance(wanted, Table):
        record["looks"] = note_look(Path(assembled.configuration.run.dir), data.fingerprint.get("test"))
    with whole(folder):
        write_text(folder / CONFIG, config_text(resolved, schema_line()))
        if isinstance(wanted, Pictures):
            thing = next(iter(data.own_heads))
            keep_answered(answered, thing, folder)
            outcome: dict[str, Any] = {"pictures": len(answered)}
            if wanted.as_json:
                print(as_json(answered))
            else:
                say(answered_lines(answered, thing, folder))
        elif isinstance(wanted, Table):
            path = write(said, folder, wanted, Path(PREDICTIONS).stem)
            outcome = {"predictions": len(said.kaggle)}
            print(f"{len(said.kaggle):,} predictions are in {from_here(path)}")
        elif wanted is not None:
            title = f"{type(model).__name__} on the test images of {type(data).__name__}, by {used['method']}"
            save_picture(explained, folder / PICTURE, title)
            outcome = {"explained": {**asdict(wanted), **used}}
            print(f"{len(explained)} of the test images explained by {used['method']} in {from_here(folder / PICTURE)}")
        else:
            outcome = {"metrics": metrics}
            keep_answers(means.answers, folder, model, data)
            _show(invocation.command, model, data, metrics, folder, record.get("looks"))
        record["segments"][-1].update(ended=now(), status="finished")
        record["data_fingerprint"] = data.fingerprint
        write_json(folder / RECORD, {**record, "status": "finished", "ended": now(), **outcome})
    hand_over(folder, *([as_json(answered)] if isinstance(wanted, Pictures) else []))
    return 0


def _show(
    command: str,
    model: Classifier,
    data: ImageData,
    metrics: Mapping[str, float],
    folder: Path,
    looks: int | None,
) -> None:
    split: Split = "test" if command == "test" else "val"
    guesses = data.majority(split) if len(model.heads) > 1 else {}
    largest = {
        f"{split}/{head}_{ACC.name}": f" (always naming the largest class: {ACC.figure(share)})"
        for head, share in guesses.items()
    }
    print(f"{type(model).__name__} on the {split} images of {type(data).__name__} {after_looks(looks)}".rstrip())
    width = max(map(len, metrics))
    for name, value in metrics.items():
        print(f"  {name:<{width}} {figure(name, value, model.measures, '.6g')}{largest.get(name, '')}")
    print(f"kept in {from_here(folder)}")
