"""The options of a sweep, from the class that says how one goes about."""

from collections.abc import Mapping, Sequence

from mnistlab.commands.help import known_catalogue
from mnistlab.options.arguments import Option


def sweep_options(defaults: Mapping[str, str] | None = None) -> Sequence[Option]:
    """The options of `mnistlab sweep`, or those of them for which another command has other defaults.

    Args:
        defaults: What counts there without each, by name.
    """
    from mnistlab.text.values import shown  # noqa: PLC0415 - not for the overview
    from mnistlab.text.words import first_sentence  # noqa: PLC0415 - not for the overview

    found = []
    for entry in known_catalogue().sweep.options:
        text = first_sentence(entry.text).removesuffix(".")
        switch = "true" in entry.choices
        default = "" if switch or entry.default is None else shown(entry.default)
        found.append(
            Option(
                entry.name,
                text if defaults is None else text.partition("; by default")[0],
                "" if switch else "VALUE",
                [word for word in entry.choices if word != "null"],
                default if defaults is None else defaults.get(entry.name, ""),
            )
        )
    return [option for option in found if defaults is None or option.name in defaults]
