"""`config(Class, option=...)`: a description that is checked and complete, and builds nothing by itself."""

import copy
import pickle
import subprocess
import sys
from functools import partial

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping
from torch import nn
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import StepLR

from mnistlab import MediumModel, SmallModel, SyntheticDigits, TinyModel, config
from mnistlab.data import RandomDistortion
from mnistlab.errors import LabError


def test_a_node_is_complete_from_the_signature() -> None:
    """What nobody wrote has the default of its class, at every depth."""
    node = config(SmallModel, hidden_dim=384, optimizer=config(SGD, lr=0.1))

    assert (node.hidden_dim, node.layers, node.dropout) == (384, 4, 0.1)
    assert (node.optimizer.lr, node.optimizer.momentum) == (0.1, 0)
    assert node.scheduler.warmup == config(SmallModel).scheduler.warmup
    assert set(SmallModel().recorded().init_args) == set(node.specification.init_args)


def test_a_node_says_what_was_written() -> None:
    """As it would be typed."""
    assert repr(config(SmallModel, hidden_dim=8, optimizer=config(SGD, lr=0.1))) == (
        "config(SmallModel, hidden_dim=8, optimizer=config(SGD, lr=0.1))"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: config(SmallModel, hiden_dim=3), r"test_nodes.py:\d+: SmallModel has no option hiden_dim. Did you"),
        (lambda: config(SmallModel, hidden_dim=0), "a whole number above 0, got 0"),
        (
            lambda: config(SmallModel, optimizer=config(SGD, lrr=3)),  # type: ignore[call-overload]
            "SGD has no option lrr",
        ),
        (lambda: config(SmallModel, optimizer=TinyModel), "not of the kind"),
        (
            lambda: config(SmallModel, loss=lambda: nn.MSELoss(reduction="sum")),
            "a lambda, which cannot be written down",
        ),
        (lambda: config(SmallModel, 8), "without a name"),
        (lambda: config(SmallModel, loss=nn.MSELoss()), "loss is a MSELoss built in Python"),
        (lambda: config(SmallModel, class_path="TinyModel"), "SmallModel has no option class_path"),
        (lambda: config(EarlyStopping), "needs monitor"),  # type: ignore[call-overload]
        (lambda: config(print), "a class is wanted, got print"),
        (lambda: config(SGD).build(), "takes more than options"),
        (lambda: config(SGD, lr=-1.0).build([nn.Parameter(torch.zeros(1))]), "SGD refuses its options: Invalid"),
        (lambda: config(SmallModel).clone(hiden_dim=3), "SmallModel has no option hiden_dim"),
    ],
)
def test_a_mistake_is_told_at_once(make: object, message: str) -> None:
    """With the line, and before anything is built."""
    assert callable(make)
    with pytest.raises(LabError, match=message):
        make()


def test_a_misspelt_option_is_told_when_it_is_read() -> None:
    """With the nearest one."""
    with pytest.raises(AttributeError, match=r"Did you mean hidden_dim\?"):
        _ = config(SmallModel).hiden_dim


def test_nothing_is_built_before_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """And each build makes something new."""
    made: list[nn.Module] = []
    monkeypatch.setattr(nn.Linear, "reset_parameters", lambda layer: made.append(layer))  # noqa: PLW0108 - a method gets its object
    node = config(TinyModel, hidden_dim=4)
    assert not made

    first, second = node.build(), node.build()

    assert made
    assert first is not second


def test_a_node_builds_what_the_class_builds() -> None:
    """The same weights from the same seed, and a description that a checkpoint can hold."""
    torch.manual_seed(0)
    built = config(TinyModel, hidden_dim=8, optimizer=config(SGD, lr=0.1)).build()
    torch.manual_seed(0)
    direct = TinyModel(hidden_dim=8, optimizer=partial(SGD, lr=0.1))

    assert all(torch.equal(a, b) for a, b in zip(built.parameters(), direct.parameters(), strict=True))
    assert "unrecorded" not in str(built.recorded())


def test_what_is_built_trains() -> None:
    """A plain module: loss, backward, step."""
    model = config(TinyModel, hidden_dim=8).build()
    optimizer = config(SGD, lr=0.1).build(model.parameters())
    before = [parameter.clone() for parameter in model.parameters()]

    model.training_step((torch.randn(4, 1, 28, 28), torch.arange(4)), 0).backward()
    optimizer.step()

    assert any(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_node_stands_where_a_class_can() -> None:
    """In a model's constructor, and the checkpoint says what it was."""
    model = TinyModel(optimizer=config(SGD, lr=0.1), scheduler=config(StepLR, step_size=3), loss=config(nn.MSELoss))
    said = model.recorded().init_args

    assert said["optimizer"] == config(SGD, lr=0.1).specification.as_dict()
    assert said["loss"] == config(nn.MSELoss).specification.as_dict()


def test_a_clone_shares_nothing() -> None:
    """Neither with the node that it was made from, nor through a part that two nodes have in common."""
    optimizer = config(SGD, lr=0.1, momentum=0.9)
    first = config(SmallModel, optimizer=optimizer)
    second = config(TinyModel, optimizer=optimizer)

    changed = first.clone({"optimizer.lr": 0.5}, hidden_dim=8)

    assert (changed.optimizer.lr, changed.optimizer.momentum, changed.hidden_dim) == (0.5, 0.9, 8)
    assert (first.optimizer.lr, second.optimizer.lr, optimizer.lr, first.hidden_dim) == (0.1, 0.1, 0.1, 256)


def test_a_node_never_changes() -> None:
    """An option that is set would not be built; copies and what pickle makes are the same."""
    node = config(SmallModel, hidden_dim=64)

    with pytest.raises(AttributeError, match=r"clone\(hidden_dim=\.\.\.\)"):
        node.hidden_dim = 8
    with pytest.raises(AttributeError, match="cls stays"):
        del node.cls

    assert node == pickle.loads(pickle.dumps(node)) == copy.copy(node)  # noqa: S301 - of our own making
    assert node.hidden_dim == 64


def test_what_a_node_gives_out_changes_nothing_in_it() -> None:
    """Lists and mappings are copies."""
    node = config(SmallModel, num_classes={"digit": 10}, optimizer=config(Adam, betas=(0.8, 0.9)))
    node.num_classes["parity"] = 2
    node.optimizer.betas.append(0)
    dict(node.specification.init_args)["hidden_dim"] = 1

    assert node.num_classes == {"digit": 10}
    assert node.optimizer.betas == [0.8, 0.9]
    assert node.hidden_dim == 256


def test_a_clone_with_another_class_keeps_what_fits_and_tells_the_rest() -> None:
    """As the command line does."""
    node = config(SmallModel, optimizer=config(SGD, lr=0.5, momentum=0.9))

    with pytest.warns(UserWarning, match="momentum=0.9 is dropped"):
        changed = node.clone(optimizer=Adam)

    assert changed.optimizer == config(Adam, lr=0.5)


def test_lists_of_nodes_are_built() -> None:
    """Each with its own options."""
    node = config(
        Trainer,
        callbacks=[config(EarlyStopping, monitor="val/loss"), config(EarlyStopping, monitor="val/acc", mode="max")],
        logger=False,
        accelerator="cpu",
    )
    built = node.build().early_stopping_callbacks

    assert [(stop.monitor, stop.mode) for stop in built] == [
        ("val/loss", "min"),
        ("val/acc", "max"),
    ]
    assert [stop.mode for stop in node.callbacks] == ["min", "max"]


def test_a_part_that_is_built_is_written_down_if_it_is_data() -> None:
    """As an augmentation is, which is a dataclass."""
    node = config(SyntheticDigits, augment=RandomDistortion(rotation=5.0))

    assert node == config(SyntheticDigits, augment=config(RandomDistortion, rotation=5.0))


def test_an_entry_is_added_to_a_list_of_nodes() -> None:
    """The name is spelt with a plus, as it is typed."""
    node = config(Trainer, callbacks=[config(EarlyStopping, monitor="val/loss")])
    more = node.clone({"callbacks+": config(EarlyStopping, monitor="val/acc", patience=5)})

    assert [(stop.monitor, stop.patience) for stop in more.callbacks] == [("val/loss", 3), ("val/acc", 5)]
    assert len(node.callbacks) == 1


def test_a_data_set_is_built_with_its_parts() -> None:
    """A class stands for a node without options."""
    data = config(SyntheticDigits, train_size=100, augment=RandomDistortion).build()

    assert isinstance(data.augment, RandomDistortion)
    assert data.train_size == 100


def test_nodes_are_equal_that_build_the_same() -> None:
    """However they were written."""
    assert config(SmallModel, hidden_dim=256) == config(SmallModel)
    assert config(SmallModel) != config(MediumModel)
    assert len({config(SmallModel), config(SmallModel, layers=4)}) == 1
    assert copy.deepcopy(config(SmallModel)) == config(SmallModel)


def test_the_first_node_of_a_process_takes_weights() -> None:
    """Nothing else need have been read before it."""
    code = "from torch import nn; from mnistlab import config; print(config(nn.CrossEntropyLoss, weight=[1.0, 2.0]))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert said.stdout == "config(CrossEntropyLoss, weight=[1.0, 2.0])\n", said.stderr


def test_an_editor_sees_the_options() -> None:
    """`dir` has them, beside what every node has."""
    assert {"hidden_dim", "optimizer", "clone", "build"} <= set(dir(config(SmallModel)))
