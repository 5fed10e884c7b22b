"""The examples of CONTRIBUTING.md do what it says, in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from support import record_of

import mnistlab

CONTRIBUTING = Path(__file__).parent.parent / "CONTRIBUTING.md"
TEXT = CONTRIBUTING.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
QUICK = "--data.train_size=300 --data.test_size=100 --data.val_size=50 --trainer.max_epochs=1"
MAIN = "import shlex, sys; from mnistlab import main; sys.exit(any(main(shlex.split(line)) for line in sys.argv[1:]))"


def test_a_model_a_metric_and_a_command_are_added_as_it_says(here: Path) -> None:
    """Each file is written, or what is to be added to one that there is; then the commands run."""
    copy = here / "copy"
    shutil.copytree(Path(mnistlab.__file__).parent, copy / "mnistlab", ignore=shutil.ignore_patterns("__pycache__"))
    for _, text in BLOCKS:
        named = re.match(r"# (mnistlab/\S+\.py)\n", text)
        if named:
            with (copy / named[1]).open("a", encoding="utf-8") as file:
                file.write(f"\n\n{text}")
    commands = re.findall(r"^mnistlab (.*)$", "".join(text for kind, text in BLOCKS if kind == "bash"), re.MULTILINE)
    quick = [f"{each} {QUICK}" if each.startswith("fit") else each for each in commands]

    done = subprocess.run(
        [sys.executable, "-P", "-c", MAIN, *quick, "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(here / "cache")},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    (run,) = here.glob("runs/linear_8k/*")
    assert f"\n{run.relative_to(here)}\n" in done.stdout
    assert "Linear8K (7,850 parameters) on SyntheticDigits" in done.stdout
    assert "  where      print the folder of a run" in done.stdout
    assert {"val/doubt", "test/doubt"} <= {*record_of(run)["metrics"]["best"], *record_of(run)["metrics"]["test"]}


def test_the_four_forms_of_an_option_are_those_that_it_says() -> None:
    """The last block asserts each of them, and the text has the second as it stands there."""
    code = BLOCKS[-1][1]
    (form,) = re.findall(r"== (Written\(.*\))", code)
    assert f"`{form}`" in TEXT

    exec(compile(code, CONTRIBUTING.name, "exec"), {})  # noqa: S102 - it is ours


def test_every_file_that_it_names_is_there() -> None:
    """Those of the table and of the four forms, but for NAME, which stands for a new one."""
    shown = re.sub(r"^```\w+\n.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    named = [path for path in re.findall(r"`([\w/]+\.(?:py|md|json|toml))`", shown) if "NAME" not in path]
    root = CONTRIBUTING.parent

    assert len(named) > 15
    assert not [path for path in named if not (root / path).is_file() and not (root / "mnistlab" / path).is_file()]
