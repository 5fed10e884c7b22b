"""`mnistlab datasets`."""

from mnistlab.commands.declaring.tables import tabled

COMMAND = tabled(
    "the data sets, with their images and classes",
    2,
    option="data",
    columns=("train", "test", "classes"),
    use="Train on one: mnistlab fit --data=SyntheticDigits",
    more="Its options: mnistlab fit --data.help=EMNIST",
)
