"""The configuration of a command: what a run is made of, and can be repeated from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from mnistlab.options.settling import Settled
from mnistlab.options.specification import Specification
from mnistlab.sections.run import Run

_SECTIONS = ("trainer", "model", "data", "run")


@dataclass(frozen=True)
class Configuration:
    """What counts, of every option."""

    trainer: Mapping[str, Any]
    model: Specification
    data: Specification
    run: Run
    top: Mapping[str, Any]

    @classmethod
    def of(cls, settled: Settled) -> Self:
        """The configuration that was worked out."""
        values = settled.complete()
        model, data = Specification.of(values["model"]), Specification.of(values["data"])
        top = {name: value for name, value in values.items() if name not in _SECTIONS}
        return cls(values["trainer"], model, data, Run(**values["run"]), top)

    @property
    def seed_everything(self) -> int | bool:
        """The seed; False for none, True for one that is yet to be drawn."""
        seed: int | bool = self.top["seed_everything"]
        return seed

    @property
    def threads(self) -> int | None:
        """Threads that compute; None for as many as there are."""
        threads: int | None = self.top["threads"]
        return threads

    @property
    def budget(self) -> str | None:
        """The time that it takes, with what was decided for that; None where epochs or steps are counted."""
        budget: str | None = self.top["budget"]
        return budget

    def with_seed(self, seed: int | bool) -> Self:
        """The same with a seed that has been drawn."""
        return replace(self, top={**self.top, "seed_everything": seed})

    def plain(self) -> dict[str, Any]:
        """The form in which configuration files have it."""
        sections = {
            "trainer": dict(self.trainer),
            "model": self.model.as_dict(),
            "data": self.data.as_dict(),
            "run": dict(vars(self.run)),
        }
        top = {name: None if value == [] else value for name, value in self.top.items()}
        return {"seed_everything": top.pop("seed_everything"), **sections, **top}
