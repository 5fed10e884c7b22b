"""The catalogue is right for what is installed, whatever became of the files that it is kept in."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import mnistlab
from mnistlab import main
from mnistlab.catalogue import Catalogue, load_catalogue, store

PACKAGE = Path(mnistlab.__file__).parent
ROOT = PACKAGE.parent
DAY = 24 * 3600

Models = Callable[[], str]


class Maker:
    """Stands in for the making of a catalogue, which takes seconds.

    Attributes:
        made: How many were made.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.made = 0
        self._data = catalogue.as_dict()

    def __call__(self) -> Catalogue:
        """A catalogue that says how many were made."""
        self.made += 1
        self._data["kinds"]["model"]["classes"]["TinyModel"]["summary"] = f"Made {self.made} times."
        return Catalogue.from_dict(self._data)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's folder in a cache that is empty; nothing is shipped."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "none.json")
    return tmp_path / "cache" / "mnistlab"


@pytest.fixture
def maker(cache: Path, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue) -> Maker:
    """Makes catalogues in a moment."""
    del cache
    made = Maker(catalogue)
    monkeypatch.setattr(store, "new_catalogue", made)
    return made


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The true one."""
    return load_catalogue()


@pytest.fixture
def models(capsys: pytest.CaptureFixture[str]) -> Models:
    """Prints the table of the models, without a word on the standard error."""

    def shown() -> str:
        assert main(["models"]) == 0
        outcome = capsys.readouterr()
        assert not outcome.err
        return outcome.out

    return shown


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """What the file says that wheels carry, if it is for the versions here."""
    found: dict[str, Any] = json.loads(store.SHIPPED.read_text())
    versions = {name: version for name, version in found["identity"].items() if name != "source"}
    now = {name: version for name, version in store.current_identity().items() if name != "source"}
    if versions != now:
        pytest.skip(f"it is for {versions}, here are {now}")
    return found


def test_what_is_shipped_is_what_there_is(
    shipped: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever changes an option or a docstring writes the catalogue down again: `nox -s catalogue`."""
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "none.json")

    assert shipped["catalogue"] == json.loads(json.dumps(load_catalogue().as_dict())), "run `nox -s catalogue`"


@pytest.mark.slow
def test_what_is_shipped_is_for_this_source(shipped: dict[str, Any]) -> None:
    """Whoever makes a wheel writes it down again after any change, or the first help of the wheel takes seconds."""
    assert shipped["identity"] == store.current_identity(), "run `nox -s catalogue`"


def test_a_catalogue_is_kept(maker: Maker, cache: Path, models: Models) -> None:
    """The second call reads what the first one wrote, and nothing but that lies there."""
    assert "Made 1 times." in models()
    assert "Made 1 times." in models()

    assert maker.made == 1
    assert [path.suffix for path in cache.iterdir()] == [".json"]


@pytest.mark.parametrize("package", ["torch", "lightning", "jsonargparse"])
def test_another_version_has_another_catalogue(
    maker: Maker, models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str
) -> None:
    """Both are kept; another build of the same version is the same."""
    models()
    true = metadata.version(package)

    def pretend(version: str) -> None:
        (tmp_path / version / f"{package}-{version}.dist-info").mkdir(parents=True)
        monkeypatch.syspath_prepend(tmp_path / version)

    pretend("99.1")
    assert "Made 2 times." in models()
    pretend("99.1+cpu")
    assert "Made 2 times." in models()
    pretend(true)
    assert "Made 1 times." in models()
    assert maker.made == 2


@pytest.mark.parametrize("change", ["edit", "new", "rename", "delete"])
def test_every_change_of_the_source_counts(
    maker: Maker, models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    """A module that is edited, added, renamed or deleted; the presets of a wheel do not count."""
    copy = tmp_path / "mnistlab"
    copy.mkdir()
    module = copy / "module.py"
    module.write_text("one = 1\n")
    monkeypatch.setattr(store, "PACKAGE", copy)
    models()
    (copy / "presets_shipped").mkdir()
    (copy / "presets_shipped" / "mine.py").write_text("two = 2\n")
    models()
    assert maker.made == 1

    if change == "edit":
        module.write_text("one = 2\n")
    elif change == "new":
        (copy / "other.py").write_text("")
    elif change == "rename":
        module.rename(copy / "other.py")
    else:
        module.unlink()

    assert "Made 2 times." in models()


def test_what_is_edited_meanwhile_is_not_kept(
    maker: Maker, cache: Path, models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody knows whether it is for the source before the edit or after it."""
    module = tmp_path / "package" / "module.py"
    module.parent.mkdir()
    module.write_text("one = 1\n")
    monkeypatch.setattr(store, "PACKAGE", module.parent)

    def edited() -> Catalogue:
        module.write_text(f"one = {maker.made + 2}\n")
        return maker()

    monkeypatch.setattr(store, "new_catalogue", edited)
    assert "Made 1 times." in models()
    assert not [*cache.iterdir()]


def test_who_waits_is_told_why(
    maker: Maker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal, and only while a catalogue is made."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    for told in (["mnistlab: looking up the classes that are installed; once, for some seconds"], []):
        assert main(["models"]) == 0
        assert capsys.readouterr().err.splitlines() == told
    assert maker.made == 1


@pytest.mark.parametrize(
    "damage",
    [b"", b"\xff\xfe\x00", b"[]", b"{}", b"null", b'{"identity": 1, "catalogue": {}}', "cut", "shape", "folder"],
)
def test_a_damaged_file_is_made_anew(maker: Maker, cache: Path, models: Models, damage: bytes | str) -> None:
    """Whatever is in it, nobody hears of it."""
    models()
    (kept,) = cache.iterdir()
    content = kept.read_bytes()
    if isinstance(damage, bytes):
        kept.write_bytes(damage)
    elif damage == "cut":
        kept.write_bytes(content[: len(content) // 2])
    elif damage == "shape":
        found = json.loads(content)
        kept.write_text(json.dumps({**found, "catalogue": {**found["catalogue"], "top": [{"nonsense": 1}]}}))
    else:
        kept.unlink()
        kept.mkdir()

    assert "Made 2 times." in models()
    assert maker.made == 2
    assert "Made" in models()
    assert maker.made == (3 if damage == "folder" else 2)
    assert not [path for path in cache.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("place", ["file", "missing", "read-only"])
def test_a_cache_that_cannot_be_written_costs_time_only(
    maker: Maker, models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """A file where the folder should be, no such device, a folder without the right to write."""
    folder = tmp_path / "place"
    if place == "file":
        folder.write_text("")
    elif place == "missing":
        folder = Path("/proc/nowhere")
    else:
        folder.mkdir(mode=0o500)
        monkeypatch.setattr("mnistlab.catalogue.store.write_text", _refuse)  # root may write anywhere
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))

    assert "Made 1 times." in models()
    assert "Made 2 times." in models()
    assert maker.made == 2


def _refuse(*_: object, **__: object) -> int:
    raise PermissionError(13, "Permission denied")


def test_old_catalogues_are_forgotten(maker: Maker, cache: Path, models: Models) -> None:
    """Those of other versions that are older than a month, and all but the newest twenty, when a new one is written."""
    cache.mkdir(parents=True)
    now = cache.stat().st_mtime
    for name, days in {"old": 31, "young": 29, **{f"many{number}": 1 for number in range(30)}}.items():
        path = cache / f"catalogue-{name}.json"
        path.write_text("{}")
        os.utime(path, (now - days * DAY,) * 2)
    (cache / "other.json").write_text("")
    os.utime(cache / "other.json", (0, 0))

    models()

    names = {path.name for path in cache.iterdir()}
    assert maker.made == 1
    assert "catalogue-old.json" not in names
    assert "other.json" in names
    assert len(names) == 21


def test_without_torch_the_way_out_is_named(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and no traceback."""
    del cache
    monkeypatch.setattr(sys, "path", [str(ROOT), *(path for path in sys.path if "site-packages" not in path)])

    assert main(["models"]) == 2

    assert "No module named" in (said := capsys.readouterr().err)
    assert "mnistlab doctor" in said
    assert len(said.splitlines()) == 1


def run(package: Path, cache: Path, *arguments: str) -> str:
    """What a process prints that finds `package` first and must not import torch."""
    code = "import sys; from mnistlab.cli import main; c = main(sys.argv[1:]); print(*sys.modules); sys.exit(c)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": str(cache)},
        cwd=cache.parent,
    )
    printed, _, modules = done.stdout.rstrip().rpartition("\n")
    assert not {"torch", "lightning", "jsonargparse"} & set(modules.split())
    return printed


@pytest.mark.slow
def test_an_edit_is_seen_in_the_help(tmp_path: Path) -> None:
    """A default and a docstring that are changed in a copy of the package, and data that need an option."""
    copy = tmp_path / "copy" / "mnistlab"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    module = copy / "models" / "mlp.py"
    text = module.read_text()
    assert "hidden_dim: PositiveInt = 256, layers" in text
    edited = text.replace("hidden_dim: PositiveInt = 256, layers", "hidden_dim: PositiveInt = 257, layers")
    module.write_text(edited.replace("Width of every block.", "How wide each block is."))
    with (copy / "data" / "digits.py").open("a") as file:
        file.write(
            '\n\nclass NeedyData(SyntheticDigits):\n    """Digits of one\'s own."""\n\n'
            "    def __init__(self, path: str, **kwargs: Any) -> None:\n        super().__init__(**kwargs)\n"
        )

    page = run(copy, tmp_path / "cache", "fit", "--model.help=SmallModel")

    assert "--model.hidden_dim=257" in page
    assert "How wide each block is." in page
    assert page == run(copy, tmp_path / "cache", "fit", "--model.help=SmallModel")
    listed = {row["name"]: row for row in json.loads(run(copy, tmp_path / "cache", "datasets", "--json"))}
    assert (listed["NeedyData"]["needs"], listed["NeedyData"]["classes"]) == (["path"], None)
    assert "--data=MultiheadMNIST" in run(copy, tmp_path / "cache", "fit", "--model.help=MultiheadCNN422K")


@pytest.mark.parametrize("is_writable", [True, False])
def test_of_several_that_need_one_at_the_same_time_one_makes_it(
    maker: Maker, cache: Path, monkeypatch: pytest.MonkeyPatch, is_writable: bool
) -> None:
    """The others wait for it, as whole processes would; where none can be kept each makes its own."""

    def slowly() -> Catalogue:
        time.sleep(0.2)
        return maker()

    monkeypatch.setattr(store, "new_catalogue", slowly)
    if not is_writable:
        cache.parent.mkdir()
        cache.write_text("in the way")
    with ThreadPoolExecutor(3) as at_once:
        found = [*at_once.map(lambda _: load_catalogue(), range(3))]

    assert maker.made == (1 if is_writable else 3)
    assert all("TinyModel" in each.kinds["model"].classes for each in found)
    assert not is_writable or len([*cache.iterdir()]) == 1


def wheel(folder: Path, change: Callable[[Path], object]) -> Path:
    """The package out of a wheel of this source, with a catalogue for it, after a change of its source."""
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("mnistlab", "presets"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    shipped = source / store.SHIPPED.relative_to(ROOT)
    store.write_catalogue(shipped, store.current_identity(), load_catalogue())
    change(source / "mnistlab")
    has_hatchling = not subprocess.run([sys.executable, "-c", "import hatchling"], capture_output=True).returncode  # noqa: PLW1510
    isolation = ["--no-build-isolation"] if has_hatchling else []
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *isolation, "-w", str(folder), str(source)]
    subprocess.run(command, check=True)
    (made,) = folder.glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed" / "mnistlab"


@pytest.mark.slow
def test_a_wheel_carries_its_catalogue(tmp_path: Path) -> None:
    """The first help after an installation needs neither torch nor a cache, in a folder that has neither."""
    package = wheel(tmp_path, lambda _: None)
    nowhere = tmp_path / "cache"
    nowhere.write_text("no folder, so that nothing can be kept")

    assert "--model.hidden_dim=512" in run(package, nowhere, "fit", "--help")
    assert "135,562" in run(package, nowhere, "models")
    assert "QuickTest" in run(package, nowhere, "presets")
    assert "--model.optimizer.momentum=0" in run(package, nowhere, "fit", "--model.optimizer.help=SGD")


@pytest.mark.slow
def test_a_wheel_of_edited_source_carries_no_old_catalogue(tmp_path: Path) -> None:
    """A model that somebody has added and installed is in its help."""

    def add(package: Path) -> None:
        with (package / "models" / "mlp.py").open("a") as file:
            file.write('\n\nclass OwnModel(SmallModel):\n    """A model of my own."""\n\n    name = "own"\n')

    package = wheel(tmp_path, add)

    assert not (package / "catalogue" / "shipped.json").exists()
    assert "A model of my own." in run(package, tmp_path / "cache", "models")
