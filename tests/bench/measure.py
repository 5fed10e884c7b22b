"""Measure presets or models: accuracy over seeds, training seconds, and a reference loop beside each run.

    python tests/bench/measure.py --seeds=5 --out=measured.jsonl -- --config=Best

Everything after `--` goes to `mnistlab fit`; the seed, the folder of the runs and `--run.test=true` are added. Training
seconds run from the first step to the last, without import, validation and test, as the run's record has them. The
reference loop is one epoch of SDN68K in plain torch, batches of 128; a quiet machine takes `QUIET` seconds for it, and
`scaled` is the training seconds times QUIET over the mean of the loop before and after the run.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from mnistlab import MNIST, SDN68K

QUIET = 0.41


def reference() -> float:
    """Seconds of an epoch of SDN68K in plain torch, the median of three after a warm-up."""
    data = MNIST()
    data.prepare_data()
    read = data.read("train")
    images, target = read.images, read.targets["digit"]
    net = SDN68K().net
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    seconds = []
    for _ in range(4):
        order = torch.randperm(55_000)
        begin = time.perf_counter()
        for rows in order.split(128):
            batch = images[rows].float().mul_(1 / (255 * 0.3081)).sub_(0.1307 / 0.3081)
            optimizer.zero_grad()
            F.cross_entropy(net(batch), target[rows]).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


def fit(arguments: list[str], seed: int) -> dict[str, float]:
    """Train once and return what the record says, with the reference loop on both sides."""
    with tempfile.TemporaryDirectory() as folder:
        before = reference()
        command = [sys.executable, "-m", "mnistlab", "fit", *arguments, f"--seed_everything={seed}"]
        subprocess.run([*command, f"--run.dir={folder}", "--run.test=true"], check=True, stdout=sys.stderr)
        after = reference()
        (path,) = Path(folder).glob("*/*/run.json")
        record = json.loads(path.read_text())
    loop = (before + after) / 2
    train = record["timings"]["train_seconds"]
    measured = {name: value for name, value in record["metrics"]["test"].items() if name.endswith("acc")}
    return {
        "seed": seed,
        **measured,
        "train_s": round(train, 2),
        "reference_before_s": round(before, 3),
        "reference_after_s": round(after, 3),
        "scaled_s": round(train * QUIET / loop, 2),
        "epochs": len(record["timings"]["epoch_seconds"]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("arguments", nargs="*")
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.seeds):
        row = fit(asked.arguments, seed)
        rows.append(row)
        line = json.dumps({"arguments": asked.arguments, **row, "threads": torch.get_num_threads()})
        print(line, flush=True)
        if asked.out:
            with asked.out.open("a") as file:
                file.write(f"{line}\n")
    for name in ("test/acc", "train_s", "scaled_s"):
        values = [row[name] for row in rows]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"{name}: mean {statistics.mean(values):.4f}, standard deviation {spread:.4f}, n = {len(values)}")


if __name__ == "__main__":
    main()
