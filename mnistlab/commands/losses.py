"""`mnistlab losses`."""

from mnistlab.commands.declaring.tables import tabled

COMMAND = tabled(
    "the losses",
    3,
    option="model.loss",
    use="Use one: mnistlab fit --model.loss=MSELoss",
    more="Its options: mnistlab fit --model.loss.help=HuberLoss",
)
