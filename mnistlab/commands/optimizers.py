"""`mnistlab optimizers`."""

from mnistlab.commands.declaring.tables import tabled

COMMAND = tabled(
    "the optimizers",
    4,
    option="model.optimizer",
    use="Use one: mnistlab fit --model.optimizer=SGD --model.optimizer.lr=0.1",
    more="Its options: mnistlab fit --model.optimizer.help=SGD",
)
