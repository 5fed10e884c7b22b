"""`mnistlab models`."""

from functools import partial

from mnistlab.commands.declaring.model import Work
from mnistlab.commands.declaring.tables import tabled
from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, Option

_MORE = "Its options: mnistlab fit --model.help=SmallModel"
_MOST = 10_000  # images in a batch

_TABLE = tabled(
    "the models, with their parameter counts and costs",
    1,
    option="model",
    columns=("parameters",),
    use="Train one: mnistlab fit --model=SmallModel",
    more=_MORE,
)


def _models(asked: Arguments) -> Work:
    if "cost" not in asked.switches:
        for option in ("batch", "csv", "threads"):
            if option in {*asked.switches, *asked.values}:
                raise LabError(f"--{option} is for what models cost: mnistlab models --cost --{option}")
        if asked.names:
            raise LabError(f"models takes names with --cost only, got {asked.names[0]}. It lists all. {_MORE}")
        return _TABLE.load(asked)
    forms = asked.switches & {"json", "csv"}
    if len(forms) > 1:
        raise LabError("--json and --csv exclude each other.")
    batches = _batches(asked.values.get("batch", "1,256"))
    from mnistlab.commands.help.tables import measurable  # noqa: PLC0415 - not for help

    models = measurable(asked.names)
    from mnistlab.benchmark.costs import show_costs  # noqa: PLC0415 - brings torch in

    return partial(show_costs, models, batches, int(asked.values.get("threads", "0")), "".join(forms))


def _batches(text: str) -> list[int]:
    for part in text.split(","):
        if not part.isdecimal() or len(part) > len(str(_MOST)) or not 0 < int(part) <= _MOST:
            example = "with commas between them: --batch=1,256"
            raise LabError(f"--batch={part}: sizes from 1 to {_MOST:,} are wanted, {example}")
    return sorted({*map(int, text.split(","))})


COMMAND = _TABLE._replace(
    work=_models,
    about="""\
A table of what there is, with the default marked by *. With --cost each net is
made, and measured in a process of its own: multiply-adds, ms an image (median),
the most memory of a pass forward, the bytes of a checkpoint.""",
    usage="[--cost [MODEL...] [--batch=1,256] [--threads=N] [--csv]] [--json]",
    names=(Option("MODEL", "Those that are measured", "[MODEL...]", default="all", completes="model"),),
    options=(
        Option("cost", "Measure what they cost; a minute or two for all"),
        Option("batch", "Images at a time, with commas between them", "SIZES", default="1,256", checks=_batches),
        Option(
            "threads",
            "Threads that compute",
            "N",
            default="as many as torch takes",
            wanted="a number from 1 on is wanted",
        ),
        Option("csv", "The costs as a table"),
        *_TABLE.own,
    ),
)
