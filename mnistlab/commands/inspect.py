"""`mnistlab inspect`."""

from mnistlab.commands.declaring.model import Command
from mnistlab.options.arguments import JSON, PACKAGES, RUN_DIR, STEERING, Option

COMMAND = Command(
    "show what is in a checkpoint, importing nothing from it",
    "mnistlab.reports.checkpoint:inspect",
    order=1,
    about="""\
Shows what is in a checkpoint and whether `test` would open it. Nothing in it is
run or imported.""",
    names=(
        Option(
            "CHECKPOINT",
            "A .ckpt or .safetensors file, the folder of a run, best, or last",
            "CHECKPOINT",
            completes="checkpoints",
        ),
    ),
    options=(JSON, PACKAGES, RUN_DIR, *(option for option in STEERING if option.name == "ckpt_path")),
)
