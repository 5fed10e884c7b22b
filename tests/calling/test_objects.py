"""Objects stand where names do, and their runs are described like any others."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Dataset

import mnistlab as lab
from mnistlab.calling import given
from mnistlab.checkpoints.modules import read_module
from mnistlab.checkpoints.reading import read_checkpoint
from mnistlab.losses import FocalLoss
from mnistlab.nets import given as given_nets

DATA: dict[str, Any] = {"data": "SyntheticDigits", "train_size": 600, "test_size": 200, "val_size": 100, "epochs": 1}
IMAGES = np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8)
LABELS = np.arange(300) % 10
NET = """
from torch import nn

class Own(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.ReLU())
        self.last = nn.Linear(width, 10)

    def forward(self, images):
        return self.last(self.first(images))
"""


class Pairs(Dataset[tuple[torch.Tensor, int]]):
    """Images from 0 to 1 and their labels, with names for these."""

    classes = tuple("abcdefghij")

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(IMAGES[index][None]).float() / 255, int(range(len(self))[index] % 10)


class Failing(Pairs):
    """Has an image that cannot be read."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if index == 7:
            raise KeyError("no such image")
        return super().__getitem__(index)


class Ending(Pairs):
    """Has fewer images than it says."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return super().__getitem__([*range(7)][index])


class OwnLoss(nn.Module):
    """A loss as any course of torch has it."""

    def __init__(self, power: int) -> None:
        super().__init__()
        self.power = power


NOTHING = [nn.Parameter(torch.zeros(1))]


class _Here(nn.Sequential):
    """A net of this module, which is not imported by its name elsewhere."""


@pytest.fixture
def own(here: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of somebody's own, and a session that has given nothing yet."""
    (here / "own_nets.py").write_text(NET)
    monkeypatch.syspath_prepend(here)
    monkeypatch.delitem(sys.modules, "own_nets", raising=False)
    monkeypatch.setattr(given, "_trusted", {})
    import own_nets  # type: ignore[import-not-found] # noqa: PLC0415 - it has just been written

    return own_nets


def told(*words: str, code: int = 0) -> None:
    """Another command, of another session as far as what was given is concerned."""
    given_nets._given.clear()  # as in a new process
    assert lab.main([*words]) == code


@pytest.mark.parametrize(
    "data",
    [
        (IMAGES, LABELS),
        [torch.from_numpy(IMAGES).float() / 255, torch.from_numpy(LABELS)],
        Pairs(),
        (IMAGES.tolist(), LABELS.tolist()),
        ([*torch.from_numpy(IMAGES)], [*LABELS]),
        [(image, int(label)) for image, label in zip(IMAGES, LABELS, strict=True)],
        {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:50], "y_test": LABELS[:50]},
        {"train": (IMAGES, LABELS), "test": Pairs()},
    ],
    ids=["arrays", "tensors", "dataset", "lists", "lists of tensors", "pairs", "names", "splits"],
)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_arrays_and_datasets_are_data(data: object, here: Path) -> None:
    """Kept as an npz under a name made of its content, which the run is tested with later."""
    runs = [lab.fit("TinyModel", data=data, epochs=1) for _ in range(2)]

    (file,) = here.glob("runs/given/*.npz")
    assert all(run.config["data.path"] == str(file) for run in runs)
    told("test", f"--ckpt_path={runs[0].folder}")


def test_whatever_form_images_have_they_are_the_same(here: Path) -> None:
    """Bytes of numpy, and floats from 0 to 1 of torch."""
    del here
    one, other = (
        lab.fit("TinyModel", data=data, epochs=1)
        for data in ((IMAGES, LABELS), (torch.from_numpy(IMAGES) / 255, LABELS))
    )

    assert one.fingerprint["train"] == other.fingerprint["train"]
    assert one.history["train/loss"] == other.history["train/loss"]


def test_a_net_is_trained_as_it_is_and_tested_by_another_process(own: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """With the weights that it was given with; it stays as it was, and its class has to be trusted."""
    net = own.Own(16)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    run = lab.fit(net, **DATA, options={"model.optimizer.lr": 0.0})

    kept = read_checkpoint(run.folder / "checkpoints" / "last.ckpt")["state_dict"]
    assert torch.equal(kept["net.backbone.net.first.1.weight"], before["first.1.weight"])
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert lab.test(run)["test/acc"] == run.test_acc
    assert len(run.predict(IMAGES[:5]).labels) == 5
    told("test", f"--ckpt_path={run.folder}", "--trust=own_nets")
    told("test", f"--ckpt_path={run.folder}", code=2)
    assert "names own_nets.Own, which is not part of mnistlab" in capsys.readouterr().err


def test_nets_of_torch_alone_need_no_trust(here: Path) -> None:
    """An instance, also without a class of one's own."""
    del here
    run = lab.fit(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), **DATA)

    told("test", f"--ckpt_path={run.folder}")


def test_what_makes_a_net_is_wrapped(own: Any) -> None:
    """A class has its options by short names too."""
    run = lab.fit(own.Own, width=12, **DATA)

    assert run.config["model.net.width"] == 12
    assert run.test()["test/acc"] == run.test_acc


def test_a_class_of_the_session_works_in_it_and_that_is_said(
    own: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, when it is given."""
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "Mine", type("Mine", (own.Own,), {"__module__": "__main__"}), raising=False)
    run = lab.fit(main.Mine(9), **DATA)
    (note,) = [line for line in capsys.readouterr().err.splitlines() if "session" in line]

    assert note.startswith("note: Mine is of this session alone, in which all works. Another process can neither test")
    assert run.test()["test/acc"] == run.test_acc
    local = type("Local", (own.Own,), {"__qualname__": "f.<locals>.Local"})
    assert lab.fit(local(9), **DATA).test()["test/loss"] > 0
    with pytest.raises(lab.LabError, match="model: Local is defined within a function, where nobody finds it again"):
        lab.fit(local, **DATA)


def test_models_data_and_losses_are_written_by_their_options(here: Path) -> None:
    """Those that are not at their defaults; a model begins with the weights that it has."""
    del here
    model = lab.TinyModel(hidden_dim=24)
    weight = next(iter(model.net.parameters())).detach().clone()
    data = lab.SyntheticDigits(train_size=600, test_size=200, val_size=100)
    run = lab.fit(model, data=data, loss=FocalLoss(gamma=3.0), lr=0.0, epochs=1)
    command = run.commands[0]

    assert "--data.train_size=600" in command
    assert "--loss" not in command
    assert (run.config["model.hidden_dim"], run.config["model.loss.gamma"]) == (24, 3.0)
    kept = read_checkpoint(run.folder / "checkpoints" / "last.ckpt")["state_dict"]
    assert any(torch.equal(value, weight) for value in kept.values() if isinstance(value, torch.Tensor))


def test_presets_and_nodes_are_written_too(here: Path) -> None:
    """A class of a preset, and an optimizer with its options."""
    del here

    class Quick(lab.Preset):
        model = lab.config(lab.TinyModel, hidden_dim=40)
        trainer = {"max_epochs": 1}  # noqa: RUF012 - as presets have it

    data = {name: value for name, value in DATA.items() if name != "epochs"}
    run = lab.fit(config=Quick, optimizer=lab.config(torch.optim.SGD, lr=0.1, momentum=0.5), **data)

    assert (run.config["model.hidden_dim"], run.epochs, run.config["model.optimizer.momentum"]) == (40, 1, 0.5)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"data": (IMAGES, LABELS[:3])}, "data: there are 300 images and 3 labels."),
        ({"data": IMAGES}, "data: labels are missing: an array 300x28x28 stands alone. Write data=(images, labels)"),
        ({"data": IMAGES[:3].tolist()}, "data: labels are missing. Write data=(images, labels)"),
        ({"data": (LABELS, IMAGES)}, "data: the labels stand first, the images second. Write data=(images, labels)."),
        ({"data": (IMAGES, None)}, "data: images with a label each are wanted, got no pair. Write data=(images, lab"),
        ({"data": ((IMAGES, LABELS), (IMAGES, LABELS))}, "data: images with a label each are wanted, got pairs. "),
        ({"data": (IMAGES[:0], LABELS[:0])}, "data: there are no images: they are 0x28x28."),
        ({"data": (IMAGES, np.eye(10)[LABELS])}, "data: the labels are 300x10, and one an image is wanted. Write lab"),
        ({"data": ([IMAGES[0], IMAGES[0][:9]], [1, 2])}, "data: the images make no array of numbers: are all of one"),
        ({"data": (IMAGES / 64 - 1, LABELS)}, "data has pixels from -1 to 2.98438. They are sought from 0 to 255, or"),
        ({"data": DataLoader(Pairs(), 7)}, "data: a DataLoader has batches, and the lab makes its own. Write data=lo"),
        (
            {"data": {"train": (IMAGES, LABELS), "test": DataLoader(Pairs(), 7)}},
            "data['test']: a DataLoader has batches",
        ),
        ({"data": Failing()}, "data: item 7 of the Dataset: KeyError: 'no such image' (in __getitem__, line "),
        ({"data": Ending()}, "data: the Dataset says that it has 300 items, and ends after 7."),
        (
            {"model": np.zeros(3)},
            "model: an object of the class ndarray is no value that an option takes. It takes a cl",
        ),
        ({"model": lambda: nn.Linear(784, 10)}, "model: a lambda has no name by which it is found again. Write def "),
        ({"loss": OwnLoss(2)}, "loss: OwnLoss is a torch module and no loss. Derive it from lab.Loss, which is one"),
        ({"loss": OwnLoss}, "loss: OwnLoss is a torch module and no loss. Derive it from lab.Loss, which is one"),
        ({"loss": nn.functional.cross_entropy}, "loss: cross_entropy is a function; a class is wanted, such as class "),
        ({"optimizer": torch.optim.SGD(NOTHING, 0.1)}, "optimizer: this SGD was made for the parameters of another n"),
        ({"optimizer": lambda of: torch.optim.SGD(of, 0.1)}, "optimizer: <lambda> is a function. Write optimizer=lab"),
        ({"scheduler": StepLR(torch.optim.SGD(NOTHING, 0.1), 2)}, "scheduler: this StepLR was made for the parameter"),
        ({"data": object()}, "data: an object of the class object is no value that an option takes. It takes a class"),
        ({"loss": lambda: nn.CrossEntropyLoss(label_smoothing=0.1)}, "loss: <lambda> is a function; a class is wanted"),
        (
            {"data": {"train": (IMAGES, LABELS), "tset": (IMAGES, LABELS)}},
            "data: `tset` is no split. Did you mean test",
        ),
        ({"data": {"test": (IMAGES, LABELS)}}, "data: there is nothing to train on. Write data={'train': (images, la"),
        (
            {"data": {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES}},
            "data: x_test has no labels: y_test is m",
        ),
        (
            {"data": {"x_train": IMAGES, "y_train": LABELS, "y_test": LABELS}},
            "data has labels of test and no images o",
        ),
        ({"data": {"x_train": IMAGES}}, "data: x_train has no labels: y_train is missing."),
        ({"data": {"y_train": LABELS}}, "data holds no images, but y_train 300."),
        (
            {"data": {"x_train": IMAGES, "y_trian": LABELS}},
            "data: `y_trian` is neither images nor labels of a split. ",
        ),
    ],
)
def test_what_cannot_be_written_down_is_told(here: Path, said: dict[str, Any], line: str) -> None:
    """In a line, before anything is kept."""
    with pytest.raises(lab.LabError) as error:
        lab.fit(**{"model": "TinyModel", **said})

    assert str(error.value).startswith(line)
    assert len(str(error.value)) < 320
    assert not any(here.iterdir())


def test_a_refusal_has_the_words_of_what_is_right(here: Path) -> None:
    """With the options that the object has."""
    del here
    sgd = torch.optim.SGD(NOTHING, 0.1, momentum=0.5)
    with pytest.raises(lab.LabError, match=r"optimizer=lab.config\(torch.optim.SGD, lr=0.1, momentum=0.5\)\.$"):
        lab.fit("TinyModel", optimizer=sgd, **DATA)
    with pytest.raises(lab.LabError, match=r"lab.config\(torch.optim.lr_scheduler.StepLR, step_size=2\)\.$"):
        lab.fit("TinyModel", scheduler=StepLR(sgd, 2), **DATA)


def test_nothing_is_noted_of_an_object_that_is_refused(
    own: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That it is of this session alone comes after what is wrong, or not at all."""
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "Mine", type("Mine", (own.Own,), {"__module__": "__main__"}), raising=False)
    with pytest.raises(lab.LabError, match="hiden"):
        lab.fit(main.Mine, hiden=3, **DATA)

    assert capsys.readouterr().err == ""


def test_of_a_class_of_the_session_no_command_of_another_is_proposed(
    own: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could not work."""
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "Mine", type("Mine", (own.Own,), {"__module__": "__main__"}), raising=False)
    lab.fit(main.Mine, **DATA)

    assert "Test it again" not in capsys.readouterr().out


def test_weights_of_a_torch_loss_are_taken(here: Path) -> None:
    """They are no plain attribute of it."""
    del here
    run = lab.fit("TinyModel", loss=nn.CrossEntropyLoss(weight=torch.arange(1.0, 11.0)), **DATA)

    assert run.config["model.loss.weight"] == list(range(1, 11))


@pytest.mark.parametrize("channels", [-1, 1])
def test_colours_stand_first_or_last(here: Path, channels: int) -> None:
    """The images are the same."""
    colours = [IMAGES, 255 - IMAGES, IMAGES // 2]
    run = lab.fit("TinyModel", data=(np.stack(colours, channels), LABELS), epochs=1)
    other = lab.fit("TinyModel", data=(np.stack(colours, 1), LABELS), epochs=1)

    assert (run.fingerprint["train"], run.rows) == (other.fingerprint["train"], other.rows)
    del here


class Attack:
    """What a stranger's file would have run."""

    ran: Sequence[str] = ()

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("it ran",))


@pytest.mark.parametrize("thing", [Attack(), print, nn.Sequential(_Here())], ids=["code", "function", "class"])
def test_a_file_of_a_net_runs_nothing_that_nobody_vouches_for(
    thing: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither code nor a function, nor a class of others."""
    torch.save(thing, tmp_path / "net.pt")
    with pytest.raises(lab.LabError, match=r"names (builtins\.print|.*_Here), which is not part of mnistlab"):
        read_module(tmp_path / "net.pt")

    assert "it ran" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mnistlab.nets.given.read_module", "mnistlab.checkpoints.modules.read_module"])
def test_no_other_function_reads_nets_for_a_checkpoint(name: str, trained: Any) -> None:
    """One that would be told by the file itself what to trust."""
    folder = trained()
    text = (folder / "config.yaml").read_text()
    start, end = text.index("model:"), text.index("\n", text.index("class_path"))
    wrapped = "model:\n  class_path: mnistlab.Wrapped\n  init_args:\n    net:\n"
    net = f"      class_path: {name}\n      init_args:\n        path: x.pt\n        allowed: [os]\n"
    (folder / "config.yaml").write_text(f"{text[:start]}{wrapped}{net}")
    del end
    with pytest.raises(lab.LabError, match="which is no part of a net"):
        lab.fit(ckpt_path=folder)


def test_a_run_of_what_the_session_defines_goes_on_in_it(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of a net, and one of a loss; without a word about trust, and with one."""
    main = sys.modules["__main__"]
    loss = type("MyLoss", (lab.Loss,), {"__module__": "__main__", "forward": lambda self, *of: self.of(*of)})
    loss.of = staticmethod(nn.functional.cross_entropy)  # type: ignore[attr-defined] # of this class
    monkeypatch.setattr(main, "Mine", type("Mine", (own.Own,), {"__module__": "__main__"}), raising=False)
    monkeypatch.setattr(main, "MyLoss", loss, raising=False)

    assert lab.fit(main.Mine, **DATA).resume(epochs=2).epochs == 2
    assert lab.fit("TinyModel", loss=main.MyLoss, **DATA).resume(epochs=2, trust="__main__").epochs == 2


def test_numbers_that_were_learnt_are_the_labels_of_answers(here: Path) -> None:
    """From 1 to 10 as they were given, and -1 and 1 too; of names it is their place."""
    del here
    for labels, known in ((LABELS + 1, range(1, 11)), (LABELS % 2 * 2 - 1, (-1, 1))):
        answers = lab.fit("TinyModel", data=(IMAGES, labels), epochs=1).predict(IMAGES)
        assert {*answers.labels} <= {*known}
        assert [str(label) for label in answers.labels] == answers.names
        assert [each.label for each in answers] == answers.labels.tolist()
    named = lab.fit("TinyModel", data=(IMAGES, np.array(["one", "two"])[LABELS % 2]), epochs=1).predict(IMAGES)
    assert [("one", "two")[label] for label in named.labels] == named.names


def test_a_net_whose_last_layer_stands_elsewhere_is_told_how_to_have_it(here: Path) -> None:
    """The layer that was defined last is taken for it."""
    del here
    net = nn.Sequential(nn.Flatten(), nn.Linear(700, 10))
    with pytest.raises(lab.LabError, match=r"1, the last layer that the net defines, takes 700 values, and what is be"):
        lab.fit(net, **DATA)


def test_images_for_the_test_alone_are_all_tested(trained: Any) -> None:
    """They are not divided, as those are that say nothing."""
    run = lab.Run.of(trained())
    images = IMAGES[:40]
    answers = run.predict(images).labels
    right = np.where(np.arange(40) < 10, answers, (answers + 1) % 10)  # a quarter of them

    assert run.test(data={"test": (images, right)}, classes=[*map(str, range(10))])["test/acc"] == pytest.approx(0.25)


def test_one_image_is_the_test_and_leaves_none_to_learn(here: Path) -> None:
    """That is said."""
    del here
    with pytest.raises(lab.LabError, match=r"has 1 image, which is the test: nothing is left to train on\.$"):
        lab.fit("TinyModel", data=(IMAGES[:1], LABELS[:1]))
