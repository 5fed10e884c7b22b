"""`mnistlab models --cost`: what nets cost, as a table, as CSV or as JSON."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from mnistlab.benchmark import forking
from mnistlab.errors import say, tell
from mnistlab.runs.record import environment
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import as_csv, paragraph, screen_width, table
from mnistlab.text.values import UNKNOWN, count, counted, in_letters, size, three_digits
from mnistlab.training.failures import RunFailedError
from mnistlab.training.going import Going

Row = Mapping[str, object]
"""What a net costs, in one level."""


def show_costs(models: Mapping[str, str], batches: Sequence[int], threads: int = 0, form: str = "") -> int:
    """Measure nets, and print what they cost; the exit code.

    Args:
        models: Their classes, by name.
        batches: The sizes of batches that are timed, in ascending order.
        threads: How many threads compute; 0 for as many as torch takes by itself.
        form: `json` or `csv`; else a table for the screen.

    Raises:
        RunFailedError: If none of them can be measured.
    """
    rows = []
    for name, found in zip(models, _measured(models, batches, threads), strict=True):
        if "problem" in found:
            tell(f"note: {name} is left out: {found['problem']}")
        else:
            rows.append(_row(name, models[name], found))
    if not rows:
        raise RunFailedError("none of these models could be measured.")
    if form == "json":
        print(as_json(rows))
    elif form == "csv":
        print(as_csv(rows), end="")
    else:
        say(_lines(rows, batches))
    return 0


def _measured(models: Mapping[str, str], batches: Sequence[int], threads: int) -> Iterator[dict[str, object]]:
    """What is said of each, as soon as it is."""
    sizes = ",".join(map(str, batches))
    command = [sys.executable, "-m", forking.__name__, sizes, str(threads), *models.values()]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,  # noqa: S603 - Python, and our module
        Going("measuring", len(models), sys.stderr) as going,
    ):
        assert process.stdout is not None
        lines = 0
        for line in process.stdout:
            lines += 1
            going.move()
            yield json.loads(line)
    if lines < len(models):
        raise RunFailedError(f"the process that measures has ended with {process.returncode}.")


def _row(name: str, path: str, found: Mapping[str, object]) -> Row:
    """What was measured, and with what."""
    said = environment()
    by_batch = {
        f"{key}_{batch}": value
        for key in ("ms_per_image", "passes", "peak_bytes")
        for batch, value in dict(found[key]).items()  # type: ignore[call-overload]  # by batch
    }
    whole = ("parameters", "multiply_adds", "weights_bytes", "checkpoint_bytes")
    machine = {
        "threads": found["threads"],
        "busy_cores": found["busy_cores"],
        "processor": said["machine"]["processor"],
        "torch": said["versions"]["torch"],
    }
    return {"name": name, "class": path, **{key: found[key] for key in whole}, **by_batch, **machine}


def _lines(rows: Sequence[Row], batches: Sequence[int]) -> Iterator[str]:
    """The table, and how it was measured."""
    head = ["name", "parameters", "MACs", *(f"ms at {batch}" for batch in batches), "memory", "checkpoint"]
    cells = [
        [
            str(row["name"]),
            count(_number(row, "parameters")),
            in_letters(_number(row, "multiply_adds")),
            *(three_digits(_number(row, f"ms_per_image_{batch}")) for batch in batches),
            size(_number(row, f"peak_bytes_{batches[-1]}")),
            size(_number(row, "checkpoint_bytes")),
        ]
        for row in rows
    ]
    width = screen_width()
    yield from table(head, cells, width, range(1, len(head) - 1))
    yield ""
    busy = max(_number(row, "busy_cores") for row in rows)
    if busy:
        way_out = " Try --threads=1." if _number(rows[0], "threads") > 1 else ""
        tell(f"note: others used up to {busy:.1f} cores meanwhile: threads wait, and ms say little.{way_out}")
    passes = [int(_number(row, f"passes_{batch}")) for row in rows for batch in batches]
    yield from paragraph(_method(rows[0], passes, batches), width)


def _method(row: Row, passes: Sequence[int], batches: Sequence[int]) -> str:
    many = f"{min(passes)} to {max(passes)}" if min(passes) < max(passes) else f"{passes[0]}"
    sizes = " and ".join(map(str, batches))
    threads = counted(int(_number(row, "threads")), "thread")
    return (
        "For one grey image of 28x28: MACs are the multiply-adds of products and convolutions, ms in batches of "
        f"{sizes} (median of {many} passes forward without gradients, float32, {threads}, "
        f"{row['processor'] or UNKNOWN}, torch {row['torch']}). memory is the most that a process of its own had above "
        f"that before the net was made, in batches of {batches[-1]}; checkpoint has the weights and the state of the "
        "optimizer."
    )


def _number(row: Row, name: str) -> float:
    value = row[name]
    assert isinstance(value, int | float)
    return value
