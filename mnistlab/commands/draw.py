"""`mnistlab draw`."""

from functools import partial
from pathlib import Path

from mnistlab.commands.declaring.model import TRAIN, Command, Work
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, Option, split_words


def _draw(asked: Arguments) -> Work:
    from mnistlab.training.export_options import Export  # noqa: PLC0415 - not for help
    from mnistlab.training.opening import called, newer_page, open_page, refuse_runs  # noqa: PLC0415 - not for help

    output = asked.values.get("output")
    wanted = Export(("html",), Path(output) if output else None, opens=True)
    runs, others = split_words(asked.others)
    if not runs and not any(each.partition("=")[0] == "--ckpt_path" for each in others):
        runs = ["last"]
    try:
        with called(runs):
            refuse_runs(asked.command, runs, others)
            page = newer_page(asked.command, runs, others, wanted)
            if page:
                return partial(open_page, page)
            from mnistlab.training.pages import exporting  # noqa: PLC0415 - brings torch in

            return exporting(asked.command, runs, others, wanted)
    except LabError as error:
        if runs in (["last"], ["best"]) and str(error).startswith(runs[0]):
            raise LabError(f"{error} `mnistlab fit --config=Quick99` trains a net in ten seconds.") from error
        raise


COMMAND = Command(
    "draw in the browser, and see what a trained net makes of it",
    _draw,
    TRAIN,
    order=7,
    usage="[RUN...] [--output=FILE] ...",
    about="""\
Writes a page that runs the net, and opens it: draw with mouse, pen or finger.
It is one file that needs no server and no network, as `mnistlab export` writes
it; two runs stand side by side. A page that is there already is only opened.""",
    names=(Option("RUN", "A run's id or folder, last, best, or a checkpoint", "RUN", completes="checkpoints"),),
    options=(Option("output", "The file", "FILE", default="net.html in the folder of the run"),),
    like="predict",
)
