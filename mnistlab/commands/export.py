"""`mnistlab export`."""

from pathlib import Path

from mnistlab.commands.declaring.model import TRAIN, Command, Work
from mnistlab.options.arguments import Arguments, Option, split_words


def _export(asked: Arguments) -> Work:
    from mnistlab.training.export_options import Export, forms_of  # noqa: PLC0415 - not for help
    from mnistlab.training.opening import called, refuse_runs  # noqa: PLC0415 - not for help

    output = Path(asked.values["output"]) if "output" in asked.values else None
    wanted = Export(forms_of(asked.values.get("format"), output), output)
    runs, others = split_words(asked.others)
    with called(runs):
        refuse_runs(asked.command, runs, others)
        from mnistlab.training.pages import exporting  # noqa: PLC0415 - brings torch in

        return exporting(asked.command, runs, others, wanted)


COMMAND = Command(
    "write a trained net for other programs",
    _export,
    TRAIN,
    order=6,
    usage="RUN... --format=FORM[,FORM...] [--output=FILE|FOLDER] ...",
    about="""\
Writes the net of a run, with its normalization, so that it takes images as they
are and gives probabilities. Each file is read back and answers all test images;
it is kept only if it answers as the net does.
  pt2        for torch, without mnistlab
  onnx       for onnxruntime and others; pip install 'mnistlab[onnx]'
  onnx-int8  the same in 8 bits; ranges are fixed by training images
  c          one file of C99 that needs math.h
  c-int8     the same, with weights of 8 bits: compiled, a quarter of the bytes
  html       one page that runs the net: draw, and see what it makes of it; two
             runs stand side by side""",
    names=(Option("RUN", "A run's id or folder, last, best, or a checkpoint", "RUN", completes="checkpoints"),),
    options=(
        Option("format", "What to write", "FORM", "mnistlab.training.export_options:FORMS",
               "what --output ends with, or pt2",
               "{values} are wanted, got {part}", several=True),
        Option("output", "The file, or a folder for several", "FILE", default="net.* in the folder of the run"),
    ),
    like="predict",
)  # fmt: skip
