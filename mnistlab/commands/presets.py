"""`mnistlab presets`."""

from mnistlab.commands.declaring.model import Command
from mnistlab.commands.declaring.tables import tabled
from mnistlab.options.arguments import PACKAGES, RUN_DIR, Option

_SAVE = Command(
    "write a preset from a run",
    "mnistlab.training.saving:save_preset",
    about="""\
Writes presets/NAME.yaml with all that a run did not leave at its default. Of a
command that has not been run: mnistlab fit ... --print_config=skip_default""",
    names=(Option("NAME", "What --config= will take", "NAME"),),
    options=(Option("from", "The run, as `runs show` takes it", "RUN", completes="runs"), PACKAGES, RUN_DIR),
    usage="NAME --from=RUN [--trust=PACKAGE] [--run.dir=FOLDER]",
)

COMMAND = tabled(
    "the presets, yours and those that come with mnistlab",
    6,
    option="config",
    columns=("from",),
    use="Use one: mnistlab fit --config=QuickTest",
    more="See all of its values: mnistlab fit --config=QuickTest --print_config",
    filters=(Option("tag", "Those with a tag, or with one of several: a,b", "TAG", completes="tags"),),
)._replace(commands={"save": _SAVE})
