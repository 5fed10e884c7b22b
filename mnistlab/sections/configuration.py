"""The configuration of a command: what a run is made of, and can be repeated from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mnistlab.options.settling import Settled
from mnistlab.options.specification import Specification
from mnistlab.sections.parts import Run

_ORDER = ("seed_everything", "trainer", "model", "data", "run", "threads", "logger")


@dataclass(frozen=True)
class Configuration:
    """What counts, of every option."""

    seed_everything: int | bool  # the seed; False for none, True for one that is yet to be drawn
    trainer: Mapping[str, Any]
    model: Specification
    data: Specification
    run: Run
    threads: int | None  # threads that compute; None for as many as there are
    logger: Sequence[Specification]

    @classmethod
    def of(cls, settled: Settled) -> Self:
        """The configuration that was worked out."""
        values = settled.complete()
        model, data, trackers = values["model"], values["data"], values["logger"] or []
        return cls(
            values["seed_everything"],
            values["trainer"],
            Specification.of(model),
            Specification.of(data),
            Run(**values["run"]),
            values["threads"],
            [Specification.of(each) for each in trackers],
        )

    def plain(self) -> dict[str, Any]:
        """The form in which configuration files have it."""
        parts = {name: getattr(self, name) for name in _ORDER}
        logger = [each.as_dict() for each in self.logger] or None
        return {
            **parts,
            "trainer": dict(self.trainer),
            "model": self.model.as_dict(),
            "data": self.data.as_dict(),
            "run": dict(vars(self.run)),
            "logger": logger,
        }
