"""What a command was configured with, and who chose it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnistlab.options.trust import packages_in
from mnistlab.options.written import Source, Written
from mnistlab.presets.shipped import is_shipped
from mnistlab.sections.configuration import Configuration


@dataclass(frozen=True)
class Configured:
    """A command as it was configured."""

    command: str  # `fit`, `validate`, `test` or `predict`
    configuration: Configuration  # what counts, of every option
    origins: Mapping[str, Written]  # who wrote them, by dotted key
    typed: Sequence[Written]  # what stood on the command line
    continued: bool = False  # whether a run goes on from a checkpoint

    def chosen(self, key: str) -> str | None:
        """Where somebody wrote the value of `key` for this run; None for a default, and for a preset of mnistlab's.

        Such a preset goes with any model, any data and other presets, so that not all of it has an effect each time.
        """
        entry = self.origins.get(key)
        if entry is None or entry.complete or entry.source is Source.CHECKPOINT or is_shipped(entry.where):
            return None
        return entry.where

    def chosen_below(self, key: str) -> str | None:
        """Where somebody chose the class of `key`, or an option of it."""
        below = (name for name in self.origins if name.startswith(f"{key}."))
        return next((where for name in (key, *below) if (where := self.chosen(name))), None)

    def options(self, name: str) -> Mapping[str, Any]:
        """The options of the class that an option of the model takes; none where it takes none."""
        value = self.configuration.model.init_args.get(name)
        return value.get("init_args", {}) if isinstance(value, Mapping) else {}

    def packages(self) -> list[str]:
        """The packages of others whose classes it uses."""
        return packages_in(self.configuration.plain())

    def callbacks(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Each callback: its key, the name of its class, its options."""
        for number, entry in enumerate(self.configuration.trainer.get("callbacks") or []):
            key = f"trainer.callbacks.{number}"
            yield key, entry["class_path"].rpartition(".")[2], entry.get("init_args", {})
