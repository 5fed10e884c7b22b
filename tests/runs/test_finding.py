"""What `--ckpt_path` may be: a file, a run's folder, best, last, or whatever names a run."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments
from mnistlab.reports.screen.naming import rename_run
from mnistlab.runs.finding import find_checkpoint
from mnistlab.training.invocation import Invocation
from mnistlab.training.settled import settled_from

Fit = Callable[..., Path]


def test_an_id_or_a_name_is_as_good_as_the_folder(fit: Fit) -> None:
    """To test with and to go on from; a file or folder that is there comes first."""
    first, second = fit("--run.name=one"), fit("--run.name=two")
    for continues in (False, True):
        expected, _ = find_checkpoint(str(first), Path("runs"), where="x", continues=continues)
        for name in (first.name, first.name[-6:], first.name[-6:].upper(), f"{first.parent.name}/{first.name}", "one"):
            path, folder = find_checkpoint(name, Path("runs"), where="x", continues=continues)
            assert path is not None
            assert expected is not None
            assert (path.resolve(), folder) == (expected.resolve(), first.relative_to(Path.cwd()))

    Path("one").symlink_to(second)
    assert find_checkpoint("one", Path("runs"), where="x")[1] == Path("one")


def test_what_names_none_or_several_is_told(fit: Fit) -> None:
    """With the nearest thing, or all that it may mean."""
    first = fit("--run.name=same")
    for name, said in {
        "lst": "Did you mean last",
        f"{first.name[-6:]}x": f"Did you mean {first.name[-6:]}",
        f"{first}/checkpoints/bst.ckpt": "no such file. Did you mean .*best.ckpt",
        "zzzzzz": "no such file. Name a file, a run by its id",
        "/": "not a run",
        str(first.parent): f"not a run: it has no config.yaml. Its newest run that has weights is {first}",
    }.items():
        with pytest.raises(LabError, match=said):
            find_checkpoint(name, Path("runs"), where="x")

    fit("--run.name=same")
    with pytest.raises(LabError, match=r"^--ckpt_path=same means 2 runs. Name one of them:\n"):
        find_checkpoint("same", Path("runs"), where="--ckpt_path=same")


def test_a_name_used_twice_is_told_when_it_is_given(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """It is trained all the same."""
    first = fit("--run.name=same")
    assert "note: " not in capsys.readouterr().err

    fit("--run.name=same")
    known = f"another run has this name ({first.parent.name}/{first.name}  same)"
    assert f"note: --run.name=same: {known}, so each is found by its id alone." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("last", "last is a word that means a run before any name does"),
        ("a\nb", "a name has no slash and stands in a line"),
        ("a/b", "a name has no slash"),
        ("x" * 300, "a name has 200 characters at most, got 300."),
    ],
)
def test_a_name_that_none_can_be_called_by_is_refused(fit: Fit, name: str, why: str) -> None:
    """By the same rule when a run is begun and when it is renamed."""
    run = fit()
    with pytest.raises(LabError, match=re.escape(why)):
        settled_from(Invocation("fit", [f"--run.name={name}"]), None)
    with pytest.raises(LabError, match=re.escape(why)):
        rename_run(Arguments("runs rename", (run.name, name), frozenset(), {}))


def test_a_folder_of_something_else_does_not_hide_a_run_of_that_name(fit: Fit) -> None:
    """A file or a run that is there comes first, as it is the shorter path."""
    run = fit("--run.name=baseline")
    Path("baseline").mkdir()

    assert find_checkpoint("baseline", Path("runs"), where="x")[1] == run.relative_to(Path.cwd())
