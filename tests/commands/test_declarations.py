"""What a command declares is what its reading, its help and TAB in three shells know, and nothing else."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mnistlab import commands
from mnistlab.cli import main
from mnistlab.commands.declaring.model import Command, all_commands
from mnistlab.commands.help.shells import SHELLS
from mnistlab.options.arguments import Option, steering


def every_command() -> Iterator[tuple[str, Command]]:
    """All commands with what else they can do: `runs`, `runs show`, ..."""
    for name, command in all_commands().items():
        yield name, command
        yield from ((f"{name} {word}", each) for word, each in command.commands.items())


EVERY = dict(every_command())
WITH_PAGE = {name: command for name, command in EVERY.items() if not command.shows}
Offered = Callable[..., set[str]]


def declared(command: Command) -> list[Option]:
    """The options of a command, with those that steer it."""
    return [*command.own, *(steering(command.like).values() if command.shows else ())]


def typed(option: Option) -> str:
    """An option as it is typed, with a value that it takes."""
    value = {"config": "QuickTest", "since": "3d", "where": "id=3"}.get(option.name) or next(iter(option.words), "3")
    return f"--{option.name}={value}" if option.takes else f"--{option.name}"


@pytest.fixture
def offered(here: object, capsys: pytest.CaptureFixture[str]) -> Offered:
    """The options that a shell is offered after these words where two dashes have been typed."""
    del here

    def options(shell: str, *words: str, begun: str = "--") -> set[str]:
        line = " ".join(["mnistlab", *words, begun])
        passed = [line, " =:"] if shell == "bash" else [*words, begun]
        assert main(["completion", "--complete", shell, *passed]) == 0
        lines = capsys.readouterr().out.splitlines()
        return {each.split("\t")[1 if shell == "zsh" else 0].strip() for each in lines}

    return options


def test_every_file_beside_them_is_a_command() -> None:
    """No list has to be edited for another one, and each has its own place in the overview."""
    files = [path.stem for path in Path(commands.__file__).parent.glob("*.py")]
    places = [(command.group, command.order) for command in all_commands().values()]

    assert {*all_commands()} == {name for name in files if name != "__init__"}
    assert not [place for place in places if places.count(place) > 1]


@pytest.mark.parametrize("name", EVERY)
def test_what_is_declared_is_taken_offered_and_shown(
    name: str, offered: Offered, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the reading, by TAB in each shell, and on the page of help."""
    words, options = name.split(), declared(EVERY[name])
    for shell in SHELLS:
        assert {f"--{option.name}{'=' if option.takes else ''}" for option in options} <= offered(shell, *words)

    asked = "--help" if name in WITH_PAGE else "--help=all"
    assert main([*words, *map(typed, options), asked]) == 0
    page, note = capsys.readouterr()
    assert not note
    assert not [option.name for option in options if not re.search(rf"--{option.name}\b", page)]


@pytest.mark.parametrize("name", EVERY)
def test_what_is_offered_is_taken(name: str, offered: Offered, capsys: pytest.CaptureFixture[str]) -> None:
    """Also what a command shares with another one; a value is the first that is offered."""
    known = {option.name: option for option in declared(EVERY[name])}
    lines = []
    for word in sorted(offered("fish", *name.split())):
        option = known.get(word.strip("-="))
        values = sorted(offered("fish", *name.split(), begun=word)) if word.endswith("=") and not option else []
        lines += [typed(option)] if option else values[:1] if values else [] if word.endswith((".", "=")) else [word]

    assert main([*name.split(), *lines, "--help"]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize("name", WITH_PAGE)
def test_what_a_page_shows_is_taken(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every row of it is an option that is declared."""
    assert main([*name.split(), "--help"]) == 0
    rows = re.findall(r"^  --([\w.]+)(?: |$)", capsys.readouterr().out, re.MULTILINE)

    assert {*rows} == {option.name for option in WITH_PAGE[name].own if not option.under}


@pytest.mark.parametrize("name", WITH_PAGE)
def test_a_misspelt_option_gets_its_nearest_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of every option, in one line, before anything is done."""
    for option in WITH_PAGE[name].own:
        assert main([*name.split(), f"{typed(option).partition('=')[0]}x"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"--{option.name}" in line.partition("Did you mean")[2]


@pytest.mark.parametrize("name", WITH_PAGE)
def test_values_and_switches_are_read_in_either_form(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--name VALUE` is `--name=VALUE`; a value that is missing, wrong, or none of a switch's is refused."""
    words = name.split()
    for option in WITH_PAGE[name].own:
        bare, _, value = typed(option).partition("=")
        assert main([*words, bare, *([value] if value else []), "--help"]) == 0
        wrong = [bare] if option.takes else [f"{bare}=nonsense"] if not option.values else []
        wrong += [f"{bare}=nonsense"] if option.wanted or option.checks else []
        for each in wrong:
            capsys.readouterr()
            assert main([*words, each]) == 2
            assert bare in capsys.readouterr().err
