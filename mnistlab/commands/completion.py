"""`mnistlab completion`."""

from mnistlab.commands.declaring.model import Command
from mnistlab.options.arguments import Option

COMMAND = Command(
    "complete commands, options and values with TAB",
    "mnistlab.commands.help.installing:completion",
    order=4,
    about="""\
Press TAB for commands, options, classes, values, presets and files.
  mnistlab completion --install    for the shell that you use
  mnistlab completion --uninstall  take it away again
  mnistlab completion zsh          print the script, to put it where you like""",
    names=(Option("SHELL", "The shell", "[bash|zsh|fish]", ("bash", "zsh", "fish"), default="that of $SHELL"),),
    options=(
        Option("install", "Write the script, and have new shells load it"),
        Option("uninstall", "Take it away again"),
    ),
    notes="""\
Options are completed level by level: --mo TAB, --model. TAB,
--model.optimizer=S TAB. What is offered after --model. belongs to the class
that is chosen on the line.""",
)
