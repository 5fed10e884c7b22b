"""`mnistlab new class`: a folder for a class, with what all in it share and a sheet of exercises that runs as it is."""

import re
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments
from mnistlab.options.kit import FILE
from mnistlab.system.files import stands, telling, write_text

_KIT = """\
# What counts in this folder and below it where nothing else is said. Folders are meant from here.
runs: runs # where runs are kept
data: data # where the files of data sets are; the folder that has MNIST/raw in it
presets: presets # the presets in it are known by their names
defaults:
  fit: # any option of mnistlab fit; for the real digits say MNIST and remove the sizes
    data: SyntheticDigits
    data.train_size: 4000
    data.val_size: 500
    data.test_size: 500
    trainer.max_epochs: 5
  compare:
    seeds: 3
"""

_PRESET = """\
# The net that all begin with.
model:
  class_path: TinyModel
  init_args:
    hidden_dim: 32
"""

_SHEET = """\
# NAME

Stand in this folder, or in one of your own in it. `mnistlab.yaml` says for all of it where runs are kept, which images
are learnt, and for how long; `mnistlab doctor` shows that it is in force. What you type counts before it.

## 1. A first net

```bash
mnistlab fit --config=Start --run.name=first
mnistlab runs show first
```

How many epochs were trained, and who said so? Which classes are told apart worst?

```bash
mnistlab report first
```

Open the page. Which of its mistakes would you have made, too?

## 2. A change

A wider net, then a slower one. Guess before you look: which is better, and by how much?

```bash
mnistlab fit --config=Start --model.hidden_dim=128 --run.name=wide
mnistlab fit --config=Start --model.optimizer.lr=0.0001 --run.name=slow
mnistlab runs
mnistlab runs diff first wide
```

On how many test images do the two differ? Is that much?

## 3. Luck

The same net with other seeds gives other figures. Keep yours as a preset, and train both with three seeds each:

```bash
mnistlab presets save Wide --from=wide
mnistlab compare --presets=Start,Wide --name=luck-$USER
```

Which differences are larger than those between the seeds?

## 4. What it sees

```bash
mnistlab explain --ckpt_path=wide
mnistlab predict --ckpt_path=wide
```

## 5. Your own

Find a net with at most 100,000 parameters that is better than `wide`, on validation images alone: train with
`--run.test=false`, or each `fit` looks at the test images. `mnistlab models` lists what there is, `mnistlab fit --help`
what can be changed, and TAB completes both.
"""

_IGNORED = """\
runs/
data/
"""

_TEXTS = {FILE: _KIT, "sheet.md": _SHEET, "presets/Start.yaml": _PRESET, ".gitignore": _IGNORED}
"""Each file, with what is in it."""


def write_class(asked: Arguments) -> int:
    """Write the folder, and say how to go on; the exit code.

    Raises:
        LabError: If its name does not serve, or something of that name is there.
    """
    folder = Path(_name(asked))
    if stands(folder):
        raise LabError(f"{folder} is there already, and is left as it is. Choose another name.")
    for name, text in _TEXTS.items():
        file = folder / name
        with telling(file, "Go to a folder of your own."):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, text.replace("NAME", folder.name))
    with telling(folder / "runs", "Go to a folder of your own."):
        (folder / "runs").mkdir(exist_ok=True)
    written = ", ".join(str(folder / name) for name in _TEXTS)
    print(f"wrote {written}\nTry it:    cd {folder} && mnistlab fit --config=Start")
    print(f"Share it:  chmod 1777 {folder / 'runs'} opens the runs to all who have an account here.")
    return 0


def _name(asked: Arguments) -> str:
    if len(asked.names) != 1:
        got = f"got {len(asked.names)}: {', '.join(asked.names)}" if asked.names else "got none"
        raise LabError(f"{asked.command} takes one name, {got}. Write mnistlab {asked.command} Digits.")
    (name,) = asked.names
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise LabError(f"{name}: the name of a folder is wanted, of letters, digits and any of _.-, such as Digits.")
    return name
