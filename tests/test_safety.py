"""A checkpoint of a stranger runs no code; what the user names does."""

import copy
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from safetensors.torch import save_file

from mnistlab import Classifier, TinyModel, main
from mnistlab.errors import LabError

Fit = Callable[..., Path]
Forge = Callable[..., str]
FORMS = ("forged.ckpt", "forged.safetensors")

MARKER = Path("IMPORTED")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that the command line made."""
    data = ("--data=SyntheticDigits", "--data.train_size=600", "--data.test_size=200", "--data.val_size=100")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("honest"))
        assert main(["fit", "--model=TinyModel", *data, "--trainer.max_epochs=1"]) == 0
        (path,) = Path.cwd().glob("runs/*/*/checkpoints/best.ckpt")
    return path


@pytest.fixture
def contents(honest: Path) -> dict[str, Any]:
    """What is in that checkpoint."""
    read: dict[str, Any] = torch.load(honest, weights_only=True)
    return read


@pytest.fixture
def forge(contents: dict[str, Any], here: Path) -> Forge:
    """The path of a checkpoint that somebody has tampered with."""
    del here

    def forged(tamper: Callable[[dict[str, Any]], None], name: str = "forged.ckpt") -> str:
        changed = copy.deepcopy(contents)
        tamper(changed)
        if name.endswith(".safetensors"):
            said = {key: changed["mnistlab"][key] for key in ("format", "model", "data")}
            save_file(changed["state_dict"], name, {"mnistlab": json.dumps(said, default=str)})
        else:
            torch.save(changed, name)
        return name

    return forged


@pytest.fixture
def package(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module on the path that leaves a marker when it is imported; of a model, a loss and options."""
    name = f"package_of_{here.name}"
    (here / f"{name}.py").write_text(
        f"""
from pathlib import Path
from collections.abc import Callable
from typing import Any
from torch import Tensor, nn
from mnistlab import Classifier, Loss
Path("{MARKER}").touch()

class Mine(Classifier):
    '''A model of mine.'''
    name = "{name}"
    def __init__(self, hook: Callable[[], object] | None = None, kind: type | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
        self.made = hook() if hook else None

class MyLoss(Loss):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return logits.logsumexp(1).mean() - logits.gather(1, target[:, None]).mean()
"""
    )
    monkeypatch.syspath_prepend(str(here))
    return name


class Payload:
    """Unpickling it calls `function`."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


PAYLOADS = {
    "posix.system": Payload(os.system, f"touch {MARKER}"),
    "subprocess.Popen": Payload(subprocess.Popen, ["touch", str(MARKER)]),
    "builtins.eval": Payload(eval, f"open('{MARKER}', 'w')"),
    "shutil.copy": Payload(shutil.copy, __file__, str(MARKER)),
}
READERS = ("test", "validate", "predict", "fit", "inspect")


def write_payload(path: Path, contents: dict[str, Any], payload: Payload, form: str) -> None:
    """A checkpoint that runs something when it is unpickled."""
    bomb = {**contents, "more": payload}
    if form == "plain pickle":
        path.write_bytes(pickle.dumps({"state_dict": {}, "more": payload}))
    else:
        torch.save(bomb, path, _use_new_zipfile_serialization=form == "archive")


@pytest.mark.parametrize("form", ["archive", "old archive", "plain pickle"])
@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_pickled_object_is_not_loaded(
    contents: dict[str, Any], here: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, form: str
) -> None:
    """The message names what it asked for; nothing of it is run."""
    write_payload(here / "bomb.ckpt", contents, PAYLOADS[name], form)
    capsys.readouterr()

    assert main([command, "--ckpt_path=bomb.ckpt"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mnistlab: bomb.ckpt holds more than tensors and plain data")
    assert f"it names {name}," in line
    assert not MARKER.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_a_name_is_told_from_every_kind_of_pickle(
    here: Path, capsys: pytest.CaptureFixture[str], protocol: int
) -> None:
    """Also where it is put together from texts that stand elsewhere."""
    twice = [PAYLOADS["posix.system"], PAYLOADS["subprocess.Popen"], Payload(os.system, "true")]
    (here / "bomb.ckpt").write_bytes(pickle.dumps(["posix", "Popen", *twice], protocol))

    assert main(["test", "--ckpt_path=bomb.ckpt"]) == 2

    assert "it names posix.system, subprocess.Popen, and" in capsys.readouterr().err
    assert not MARKER.exists()


def test_a_name_cannot_write_to_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stranger chose it."""
    (here / "bomb.ckpt").write_bytes(b"cos\x1b[2J\nsystem\n(S'true'\ntR.")

    for command in ("test", "inspect"):
        assert main([command, "--ckpt_path=bomb.ckpt"]) == 2
        output, error = capsys.readouterr()
        assert r"os\x1b[2J.system" in error
        assert "\x1b" not in error + output


@pytest.mark.parametrize("form", ["archive", "plain pickle"])
def test_load_from_checkpoint_loads_no_pickled_object(contents: dict[str, Any], here: Path, form: str) -> None:
    """In Python too."""
    write_payload(here / "bomb.ckpt", contents, PAYLOADS["subprocess.Popen"], form)

    with pytest.raises(LabError, match=r"it names subprocess\.Popen,"):
        Classifier.load_from_checkpoint("bomb.ckpt")
    assert not MARKER.exists()


def named(*keys: str, value: object) -> Callable[[dict[str, Any]], None]:
    """A change of what a checkpoint says."""

    def tamper(contents: dict[str, Any]) -> None:
        inner = contents["mnistlab"]
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value

    return tamper


POPEN = {"class_path": "subprocess.Popen", "init_args": {"args": f"touch {MARKER}", "shell": True}}

TAMPERED = {
    "the model": (named("model", value=POPEN), "subprocess.Popen"),
    "the data": (named("data", value=POPEN), "subprocess.Popen"),
    "the loss": (named("model", "init_args", "loss", value=POPEN), "subprocess.Popen"),
    "the loss's path": (named("model", "init_args", "loss", "class_path", value="os.system"), "os.system"),
    "the optimizer": (named("model", "init_args", "optimizer", value=POPEN), "subprocess.Popen"),
    "the scheduler": (named("model", "init_args", "scheduler", value=POPEN), "subprocess.Popen"),
    "the augmentation": (named("data", "init_args", "augment", value=POPEN), "subprocess.Popen"),
    "an unknown module": (named("model", "class_path", value="no_such_module.Model"), "no_such_module.Model"),
    "a module that exists": (named("model", "class_path", value="antigravity.Model"), "antigravity.Model"),
    "a name like a trusted one": (named("model", "class_path", value="mnistlabs.Model"), "mnistlabs.Model"),
    "torch outside of torch.nn": (named("model", "class_path", value="torch.hub.load"), "torch.hub.load"),
}


@pytest.mark.parametrize("where", TAMPERED)
@pytest.mark.parametrize(
    ("command", "form"),
    [*((command, FORMS[0]) for command in ("test", "validate", "predict", "fit")), ("test", FORMS[1])],
)
def test_a_class_from_elsewhere_is_refused_by_name(
    forge: Forge, capsys: pytest.CaptureFixture[str], command: str, where: str, form: str
) -> None:
    """Before it is imported, with what it asked for and how to allow it."""
    tamper, name = TAMPERED[where]
    path = forge(tamper, form)
    known = set(sys.modules)
    capsys.readouterr()

    assert main([command, f"--ckpt_path={path}"]) == 2

    message = capsys.readouterr().err
    assert f"{path} names {name}" in message
    assert f"--trust={name.partition('.')[0]}" in message
    assert not {"antigravity", "mnistlabs", "torch.hub.load"} & (set(sys.modules) - known)
    assert not MARKER.exists()


@pytest.mark.parametrize(
    "tamper",
    [
        named("model", "init_args", "hidden_dim", value=POPEN),
        named("model", "init_args", "loss", "init_args", "weight", value=[POPEN]),
        named("model", "init_args", "compile", value="subprocess.Popen"),
        named("model", "init_args", "num_classes", value={"digit": POPEN}),
        named("model", "init_args", "optimizer", value=[POPEN]),
        named("model", "init_args", "optimizer", value="{class_path: subprocess.Popen, init_args: {args: [ls]}}"),
        named("data", "init_args", "mean", value=POPEN),
        named("model", value="subprocess.Popen"),
        named("model", value={"class_path": ["subprocess.Popen"]}),
        named("model", value={}),
        named("model", "init_args", value="subprocess.Popen"),
        named("model", "init_args", "dropout", value=torch.zeros(3)),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_class_in_an_unlikely_place_is_refused_too(
    forge: Forge, capsys: pytest.CaptureFixture[str], tamper: Callable[[dict[str, Any]], None], form: str
) -> None:
    """In a number, a list or a mapping; it is never made."""
    path = forge(tamper, form)
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={path}"]) == 2

    message = capsys.readouterr().err
    assert form in message
    assert "Traceback" not in message
    assert not MARKER.exists()


def with_instantiator(contents: dict[str, Any]) -> None:
    """What Lightning would call, in the places where it looks."""
    hidden = {"_instantiator": "os.system", "_class_path": "subprocess.Popen", "hidden_dim": POPEN}
    contents |= {"hyper_parameters": hidden, "datamodule_hyper_parameters": hidden, "hparams_name": "kwargs"}


@pytest.mark.parametrize("command", ["test", "validate", "predict", "fit"])
def test_what_lightning_would_run_is_ignored(forge: Forge, command: str) -> None:
    """`_instantiator` and `hyper_parameters` mean nothing here."""
    path = forge(with_instantiator)

    assert main([command, f"--ckpt_path={path}"]) == 0
    assert type(Classifier.load_from_checkpoint(path)) is TinyModel
    assert not MARKER.exists()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", ["model", "data"])
def test_an_instantiator_among_the_options_is_refused(
    forge: Forge, capsys: pytest.CaptureFixture[str], key: str, form: str
) -> None:
    """As an option that no class has."""
    path = forge(named(key, "init_args", "_instantiator", value="os.system"), form)
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={path}"]) == 2

    assert "_instantiator" in capsys.readouterr().err
    assert not MARKER.exists()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", TAMPERED)
def test_inspect_tells_what_would_be_refused(
    forge: Forge, capsys: pytest.CaptureFixture[str], where: str, form: str
) -> None:
    """It imports nothing of it, and `--trust` shows what would be allowed."""
    tamper, name = TAMPERED[where]
    path = forge(tamper, form)
    known = set(sys.modules)
    capsys.readouterr()

    verdicts = []
    for trust in ((), (f"--trust={name.partition('.')[0]}",)):
        assert main(["inspect", path, "--json", *trust]) == 0
        classes = {each["name"]: each for each in json.loads(capsys.readouterr().out)["classes"]}
        verdicts.append(classes[name]["allowed"])
        assert all(each["allowed"] for other, each in classes.items() if other != name)

    assert verdicts == [False, True]
    assert not {"antigravity", "mnistlabs"} & (set(sys.modules) - known)
    assert not MARKER.exists()


def test_inspect_tells_what_lightning_would_run(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """Although the lab ignores it."""
    path = forge(with_instantiator)
    capsys.readouterr()

    assert main(["inspect", path]) == 0

    output = capsys.readouterr().out
    for name in ("os.system", "subprocess.Popen"):
        assert [line for line in output.splitlines() if line.split()[:2] == [name, "refused;"]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", TAMPERED)
def test_load_from_checkpoint_trusts_as_little(forge: Forge, where: str, form: str) -> None:
    """In Python too; it reads no data."""
    tamper, name = TAMPERED[where]
    path = forge(tamper, form)

    if where in ("the data", "the augmentation"):
        assert type(Classifier.load_from_checkpoint(path)) is TinyModel
    else:
        with pytest.raises(LabError, match=f"names {name}"):
            Classifier.load_from_checkpoint(path)
    assert not MARKER.exists()


@pytest.mark.parametrize("option", ["hook", "kind"])
@pytest.mark.parametrize("value", ["os.system", "antigravity.fly_to", "{class_path: antigravity.fly_to}"])
def test_an_option_that_takes_a_function_is_no_way_in(
    forge: Forge, package: str, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    """A parser would import what such an option names."""

    def tamper(contents: dict[str, Any]) -> None:
        contents["mnistlab"]["model"] = {"class_path": f"{package}.Mine", "init_args": {option: value}}

    path = forge(tamper)
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={path}", f"--trust={package}"]) == 2

    assert "forged.ckpt names" in capsys.readouterr().err
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("strategy", POPEN),
        ("callbacks", [POPEN]),
        ("logger", [POPEN]),
        ("plugins", [POPEN]),
        ("callbacks", [{"class_path": "LambdaCallback", "init_args": {"on_fit_start": "antigravity.fly_to"}}]),
    ],
)
@pytest.mark.parametrize("removed", [False, True], ids=["with a checkpoint", "without one"])
def test_the_configuration_of_a_run_that_is_continued_is_not_trusted(
    fit: Fit, change: Callable[..., None], capsys: pytest.CaptureFixture[str], option: str, value: object, removed: bool
) -> None:
    """It came with the checkpoint."""
    run = fit()
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["trainer"][option] = value
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    for path in (run / "checkpoints").iterdir() if removed else ():
        path.unlink()
    change(run, status="interrupted")  # one that has ended goes on from a checkpoint alone
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 2

    message = capsys.readouterr().err
    assert "config.yaml" in message
    assert "--trust=" in message
    assert not MARKER.exists()
    assert "antigravity" not in sys.modules


@pytest.mark.slow
def test_a_checkpoint_of_ones_own_class_is_opened_by_naming_it(
    fit: Fit, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By `--trust`, by typing the class, or by a file named on the command line."""
    run = fit(f"--model={package}.Mine", f"--model.loss={package}.MyLoss")
    checkpoint, weights = f"--ckpt_path={run}", f"--ckpt_path={run / 'model.safetensors'}"
    del sys.modules[package]
    MARKER.unlink()
    capsys.readouterr()

    for refused in (checkpoint, weights):
        assert main(["test", refused]) == 2
        message = capsys.readouterr().err
        assert f"names {package}.Mine" in message
        assert f"--trust={package}" in message
        assert package not in sys.modules
        assert not MARKER.exists()

    # The names of models are unique, so the module is not imported for a second time in a process.
    lines = (
        [checkpoint, f"--trust={package}"],
        [weights, f"--trust={package}"],
        [checkpoint, f"--model={package}.Mine", f"--model.loss={package}.MyLoss"],
    )
    command = [sys.executable, "-c", EACH_IN_A_PROCESS, *("\n".join(line) for line in lines)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("  test/acc ") == len(lines)


EACH_IN_A_PROCESS = """
import os, sys
import mnistlab.training.running
from mnistlab.cli import main
for line in sys.argv[1:]:
    child = os.fork()
    if not child:
        sys.exit(main(["test", *line.split("\\n")]))
    if os.waitpid(child, 0)[1]:
        sys.exit(line)
"""


def test_an_import_changes_no_other_parser(here: Path) -> None:
    """The policy of jsonargparse belongs to the process; only a program's entry sets it."""
    (here / "other_program.py").write_text("class Thing:\n    def __init__(self, x: int = 1): self.x = x\n")
    script = """
import importlib, pkgutil, mnistlab
from jsonargparse import ArgumentParser
for module in pkgutil.walk_packages(mnistlab.__path__, "mnistlab."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
for name in mnistlab.__all__:
    getattr(mnistlab, name)
mnistlab.SmallModel()
import other_program
parser = ArgumentParser(exit_on_error=False)
parser.add_subclass_arguments(other_program.Thing, "thing")
config = parser.instantiate_classes(parser.parse_args(["--thing=other_program.Thing", "--thing.x=3"]))
assert config.thing.x == 3
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False, cwd=here
    )

    assert done.returncode == 0, done.stderr


def test_a_parser_of_this_process_still_reads_its_own_types() -> None:
    """Plain options are no matter of the policy."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--number", type=int)

    assert parser.parse_args(["--number=3"]).number == 3


def rewritten(run: Path, **trainer: object) -> None:
    """Change what the configuration of a run says of the trainer."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["trainer"].update(trainer)
    (run / "config.yaml").write_text(yaml.safe_dump(config))


def of_lightning(path: str, **arguments: object) -> dict[str, object]:
    """A class as a configuration names it."""
    return {"class_path": f"lightning.pytorch.{path}", "init_args": arguments}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("default_root_dir", "{}"),
        ("logger", [of_lightning("loggers.CSVLogger", save_dir="{}")]),
        ("logger", of_lightning("loggers.CSVLogger", save_dir="logs", name="../{}")),
        ("callbacks", [of_lightning("callbacks.ModelCheckpoint", dirpath="{}")]),
        ("profiler", of_lightning("profilers.SimpleProfiler", dirpath="{}", filename="it")),
        ("profiler", of_lightning("profilers.SimpleProfiler", dirpath="https://example.org", filename="it")),
    ],
)
def test_a_run_that_is_continued_writes_nowhere_else(
    trained: Fit,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: object,
) -> None:
    """Its configuration came with the checkpoint; what the user types is not asked about."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "new"
    run = trained()
    rewritten(run, **{option: json.loads(json.dumps(value).replace("{}", str(elsewhere)))})
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "config.yaml:" in line
    assert "lies neither here nor in the folder of the run. If you trust it, add --trust=" in line
    assert not elsewhere.exists()


def test_a_place_elsewhere_is_allowed_by_naming_it(trained: Fit, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By `--trust`, or as the option itself; here and in the run nothing needs to be said."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    run = trained()
    again = ("fit", f"--ckpt_path={run}", "--trainer.max_epochs=2")
    logger = of_lightning("loggers.CSVLogger", save_dir=str(elsewhere / "a"))

    rewritten(run, logger=logger)
    assert main([*again, f"--trust={elsewhere}"]) == 0
    rewritten(run, logger=logger)
    assert main([*again, f"--trainer.logger.save_dir={elsewhere / 'b'}"]) == 0
    for place in ("logs", str(run / "logs"), str(Path("logs").resolve())):
        rewritten(run, logger={**logger, "init_args": {"save_dir": place}})
        assert main(again) == 0

    assert (elsewhere / "a").is_dir()


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_of_data_that_is_not_here_is_not_made(
    forge: Forge, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """It was on the machine of whoever made the checkpoint: the folder of this one counts."""
    monkeypatch.setenv("MNISTLAB_DATA_DIR", str(here / "mine"))
    (here / "elsewhere").mkdir()
    for place in ("elsewhere", "elsewhere/new", "~nobody/x", "\0"):
        path = forge(named("data", value={"class_path": "mnistlab.data.MNIST", "init_args": {"data_dir": place}}), form)
        capsys.readouterr()
        assert main(["test", f"--ckpt_path={path}", "--print_config"]) == 0
        assert yaml.safe_load(capsys.readouterr().out)["data"]["init_args"]["data_dir"] is None
    (here / "elsewhere" / "MNIST" / "raw").mkdir(parents=True)
    path = forge(named("data", value={"class_path": "mnistlab.data.MNIST", "init_args": {"data_dir": "elsewhere"}}))
    assert main(["test", f"--ckpt_path={path}", "--print_config"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["data"]["init_args"]["data_dir"] == "elsewhere"


@pytest.mark.parametrize("text", ["a: &a [1]\n", "run:\n  tags: &a [x]\n"])
def test_a_configuration_that_grows_without_end_is_refused(
    trained: Fit, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A few lines of YAML can stand for any number of values."""
    run = trained()
    names = [chr(ord("b") + number) for number in range(20)]
    before = ["a", *names]
    lines = [
        f"{name}: &{name} {{{', '.join(f'k{k}: *{last}' for k in range(10))}}}"
        for name, last in zip(names, before, strict=False)
    ]
    (run / "config.yaml").write_text(text + "\n".join(lines))
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={run}"]) == 2

    assert "config.yaml describes more than a run" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a-b", "my models", "a,,b", "a\x1b[2J"])
def test_what_is_trusted_must_be_the_name_of_a_package(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Or a folder."""
    assert main(["test", "--ckpt_path=last", f"--trust={name}"]) == 2

    assert "the name of a package is wanted, such as --trust=my_models" in capsys.readouterr().err


def test_a_name_is_told_in_one_line(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a stranger has put into it."""
    for value in ("os.x\nmnistlab: all is well", "os.\x1b[2J", "os." + "x" * 10_000):
        path = forge(named("model", "class_path", value=value))
        capsys.readouterr()
        assert main(["test", f"--ckpt_path={path}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "names os." in line
        assert len(line) < 400
        assert "\x1b" not in line


def test_what_was_not_written_down_cannot_write_to_the_terminal(
    forge: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and was a stranger's word."""
    path = forge(named("model", "init_args", "loss", value={"unrecorded": "\x1b[2J\nnote: all is well"}))
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={path}"]) == 0

    (line,) = capsys.readouterr().err.splitlines()
    assert r"note: its loss was \x1b[2J\nnote: all is well;" in line


CYCLIC = "torch.optim.lr_scheduler.CyclicLR"


@pytest.mark.parametrize(
    "name",
    ["lightning.pytorch.cli.os.system", "lightning.pytorch.seed_everything", "mnistlab.main", "torch.nn.no_such.thing"],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_function_of_a_trusted_package_is_refused_too(
    forge: Forge, capsys: pytest.CaptureFixture[str], name: str, form: str
) -> None:
    """A schedule would call it, and modules of any package lead to others: `os` is an attribute of many."""
    said = {"class_path": CYCLIC, "init_args": {"base_lr": 0.1, "max_lr": 0.2, "scale_fn": name}}
    path = forge(named("model", "init_args", "scheduler", value=said), form)
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={path}"]) == 2
    assert f"names {name}" in capsys.readouterr().err
    with pytest.raises(LabError, match=f"names {name}"):
        Classifier.load_from_checkpoint(path)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "antigravity.net",
        "torch.hub.load",
        "mnistlab.main",
        "lightning.pytorch.cli.os.system",
        "torchvision.models._api.get_model",
        "torchvision.models.resnet.resnet18",
    ],
)
@pytest.mark.parametrize("command", ["test", "fit"])
def test_a_function_that_makes_a_net_is_refused(
    forge: Forge, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    """Unless it is a function of torchvision.models itself."""
    wrapped = {"class_path": "mnistlab.Wrapped", "init_args": {"net": {"class_path": name, "init_args": {}}}}
    path = forge(named("model", value=wrapped))
    capsys.readouterr()

    assert main([command, f"--ckpt_path={path}"]) == 2
    assert f"names {name}, which is no part of a net" in capsys.readouterr().err
    with pytest.raises(LabError, match=f"names {name}"):
        Classifier.load_from_checkpoint(path)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("name", ["torch.nn.init.zeros_", "torch.nn.functional.relu", "torchvision.models.list_models"])
def test_no_function_is_called_that_does_not_say_that_it_makes_a_net(
    forge: Forge, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whatever package it is of."""
    wrapped = {"class_path": "mnistlab.Wrapped", "init_args": {"net": {"class_path": name, "init_args": {}}}}
    path = forge(named("model", value=wrapped))
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={path}"]) == 2
    assert "does not say that it gives a torch module" in capsys.readouterr().err


def test_only_what_is_typed_for_the_same_option_is_trusted(
    forge: Forge, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name of a run or a folder may look like a class by chance."""
    path = forge(named("model", "init_args", "loss", "class_path", value=f"{package}.MyLoss"))
    name = f"{package}.MyLoss"
    capsys.readouterr()

    for typed in (f"--run.name={name}", f"--run.tags={name}", f"--run.dir={name}", f"--model.scheduler={name}"):
        assert main(["test", f"--ckpt_path={path}", typed]) == 2
        assert f"names {name}" in capsys.readouterr().err
        assert package not in sys.modules
    assert main(["test", f"--ckpt_path={path}", f"--model.loss={name}"]) == 2  # its options are those of another
    assert "MyLoss has no option" in capsys.readouterr().err
    assert MARKER.exists()


@pytest.mark.parametrize("change", [{"hidden_dim": 10**9}, {"hidden_dim": 10**30}, {"layers": 10**9}])
@pytest.mark.parametrize("command", ["test", "fit"])
def test_a_huge_model_is_refused(
    forge: Forge, capsys: pytest.CaptureFixture[str], command: str, change: dict[str, int]
) -> None:
    """Before it fills the memory."""

    def tamper(contents: dict[str, Any]) -> None:
        contents["mnistlab"]["model"]["init_args"].update(change)

    path = forge(tamper)
    capsys.readouterr()

    assert main([command, f"--ckpt_path={path}"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "forged.ckpt describes a model that is far larger than its own weights" in line


def test_the_name_of_a_run_cannot_write_to_the_terminal(trained: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown when the run goes on."""
    run = trained()
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["run"]["name"] = "\x1b[2J\nall is well"
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    capsys.readouterr()

    assert main(["fit", f"--ckpt_path={run}", "--trainer.max_epochs=2"]) == 0

    output, error = capsys.readouterr()
    assert r"\x1b[2J\nall is well" in output
    assert "\x1b" not in output + error
