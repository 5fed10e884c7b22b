"""`mnistlab explain`: its options and its help, for which torch is not needed."""

from collections.abc import Sequence

from mnistlab.catalogue.used import STEERING
from mnistlab.commands.help.screens import asks_for_help, show_help
from mnistlab.commands.table import COMMANDS
from mnistlab.errors import LabError
from mnistlab.options.arguments import divided, read_arguments
from mnistlab.text.layout import fitted
from mnistlab.text.nearest import suggestion
from mnistlab.training.explain_options import METHODS, TARGETS, WHICH, Wish

USAGE = """\
Usage: mnistlab explain --ckpt_path=RUN [--method=METHOD] [--images=16] ...

Writes a picture of some test images and of what the net looked at in them.

  --ckpt_path  a run's id or folder, last, best, or a file
  --method     gradcam    where a stage's maps speak for the class
               attention  which patches a transformer has looked at
               gradient   how much each pixel would change the answer
               auto       what suits the net (default)
  --images     how many (default 16)
  --which      first, wrong (the net was mistaken) or unsure (default first)
  --head       the label that is explained (default the primary one)
  --stage      the stage whose maps gradcam takes
  --target     predicted or true: the class to look for (default predicted)
  --data, --run.dir and the other options of predict: mnistlab predict --help"""

OWN = ("method", "images", "which", "head", "stage", "target")

_LIKE = "predict"
"""The command whose other options it takes."""


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab explain arguments`; the exit code.

    Raises:
        LabError: For what a user can mend.
    """
    own, others = divided(arguments, OWN, STEERING)
    asked = read_arguments(command, own, takes_value=OWN)
    if "help" in asked.switches:
        print(fitted(USAGE))
        return 0
    if asks_for_help(others):
        return show_help(_LIKE, COMMANDS[_LIKE].summary, others)
    wish = _wish(dict(asked.values))
    from mnistlab.training.running import run as run_command  # noqa: PLC0415 - brings torch in

    return run_command(command, others, wish)


_DIGITS = 9
"""Of the largest number of images."""


def _wish(values: dict[str, str]) -> Wish:
    for option, known in (("method", METHODS), ("which", WHICH), ("target", TARGETS)):
        value = values.get(option)
        if value is not None and value not in known:
            raise LabError(f"--{option}={value}: {' or '.join(known)} is wanted.{suggestion(value, known)}")
    images = values.pop("images", "16")
    if not images.isdecimal() or len(images) > _DIGITS or not int(images):
        shown = images if len(images) <= _DIGITS else f"{images[:_DIGITS]}..."
        raise LabError(f"--images={shown}: a whole number above 0 is wanted.")
    return Wish(images=int(images), **values)
