"""`mnistlab inspect`: what is in a checkpoint, without importing or running anything that it names."""

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from torch import Tensor, strided

from mnistlab.checkpoints import SUFFIX
from mnistlab.checkpoints.continuing import not_continuable
from mnistlab.checkpoints.reading import RECORD, UnsafeCheckpointError, not_finite, read_plain, record_of
from mnistlab.errors import LabError, visible
from mnistlab.options.arguments import Arguments
from mnistlab.options.trust import dotted_names, may_name
from mnistlab.system.shapes import is_number
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import paragraph
from mnistlab.text.values import moment, size

_MOST_VALUES = 1_000_000  # a file can name a value within itself often enough to fill any memory
_DEEPEST = 50
_LONGEST = 128
_SHOWN_TENSORS = 12
_CLASS_KEYS = ("class_path", "_class_path", "_instantiator")  # jsonargparse's, and Lightning's


def inspect(path: Path, asked: Arguments) -> int:
    """Show a checkpoint; the exit code.

    Args:
        path: The checkpoint.
        asked: How it is to be shown.

    Raises:
        LabError: If it holds more than tensors and plain data.
    """
    trusted = frozenset(asked.values["trust"].split(",")) if "trust" in asked.values else frozenset[str]()
    try:
        report = {**_file(path), **_contents(read_plain(path), path, trusted)}
    except UnsafeCheckpointError as error:
        _show({**_file(path), "refused": True, "asks_for": error.names}, asked)
        raise
    _show(report, asked)
    return 0


def _file(path: Path) -> dict[str, object]:
    about = path.stat()
    written = datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds")
    kind = "safetensors" if path.suffix == SUFFIX else "checkpoint"
    return {"file": str(path), "kind": kind, "size_bytes": about.st_size, "written": written}


def _contents(contents: object, path: Path, trusted: frozenset[str]) -> dict[str, object]:
    """What a file says of itself, as plain data; `contents` is not trusted to have any form."""
    held = contents if isinstance(contents, Mapping) else {}
    weights = held.get("state_dict", held)
    inner = weights if isinstance(weights, Mapping) else {}
    tensors = {str(name): each for name, each in inner.items() if isinstance(each, Tensor)}
    count = itertools.count()
    said = {str(key): _plain(value, count, 1) for key, value in held.items() if value is not weights}
    record, recorder = _dict(said.get(RECORD)), _dict(_dict(said.get("callbacks")).get("Recorder"))
    rows = _list(recorder.get("rows"))
    return {
        "problem": _problem(held, path),
        "cannot_continue": _why_at_an_end(held, path),
        "without_number": not_finite({name: each for name, each in tensors.items() if _is_whole(each)}, ()),
        "made_by": _maker(said, record),
        "versions": record.get("versions") or recorder.get("versions") or {},
        "started": record.get("started"),
        "epoch": said.get("epoch", record.get("epoch")),
        "step": said.get("global_step", record.get("global_step")),
        "keys": [str(key) for key in held if not isinstance(held[key], Tensor)],
        "values": sum(tensor.numel() for tensor in tensors.values()),
        "dtypes": sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()}),
        "tensors": {name: list(tensor.shape) for name, tensor in tensors.items()},
        "model": record.get("model"),
        "data": record.get("data"),
        "metrics": record.get("metrics") or {"best": recorder.get("best") or None, "last": rows[-1] if rows else None},
        "classes": _classes(said, trusted),
        "other_names": _other_names([record.get("model"), record.get("data")]),
        "metadata": said.get("metadata"),
    }


def _plain(value: object, count: Iterator[int], depth: int = 0) -> object:
    """A value as JSON can hold it; cut where it is without end."""
    if next(count) > _MOST_VALUES or depth > _DEEPEST:
        return "..."
    if isinstance(value, int) and value.bit_length() > _LONGEST:
        return f"a number of {value.bit_length()} bits"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each, count, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, count, depth + 1) for each in value]
    return f"tensor {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _problem(contents: Mapping[str, object], path: Path) -> str | None:
    """Why `test` would not open it, as far as its form goes."""
    try:
        record_of(contents, path)
    except LabError as error:
        return str(error)
    return None if isinstance(contents.get("state_dict"), Mapping) else f"{path} has no state_dict."


def _why_at_an_end(contents: Mapping[str, object], path: Path) -> str | None:
    """Why `fit` would not go on from it; None where it would, or where it is not meant for that."""
    if path.suffix == SUFFIX or _problem(contents, path):
        return None
    return not_continuable(contents)


def _is_whole(tensor: Tensor) -> bool:
    """Whether a tensor is in memory as large as it says; others need not be looked through."""
    if tensor.layout is not strided or tensor.is_meta:
        return False
    return tensor.numel() * tensor.itemsize <= tensor.untyped_storage().nbytes()


def _maker(said: Mapping[str, object], record: Mapping[str, object]) -> str:
    if record:
        return f"mnistlab (format {record.get('format')})"
    lightning = said.get("pytorch-lightning_version")
    return f"another program, with Lightning {lightning}" if lightning else "another program"


def _classes(said: object, trusted: frozenset[str]) -> list[dict[str, object]]:
    """Every class that is named as one, and what it needs to be imported; by the rule of `test`."""
    return [
        {"name": name, "allowed": may_name(name, trusted), "trust": name.partition(".")[0]}
        for name in dict.fromkeys(_class_names(said))
    ]


def _class_names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key in _CLASS_KEYS and isinstance(each, str):
                yield each
            else:
                yield from _class_names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _class_names(each)


def _other_names(value: object) -> list[str]:
    """What reads like a class in the options: some option might take it for one."""
    named = set(_class_names(value))
    return [name for name in dict.fromkeys(dotted_names(value)) if name not in named]


def _show(report: Mapping[str, object], asked: Arguments) -> None:
    if "json" in asked.switches:
        print(as_json(report))
        return
    width = max(80, shutil.get_terminal_size().columns)
    for line in _lines(report):
        print("\n".join(paragraph(visible(line), width, 14, "")))  # a path stays whole, so that it can be copied


def _lines(report: Mapping[str, object]) -> Iterator[str]:
    yield str(report["file"])
    bytes_of_it, written = size(float(str(report["size_bytes"]))), moment(str(report["written"]))
    yield f"  {report['kind']:<11} {bytes_of_it}, written {written} UTC"
    if report.get("refused"):
        yield "  refused     it holds more than tensors and plain data; nothing of it was loaded"
        yield from (f"              it names {name}" for name in _list(report["asks_for"]))
        return
    versions = ", ".join(f"{name} {version}" for name, version in _dict(report["versions"]).items())
    yield f"  made by     {report['made_by']}" + (f": {versions}" if versions else "")
    if report["epoch"] is not None or report["step"] is not None:
        epoch = report["epoch"]
        yield f"  state       epoch {_counted(epoch)}, step {report['step']}"
    tensors = _dict(report["tensors"])
    kinds = f" of {', '.join(map(str, _list(report['dtypes'])))}" if tensors else ""
    yield f"  weights     {report['values']:,} values, parameters and buffers, in {len(tensors)} tensors{kinds}"
    yield f"  holds       {', '.join(map(str, _list(report['keys'])))}"
    yield from (f"  note        {note}" for note in _notes(report))
    yield from _specifications(report)
    yield from _metrics(_dict(report["metrics"]))
    yield from _verdicts(report)


def _notes(report: Mapping[str, object]) -> Iterator[str]:
    if report["problem"]:
        yield str(report["problem"])
    if report["cannot_continue"]:
        yield f"fit cannot continue from it: {report['cannot_continue']}"
    if report["without_number"]:
        yield f"{report['without_number']} holds what is no number (NaN), and so what the model answers means nothing"


def _specifications(report: Mapping[str, object]) -> Iterator[str]:
    """Model and data; of a file that names neither, its tensors."""
    for name in ("model", "data", "metadata"):
        if report[name] is not None:
            yield ""
            yield from _yaml(name, report[name], "")
    if report["model"] is None:
        tensors = _dict(report["tensors"])
        yield ""
        yield from (f"  {name}  {shape}" for name, shape in itertools.islice(tensors.items(), _SHOWN_TENSORS))
        if len(tensors) > _SHOWN_TENSORS:
            yield f"  and {len(tensors) - _SHOWN_TENSORS} more tensors; --json lists all"


def _yaml(name: str, value: object, indent: str) -> Iterator[str]:
    """A value as a configuration file has it; a class stands where its options begin."""
    if isinstance(value, dict) and value:
        inner = {key: each for key, each in value.items() if key not in ("class_path", "init_args")}
        options = value.get("init_args")
        inner.update(options if isinstance(options, dict) else {"init_args": options} if options is not None else {})
        yield f"{indent}{name}: {value['class_path']}" if "class_path" in value else f"{indent}{name}:"
        for key, each in inner.items():
            yield from _yaml(key, each, indent + "  ")
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        yield f"{indent}{name}:"
        for each in value:
            yield from _yaml("-", each, indent + "  ")
    else:
        yield f"{indent}{name}: {value if isinstance(value, str) else json.dumps(value)}"


def _metrics(metrics: Mapping[str, object]) -> Iterator[str]:
    shown = {name: values for name, values in metrics.items() if isinstance(values, dict)}
    if shown:
        yield ""
        yield "metrics"
    for name, values in shown.items():
        when = [f"epoch {_counted(values['epoch'])}"] if "epoch" in values else []
        rest = [f"{key} {value}" for key, value in values.items() if key != "epoch"]
        yield f"  {name:<11} {', '.join([*when, *rest])}"


def _counted(epoch: object) -> object:
    """The number of an epoch from 1 on, if it is one."""
    return int(epoch) + 1 if is_number(epoch) else epoch


def _verdicts(report: Mapping[str, object]) -> Iterator[str]:
    classes = [each for each in _list(report["classes"]) if isinstance(each, dict)]
    if classes:
        yield ""
        yield "classes that it names"
    width = max((len(str(each["name"])) for each in classes), default=0)
    for each in classes:
        verdict = "allowed" if each["allowed"] else f"refused; --trust={each['trust']} would allow it"
        yield f"  {each['name']:<{width}}  {verdict}"
    others = _list(report["other_names"])
    if others:
        yield f"text that reads like names: {', '.join(map(str, others))}"


def _dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
