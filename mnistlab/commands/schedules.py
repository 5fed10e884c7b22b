"""`mnistlab schedules`."""

from mnistlab.commands.declaring.tables import tabled

COMMAND = tabled(
    "the learning rate schedules",
    5,
    option="model.scheduler",
    use="Use one: mnistlab fit --model.scheduler=StepLR --model.scheduler.step_size=3\n"
    "For a constant rate: mnistlab fit --model.scheduler=null",
    more="Its options: mnistlab fit --model.scheduler.help=StepLR",
)
