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

_DAYS = ("today", "yesterday")


def _since(text: str) -> None:
    from mnistlab.runs.where import since  # noqa: PLC0415 - not for the overview

    since(text)


def _where(text: str) -> None:
    from mnistlab.runs.where import check_where  # noqa: PLC0415 - not for the overview

    check_where(text)


FILTERS = (
    Option("model", "Runs of this model", "NAME", several=True, under="FILTER"),
    Option("data", "Runs on these data", "NAME", several=True, under="FILTER"),
    Option("command", "Runs of this command", "NAME", f"{_RUN}:COMMANDS", several=True, under="FILTER"),
    Option("status", "Runs that have ended so", "STATUS", f"{_RUN}:STATUSES", several=True, under="FILTER"),
    Option("tag", "Runs with this tag", "TAG", several=True, under="FILTER"),
    Option("preset", "Runs of this preset", "PRESET", several=True, under="FILTER"),
    Option("sweep", "Runs of this sweep", "NAME", several=True, under="FILTER"),
    Option("name", "Runs of this name", "NAME", several=True, under="FILTER"),
    Option("user", "Runs of this person", "NAME", several=True, under="FILTER"),
    Option(
        "since",
        "Runs since then: 90m, 2d, 1w ago, today, or a date",
        "TIME",
        _DAYS,
        under="FILTER",
        checks=_since,
    ),
    Option(
        "where",
        "Runs of which this is true: lr>=0.001 and user=anna",
        "EXPRESSION",
        under="FILTER",
        again=True,
        between="and",
        checks=_where,
    ),
)
"""The options that choose runs."""

COMMAND = Command(
    "list, filter, compare, name and remove runs",
    f"{_SCREEN}.overview:show_runs",
    MANY,
    order=4,
    about="""\
Lists the runs that are kept, the newest first, with the options in which they
differ; shows one in full; compares two; names, annotates and removes some.""",
    usage="[FILTER...] [OPTION...]",
    options=(
        *FILTERS,
        Option(
            "sort",
            "started, val_acc, lr, ...; -test_acc is the highest first",
            "KEY",
            f"{_SELECTION}:SORTED_BY",
        ),
        Option("reverse", "Turn any order round"),
        Option(
            "limit",
            "So many at most, or all",
            "N",
            ("all",),
            default="as many as a screen holds",
            wanted="a number from 1 on is wanted, or all",
            counts=True,
        ),
        Option("columns", "These only: lr,hidden_dim,val_acc; also in --csv, --json", "NAMES"),
        Option("all", "Every column and every note, however wide"),
        Option("format", "Runs alike but for their seed as a row", "FORMAT", _FORMATS, wanted=ONE_OF),
        Option("by", "The same by these only, options or user: model,lr", "OPTIONS"),
        Option("csv", "Everything in the records and every option, a row for each run"),
        Option("json", "The same as objects"),
        RUN_DIR,
    ),
    instead="`mnistlab runs` alone lists all runs, `mnistlab runs show {name}` shows one.",
    notes="""\
--status=failed,lost takes either; --where='lr>=0.001 and user=anna' any value.
A value counts as typed, else in any case; runs show --help says what an ID is.""",
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
        "cite": Command(
            "what a methods section says of runs",
            f"{_SCREEN}.cite:cite",
            about="""\
Says of trainings what a methods section has to: model, data, split, seeds,
optimizer, schedule, versions, commit, hardware, and the accuracy, with mean and
deviation over runs that differ in nothing but their seed. Only what their
records say.""",
            names=(_ID._replace(takes="ID..."),),
            options=(Option("bibtex", "mnistlab, the data and the method as BibTeX"), JSON, RUN_DIR),
            notes="An ID may also be a sweep or a comparison: all of its runs.",
        ),
        "rename": Command(
            "give a run another name",
            f"{_SCREEN}.naming:rename_run",
            about="Gives a run another name, by which every command finds it; it may be running.",
            names=(_ID._replace(takes="ID"), Option("NAME", "The name; nothing, as '', for none", "NAME")),
            options=(RUN_DIR,),
        ),
        "note": Command(
            "note something about a run",
            f"{_SCREEN}.naming:note_run",
            about="Notes something about a run, in place of any note before; it may be running.",
            names=(_ID._replace(takes="ID"), Option("TEXT", "What is to be noted; nothing, as '', for none", "TEXT")),
            options=(RUN_DIR,),
        ),
        "rm": Command(
            "remove runs",
            f"{_SCREEN}.removal:remove_runs",
            about="Removes runs: those that are named, or those that filters leave.",
            names=(_ID._replace(takes="[ID...]"),),
            options=(*FILTERS, Option("yes", "Remove without asking"), RUN_DIR),
            notes="--status=failed,lost takes either; a value counts as typed, else in any case.",
        ),
    },
)
