"""The best weights in a file that can hold no code."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mnistlab import Classifier, TinyModel, main
from mnistlab.checkpoints import reading
from mnistlab.checkpoints.reading import NotExportableError, pack, unpack
from mnistlab.errors import LabError

Fit = Callable[..., Path]
Rewrite = Callable[[Callable[[dict[str, Any]], object]], Path]


def checkpoint_of(run: Path, name: str = "best") -> dict[str, Any]:
    """What is in a checkpoint of a run."""
    contents: dict[str, Any] = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return contents


def said_by(path: Path) -> dict[str, Any]:
    """What a safetensors file says of its weights."""
    with safe_open(path, framework="pt") as file:
        said: dict[str, Any] = json.loads(file.metadata()["mnistlab"])
    return said


def assert_same(path: Path, weights: dict[str, Tensor]) -> None:
    """Names, types and bits agree."""
    found = load_file(path)
    assert found.keys() == weights.keys()
    assert all(found[name].dtype == weight.dtype for name, weight in weights.items())
    assert all(torch.equal(found[name], weight) for name, weight in weights.items())


def measured(*arguments: str) -> dict[str, Any]:
    """The metrics of a command that measures something."""
    before = set(Path.cwd().glob("runs/*/*"))
    assert main(arguments) == 0
    (folder,) = set(Path.cwd().glob("runs/*/*")) - before
    metrics: dict[str, Any] = json.loads((folder / "run.json").read_text())["metrics"]
    return metrics


def test_a_run_leaves_its_best_weights(fit: Fit) -> None:
    """The same tensors as in the best checkpoint, with its description of the model and the data."""
    forward: Any = Classifier.forward
    # A model that always says the same is best after its first epoch; the weights still decay.
    with mock.patch.object(Classifier, "forward", lambda self, images: 0 * forward(self, images)):
        run = fit("--trainer.max_epochs=3", "--model.optimizer.lr=0.01")
    best, said = checkpoint_of(run), said_by(run / "model.safetensors")

    assert best["epoch"] == 0
    assert_same(run / "model.safetensors", best["state_dict"])
    assert {name: said[name] for name in ("format", "model", "data")} == {
        name: best["mnistlab"][name] for name in ("format", "model", "data")
    }
    assert (said["epoch"], said["global_step"]) == (best["epoch"], best["global_step"])
    record = json.loads((run / "run.json").read_text())
    assert (said["versions"], said["metrics"]["best"]) == (record["versions"], record["metrics"]["best"])
    assert not list(run.glob(".*"))


def test_without_validation_they_are_the_last(trained: Fit) -> None:
    """There is no best then."""
    run = trained("--data.val_size=0", "--trainer.max_epochs=2")

    assert_same(run / "model.safetensors", checkpoint_of(run, "last")["state_dict"])


def test_a_run_that_goes_on_leaves_its_final_best(fit: Fit) -> None:
    """The file of the first part is replaced."""
    run = fit("--model.optimizer.lr=0.01")
    first = (run / "model.safetensors").read_bytes()

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=4"]) == 0

    assert (run / "model.safetensors").read_bytes() != first
    assert_same(run / "model.safetensors", checkpoint_of(run)["state_dict"])


@pytest.mark.parametrize("error", [RuntimeError("of the model"), KeyboardInterrupt()], ids=["failed", "interrupted"])
def test_a_run_that_breaks_off_leaves_what_it_has(
    here: Path, small_data: tuple[str, ...], error: BaseException
) -> None:
    """The best of the epochs that are over."""
    step = Classifier.training_step

    def fail(self: Classifier, *args: Any) -> Tensor:
        if self.trainer.current_epoch == 2:
            raise error
        return step(self, *args)

    with mock.patch.object(Classifier, "training_step", fail):
        assert main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=4"]) != 0

    (run,) = here.glob("runs/*/*")
    assert_same(run / "model.safetensors", checkpoint_of(run)["state_dict"])


def test_a_run_that_breaks_off_before_any_checkpoint_leaves_none(here: Path, small_data: tuple[str, ...]) -> None:
    """And fails for the reason that it had."""
    with mock.patch.object(Classifier, "training_step", side_effect=RuntimeError("of the model")):
        assert main(["fit", "--model=TinyModel", *small_data]) != 0

    assert not list(here.rglob("model.safetensors"))


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    fit: Fit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written whole or not at all."""
    run = fit("--model.optimizer.lr=0.01")
    first = (run / "model.safetensors").read_bytes()

    def full(_: object, path: Path, __: object) -> None:
        path.write_bytes(b"half of it")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(reading, "save_file", full)
    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=4"]) == 1

    error = capsys.readouterr().err
    assert "the disk is full while" in error
    assert (run / "model.safetensors").read_bytes() == first
    assert not list(run.rglob(".*"))


@pytest.mark.parametrize("command", ["test", "validate"])
def test_it_gives_the_digits_of_the_checkpoint(
    fit: Fit, here: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """From any folder, with nothing else said."""
    run = fit("--model.dropout=0.3", "--model.loss.label_smoothing=0.1").resolve()
    there = here / "elsewhere"
    there.mkdir()
    monkeypatch.chdir(there)
    (there / "alone.safetensors").write_bytes((run / "model.safetensors").read_bytes())

    expected = measured(command, f"--ckpt_path={run / 'checkpoints' / 'best.ckpt'}")

    assert measured(command, "--ckpt_path=alone.safetensors") == expected


def test_it_gives_the_predictions_of_the_checkpoint(trained: Fit, here: Path) -> None:
    """To the last digit of every probability."""
    run = trained()
    tables = []
    for path in (run / "model.safetensors", run / "checkpoints" / "best.ckpt"):
        assert main(["predict", f"--ckpt_path={path}", f"--run.dir={path.suffix}"]) == 0
        (table,) = here.glob(f"{path.suffix}/*/*/predictions.csv")
        tables.append(table.read_bytes())

    assert tables[0] == tables[1]


def test_it_can_be_loaded_in_python(trained: Fit) -> None:
    """With its sizes and its weights."""
    run = trained("--model.hidden_dim=40")

    model = Classifier.load_from_checkpoint(run / "model.safetensors")

    assert type(model) is TinyModel
    assert model.recorded().init_args["hidden_dim"] == 40
    assert_same(run / "model.safetensors", dict(model.state_dict()))


def test_a_folder_without_its_checkpoints_is_still_tested(trained: Fit) -> None:
    """Whoever deletes them for their size keeps the weights."""
    run = trained()
    expected = measured("test", f"--ckpt_path={run}")
    for path in (run / "checkpoints").iterdir():
        path.unlink()

    assert measured("test", f"--ckpt_path={run}") == expected


def test_a_training_does_not_go_on_from_weights_alone(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what is missing, and from where it would."""
    run = trained()
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={run / 'model.safetensors'}"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "no optimizer" in line
    assert line.endswith(f"Use --ckpt_path={run}.")


@pytest.fixture
def rewrite(trained: Fit) -> Rewrite:
    """The path of a file whose description somebody has changed; a text, or None for no description."""

    def changed(change: Callable[[dict[str, Any]], object]) -> Path:
        source = trained() / "model.safetensors"
        said = change(said_by(source))
        text = said if isinstance(said, str) else json.dumps(said)
        save_file(load_file(source), "other.safetensors", None if said is None else {"mnistlab": text})
        return Path("other.safetensors")

    return changed


NO_DESCRIPTION = {
    "none": (lambda _: None, "was not made by mnistlab"),
    "no JSON": (lambda _: "{", "no JSON"),
    "nested without end": (lambda _: "[" * 100_000, "no JSON"),
    "a list": (lambda _: [1], "was not made by mnistlab"),
    "without a model": (lambda said: {"format": said["format"]}, "was not made by mnistlab"),
    "newer": (lambda said: {**said, "format": 99}, "Update mnistlab"),
}


@pytest.mark.parametrize(("change", "why"), NO_DESCRIPTION.values(), ids=NO_DESCRIPTION)
def test_a_file_that_does_not_say_its_model_is_refused(
    rewrite: Rewrite, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object], why: str
) -> None:
    """In one line that names it."""
    path = rewrite(change)
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={path}"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mnistlab: {path}")
    assert why in line


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[:-100],
    "within its header": lambda content: content[:50],
    "empty": lambda _: b"",
    "a header longer than the file": lambda content: (10**15).to_bytes(8, "little") + content[8:],
    "a huge header": lambda _: (200_000_000).to_bytes(8, "little") + b"{" + b" " * 199_999_999,
    "a pickle": lambda _: b"\x80\x04N." * 10,
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("command", ["test", "inspect"])
def test_a_damaged_file_is_refused(
    trained: Fit, capsys: pytest.CaptureFixture[str], command: str, spoil: Callable[[bytes], bytes]
) -> None:
    """In one line that names it."""
    path = Path("broken.safetensors")
    path.write_bytes(spoil((trained() / "model.safetensors").read_bytes()))
    capsys.readouterr()

    assert main([command, f"--ckpt_path={path}"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mnistlab: broken.safetensors is not a safetensors file, or a damaged one")


def test_tensors_that_share_memory_are_each_written_whole(tmp_path: Path) -> None:
    """Tied weights, transposed and expanded ones, and parts of a larger one."""
    base = torch.arange(12.0).reshape(3, 4)
    weights = {"a": base, "tied": base, "turned": base.T, "part": base[1:, 1:], "expanded": base[:1].expand(5, 4)}
    path = tmp_path / "tied.safetensors"

    pack(path, weights, {"note": "x"})

    assert_same(path, weights)
    assert unpack(path)[1] == {"note": "x"}


def test_every_type_of_a_layer_survives(tmp_path: Path) -> None:
    """Scalars, empty tensors, half precision, whole numbers and truth values."""
    kinds = (torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool, torch.complex64)
    weights = {str(kind): torch.ones(2, 3).to(kind) for kind in kinds}
    weights.update(scalar=torch.tensor(3.0), empty=torch.zeros(0, 4), of_a_layer=nn.Linear(2, 3).weight)
    path = tmp_path / "kinds.safetensors"

    pack(path, weights, {})

    assert_same(path, weights)


@pytest.mark.parametrize(
    ("weight", "name"),
    [(3, "int"), (torch.eye(2).to_sparse(), "sparse"), (torch.ones(2).to(torch.complex128), "complex128")],
)
def test_what_does_not_fit_such_a_file_is_named(weight: object, name: str, tmp_path: Path) -> None:
    """And nothing is left of it."""
    with pytest.raises(NotExportableError, match=name):
        pack(tmp_path / "odd.safetensors", {"odd": weight}, {})

    assert not list(tmp_path.iterdir())


def test_a_model_that_does_not_fit_such_a_file_trains_all_the_same(
    here: Path, small_data: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A note says what is left out."""
    keeps_more = {"get_extra_state": mock.Mock(return_value={"odd": 1}), "set_extra_state": mock.Mock()}
    with mock.patch.multiple(TinyModel, **keeps_more):
        assert main(["fit", "--model=TinyModel", *small_data, "--trainer.max_epochs=1"]) == 0

    assert "note: model.safetensors is left out. _extra_state is a dict" in capsys.readouterr().err
    assert not list(here.rglob("model.safetensors"))


def test_the_same_weights_give_the_same_bytes(trained: Fit, tmp_path: Path) -> None:
    """Packed twice, the file can be compared by a checksum."""
    weights, metadata = unpack(trained() / "model.safetensors")
    files = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]

    for file in files:
        pack(file, weights, metadata)

    assert files[0].read_bytes() == files[1].read_bytes()


def test_whoever_may_read_a_new_file_may_read_this_one(tmp_path: Path) -> None:
    """The library that writes it keeps its files from all others."""
    (tmp_path / "any").touch()

    pack(tmp_path / "one.safetensors", {"weight": torch.ones(2)}, {})

    assert (tmp_path / "one.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(LabError, match=r"no\.safetensors"):
        unpack(tmp_path / "no.safetensors")


@pytest.mark.slow
def test_of_two_processes_one_writes_it(here: Path, small_data: tuple[str, ...]) -> None:
    """The same tensors as in the checkpoint that both have written."""
    two = ("--trainer.devices=2", "--trainer.accelerator=cpu", "--trainer.strategy=ddp")
    command = [
        sys.executable,
        "-m",
        "mnistlab",
        "fit",
        "--model=TinyModel",
        *small_data,
        "--trainer.max_epochs=2",
        *two,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)

    assert done.returncode == 0, done.stderr
    (run,) = here.glob("runs/*/*")
    assert_same(run / "model.safetensors", checkpoint_of(run)["state_dict"])
    assert not list(run.rglob(".*"))
