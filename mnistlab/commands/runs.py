"""`mnistlab runs`."""

from mnistlab.commands.declaring.model import MANY, Command
from mnistlab.options.arguments import JSON, ONE_OF, RUN_DIR, Option

_SCREEN = "mnistlab.reports.screen"
_RUN = "mnistlab.runs.run"
_SELECTION = "mnistlab.runs.selection"
_FORMATS = ("latex", "markdown", "csv", "json")

_ID = Option(
    "ID",
    "A name given with --run.name; where no run has it, the name of a run's folder or what follows the time in it; "
    "where none is that, a beginning of either. Or a path, or last, the newest training run with weights: the same "
    "for every command",
    completes="runs",
)

_FILTERS = (
    Option("model", "Runs of this model", "NAME", under="FILTER"),
    Option("data", "Runs on these data", "NAME", under="FILTER"),
    Option("command", "Runs of this command", "NAME", f"{_RUN}:COMMANDS", under="FILTER"),
    Option("status", "Runs that have ended so", "STATUS", f"{_RUN}:STATUSES", under="FILTER"),
    Option("tag", "Runs with this tag", "TAG", under="FILTER"),
    Option("preset", "Runs of this preset", "PRESET", under="FILTER"),
    Option("sweep", "Runs of this sweep", "NAME", under="FILTER"),
)
"""The options that choose runs."""

COMMAND = Command(
    "list, filter, compare and remove runs",
    f"{_SCREEN}.overview:show_runs",
    MANY,
    order=4,
    about="""\
Lists the runs that are kept, the newest first; shows one in full; says in what
two differ, and on which test images; removes some.""",
    options=(
        *_FILTERS,
        Option(
            "sort",
            "started, model, val_acc, test_acc, seconds, ...; -test_acc is the highest first",
            "KEY",
            f"{_SELECTION}:SORTED_BY",
        ),
        Option("reverse", "Turn any order round"),
        Option("limit", "So many at most, or all", "N", ("all",), default="as many as a screen holds"),
        Option(
            "format",
            "A row for runs that differ in nothing but their seed: n, mean, deviation, interval",
            "FORMAT",
            _FORMATS,
            wanted=ONE_OF,
        ),
        Option("by", "The same by these options only: model,data.train_size", "OPTIONS"),
        Option("csv", "Everything in the records, a row for each run"),
        Option("json", "The same as objects"),
        RUN_DIR,
    ),
    instead="`mnistlab runs` alone lists all runs, `mnistlab runs show {name}` shows one.",
    notes="--status=failed,lost takes either. mnistlab runs show --help says what an ID is.",
    commands={
        "show": Command(
            "one run in full",
            f"{_SCREEN}.single:show_run",
            about="Shows one run in full: its settings, its epochs, its outcome, and how to go on.",
            names=(_ID,),
            needs=1,
            options=(JSON, RUN_DIR),
        ),
        "diff": Command(
            "in what two runs differ",
            f"{_SCREEN}.pair:show_pair",
            about="Says in what two runs differ, and on which test images.",
            names=(_ID,),
            needs=2,
            options=(Option("all", "Every image that only one of the two gets right"), JSON, RUN_DIR),
        ),
        "rm": Command(
            "remove runs",
            f"{_SCREEN}.removal:remove_runs",
            about="Removes runs: those that are named, or those that filters leave.",
            names=(_ID._replace(takes="[ID...]"),),
            options=(*_FILTERS, Option("yes", "Remove without asking"), RUN_DIR),
            notes="--status=failed,lost takes either.",
        ),
    },
)
