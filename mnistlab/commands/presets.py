"""`mnistlab presets`."""

from mnistlab.commands.declaring.tables import tabled

COMMAND = tabled(
    "the presets, yours and those that come with mnistlab",
    6,
    option="config",
    columns=("from",),
    use="Use one: mnistlab fit --config=QuickTest",
    more="See all of its values: mnistlab fit --config=QuickTest --print_config",
)
