"""The commands that print a table of what there is."""

from collections.abc import Sequence
from functools import partial

from mnistlab.commands.declaring.model import TABLES, Command, Work
from mnistlab.options.arguments import Arguments, Option


def tabled(
    summary: str,
    order: int,
    *,
    option: str,
    columns: Sequence[str] = (),
    use: str,
    more: str,
    filters: Sequence[Option] = (),
) -> Command:
    """A command that prints what an option of `fit` can be.

    Args:
        summary: What is in the table.
        order: Its place among the tables.
        option: The option.
        columns: The parts of an entry that are shown between its name and its description.
        use: How to use an entry.
        more: How to know more of one.
        filters: Options that choose among the entries.
    """

    def show(asked: Arguments) -> Work:
        from mnistlab.commands.help.tables import show_table  # noqa: PLC0415 - not for help

        chosen = {each.name: asked.values[each.name] for each in filters if each.name in asked.values}
        return partial(show_table, option, columns, f"{use}\n{more}", chosen, for_machines="json" in asked.switches)

    return Command(
        summary,
        show,
        TABLES,
        order,
        about="A table of what there is, with the default marked by *.",
        options=(*filters, Option("json", "The same for machines: a list of objects")),
        instead=f"It lists all. {more}",
        notes=f"{use}\n{more}",
    )
