"""Whatever is missing, damaged or not trusted, the page says so and has the rest."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from pages import Page
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_torch_file

from mnistlab.cli import main
from mnistlab.runs.outcomes import Answers, Outcomes, load_outcomes, save_outcomes

Fit = Callable[..., Path]
Report = Callable[..., Page]
Change = Callable[..., None]


@pytest.mark.parametrize(
    ("files", "record", "sentence"),
    [
        (["outcomes.safetensors"], {}, "There is no outcomes.safetensors in the folder of this run"),
        (["outcomes.safetensors"], {"status": "interrupted"}, "it ended before its test"),
        (["outcomes.safetensors"], {"metrics": None}, "it was not tested"),
        (
            ["outcomes.safetensors"],
            {"data": "KMNIST"},
            "its answers to single images are not kept. After mnistlab test",
        ),
        (["metrics.csv"], {}, "No epoch has been completed"),
        (["config.yaml"], {}, "What differs from the defaults cannot be said: There is no file"),
        (["run.json"], None, "There is no run.json that could be read"),
        ([], {"status": "running"}, "It is lost"),
        ([], {"status": "running", "host": "elsewhere"}, "It is still running"),
        ([], {"status": "failed", "segments": [{"error": "RuntimeError: x"}]}, "It has failed. RuntimeError: x"),
    ],
)
def test_what_is_missing_is_said(
    trained: Fit, report: Report, change: Change, files: list[str], record: dict[str, Any] | None, sentence: str
) -> None:
    """The rest of the page is there all the same."""
    run = trained("--trainer.max_epochs=2")
    if record is not None:
        change(run, **{"process": 1, "process_started": 1.0, **record})
    for name in files:
        (run / name).unlink()
    page = report(str(run))

    assert sentence in page.text
    assert "To repeat it" in page.text


def test_a_later_test_stands_in_for_outcomes_that_are_missing(fit: Fit, report: Report) -> None:
    """The page follows its own advice; a test that was made before the run went on is one of other weights."""
    run = fit()
    assert main(["test", f"--ckpt_path={run}"]) == 0
    (run / "outcomes.safetensors").unlink()
    page = report(str(run))
    assert "What follows is of a later test of its weights" in page.text
    assert "Confusion matrix" in page.text

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0
    (run / "outcomes.safetensors").unlink()
    assert "not kept. After mnistlab test" in report(str(run)).text


def test_a_run_without_validation_says_so(trained: Fit, report: Report) -> None:
    """Its curves are those of the training."""
    trained("--data.val_size=0", "--trainer.max_epochs=2")

    assert "It was not validated: no images were held out." in report().text


def reconfigure(run: Path, **data: object) -> None:
    """Change the data of a saved configuration."""
    path = run / "config.yaml"
    head = path.read_text().partition("\n")[0]
    config = yaml.safe_load(path.read_text())
    config["data"] = {**config["data"], **data}
    path.write_text(f"{head}\n{yaml.safe_dump(config)}")


def forget_images(run: Path) -> None:
    """Leave a run as an older version left it: without the images of its mistakes."""
    path = run / "outcomes.safetensors"
    save_outcomes(path, replace(load_outcomes(path), mistakes=None))


def test_mistakes_are_shown_where_the_data_are_not_here(trained: Fit, report: Report) -> None:
    """Their images were kept with the test; they are those that the data have."""
    run = trained()
    honest = (run / "config.yaml").read_text()
    reconfigure(run, class_path="mnistlab.data.MNIST", init_args={"data_dir": "nowhere"})
    shown = [each["src"] for each in report().all("img")]
    assert len(shown) > 1

    (run / "config.yaml").write_text(honest)
    forget_images(run)
    assert [each["src"] for each in report().all("img")] == shown


HEAD = {"format": "1", "images": "", "heads": "label=10"}
"""What such a file says beside its tensors."""

DAMAGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no rows": lambda kept: kept.pop("mistakes.rows"),
    "other rows": lambda kept: kept.update({"mistakes.rows": kept["mistakes.rows"] + 1}),
    "rows that are no numbers": lambda kept: kept.update({"mistakes.rows": np.full(3, np.nan)}),
    "fewer images": lambda kept: kept.update({"mistakes.images": kept["mistakes.images"][1:]}),
    "images of another kind": lambda kept: kept.update({"mistakes.images": kept["mistakes.images"].astype(np.float32)}),
    "images without a channel": lambda kept: kept.update({"mistakes.images": kept["mistakes.images"][:, 0]}),
    "images of nothing": lambda kept: kept.update({"mistakes.images": kept["mistakes.images"][..., :0]}),
    "images that are too large": lambda kept: kept.update(
        {"mistakes.images": np.zeros((len(kept["mistakes.rows"]), 1, 1025, 1024), np.uint8)}
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_images_that_are_none_of_the_mistakes_are_read_from_the_data(trained: Fit, report: Report, damage: str) -> None:
    """Or left out where these are not here; the rest is there all the same."""
    run = trained()
    before = [each["src"] for each in report().all("img")]
    path = run / "outcomes.safetensors"
    kept, outcomes = load_file(path), load_outcomes(path)
    DAMAGED[damage](kept)
    save_file(kept, path, {**HEAD, "images": outcomes.images})

    assert load_outcomes(path).mistakes is None
    assert [each["src"] for each in report().all("img")] == before
    reconfigure(run, class_path="mnistlab.data.MNIST", init_args={"data_dir": "nowhere"})
    assert "The images themselves are left out" in report().text


def test_other_images_than_those_of_the_test_are_not_shown(trained: Fit, report: Report) -> None:
    """The fingerprint tells; what was mistaken is a table then."""
    run = trained()
    forget_images(run)
    config = yaml.safe_load((run / "config.yaml").read_text())
    reconfigure(run, init_args={**config["data"]["init_args"], "draw_seed": 7})
    page = report()

    assert "The images themselves are left out: the images here are not those of the test" in page.text
    assert "Taken for" in page.text
    assert not page.all("img")


def test_images_that_are_not_here_are_not_fetched(
    fit: Fit, report: Report, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says that they are not here."""
    monkeypatch.setenv("MNISTLAB_DATA_DIR", str(here / "none"))
    run = fit()
    forget_images(run)
    reconfigure(run, class_path="mnistlab.data.MNIST", init_args={})
    page = report()

    assert "The images themselves are left out" in page.text
    assert not (here / "none").exists()


@pytest.mark.parametrize("trusts", [False, True])
def test_what_a_configuration_names_is_imported_only_if_it_is_trusted(
    fit: Fit, report: Report, here: Path, monkeypatch: pytest.MonkeyPatch, *, trusts: bool
) -> None:
    """A run may be a stranger's."""
    name = f"strange_{here.name.replace('-', '_')}"
    code = "from pathlib import Path\nfrom mnistlab import SyntheticDigits\nPath('IMPORTED').touch()\n"
    (here / f"{name}.py").write_text(
        f"{code}\nclass Mine(SyntheticDigits):\n    '''Mine.'''\n\n    abstract = True  # for no other test\n"
    )
    monkeypatch.syspath_prepend(str(here))
    run = fit()
    forget_images(run)
    reconfigure(run, class_path=f"{name}.Mine")
    page = report(*([f"--trust={name}"] if trusts else []))

    assert (here / "IMPORTED").exists() == trusts
    assert bool(page.all("img")) == trusts
    assert (f"add --trust={name}" in page.text) != trusts


def test_outcomes_that_are_none_are_told(trained: Fit, report: Report) -> None:
    """A file of anything, and answers that no test gives."""
    path = trained() / "outcomes.safetensors"
    honest = load_outcomes(path)
    answers = honest.answers["label"]
    forged = Answers(answers.prediction + 30, answers.target, answers.confidence, answers.target_prob)
    save_outcomes(path, Outcomes({"label": forged}, honest.images, honest.num_classes))

    assert "does not hold the answers of a test: they name classes that are not from 0 to 9" in report().text

    for odd in (torch.bfloat16, torch.float8_e4m3fn, torch.int16):
        tensors = {f"label.{part}": torch.from_numpy(values.copy()) for part, values in vars(answers).items()}
        save_torch_file({**tensors, "label.confidence": tensors["label.confidence"].to(odd)}, path, HEAD)
        assert "does not hold the" in report().text

    path.write_bytes(b"nothing")
    assert "does not hold the outcomes of a test" in report().text
