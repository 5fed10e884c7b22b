"""`mnistlab models`."""

from mnistlab.commands.declaring.tables import tabled

COMMAND = tabled(
    "the models, with their parameter counts",
    1,
    option="model",
    columns=("parameters",),
    use="Train one: mnistlab fit --model=SmallModel",
    more="Its options: mnistlab fit --model.help=SmallModel",
)
