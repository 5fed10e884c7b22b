"""What one asks of an option, all are told: help, completion, origins, a run's settings and `fit`."""

from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import pytest

from mnistlab.catalogue import load_catalogue
from mnistlab.catalogue.present import Present
from mnistlab.cli import main
from mnistlab.commands.help.chosen import Chosen
from mnistlab.options.command_line import from_arguments
from mnistlab.options.entries import Catalogue, ClassEntry, OptionEntry
from mnistlab.options.files import from_text
from mnistlab.options.imported import settle
from mnistlab.options.reading import is_known
from mnistlab.options.settling import Settled
from mnistlab.reports.settings import changed
from mnistlab.sections.parts import TopLevel, prepare, sections
from mnistlab.training.origins import origins
from mnistlab.training.typed import settled_by

WHERE = {
    "model": "model", "data": "data", "loss": "model.loss", "optimizer": "model.optimizer",
    "scheduler": "model.scheduler", "augment": "data.augment", "labels": "data.labels",
    "callbacks": "trainer.callbacks", "profiler": "trainer.profiler", "strategy": "trainer.strategy",
    "accelerator": "trainer.accelerator", "plugins": "trainer.plugins",
}  # fmt: skip
"""The option at which a kind of class is chosen."""


def catalogue() -> Catalogue:
    """What there is."""
    return load_catalogue()


def choices() -> Iterator[tuple[str, ClassEntry]]:
    """Every class that can be chosen, with the option that takes it."""
    for kind, option in WHERE.items():
        for entry in catalogue().kinds[kind].classes.values():
            if not entry.refused and all(is_known(each.takes) or each.kind for each in entry.options if each.required):
                yield option, entry


def arguments(option: str, entry: ClassEntry) -> list[str]:
    """What chooses a class, with what it needs."""
    return [
        f"--{option}={entry.name}",
        *(f"--{option}.{each.name}={_some(each)}" for each in entry.options if each.required),
    ]


def _some(option: OptionEntry) -> str:
    """A value that an option takes."""
    if option.kind:
        return next(iter(catalogue().kinds[option.kind].offered()), "torch.nn.Identity")  # of any net
    kind = option.takes[0]
    words = [str(word) for word in kind.words]
    return (words or [{"integer": "3", "number": "0.5", "list": "[1]", "boolean": "true"}.get(kind.name, "x")])[0]


@cache
def both(*typed: str) -> tuple[Settled | None, Settled]:
    """The walk over the catalogue and the walk over what is imported."""
    prepare()
    written = from_arguments(typed)
    return settled_by(catalogue(), [written], frozenset()), settle(TopLevel, sections(), [written])


@pytest.mark.parametrize("kind", WHERE)
def test_the_catalogue_and_imported_classes_say_the_same(kind: str) -> None:
    """Of every option of every class: what counts, what would by default, and who said so."""
    for option, entry in choices():
        if option != WHERE[kind]:
            continue
        known, live = both(*arguments(option, entry))
        if known is None or known.unsure:
            continue  # left to the classes: nothing is said
        assert known.values == live.values, entry.name
        assert known.complete() == live.complete()
        assert [*known.places] == [key for key in live.places if key in known.places]
        for key, place in known.places.items():
            assert (place.value, place.default) == (live.places[key].value, live.places[key].default), key


@pytest.mark.parametrize("kind", WHERE)
def test_help_completion_and_origins_say_what_counts(kind: str) -> None:
    """The value that `fit` would take is the one that help shows, that TAB knows, and whose origin is told."""
    for option, entry in choices():
        if option != WHERE[kind]:
            continue
        typed = arguments(option, entry)
        known, _ = both(*typed)
        if known is None or known.unsure:
            continue
        present, unfinished = Present(catalogue(), from_arguments(typed)), Chosen(catalogue(), typed)
        told = {each.key: each for each in origins(known, known.complete())}
        for key, place in known.places.items():
            if any(part.isdigit() for part in key.split(".")):
                continue
            path = tuple(key.split("."))
            assert present.place(path).value == unfinished.place(path).value == place.value
            if key in told and not place.kind:
                assert told[key].value == place.value, key


def test_a_run_at_its_defaults_has_no_settings() -> None:
    """What a configuration writes down in full is told only where it differs from what `fit` would take by itself."""
    out = StringIO()
    with redirect_stdout(out):
        assert main(["fit", "--data=SyntheticDigits", "--model=ViT38K", "--model.dropout=0.3", "--print_config"]) == 0

    settings = changed(catalogue(), from_text(out.getvalue(), "config.yaml"))

    assert {(each.key, each.value) for each in settings} == {
        ("data", "SyntheticDigits"),
        ("model", "ViT38K"),
        ("model.dropout", 0.3),
    }
