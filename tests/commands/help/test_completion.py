"""TAB continues a command line in bash, zsh and fish, at once and without ever an error."""

import json
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lightning.pytorch.accelerators import AcceleratorRegistry
from lightning.pytorch.strategies import StrategyRegistry

from mnistlab.catalogue.used import WORDS
from mnistlab.cli import main
from mnistlab.commands.declaring.model import all_commands
from mnistlab.runs.listing import find_run

PROGRAMS = Path(sys.executable).parent
RUN = "runs/tiny/20260101T000000Z-abc"

Offered = Callable[..., list[str]]


@pytest.fixture
def offered(here: Path, capsys: pytest.CaptureFixture[str]) -> Offered:
    """The words that fish is offered after these, the last one being at the cursor."""
    del here

    def complete(*words: str) -> list[str]:
        assert main(["completion", "--complete", "fish", *words]) == 0
        outcome = capsys.readouterr()
        assert not outcome.err
        return [line.partition("\t")[0] for line in outcome.out.splitlines() if line]

    return complete


@pytest.fixture
def home(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with nothing in it."""
    folder = here / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def environment() -> dict[str, str]:
    """That of a shell in which `mnistlab` is on the path."""
    return {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ "}


def in_bash(*lines: str) -> list[list[str]]:
    """`COMPREPLY` for each line, from bash itself."""
    ask = "COMP_LINE=$1 COMP_POINT=${#1}; COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _mnistlab; "
    show = "printf '%s\\n' \"${COMPREPLY[@]}\"; echo ==="
    script = f'source <(mnistlab completion bash); for line; do set -- "$line"; {ask} {show}; done'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *lines],  # noqa: S607 - the bash of this machine
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert not done.stderr
    return [[reply for reply in part.split("\n") if reply] for part in done.stdout.split("===\n")[:-1]]


def on_screen(shell: list[str], setup: str, keys: str, wanted: str) -> str:
    """What a shell shows after these keys, as soon as `wanted` is part of it."""
    process, terminal = pty.fork()
    if not process:
        os.execvpe(shell[0], shell, environment())  # noqa: S606 - a shell without a shell
    termios.tcsetwinsize(terminal, (60, 200))  # the folder's name in the prompt must not break the line
    shown = ""
    try:
        for text, sign in ((f"{setup}; echo READ''Y\n", "READY"), (keys, wanted)):
            os.write(terminal, text.encode())
            end = time.monotonic() + 30
            while sign not in shown and time.monotonic() < end:
                if select.select([terminal], [], [], 0.1)[0]:
                    shown += re.sub(r"\x1b\[[\d;?]*\w|\r", "", os.read(terminal, 4096).decode(errors="replace"))
    finally:
        os.close(terminal)
        os.waitpid(process, 0)
    return shown


def test_commands_come_first(offered: Offered) -> None:
    """All of them, and those that begin as typed."""
    assert offered("") == list(all_commands())
    assert offered("fi") == ["fit"]
    assert offered("--v") == ["--version"]


def test_options_are_offered_level_by_level(offered: Offered) -> None:
    """The first list is short; a section is one line of it, and its options follow after the point."""
    first = offered("fit", "--")

    assert len(first) < 20
    assert {"--model=", "--model.", "--trainer.", "--run.", "--config=", "--ckpt_path=", "--help"} <= set(first)
    assert offered("fit", "--mo") == ["--model=", "--model."]
    assert offered("fit", "") == first
    assert "--untrained" in offered("test", "--")
    assert "--untrained" not in first


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--model=SmallModel", "--model.hid"], ["--model.hidden_dim="]),
        (["--model", "SmallModel", "--model.hid"], ["--model.hidden_dim="]),
        (["--model.optimizer=SGD", "--model.optimizer.mo"], ["--model.optimizer.momentum="]),
        (["--model.optimizer=AdamW", "--model.optimizer.mo"], []),
        (["--data=EMNIST", "--data.sp"], ["--data.split="]),
        (["--data=MNIST", "--data.sp"], []),
        (["--data.augment=RandomDistortion", "--data.augment.rot"], ["--data.augment.rotation="]),
        (["--data.augment.rot"], []),
        (["--model.init_args.hid"], ["--model.init_args.hidden_dim="]),
        (["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.pat"], ["--trainer.callbacks.patience="]),
        (["--trainer.callbacks=EarlyStopping", "--trainer.callbacks+=Timer", "--trainer.callbacks.pat"], []),
        (["--trainer.callbacks=Timer", "--trainer.callbacks"], ["--trainer.callbacks+=", "--trainer.callbacks."]),
        (["--config=wide.yaml", "--model.optimizer.mo"], ["--model.optimizer.momentum="]),
        (["--config=gone.yaml", "junk", "--=", "--model=SmallModel", "--model.hid"], ["--model.hidden_dim="]),
    ],
)
def test_options_are_those_of_the_chosen_class(
    offered: Offered, here: Path, words: list[str], expected: list[str]
) -> None:
    """Chosen on this line, by either form, or in a file that it names; what cannot be read does not matter."""
    (here / "wide.yaml").write_text("model:\n  optimizer: SGD\n")

    assert offered("fit", *words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--model=T"], ["--model=TinyModel"]),
        (["--model=tiny"], ["--model=TinyModel"]),
        (["--model", "T"], ["TinyModel"]),
        (["--model.help=T"], ["--model.help=TinyModel"]),
        (["--model.loss=Cross"], ["--model.loss=CrossEntropyLoss"]),
        (["--model.optimizer=S"], ["--model.optimizer=SGD"]),  # and not SparseAdam, which the models here refuse
        (["--model.optimizer.help=SG"], ["--model.optimizer.help=SGD"]),
        (["--trainer.callbacks=EarlyS"], ["--trainer.callbacks=EarlyStopping"]),
        (["--trainer.callbacks+=EarlyS"], ["--trainer.callbacks+=EarlyStopping"]),
        (["--model.compile="], ["--model.compile=true", "--model.compile=false"]),
        (["--model.scheduler=n"], ["--model.scheduler=null"]),
        (["--model.scheduler_interval="], [f"--model.scheduler_interval={word}" for word in ("auto", "step", "epoch")]),
        (["--trainer.precision=bf16-m"], ["--trainer.precision=bf16-mixed"]),
        (["--trainer.accelerator=c"], ["--trainer.accelerator=cpu"]),
        (["--model=SmallModel", "--model.hidden_dim="], ["--model.hidden_dim=256"]),
        (["--config=Quick"], ["--config=QuickTest", "--config=Quick99"]),
        (["--config=a"], ["--config=a b.yaml", "--config=a.py"]),
        (["--help=mo"], ["--help=model"]),
        (["--seed_everything=t"], ["--seed_everything=true"]),
    ],
)
def test_values_are_offered_after_their_option(
    offered: Offered, here: Path, words: list[str], expected: list[str]
) -> None:
    """Classes, choices, defaults, presets and files, after `=` and as a word of their own."""
    for name in ("a b.yaml", "a.py", "a.txt"):
        (here / name).touch()

    assert offered("fit", *words) == expected


def test_a_class_for_each_name_is_offered_for_the_heads_of_the_data(offered: Offered) -> None:
    """Then the classes for one of them, and what the chosen one takes."""
    line = ["fit", "--data=MultiheadMNIST"]

    assert "--model.losses." in offered(*line, "--model.loss")
    heads = [f"--model.losses.{name}=" for name in ("digit", "thickness", "smoothness")]
    assert offered(*line, "--model.losses.") == heads
    assert offered(*line, "--model.losses.digit=Foc") == ["--model.losses.digit=FocalLoss"]
    assert "--model.losses.digit.gamma=" in offered(*line, "--model.losses.digit=FocalLoss", "--model.losses.digit.")


def test_the_other_commands_have_options_too(offered: Offered) -> None:
    """Few."""
    assert offered("models", "--j") == ["--json"]
    assert offered("models", "--json", "--j") == []
    assert offered("doctor", "") == ["--json", "--help"]
    assert offered("completion", "") == ["bash", "zsh", "fish"]
    assert offered("completion", "bash", "--u") == ["--uninstall"]
    assert offered("schema", "--o") == ["--output="]
    assert offered("inspect", "--") == ["--json", "--trust=", "--run.dir=", "--ckpt_path=", "--help"]


def test_checkpoints_are_files_and_runs(offered: Offered, here: Path) -> None:
    """The folder of a run is a word by itself; one can go into it all the same."""
    (here / RUN / "checkpoints").mkdir(parents=True)
    (here / RUN / "run.json").write_text("{}")
    for name in ("model.ckpt", "model.safetensors", "notes.txt"):
        (here / name).touch()

    files = ["model.ckpt", "model.safetensors", "runs/"]
    assert offered("test", "--ckpt_path", "") == ["best", "last", "abc", *files]
    assert offered("test", "--ckpt_path=runs/tiny/") == [f"--ckpt_path={RUN}"]
    assert offered("test", f"--ckpt_path={RUN}/") == [f"--ckpt_path={RUN}/checkpoints/"]
    assert offered("inspect", "") == ["best", "last", "abc", *files]
    assert offered("inspect", "mo") == files[:2]
    assert offered("report", "") == ["last", "abc", "runs/"]
    assert offered("report", "runs/tiny/") == [RUN]
    assert offered("report", "--o") == ["--output="]
    assert offered("fit", "--data.data_dir=") == ["--data.data_dir=runs/"]
    assert offered("fit", "--run.dir=") == ["--run.dir=runs/"]


def test_runs_are_offered_by_their_short_names(offered: Offered, here: Path) -> None:
    """The newest first, as many as the command takes, and none that is named already."""
    for name in ("tiny/20260101T000000Z-abc", "cnn/20260201T000000Z-def"):
        (here / "runs" / name).mkdir(parents=True)
        (here / "runs" / name / "run.json").write_text("{}")

    assert offered("runs", "") == ["show", "diff", "cite", "rename", "note", "rm"]
    assert offered("runs", "--st") == ["--status="]
    assert offered("runs", "--status=fa") == ["--status=failed"]
    assert "--sort=-test_acc" in offered("runs", "--sort=-")
    assert offered("runs", "show", "") == ["last", "def", "abc"]
    assert offered("runs", "show", "def", "") == []
    assert offered("runs", "diff", "def", "") == ["last", "abc"]
    assert offered("runs", "diff", "--") == ["--all", "--json", "--run.dir=", "--help"]
    assert offered("runs", "show", "runs/cnn/") == ["runs/cnn/20260201T000000Z-def"]
    assert offered("runs", "rm", "--run.dir=elsewhere", "") == []


def test_a_name_is_offered_where_it_means_one_run(offered: Offered, here: Path) -> None:
    """And an id where it is no other's name, wherever a run is named."""
    for place, name in {
        "a/20260101T000000Z-abc": "def",
        "a/20260201T000000Z-def": "two",
        "b/20260301T000000Z-ghi": "two",
    }.items():
        (here / "runs" / place).mkdir(parents=True)
        (here / "runs" / place / "run.json").write_text(json.dumps({"command": "fit", "name": name}))

    words = ["ghi", "20260201T000000Z-def", "abc", "def"]
    assert offered("runs", "show", "") == ["last", *words]
    assert offered("reproduce", "") == ["last", *words, "runs/"]
    assert offered("test", "--ckpt_path", "") == ["best", "last", *words, "runs/"]
    assert [find_run(word, Path("runs")).name[-3:] for word in words] == ["ghi", "def", "abc", "abc"]


def test_what_is_given_is_not_offered_again(offered: Offered) -> None:
    """But presets and packages can be named several times."""
    before = ("fit", "--model=TinyModel", "--model.layers=3", "--config=QuickTest", "--print_config")

    assert not {"--model=", "--print_config"} & set(offered(*before, "--"))
    assert {"--model.", "--config="} <= set(offered(*before, "--"))
    assert "--model.layers=" not in offered(*before, "--model.")
    assert "--model.hidden_dim=" in offered(*before, "--model.")


def test_what_one_callback_was_given_is_offered_for_the_next(offered: Offered) -> None:
    """An option belongs to the class before it."""
    before = ["fit", "--trainer.callbacks=EarlyStopping", "--trainer.callbacks.verbose=true"]

    assert offered(*before, "--trainer.callbacks.verb") == []
    assert offered(*before, "--trainer.callbacks+=Timer", "--trainer.callbacks.verb") == [
        "--trainer.callbacks.verbose="
    ]


def test_a_class_of_ones_own_is_no_hindrance(offered: Offered) -> None:
    """What every class of its kind takes can still be completed."""
    before = ("fit", "--model=my_models.X", "--model.optimizer=SGD")

    assert offered(*before, "--model.optimizer.mo") == ["--model.optimizer.momentum="]
    assert offered(*before, "--model.lo") == ["--model.loss=", "--model.loss.", "--model.losses=", "--model.losses."]
    assert offered(*before, "--model.hid") == []
    assert offered("fit", "--model=my_models.") == []


@pytest.mark.parametrize(
    "words",
    [
        ["fit", "--nonsense."],
        ["fit", "--=x"],
        ["fit", "--model.=x"],
        ["fit", "..", "x"],
        ["nonsense", "x"],
        ["fit", "--run="],
    ],
)
def test_nonsense_is_completed_with_nothing(offered: Offered, words: list[str]) -> None:
    """And with no message."""
    assert offered(*words) == []


@pytest.mark.parametrize("arguments", [[], ["tcsh", "x"], ["bash", "x"], ["zsh"]])
def test_a_script_that_asks_wrongly_gets_nothing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that is printed could disturb who is typing."""
    assert main(["completion", "--complete", *arguments]) == 0
    assert capsys.readouterr() == ("", "")


def test_words_are_those_that_lightning_knows() -> None:
    """They are listed by hand, since the annotations do not list them."""
    assert set(WORDS["accelerator"]) <= {"auto", "gpu", *AcceleratorRegistry.available_accelerators()}
    assert set(WORDS["strategy"]) <= {"auto", *StrategyRegistry.available_strategies()}


def test_completing_imports_nothing_heavy() -> None:
    """It is done within the time of a key stroke."""
    line = ["completion", "--complete", "zsh", "fit", "--config=QuickTest", "--model=SmallModel", "--model."]
    script = f"import sys; from mnistlab import main; main({line}); print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)

    assert "--model.hidden_dim=" in done.stdout
    names = {name.partition(".")[0] for name in done.stdout.partition("LOADED")[2].split()}
    assert not names & {"torch", "lightning", "jsonargparse", "numpy"}


def test_bash_gets_the_part_after_the_last_word_break(here: Path) -> None:
    """It breaks words at `=`, `:` and quotes, and takes what it is given as it stands."""
    (here / "a b.yaml").touch()

    assert in_bash(
        "mnistlab fi",
        "mnistlab fit --mo",
        "mnistlab fit --model=Sm",
        "mnistlab fit --model=SmallModel --model.hid",
        "mnistlab fit --config=a",
        'mnistlab fit --config="a',
        "mnistlab fit --config 'a",
        "mnistlab nonsense ",
    ) == [
        ["fit "],
        ["--model=", "--model."],
        ["SmallModel "],
        ["--model.hidden_dim="],
        ["a\\ b.yaml "],
        ["a b.yaml"],
        ["a b.yaml"],
        [],
    ]


def test_tab_works_in_a_real_bash(home: Path) -> None:
    """A class, then an option of it, typed with two strokes of TAB after the installation."""
    assert main(["completion", "bash", "--install"]) == 0

    keys = "mnistlab fit --model=Sm\t--model.hid\t"
    wanted = "mnistlab fit --model=SmallModel --model.hidden_dim="
    assert wanted in on_screen(["bash", "--rcfile", str(home / ".bashrc"), "-i"], "true", keys, wanted)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_tab_works_in_a_real_zsh(home: Path) -> None:
    """The same, and the list shows what each class is."""
    assert not (home / ".zshrc").exists()
    assert main(["completion", "zsh", "--install"]) == 0

    shown = on_screen(["zsh", "-i"], "true", "mnistlab fit --model=Sm\t--model.hid\t", "--model.hidden_dim=")
    assert "SmallModel --model.hidden_dim=" in shown.replace(" \b", "")
    wanted = "Residual MLP of any size"
    assert wanted in on_screen(["zsh", "-i"], "true", "mnistlab fit --model=\t", wanted)


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_finds_the_script_by_itself(home: Path) -> None:
    """No file of the user's is changed."""
    assert main(["completion", "fish", "--install"]) == 0

    done = subprocess.run(
        ["fish", "-c", "complete -C 'mnistlab fit --model=Sm'"],  # noqa: S607 - the fish of this machine
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("--model=SmallModel\tResidual MLP")
    assert not (home / ".bashrc").exists()


@pytest.mark.parametrize(
    ("shell", "startup"), [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", None)], ids=["bash", "zsh", "fish"]
)
def test_installing_twice_is_installing_once_and_can_be_undone(home: Path, shell: str, startup: str | None) -> None:
    """What the user had is there again afterwards, to the byte, and as private as it was."""
    mine = b"alias x=y # caf\xe9"
    if startup:
        (home / startup).write_bytes(mine)
        (home / startup).chmod(0o600)

    assert [main(["completion", shell, "--install"]) for _ in range(2)] == [0, 0]
    if startup:
        assert (home / startup).read_bytes().count(b"# mnistlab completion") == 1
    assert [path for path in home.rglob("*mnistlab*") if "config" in str(path) or "share" in str(path)]

    assert main(["completion", shell, "--uninstall"]) == 0
    assert {path.name for path in home.rglob("*") if path.is_file()} == ({startup} if startup else set())
    if startup:
        assert (home / startup).read_bytes().rstrip(b"\n") == mine
        assert stat.S_IMODE((home / startup).stat().st_mode) == 0o600


def test_the_shell_is_that_of_the_user(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the folders are those that the environment names; what was done is said, and how to undo it."""
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    monkeypatch.setenv("ZDOTDIR", str(home / "dots"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))

    assert main(["completion", "--install"]) == 0
    said = capsys.readouterr().out
    assert (home / "data/mnistlab/completion.zsh").is_file()
    assert str(home / "data/mnistlab/completion.zsh") in (home / "dots/.zshrc").read_text()
    assert str(home / "dots/.zshrc") in said
    assert "mnistlab completion zsh --uninstall" in said


def test_a_linked_startup_file_stays_a_link(home: Path) -> None:
    """It may lie in a repository of the user's."""
    (home / "dots").mkdir()
    (home / "dots" / "bashrc").write_text("# mine\n")
    (home / ".bashrc").symlink_to(home / "dots" / "bashrc")

    assert main(["completion", "bash", "--install"]) == 0
    assert "mnistlab" in (home / "dots" / "bashrc").read_text()
    assert main(["completion", "bash", "--uninstall"]) == 0
    assert (home / ".bashrc").is_symlink()
    assert (home / "dots" / "bashrc").read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["zhs"], "zhs: there is no completion for such a shell. Did you mean zsh"),
        (["bash", "zsh"], "one shell at a time"),
        (["bash", "--instal"], "Did you mean --install"),
        (["bash", "--install", "--uninstall"], "exclude each other"),
        (["--install"], "$SHELL names tcsh"),
    ],
)
def test_mistakes_are_named(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with the way out."""
    monkeypatch.setenv("SHELL", "/bin/tcsh")

    assert main(["completion", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_home_that_cannot_be_written_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file that could not be."""
    (home / ".local").write_text("a file where a folder should be")

    assert main(["completion", "bash", "--install"]) == 2
    assert f"{home}/.local/share/mnistlab/completion.bash cannot be written" in capsys.readouterr().err
    assert not (home / ".bashrc").exists()


def test_a_sweep_and_a_comparison_complete_lists(offered: Offered) -> None:
    """Their own options, those of `fit`, and each of several values with commas between them."""
    assert offered("sweep", "--tri") == ["--trials="]
    assert offered("sweep", "--sampler=t") == ["--sampler=tpe"]
    assert offered("sweep", "--model=choice:SDN8K,Small") == ["--model=choice:SDN8K,SmallModel"]
    assert offered("sweep", "--model=SmallModel", "--model.hid") == ["--model.hidden_dim="]
    assert offered("compare", "--models=SDN8K,CNN8") == ["--models=SDN8K,CNN8K"]
    assert offered("compare", "--mo") == ["--models=", "--model."]
    assert offered("compare", "--models=SDN8K", "--mo") == ["--model."]
    assert "--json" in offered("reproduce", "--")


def test_sections_and_data_of_a_benchmark_are_offered(offered: Offered) -> None:
    """Several sections with commas between them."""
    assert {"--quick", "--only=", "--output=", "--against="} <= set(offered("bench", "--"))
    assert offered("bench", "--only=epochs,s") == [
        "--only=epochs,starts",
        "--only=epochs,scaling",
        "--only=epochs,sweeps",
    ]
    assert offered("bench", "--data=Fa") == ["--data=FashionMNIST"]
    Path("elsewhere").mkdir()
    assert offered("bench", "--against=el") == ["--against=elsewhere/"]
