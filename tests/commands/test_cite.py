"""`mnistlab runs cite`: what a methods section says of runs, and no more than their records do."""

import json
import re
import shutil
from collections.abc import Callable
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import record_of

from mnistlab.catalogue import load_catalogue
from mnistlab.reports.screen.bibtex import AUTHORS, as_entry, of_software

Told = Callable[..., str]
Trained = Callable[..., Path]
Change = Callable[..., None]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cited(told: Told) -> Callable[..., Any]:
    """What is said for machines."""
    return lambda *arguments: json.loads(told("runs", "cite", *arguments, "--json"))


def test_a_run_is_said_in_full(trained: Trained, told: Told) -> None:
    """What it is, what it learnt from, with what, where, and how well."""
    run = trained()
    record = record_of(run)

    said = " ".join(told("runs", "cite", str(run)).split())

    for part in (
        "TinyModel (135,562 parameters) was trained on SyntheticDigits (500 training images) for 1 epoch in batches of",
        "with AdamW (lr=0.001, betas=[0.9,0.999],",
        "and the schedule WarmupCosine (",
        "Split: train_size=600, val_size=100, partition=official, partition_seed=0",
        "The best weights were chosen by 100 validation images.",
        f"train {record['data_fingerprint']['train'][:16]}, test {record['data_fingerprint']['test'][:16]}.",
        f"Seed: {record['seed']}.",
        f"The test accuracy of the best weights is {100 * record['metrics']['test']['test/acc']:.2f} % (one run).",
        f"Software: mnistlab {record['versions']['mnistlab']}, torch {record['versions']['torch']}, lightning",
        f"Hardware: {record['machine']['processor']}, cpu, ",
        "To cite: mnistlab developers, mnistlab,",
    ):
        assert part in said


def test_runs_that_differ_in_their_seed_are_one(trained: Trained, cited: Callable[..., Any]) -> None:
    """With mean and deviation; what else differs makes another paragraph, and a value that was chosen is named."""
    runs = [trained("--seed_everything=1"), trained("--seed_everything=2"), trained("--model.dropout=0.3")]

    first, second = cited(*map(str, runs))["runs"]

    accuracies = [record_of(run)["metrics"]["test"]["test/acc"] for run in runs[:2]]
    assert first["seeds"] == [1, 2]
    assert first["test_accuracy"]["n"] == 2
    assert first["test_accuracy"]["mean"] == pytest.approx(sum(accuracies) / 2)
    assert "% (mean and standard deviation, n = 2)" in first["text"]
    assert "settings" not in first
    assert second["settings"] == {"dropout": 0.3}
    assert "Not at their defaults: dropout=0.3." in second["text"]


def test_what_nets_have_in_common_is_said_once(trained: Trained, told: Told) -> None:
    """Before what differs between them, of what was chosen each value by itself; a net is called by its name."""
    runs = [trained("--model.hidden_dim=64", f"--model.dropout={dropout}") for dropout in (0.1, 0.3)]
    wide = trained("--model.dropout=0.3", "--trainer.max_epochs=2", "--data.batch_size=100")

    first, *others, _ = told("runs", "cite", *map(str, runs)).split("\n\n")

    said = " ".join(first.split())
    size = record_of(runs[0])["parameters"]
    assert said.startswith(f"TinyModel ({size:,} parameters) was trained in 2 ways on SyntheticDigits (500 training ")
    assert "Not at their defaults: hidden_dim=64. Split: train_size=600" in said
    shares = ("Split", "SHA-256", "Seed: ", "validation images", "Software", "Hardware", "AdamW")
    assert [said.count(word) for word in shares] == [1] * len(shares)
    for text, (run, setting) in zip(
        others, zip(runs, ("", " Not at their defaults: dropout=0.3."), strict=True), strict=True
    ):
        accuracy = 100 * record_of(run)["metrics"]["test"]["test/acc"]
        result = f"The test accuracy of the best weights is {accuracy:.2f} % (one run)."
        assert " ".join(text.split()) == f"TinyModel was trained as said above.{setting} {result}"

    first, last, wider, _ = (
        " ".join(text.split()) for text in told("runs", "cite", str(runs[1]), str(wide)).split("\n\n")
    )
    assert first.startswith("Each of these 2 nets was trained on SyntheticDigits (500 training images) with AdamW (")
    assert "Not at their defaults: dropout=0.3. Split" in first
    assert last.startswith(f"TinyModel ({size:,} parameters) was trained for 1 epoch in batches of 128. Not at their ")
    assert wider.startswith("TinyModel (135,562 parameters) was trained for 2 epochs in batches of 100. The test acc")


def test_a_class_that_was_chosen_has_its_numbers(trained: Trained, cited: Callable[..., Any]) -> None:
    """Also those that are at its own defaults."""
    run = trained("--data.augment=RandomDistortion", "--data.augment.shift=0.1", "--model.loss=LabelSmoothingLoss")

    settings = cited(str(run))["runs"][0]["settings"]

    assert set(settings) == {"augment", "loss"}
    assert settings["augment"].startswith("RandomDistortion (shift=0.1, rotation=")
    assert settings["loss"] == "LabelSmoothingLoss (smoothing=0.1)"


def test_a_repetition_is_no_further_seed(trained: Trained, change: Change, told: Told) -> None:
    """By the rule of the tables: a tested run counts, and the newest of several; a run that is named twice is one."""
    one, two = trained("--seed_everything=1"), trained("--seed_everything=2")
    again = one.with_name(f"{one.name}b")
    shutil.copytree(one, again)
    change(again, started="2999", metrics={})

    said = [
        json.loads(told(*words))
        for words in (("runs", "cite", str(one), str(again), str(two), f"{two}/.", "--json"), ("runs", "--format=json"))
    ]

    assert said[0]["runs"][0]["runs"] == [str(one), str(two)]
    assert said[0]["runs"][0]["test_accuracy"]["n"] == said[1][0]["n"] == 2


def test_runs_without_a_test_take_none_from_the_others(
    trained: Trained, change: Change, cited: Callable[..., Any]
) -> None:
    """The tested ones have their mean and n, and how many were not tested is said."""
    runs = [trained(f"--seed_everything={seed}") for seed in (1, 2, 3)]
    for run, accuracy in zip(runs, (0.5, 0.7, None), strict=True):
        metrics = record_of(run)["metrics"]
        change(run, metrics={**metrics, "test": {"test/acc": accuracy} if accuracy else None})

    (said,) = cited(*map(str, runs))["runs"]

    assert (said["test_accuracy"]["n"], said["not_tested"], said["seeds"]) == (2, 1, [1, 2, 3])
    assert said["test_accuracy"]["mean"] == pytest.approx(0.6)
    assert "60.00 ± 14.14 % (mean and standard deviation, n = 2); 1 further run was not tested." in said["text"]


def test_what_is_not_recorded_is_left_out(trained: Trained, change: Change, cited: Callable[..., Any]) -> None:
    """An old record knows less; nothing is made up."""
    run = trained()
    change(run, data_fingerprint=None, git=None, machine=None, versions={}, metrics={}, seed=None)

    (said,) = cited(str(run))["runs"]

    assert not {"commit", "processor", "versions", "data_fingerprint", "test_accuracy", "seeds"} & set(said)
    for word in ("SHA", "Commit", "Software", "None", "null", "accuracy"):
        assert word not in said["text"]


def test_runs_of_several_commits_say_both(trained: Trained, change: Change, cited: Callable[..., Any]) -> None:
    """They are not of one state of the source."""
    runs = [trained("--seed_everything=1"), trained("--seed_everything=2")]
    for run, commit in zip(runs, ("aaa", "bbb"), strict=True):
        change(run, git={"commit": commit, "changed": commit == "bbb"})

    (said,) = cited(*map(str, runs))["runs"]

    assert said["commit"] == ["aaa", "bbb"]
    assert "Commit of mnistlab: aaa and bbb, with changes that were not committed." in said["text"]


def test_the_data_and_the_method_are_cited(trained: Trained, change: Change, told: Told) -> None:
    """Each once, by what the docstrings say of their sources; of a size by that of its family."""
    run = trained()
    change(run, **{"class": "ViT210K", "data": "MNIST"})

    said = told("runs", "cite", str(run), "--bibtex")

    assert [line for line in said.splitlines() if line.startswith("@")] == [
        f"@misc{{mnistlab{record_of(run)['versions']['mnistlab']},",
        "@misc{lecun1998,",
        "@misc{dosovitskiy2020,",
    ]
    assert "  eprint = {2010.11929}," in said
    assert "  title = {{Gradient-based learning applied to document recognition}}," in said
    assert "  author = {LeCun and Bottou and Bengio and Haffner}," in said


def test_every_source_is_an_entry() -> None:
    """With its authors and its year."""
    kinds = load_catalogue().kinds
    sources = {entry.source: name for kind in kinds.values() for name, entry in kind.classes.items() if entry.source}

    entries = [as_entry(source, name) for source, name in sources.items()]

    assert len(entries) > 8
    assert all({"author", "year"} <= {name for name, _ in entry.fields} for entry in entries)
    assert all(str(entry).count("{") == str(entry).count("}") for entry in entries)


def test_a_source_that_is_none_is_a_note() -> None:
    """Nothing of it is lost."""
    assert as_entry("A friend of mine.", "Mine").fields == (("note", "A friend of mine."),)


@pytest.mark.usefixtures("inline")
def test_a_comparison_is_cited_as_a_whole(told: Told, small_data: tuple[str, ...], cited: Callable[..., Any]) -> None:
    """By its name: a paragraph for each model; who wants one run is told that it is several."""
    told("compare", "--models=SDN8K,TinyModel", *small_data, "--trainer.max_epochs=1", "--seeds=2", "--name=it")

    for command in (("reproduce",), ("runs", "show")):
        for name in ("it", "runs/it", "runs/it/"):
            said = told(*command, name, code=2)
            assert "runs/it is a comparison, which has 4 runs. Name one of them, such as runs/it/SDN8K-seed-0." in said
    assert [(each["model"], each["seeds"]) for each in cited("it")["runs"]] == [
        ("SDN8K", [0, 1]),
        ("TinyModel", [0, 1]),
    ]


def test_what_is_no_training_is_not_cited(trained: Trained, told: Told, change: Change) -> None:
    """Nor one that has not finished."""
    run = trained()
    change(run, status="interrupted")

    assert "none of these runs is a training that has finished" in told("runs", "cite", str(run), code=2)
    assert "runs cite takes runs, got none" in told("runs", "cite", code=2)
    assert "--json has both" in told("runs", "cite", "last", "--json", "--bibtex", code=2)


def test_the_citation_file_is_of_this_version() -> None:
    """And names whom `runs cite` names."""
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert said["version"] == metadata("mnistlab")["Version"]
    assert said["authors"] == [{"name": AUTHORS}]
    assert dict(of_software(said["version"]).fields)["author"] == f"{{{AUTHORS}}}"
    assert said["license"] == metadata("mnistlab")["License-Expression"]


def test_a_run_that_was_cut_short_says_its_true_length(
    told: Told, small_data: tuple[str, ...], cited: Callable[..., Any]
) -> None:
    """In steps, on the screen too; of a budget the time, and nothing of what was decided with it."""
    data = [word for word in small_data if not word.startswith("--trainer.max_epochs")]
    fit = ("fit", "--model=TinyModel", *data, "--data.batch_size=100", "--run.test=false", "--seed_everything=1")
    assert "The budget of 30 s ended it in epoch 1, after 3 of 5 steps." in told(*fit, "--budget=30s 0:3/1")
    (first,) = cited("last")["runs"]
    shown = told("runs", "show", "last")

    assert "for 3 steps (300 images, 0.60 epochs), the time allowed being 30 s, in batches of 100" in first["text"]
    assert (first["steps"], first["images"], first["epochs"], first["budget"]) == (3, 300, 0.6, "30s")
    assert "0:3/1" not in first["text"]
    assert re.search(r"trained +3 of 5 steps in ", shown)
    assert re.search(r"budget +30s +null", shown)

    assert "--trainer.max_steps ended it in epoch 2, after 2 of 5 steps." in told(*fit, "--trainer.max_steps=7")
    assert "for 7 steps (700 images, 1.40 epochs of at most 10) in batches of 100" in cited("last")["runs"][0]["text"]
    assert re.search(r"trained +1 epoch and 2 of 5 steps in ", told("runs", "show", "last"))
    assert "0:3/1" not in told("runs", "diff", *(path.name for path in Path("runs").glob("*/*")))


def test_a_run_that_time_has_ended_says_so(told: Told, small_data: tuple[str, ...], cited: Callable[..., Any]) -> None:
    """Also behind whole epochs; to go on takes more time, and of the epochs that were planned a paper is told."""
    fit = ("fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=2", "--run.test=false")
    moment = "--trainer.max_time={microseconds: 1}"

    assert "--trainer.max_time ended it in epoch 1, after 1 of 5 steps." in told(*fit, moment, "--data.batch_size=100")
    assert "for 1 step (100 images, 0.20 epochs of at most 2) in" in cited("last")["runs"][0]["text"]
    assert re.search(r"trained +1 of 5 steps in .+ s, ended by trainer.max_time\n", told("runs", "show", "last"))
    assert "as long as it should be. --trainer.max_time=... extends it." in told("fit", "--ckpt_path=last")
    said = told("fit", "--ckpt_path=last", "--trainer.max_time=00:00:10:00")
    assert "ended it" not in said
    assert "for 2 epochs in batches of 100" in cited("last")["runs"][0]["text"]
    assert "ended by" not in told("runs", "show", "last")

    assert "--trainer.max_time ended it after epoch 1." in told(*fit, moment, "--data.batch_size=500")
    assert "for 1 epoch of at most 2 in batches of 500" in cited("last")["runs"][0]["text"]
    assert re.search(r"trained +1 epoch in .+ s, ended by trainer.max_time\n", told("runs", "show", "last"))


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("5s", "such as 00:00:10:00. Did you mean --trainer.max_time=00:00:00:05?"),
        ("01:30:00", "such as 00:00:10:00. Did you mean --trainer.max_time=00:01:30:00?"),
        ("00:00:00:00", "max_time must be above 0, or nothing is learnt."),
        ("{seconds: 0}", "max_time must be above 0, or nothing is learnt."),
        ("soon", "max_time takes days:hours:minutes:seconds, such as 00:00:10:00."),
    ],
)
def test_a_time_that_is_none_is_refused(told: Told, small_data: tuple[str, ...], time: str, said: str) -> None:
    """With the nearest one."""
    error = told("fit", *small_data, f"--trainer.max_time={time}", code=2)

    assert error.startswith(f"mnistlab: --trainer.max_time={time}: ")
    assert error.rstrip().endswith(said)


def test_a_last_image_alone_is_no_step(told: Told, cited: Callable[..., Any]) -> None:
    """It is in the batch before: such a run has whole epochs, and one that was cut short has as many steps in one."""
    data = ("--data=SyntheticDigits", "--data.train_size=301", "--data.val_size=100", "--data.test_size=100")
    fit = ("fit", "--model=TinyModel", *data, "--data.batch_size=100", "--run.test=false")
    assert "It ended" not in told(*fit, "--trainer.max_epochs=2")
    assert "for 2 epochs in batches of 100" in cited("last")["runs"][0]["text"]
    assert "--trainer.max_steps ended it in epoch 2, after 1 of 2 steps." in told(*fit, "--trainer.max_steps=3")
