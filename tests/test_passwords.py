"""The password of an address stands nowhere but in it, and reaches whoever opens it."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest

from mnistlab.cli import main
from mnistlab.options.annotations import members
from mnistlab.options.classes import candidates
from mnistlab.options.signatures import options
from mnistlab.sections.parts import Sweep, TopLevel
from mnistlab.sections.run import Run
from mnistlab.text.addresses import Address, is_incomplete, kept_out, masked, opened, without_mask
from mnistlab.trackers import Tracker

Fit = Callable[..., Path]

SECRET = "s3cr3tPW"  # noqa: S105 - what is looked for
TOKEN = "0123456789abcdef0123456789abcdef01234567"  # noqa: S105 - as long as a real one
REAL = f"http://bob:{SECRET}@127.0.0.1:1"
MASKED = "http://bob:***@127.0.0.1:1"
OWNERS = [TopLevel, Run, Sweep, *(cls for classes in candidates((Tracker,)).values() for cls in classes)]

SPY = """
from hashlib import sha256
from pathlib import Path
from mnistlab.trackers import Tracker

class Spy(Tracker):
    def __init__(self, uri: str = "http://eve:inTheSource@host") -> None:
        self.uri = uri

    def begin(self, run):
        Path("seen").write_text(sha256(self.uri.encode()).hexdigest())
        raise OSError(f"cannot reach {self.uri} at all")

    def row(self, epoch, metrics): ...
    def end(self, run): ...
"""


def addressed(cls: type) -> list[str]:
    """The options of a class that are of the type of addresses."""
    hints = get_type_hints(cls.__init__, include_extras=True)  # type: ignore[misc]
    return [name for name, hint in hints.items() if Address in (hint, *get_args(hint))]


FOUND = [(cls, name) for cls in OWNERS for name in addressed(cls)]


@pytest.fixture(autouse=True)
def _tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others keep in the environment, and MLflow's patience."""
    for name in ("WANDB_API_KEY", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD", "COMET_API_KEY"):
        monkeypatch.setenv(name, TOKEN)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def spy(here: Path) -> Callable[[], str]:
    """A tracker of one's own, and what it was given."""
    (here / "mine.py").write_text(SPY)
    return (here / "seen").read_text


@pytest.fixture
def leaks(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Where a secret stands: in files below this folder, but for those that a user has written, and on the screen."""

    def found(*own: str) -> Iterator[str]:
        screen = capsys.readouterr()
        texts = {"screen": (screen.out + screen.err).encode()}
        texts |= {str(path): path.read_bytes() for path in here.rglob("*") if path.is_file() and path.name not in own}
        for place, content in texts.items():
            for secret in (SECRET, TOKEN, "inTheSource"):
                if secret.encode() in content:
                    yield place

    return lambda *own: list(found("mine.py", "mine.pyc", *own, *(f"{name}c" for name in own)))


def everything_shown(folder: Path) -> None:
    """Look at a run in all ways that there are."""
    for command in (
        ["runs"],
        ["runs", "--json"],
        ["runs", "--csv"],
        ["runs", "show", "last"],
        ["runs", "show", "last", "--json"],
        ["report", str(folder)],
        ["inspect", "last"],
        ["inspect", "last", "--json"],
        ["test", "--ckpt_path=last"],
    ):
        assert main(command) == 0, command


def test_addresses_are_known_by_their_type() -> None:
    """An option that is called like one is of their type, and the walk finds the two that there are."""
    names = ("uri", "url", "storage", "address", "host", "server", "endpoint")
    called_so = [
        (cls, name)
        for cls in OWNERS
        for name, option in options(cls).items()
        if str in members(option.annotation) and any(word in name.lower().split("_") for word in names)
    ]

    assert called_so == FOUND
    assert {f"{cls.__name__}.{name}" for cls, name in FOUND} == {"Sweep.storage", "MLflow.uri"}
    assert get_origin(Address) is Annotated


@pytest.mark.parametrize(("cls", "name"), [each for each in FOUND if issubclass(each[0], Tracker)])
def test_a_run_neither_writes_nor_says_a_password(
    fit: Fit, leaks: Callable[..., list[str]], cls: type[Tracker], name: str
) -> None:
    """Nor a token of the environment: no file of a run, no command that shows it."""
    pytest.importorskip(cls.module)
    folder = fit(f"--logger={cls.__name__}", f"--logger.{name}={REAL}")
    everything_shown(folder)
    main(["fit", f"--ckpt_path={folder}", f"--logger.{name}={REAL}", "--trainer.max_epochs=2"])
    main(["fit", "--print_config=origins", f"--logger={cls.__name__}", f"--logger.{name}={REAL}"])
    main(["fit", f"--logger={cls.__name__}", f"--logger.{name}={REAL}", "--modle=x"])
    main(["fit", f"--logger={cls.__name__}", f"--logger.{name[:-1]}={REAL}"])

    assert leaks() == []
    assert MASKED in (folder / "config.yaml").read_text()
    assert MASKED in (folder / "run.json").read_text()


@pytest.mark.usefixtures("inline")
def test_a_sweep_neither_writes_nor_says_a_password(
    here: Path, small_data: tuple[str, ...], leaks: Callable[..., list[str]]
) -> None:
    """Of its runs' trackers; of a database that refuses it the error says which one is meant."""
    sweep = ["sweep", "--model=TinyModel", "--model.hidden_dim=choice:8,16", *small_data, "--trainer.max_epochs=1"]
    assert main([*sweep, "--name=it", "--logger=mlflow", f"--logger.uri={REAL}"]) == 0
    assert main(["report", "it"]) == 0
    assert main([*sweep, f"--storage=postgresql://lab:{SECRET}@127.0.0.1:1/x?connect_timeout=1"]) == 1

    assert leaks() == []
    assert MASKED in (here / "runs/it/sweep.json").read_text()


@pytest.mark.parametrize(
    ("files", "option"),
    [
        ({}, f"--logger.uri={REAL}"),
        ({}, f"--logger={{class_path: mine.Spy, init_args: {{uri: '{REAL}'}}}}"),
        ({"one.yaml": f"logger:\n  class_path: mine.Spy\n  init_args:\n    uri: {REAL}\n"}, "--config=one.yaml"),
        ({"spy.yaml": f"class_path: mine.Spy\ninit_args: {{uri: {REAL}}}\n"}, "--logger=spy.yaml"),
        (
            {
                "two.py": "from mine import Spy\nfrom mnistlab import Preset, config\n"
                f"class Two(Preset):\n    logger = [config(Spy, uri='{REAL}')]\n"
            },
            "--config=two.py",
        ),
    ],
    ids=["typed", "in brackets", "configuration", "section", "Python"],
)
def test_a_password_reaches_whoever_opens_the_address(
    fit: Fit, spy: Callable[[], str], leaks: Callable[..., list[str]], files: dict[str, str], option: str
) -> None:
    """Wherever it was written; an error that quotes the address is told without it."""
    for name, text in files.items():
        Path(name).write_text(text)
    fit(*(["--logger=mine.Spy"] if option.startswith("--logger.uri") else []), option)

    assert spy() == sha256(REAL.encode()).hexdigest()
    assert leaks(*files) == []


def test_a_password_in_a_signature_is_not_written_down(
    fit: Fit, spy: Callable[[], str], leaks: Callable[..., list[str]]
) -> None:
    """A default stands in the configuration as well."""
    folder = fit("--logger=mine.Spy")

    assert spy() == sha256(b"http://eve:inTheSource@host").hexdigest()
    assert leaks() == []
    assert "http://eve:***@host" in (folder / "config.yaml").read_text()


def test_a_run_that_goes_on_takes_the_password_from_elsewhere(
    fit: Fit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From MLflow's own variables; where there is none, a line says so."""
    pytest.importorskip("mlflow")
    address = "http://ann:***@127.0.0.1:1"  # as `config.yaml` has it; in this process nobody has typed the real one
    folder = fit("--logger=mlflow", f"--logger.uri={address}")
    said = "note: the password of http://ann:***@127.0.0.1:1 is kept nowhere. Say it with MLFLOW_TRACKING_PASSWORD=..."
    assert said not in capsys.readouterr().err
    for name in ("MLFLOW_TRACKING_TOKEN", "PGPASSWORD"):
        monkeypatch.delenv(name)
    assert main(["fit", f"--ckpt_path={folder}", f"--trust={address}", "--trainer.max_epochs=2"]) == 0

    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("real", "shown", "bare"),
    [
        ("http://dora:pw@127.0.0.1:1", "http://dora:***@127.0.0.1:1", "http://dora@127.0.0.1:1"),
        ("postgresql://u:p@ss@h:5432/db?x=a@b", "postgresql://u:***@h:5432/db?x=a@b", "postgresql://u@h:5432/db?x=a@b"),
        ("postgresql://u:p/w@h/db", "postgresql://u:***@h/db", "postgresql://u@h/db"),
        ("postgresql://:pw@[::1]:5432/d", "postgresql://:***@[::1]:5432/d", "postgresql://@[::1]:5432/d"),
        ("https://h/x?api_key=z,y&a=1&Password=q", "https://h/x?api_key=***&a=1&Password=***", "https://h/x?a=1"),
        ("http://bob:a%40b@h/?token=t", "http://bob:***@h/?token=***", "http://bob@h/"),
    ],
)
def test_a_mask_takes_the_place_of_each_password(real: str, shown: str, bare: str) -> None:
    """In any text around it; who opens the address has all of it, and nobody who does not know it."""
    assert masked(real) == masked(shown) == shown
    assert masked(f"[{{uri: '{real}'}}, {real}]") == f"[{{uri: '{shown}'}}, {shown}]"
    assert is_incomplete(shown)
    assert without_mask(shown) == bare
    assert kept_out(f"--logger.uri={real}", typed=True) == f"--logger.uri={shown}"
    assert opened(shown) == real
    assert not is_incomplete(shown)


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:///runs/a:b@c.db",
        "http://host:5000/ann@lab",
        '{"uri": "http://host:5000","mail":"ann@lab"}',
        "http://ann@host",
        "mlflow ui --backend-store-uri=sqlite:///runs/mlflow.db",
        "s3://bucket/a?version=3",
        "token=abc",
    ],
)
def test_what_holds_no_password_stays(text: str) -> None:
    """A port is none, nor is a name."""
    assert masked(text) == text


def test_of_two_passwords_the_typed_one_counts() -> None:
    """A file that says another one does not undo it."""
    kept_out("http://carl:typed@h", typed=True)
    kept_out("http://carl:older@h")

    assert opened("http://carl:***@h") == "http://carl:typed@h"
