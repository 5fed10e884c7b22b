"""The most likely mistakes, each with the parts of the one line that answers it; failures are in `test_failures.py`.

The words of a message may change; what is wrong, where, why, and the nearest right thing may not be missing.
"""

import os
from pathlib import Path

import pytest
import torch

from mnistlab.cli import main

DATA = "--data=SyntheticDigits --data.train_size=600 --data.test_size=200 --data.val_size=100"

# The command, and what its answer says. `run` stands for the folder of a finished run of TinyModel.
TYPING = [
    ("fti", ["no command fti", "Did you mean fit?"]),
    ("train", ["no command train", "Did you mean mnistlab fit?", "There are fit, "]),
    ("cite last", ["no command cite", "Did you mean mnistlab runs cite?"]),
    ("fit SmallModel", ["`SmallModel`", "--model=SmallModel", "--config=SmallModel"]),
    ("compare usual wide", ["--models=SDN68K,CNN68K", "mnistlab runs diff usual wide"]),
    ("fit model=SmallModel", ["`model=SmallModel` has no dashes", "Write --model=SmallModel"]),  # Hydra's way
    ("fit -model=SmallModel", ["Write --model=SmallModel"]),
    ("fit +model.x=3", ["`+model.x=3` has no dashes", "model.x=3"]),
    ("fit ++model.x=3", ["`++model.x=3` has no dashes", "model.x=3"]),
    ("fit -m model=TinyModel,SmallModel", ["`-m` is not an option", "two dashes"]),
    ("fit --model = SmallModel", ["`=` stands alone", "without spaces: --model=..."]),
    ("fit --model= SmallModel", ["`SmallModel` stands alone", "without spaces: --model=..."]),
    ("fit \u2014model=SmallModel", ["has no dashes. Write --model=SmallModel."]),  # a word processor's way
    ("test last", ["Write --ckpt_path=last."]),
    ("fit broken.yaml", ["Write --config=broken.yaml."]),
    ("fit --trainer.max_epochs", ["max_epochs of Trainer must be a whole number", "got nothing."]),
    ("fit --", ["two dashes"]),
    ("fit --=3", ["two dashes"]),
    ("fit --model.=3", ["two dashes"]),
    ("fit --model", ["name of a class", "SmallModel"]),
    ("fit --config", ["--config needs a value"]),
    ("fit --trust", ["--trust needs a value"]),
    ("fit --ckpt_path", ["--ckpt_path needs a value"]),
    ("fit --print_config=yes", ["--print_config=yes", "true or false"]),
]
OTHER_TOOLS = [
    ("fit --epochs=3", ["--epochs=3: there is no option --epochs.", "Did you mean --trainer.max_epochs?"]),
    ("fit --epoch 3", ["--epoch 3: there is no option --epoch.", "Did you mean --trainer.max_epochs?"]),
    ("fit --max_epochs=3", ["Did you mean --trainer.max_epochs?"]),
    ("fit --max-epochs=3", ["no option --max-epochs.", "Did you mean --trainer.max_epochs?"]),
    ("fit --steps=3", ["Did you mean --trainer.max_steps?"]),
    ("fit --batch_size=3", ["Did you mean --data.batch_size?"]),
    ("fit --bs=3", ["Did you mean --data.batch_size?"]),
    ("fit --lr=3", ["Did you mean --model.optimizer.lr?"]),
    ("fit --learning_rate=3", ["Did you mean --model.optimizer.lr?"]),
    ("fit --wd=3", ["Did you mean --model.optimizer.weight_decay?"]),
    ("fit --dropout=0.3", ["Did you mean --model.dropout?"]),
    ("fit --seed=3", ["Did you mean --seed_everything?"]),
    ("fit --dataset=MNIST", ["Did you mean --data?"]),
    ("fit --optimizer=SGD", ["Did you mean --model.optimizer?"]),
    ("fit --optimizer.lr=3", ["Did you mean --model.optimizer.lr?"]),
    ("fit --scheduler.T_max=3", ["Did you mean --model.scheduler.T_max?"]),
    ("fit --scheduler=null", ["Did you mean --model.scheduler?"]),
    ("fit --network=SmallModel", ["Did you mean --model?"]),
    ("fit --model=mnist_cnn_421k", ["Did you mean CNN421K? There"]),  # as templates for Hydra have them
    ("fit --model=mnist_sdn_8k", ["Did you mean SDN8K? There"]),
    ("fit --model=mnist_cnn_8k", ["Did you mean CNN8K? There"]),
    ("fit --model=mnist_efficientnet_7m", ["Did you mean EfficientNet7M? There"]),
    ("fit --model=mnist_multihead_cnn_422k", ["Did you mean MultiheadCNN422K? There"]),
    ("fit --model=mnist_vit_210k", ["Did you mean ViT210K? There"]),
    ("fit --model=mnist_convnext_68k", ["Did you mean ConvNeXt73K? There"]),
    ("fit --model=mnist", ["Did you mean SDN68K? There"]),
    ("fit --data=multihead_mnist", ["Did you mean MultiheadMNIST? There"]),
    ("fit --data=mnist_vit_995", ["Did you mean MNIST? There"]),
    ("compare --models=cnn_8k,SDN8K", ["Did you mean CNN8K? There"]),
    ("fit --experiment=example", ["Did you mean --config?"]),
    ("fit --base=QuickTest", ["Did you mean --config?"]),
    ("-c QuickTest fit", ["A command comes first: mnistlab fit -c"]),
    ("fit --gpus=1", ["--trainer.devices"]),
    ("fit --device=cuda", ["--trainer.accelerator"]),
    ("fit --ckpt=run", ["there is no option --ckpt.", "Did you mean --ckpt_path?"]),
    ("fit --checkpoint=run", ["Did you mean --ckpt_path?"]),
    ("fit --resume=last", ["Did you mean --ckpt_path?"]),
    ("fit --model.lr=3", ["MediumModel has no option lr.", "Did you mean --model.optimizer.lr?"]),
    ("fit --trainer.epochs=3", ["Trainer has no option epochs.", "max_epochs?"]),
    ("fit --trainer.batch_size=3", ["Did you mean --data.batch_size?"]),
    ("fit --patience=3", ["--trainer.callbacks.patience (of EarlyStopping)", "--model.scheduler.patience"]),
    (
        "fit --trainer.patience=3",
        ["Trainer has no option patience.", "--trainer.callbacks.patience (of EarlyStopping)"],
    ),
    ("fit --momentum=0.9", ["Did you mean --model.optimizer.momentum (of ", " and SGD)?"]),
    ("fit --model.momentum=0.9", ["has no option momentum.", "--model.optimizer.momentum (of "]),
    ("fit --train_size=60", ["Did you mean --data.train_size?"]),
    ("fit --draw_seed=60", ["Did you mean --data.draw_seed (of SyntheticDigits)?"]),
    ("fit --mode=max", ["--model.scheduler.mode (of "]),
    ("fit --num_workers=4", ["no option --num_workers. Images lie in memory", "Leave it out."]),
    ("fit --data.num_workers=4", ["MNIST has no option num_workers. Images lie in memory"]),
    ("fit --shuffle=true", ["no option --shuffle. Training images are shuffled"]),
    ("fit --validation_split=0.1", ["Did you mean --data.val_size?"]),
    ("fit --num_layers=3", ["Did you mean --model.layers?"]),
    ("fit --train_batch_size=3", ["Did you mean --data.batch_size or "]),
    ("fit --root=x", ["Did you mean --data.data_dir?"]),
    ("fit --data.dir=x", ["MNIST has no option dir. Did you mean data_dir?"]),
    ("fit --amp", ["Did you mean --trainer.precision=16-mixed?"]),
    ("fit --activation=relu", ["no option --activation. `--help=all`"]),  # no wild guess
    ("fit --trainer.foo=3", ["Trainer has no option foo. `--help=trainer` lists all."]),
    ("fit --model.name=SmallModel", ["no option name. Did you mean --model=SmallModel?"]),
    ("fit --model._target_=SmallModel", ["Did you mean --model=SmallModel?"]),  # Hydra's way
    ("fit --config=target.yaml", ["target.yaml:2:3", "Did you mean class_path: SmallModel?"]),
    ("fit --trainer.callbacks.EarlyStopping.patience=3", ["Did you mean --trainer.callbacks=EarlyStopping?"]),
]
SPELLING = [
    ("fit --modle=SmallModel", ["no option --modle.", "Did you mean --model"]),
    ("fit --modle.hidden_dim=3", ["no option --modle.hidden_dim.", "Did you mean --model.hidden_dim?"]),
    ("fit --trainr.max_epochs=3", ["no option --trainr.max_epochs.", "Did you mean --trainer.max_epochs?"]),
    ("fit --ckpt_pth=x", ["Did you mean --ckpt_path?"]),
    ("fit --cofig=x", ["Did you mean --config?"]),
    ("fit --print_confg", ["Did you mean --print_config?"]),
    ("fit --trainer.max_epoch=3", ["Trainer has no option max_epoch.", "max_epochs"]),
    ("fit --run.nme=x", ["no option nme", "name"]),
    ("fit --model.hiden_dim=3", ["MediumModel has no option hiden_dim. Did you mean hidden_dim?"]),
    ("fit --model.hidden-dim=3", ["no option hidden-dim. Did you mean hidden_dim?"]),
    ("fit --model=TinyModel --model.hiden_dim=3", ["TinyModel has no option hiden_dim", "hidden_dim"]),
    ("fit --model.optimizer.lrr=3", ["AdamW has no option lrr. Did you mean lr?"]),
    ("fit --model=Smal", ["no model is called Smal. Did you mean SmallModel?", "TinyModel"]),
    ("fit --model=small", ["Did you mean SmallModel"]),
    ("fit --model.optimizer=Adamm", ["no optimizer is called Adamm", "Did you mean Adam", "SGD"]),
    ("fit --model.scheduler=Cosine", ["no scheduler is called Cosine", "WarmupCosine"]),
    ("fit --model.loss=CrossEntropy", ["no loss is called CrossEntropy. Did you mean CrossEntropyLoss?"]),
    ("fit --data=Minst", ["no data is called Minst", "MNIST"]),
    ("fit --data.augment=RandomDistort", ["Did you mean RandomDistortion"]),
    ("fit --trainer.callbacks=EarlyStoping", ["no callback is called EarlyStoping. Did you mean EarlyStopping?"]),
    ("fit --config=QuikTest", ["QuikTest", "Did you mean QuickTest?"]),
    ("fit --help=modle", ["Did you mean model?"]),
    ("fit --model.help=TinyModle", ["Did you mean TinyModel?"]),
    ("fit --ckpt_path=bst", ["bst", "best"]),
]
VALUES = [
    ("fit --model.hidden_dim=many", ["--model.hidden_dim=many: hidden_dim of", "a whole number above 0, got many."]),
    ("fit --model.dropout=1.5", ["--model.dropout=1.5: dropout of", "a number from 0 to 1, got 1.5."]),
    ("fit --data=EMNIST --data.split=leters", ["split of EMNIST", "letters", "Did you mean letters?"]),
    ("fit --data.partition=poold", ["official or pooled, got poold. Did you mean pooled?"]),
    ("fit --trainer.precision=16-mixd", ["precision of Trainer", "Did you mean 16-mixed"]),
    ("fit --trainer.accelerator=cppu", ["--trainer.accelerator=cppu", "Did you mean cpu?", "gpu"]),
    ("fit --trainer.accelerator=tpu", ["--trainer.accelerator=tpu", "no TPU", "--trainer.accelerator=cpu"]),
    ("fit --trainer.strategy=dpp", ["--trainer.strategy=dpp", "Did you mean ddp?"]),
    ("fit --trainer.strategy=ddp_spawn", ["--trainer.strategy=ddp_spawn: ", "copies", "Use --trainer.strategy=ddp."]),
    (
        "fit --trainer.strategy=DDPStrategy --trainer.strategy.start_method=fork",
        ["--trainer.strategy.start_method=fork: ", "copies", "Leave it out."],
    ),
    ("fit --trainer.accelerator=cpu --trainer.devices=0", ["--trainer.devices=0", "above 0, got 0."]),
    ("fit --trainer.accelerator=cpu --trainer.devices=[0,1]", ["--trainer.devices=[0,1]", "number of processes"]),
    ("fit --trainer.accumulate_grad_batches=0", ["accumulate_grad_batches must be a whole number above 0, got 0."]),
    ("fit --trainer.enable_checkpointing=false", ["--trainer.enable_checkpointing=false", "Leave"]),
    ("fit --model.optimizer.lr=-1", ["--model.optimizer.lr=-1: the optimizer cannot be used: Invalid learning rate"]),
    ("fit --model.optimizer=SGD --model.optimizer.nesterov=true", ["--model.optimizer.nesterov=true: ", "a momentum"]),
    ("fit --model.loss.label_smoothing=2", ["--model.loss.label_smoothing=2: ", "between 0.0 and 1.0"]),
    ("fit --model.scheduler=ChainedScheduler", ["--model.scheduler=ChainedScheduler: ", "in Python only"]),
    ("fit --trainer.profiler=simpel", ["--trainer.profiler=simpel: ", "simple"]),
    ("fit --trainer.logger=wandb", ["logger of Trainer", "Did you mean WandbLogger?"]),
    ("fit --trainer.limit_train_batches=0", ["--trainer.limit_train_batches=0: ", "above 0"]),
    ("fit --model.loss=CTCLoss", ["CTCLoss", "aligns sequences", "CrossEntropyLoss"]),
    ("fit --model.loss=TripletMarginLoss", ["compares an embedding", "CrossEntropyLoss"]),
    ("fit --model.num_classes=7", ["num_classes is 7", "MNIST has 10 classes"]),
    (f"fit {DATA} --data.val_size=600", ["`val_size` must leave training images", "has 600, got 600."]),
]
CLASSES = [
    ("fit --model.optimizer.momentum=0.9", ["AdamW has no option momentum.", "SGD; you chose AdamW (the default)."]),
    (
        "fit --model.optimizer=Adam --model.optimizer.momentum=0.9",
        ["Adam has no option momentum. It belongs to ", "SGD; you chose Adam (--model.optimizer=Adam)."],
    ),
    ("fit --data.draw_seed=60", ["It belongs to SyntheticDigits; you chose MNIST (the default)."]),
    ("fit --model.scheduler.T_max=3", ["It belongs to CosineAnnealingLR; you chose WarmupCosine (the default)."]),
    ("fit --model.scheduler=StepLR", ["StepLR needs step_size", "--model.scheduler.step_size="]),
    ("fit --trainer.callbacks.monitor=x", ["--trainer.callbacks.monitor=x", "Choose one with --trainer.callbacks="]),
    ("fit --data.augment.shift=0.1", ["--data.augment.shift=0.1", "Choose one with --data.augment=", "RandomDis"]),
    ("fit --model=null", ["model cannot be null", "SmallModel"]),
    ("fit --data=null", ["data cannot be null", "MNIST"]),
    ("fit --model.optimizer=null", ["model.optimizer cannot be null", "SGD"]),
    ("fit --model+=TinyModel", ["takes one class"]),
    ("fit --model=torch.nn.Linear", ["mnistlab.classifier.Classifier"]),
    ("fit --model=torch.nn.Lineal", ["torch.nn has no class Lineal", "Linear"]),
    ("fit --model=no_such_package.Model", ["no module no_such_package"]),
    ("fit --run=3", ["group of options", "checkpoint_every_n_steps"]),
    ("fit --model.hidden_dim.x=3", ["model.hidden_dim is one value"]),
]
FILES = [
    ("fit --config=nowhere.yaml", ["nowhere.yaml", "no file"]),
    ("fit --config=folder", ["folder", "is a folder"]),
    ("fit --config=empty.yaml", ["empty.yaml is empty", "`model: SmallModel`"]),
    ("fit --config=broken.yaml", ["broken.yaml:3:1", "not YAML"]),
    ("fit --config=misspelt.yaml", ["misspelt.yaml:2:3", "no option hiden_dim. Did you mean hidden_dim?"]),
    ("fit --config=section.yaml", ["section.yaml:1:1", "no option modle", "Did you mean --model"]),
    ("fit --config=wrong.yaml", ["wrong.yaml:3:3", "above 0, got -4."]),
    ("fit --config=other.yaml", ["other.yaml:4:5", "It belongs to", "SGD; you chose Adam (other.yaml:3:5)."]),
    ("fit --config=epochs.yaml", ["epochs.yaml:1:1", "no option epochs.", "--trainer.max_epochs?"]),
    ("fit --run.dir=taken", ["--run.dir=taken", "taken is a file", "--run.dir="]),
    ("fit --data.data_dir=folder --run.dir=taken/deep", ["--run.dir=taken/deep", "taken is a file"]),
]
CHECKPOINTS = [
    ("test", ["--ckpt_path=last", "--untrained"]),
    ("validate", ["--ckpt_path=last", "--untrained"]),
    ("predict", ["--ckpt_path=last", "--untrained"]),
    ("fit --untrained", ["--untrained is for test"]),
    ("test --untrained --ckpt_path=run", ["--untrained and --ckpt_path exclude each other"]),
    ("test --ckpt_path=last --run.dir=elsewhere", ["elsewhere", "--run.dir"]),
    ("test --ckpt_path=folder", ["folder", "not a run"]),
    ("test --ckpt_path=nowhere.ckpt", ["nowhere.ckpt"]),
    ("test --ckpt_path=truncated.ckpt", ["truncated.ckpt", "damaged"]),
    ("test --ckpt_path=nothing.ckpt", ["nothing.ckpt", "damaged"]),
    ("test --ckpt_path=text.ckpt", ["text.ckpt", "damaged"]),
    ("test --ckpt_path=foreign.ckpt", ["foreign.ckpt", "not made by mnistlab"]),
    ("test --ckpt_path=run --model.hidden_dim=7", ["does not fit TinyModel", "net."]),
    ("test --ckpt_path=run --model=SmallModel", ["does not fit SmallModel"]),
    ("fit --ckpt_path=run --model.layers=9", ["does not fit TinyModel"]),
]
MISTAKES = [*TYPING, *OTHER_TOOLS, *SPELLING, *VALUES, *CLASSES, *FILES, *CHECKPOINTS]

YAML = {
    "empty.yaml": "",
    "broken.yaml": "model:\n  hidden_dim: [1, 2\n",
    "misspelt.yaml": "model:\n  hiden_dim: 3\n",
    "section.yaml": "modle: TinyModel\n",
    "wrong.yaml": "model:\n  layers: 2\n  hidden_dim: -4\n",
    "other.yaml": "model:\n  optimizer:\n    class_path: Adam\n    momentum: 0.9\n",
    "epochs.yaml": "epochs: 3\n",
    "target.yaml": "model:\n  _target_: SmallModel\n",
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, and with everything that can be wrong with a file."""
    place = tmp_path_factory.mktemp("workplace")
    for name, text in YAML.items():
        (place / name).write_text(text)
    (place / "folder").mkdir()
    (place / "taken").write_text("a file")
    assert (
        main(["fit", "--model=TinyModel", *DATA.split(), "--trainer.max_epochs=1", f"--run.dir={place / 'runs'}"]) == 0
    )
    (run,) = place.glob("runs/*/*")
    (place / "run").symlink_to(run)
    whole = (run / "checkpoints" / "best.ckpt").read_bytes()
    (place / "truncated.ckpt").write_bytes(whole[: len(whole) // 2])
    (place / "nothing.ckpt").write_bytes(b"")
    (place / "text.ckpt").write_text("not a checkpoint")
    torch.save({"state_dict": {"weight": torch.zeros(3)}}, place / "foreign.ckpt")
    return place


def answer(place: Path, capsys: pytest.CaptureFixture[str], command: str, code: int) -> str:
    """The one line that a command is answered with; it must have left nothing behind."""
    capsys.readouterr()
    before = sorted(place.rglob("*"))
    assert main(command.split(" ")) == code
    assert sorted(place.rglob("*")) == before
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.startswith("mnistlab: ")
    lines = printed.err.splitlines()
    assert all(line.startswith("  mnistlab ") for line in lines[1:])  # a command to be copied
    assert not any(word in printed.err for word in ("Traceback", "usage:", "Parser key", "<unicode", "<class", "Errno"))
    return printed.err


@pytest.mark.parametrize(("command", "parts"), MISTAKES, ids=[command for command, _ in MISTAKES])
def test_a_mistake_is_answered_with_the_nearest_right_thing(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, parts: list[str]
) -> None:
    """In one line, with exit code 2, before any work."""
    monkeypatch.chdir(workplace)

    message = answer(workplace, capsys, command, 2)

    assert all(part in message for part in parts), message


def test_the_table_has_the_forty_most_likely_mistakes() -> None:
    """At least; none twice."""
    assert len({command for command, _ in MISTAKES}) == len(MISTAKES) >= 40


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("accelerator", ["gpu", "cuda"])
def test_a_gpu_that_is_not_there_is_answered_with_the_cpu(
    here: Path, capsys: pytest.CaptureFixture[str], accelerator: str
) -> None:
    """It says what was typed, why it cannot be, and what can."""
    message = answer(here, capsys, f"fit --trainer.accelerator={accelerator}", 2)

    assert f"--trainer.accelerator={accelerator}: torch finds no " in message
    assert "GPU on this machine. Use --trainer.accelerator=cpu" in message


def test_a_place_without_permission_is_answered_with_another(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the training, not after it."""
    (here / "locked").mkdir()
    real = os.access  # root may write anywhere
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path) and real(path, mode))

    message = answer(here, capsys, f"fit {DATA} --run.dir=locked/runs", 2)

    assert "--run.dir=locked/runs: there is no permission to write in" in message
    assert "--run.dir=..." in message
