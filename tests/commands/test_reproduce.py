"""`mnistlab reproduce`: a run once more, and whether it is the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mnistlab.cli import main

Fit = Callable[..., Path]


def edit(folder: Path, **changes: Any) -> None:
    """Write other values into the record of a run."""
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def outcome(capsys: pytest.CaptureFixture[str], name: Path | str, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what it says to machines."""
    code = main(["reproduce", str(name), "--json", *options])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, said


def test_a_run_gives_the_same_bits_again(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Every metric and every weight, of a model whose options were chosen one by one; in a folder of its own."""
    folder = fit(
        "--model.hidden_dim=48", "--model.optimizer=SGD", "--seed_everything=7", "--data.augment=RandomDistortion"
    )
    capsys.readouterr()
    before = (folder / "run.json").read_text()

    code, said = outcome(capsys, folder)

    assert code == 0
    assert said["same"]
    assert Path(said["run"]) != folder
    assert (Path(said["run"]) / "metrics.csv").read_text() == (folder / "metrics.csv").read_text()
    assert (folder / "run.json").read_text() == before


def test_it_says_so(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, for the newest run by its name."""
    trained()

    assert main(["reproduce", "last"]) == 0
    assert "Bit-identical to" in capsys.readouterr().out


def test_a_run_whose_figures_are_others_is_told_apart(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """The first epoch that differs is named, and the exit code says it too."""
    folder = trained("--trainer.max_epochs=2")
    capsys.readouterr()
    table = folder / "metrics.csv"
    head, first, second = table.read_text().splitlines()
    table.write_text(f"{head}\n{first}\n{second[:-1]}9\n")

    code, said = outcome(capsys, folder)

    assert code == 1
    assert not said["same"]
    assert [each["what"].partition(" after ")[2] for each in said["results"]] == ["epoch 2"]


def test_other_weights_are_told(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Although the metrics are the same."""
    folder, other = fit(), fit("--seed_everything=1")
    capsys.readouterr()
    (other / "model.safetensors").replace(folder / "model.safetensors")

    code, said = outcome(capsys, folder)

    assert code == 1
    assert [each["what"] for each in said["results"]] == ["weights"]


@pytest.mark.parametrize("gone", ["model.safetensors", "outcomes.safetensors"])
def test_weights_that_are_gone_are_not_said_to_be_the_same(
    trained: Fit, gone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every metric is; test outcomes that are gone make no difference."""
    folder = trained()
    (folder / gone).unlink()
    capsys.readouterr()

    assert main(["reproduce", str(folder)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    code, said = outcome(capsys, folder)

    compared = gone != "model.safetensors"
    assert (code, said["same"], said["weights_compared"]) == (0, True, compared)
    assert ("Bit-identical" in printed) == compared
    assert ("were not compared" in printed) != compared


def test_a_name_still_means_the_run_that_was_repeated(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """And what is shown fits a screen, in the words that one types."""
    folder = fit("--run.name=four", "--model.optimizer.betas=[0.8,0.9]")
    assert main(["reproduce", "four"]) == 0
    capsys.readouterr()

    assert main(["reproduce", "four"]) == 0

    out = capsys.readouterr().out
    assert str(folder.relative_to(Path.cwd())) in " ".join(out.split())
    assert "[0.8,0.9]" in out
    assert max(map(len, out.splitlines())) <= 80


def test_other_circumstances_are_told(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions, commit and machine, whether or not the figures are the same."""
    folder = trained()
    record = json.loads((folder / "run.json").read_text())
    edit(folder, versions={**record["versions"], "torch": "1.0"}, device="cuda:0")
    capsys.readouterr()

    code, said = outcome(capsys, folder)

    assert code == 0
    assert {each["what"]: each["then"] for each in said["circumstances"]} == {"torch": "1.0", "device": "cuda:0"}


def test_options_that_a_newer_version_has_besides_are_no_difference(
    trained: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are at their defaults; an option that counts otherwise is named."""
    folder = trained()
    config = (folder / "config.yaml").read_text()
    older = [line for line in config.splitlines() if not line.strip().startswith(("channels_last:", "augment:"))]
    (folder / "config.yaml").write_text("\n".join(older) + "\n")
    edit(folder, config_hash="0" * 64)
    capsys.readouterr()

    code, said = outcome(capsys, folder)

    assert len(older) == len(config.splitlines()) - 2
    assert (code, said["circumstances"]) == (0, [])


def test_it_takes_the_threads_of_the_run(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """They are part of a run's bits; afterwards they are as before."""
    folder = trained()
    record = json.loads((folder / "run.json").read_text())
    edit(folder, machine={**record["machine"], "threads": 2}, threads=[[0, 2]])
    capsys.readouterr()
    before = torch.get_num_threads()

    _, said = outcome(capsys, folder)

    again = json.loads((Path(said["run"]) / "run.json").read_text())
    assert again["machine"]["threads"] == 2
    assert torch.get_num_threads() == before


def test_a_run_that_was_continued_with_other_options_is_told(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """No single run is that: its schedule followed another length at first."""
    folder = trained("--trainer.max_epochs=2")
    assert main(["fit", f"--ckpt_path={folder}", "--trainer.max_epochs=4"]) == 0

    assert main(["reproduce", str(folder)]) == 1
    assert "continued with other options" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("interrupted", "Go on with:\n  mnistlab fit --ckpt_path="),
        ("lost", "its process has died without a word. Go on with:\n  mnistlab fit --ckpt_path="),
        ("running", "is still running: there is nothing to compare with yet."),
    ],
)
def test_a_run_without_an_end_has_nothing_to_compare_with(
    trained: Fit, status: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused before any work, with the way out."""
    folder = trained()
    edit(folder, status="running", process=2**22 + 1) if status == "lost" else edit(folder, status=status)
    capsys.readouterr()

    assert main(["reproduce", str(folder)]) == 2
    assert said in capsys.readouterr().err


def test_the_configuration_of_a_run_is_not_trusted(
    trained: Fit, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that it names is imported, unless the package is allowed."""
    folder = trained()
    (here / "evil.py").write_text("raise SystemExit('it ran')\n")
    config = folder / "config.yaml"
    config.write_text(
        config.read_text()
        .replace("mnistlab.models.TinyModel", "evil.Model")
        .replace("mnistlab.TinyModel", "evil.Model")
    )
    assert "evil.Model" in config.read_text()

    assert main(["reproduce", str(folder)]) == 2
    assert "evil" in capsys.readouterr().err


def test_there_must_be_such_a_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And one only."""
    del here
    assert main(["reproduce", "nothing"]) == 2
    assert main(["reproduce"]) == 2
    assert "name one run" in capsys.readouterr().err
