"""`mnistlab runs`: its options and its help; each of its commands is imported when it is asked for."""

from collections.abc import Sequence

from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments, read_arguments
from mnistlab.text.layout import fitted
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import counted

USAGE = """\
Usage: mnistlab runs [FILTER...] [--sort=KEY] [--limit=N] [--csv|--json]
       mnistlab runs show ID
       mnistlab runs diff ID ID [--all]
       mnistlab runs rm ID... [--yes]

Lists the runs that are kept, the newest first; shows one in full; says in what
two differ, and on which test images; removes some.

  ID         a name given with --run.name; where no run has it, the name of a
             run's folder or what follows the time in it; where none is that, a
             beginning of either. Or a path, or last, the newest training run
             with weights: the same for every command
  FILTER     --model, --data, --command, --status, --tag, --preset, --sweep;
             --status=failed,lost takes either. rm takes them in place of an ID
  --sort     started, model, val_acc, test_acc, seconds, ...; -test_acc is the
             highest first; --reverse turns any order round
  --limit    so many at most, or all; if not given, as many as a screen holds
  --csv      everything in the records, a row for each run; --json as objects
  --all      every image that only one of the two gets right
  --yes      remove without asking
  --run.dir  where the runs lie, if not in runs"""

FILTERS = ("model", "data", "command", "status", "tag", "preset", "sweep")
"""The options that choose runs."""

COMMANDS = ("show", "diff", "rm")
"""What else can be done than to list."""


def run(command: str, arguments: Sequence[str]) -> int:
    """Run `mnistlab runs arguments`; the exit code.

    Raises:
        LabError: If there is no such option or run.
    """
    what = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    if what in COMMANDS:
        return _RUN[what](f"{command} {what}", arguments[1:])
    takes_value = (*FILTERS, "sort", "limit", "run.dir")
    asked = read_arguments(command, arguments, switches=("csv", "json", "reverse"), takes_value=takes_value)
    if asked.names:
        raise LabError(_misplaced(asked.names[0]))
    if _helped(asked):
        return 0
    from mnistlab.reports.screen.overview import show_runs  # noqa: PLC0415 - not for help

    return show_runs(asked, asked.root)


def _show(command: str, arguments: Sequence[str]) -> int:
    asked = read_arguments(command, arguments, switches=("json",), takes_value=("run.dir",))
    if _helped(asked):
        return 0
    _expect(command, asked, 1)
    from mnistlab.reports.screen.single import show_run  # noqa: PLC0415 - not for help

    return show_run(asked.names[0], asked, asked.root)


def _diff(command: str, arguments: Sequence[str]) -> int:
    asked = read_arguments(command, arguments, switches=("json", "all"), takes_value=("run.dir",))
    if _helped(asked):
        return 0
    _expect(command, asked, 2)
    from mnistlab.reports.screen.pair import show_pair  # noqa: PLC0415 - not for help

    return show_pair(asked.names[0], asked.names[1], asked, asked.root)


def _rm(command: str, arguments: Sequence[str]) -> int:
    asked = read_arguments(command, arguments, switches=("yes",), takes_value=(*FILTERS, "run.dir"))
    if _helped(asked):
        return 0
    from mnistlab.reports.screen.removal import remove_runs  # noqa: PLC0415 - not for help

    return remove_runs(asked, asked.root)


_RUN = {"show": _show, "diff": _diff, "rm": _rm}


def _helped(asked: Arguments) -> bool:
    if "help" in asked.switches:
        print(fitted(USAGE))
    return "help" in asked.switches


def _expect(command: str, asked: Arguments, count: int) -> None:
    if len(asked.names) != count:
        got = f"got {len(asked.names)}: {', '.join(asked.names)}" if asked.names else "got none"
        example = f"mnistlab {command} {' '.join(['ID'] * count)}"
        raise LabError(f"{command} takes {counted(count, 'run')}, {got}. Write {example}; `mnistlab runs` lists them.")


def _misplaced(name: str) -> str:
    if name in COMMANDS:
        return f"{name} comes first: mnistlab runs {name} ..."
    hint = suggestion(name, COMMANDS)
    return f"{name}: `mnistlab runs` alone lists all runs, `mnistlab runs show {name}` shows one.{hint}"
