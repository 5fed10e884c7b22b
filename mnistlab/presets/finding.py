"""Which presets there are, and where: YAML files, and classes in Python files, which are read without being run."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.kit import kit_folder, misplaced
from mnistlab.options.notation import at_home
from mnistlab.presets.shipped import FOLDERS
from mnistlab.text.nearest import suggestion

BASE = "Preset"
"""What a preset in Python derives from."""

SUFFIXES = (".yaml", ".yml", ".py")

_OWN = Path("presets")


@dataclass(frozen=True)
class PresetEntry:
    """A preset.

    Attributes:
        name: What `--config=` takes.
        description: What it says of itself.
        path: The file that it stands in.
        shadows: The file of the preset that it hides, of the kit or shipped.
        problem: Why its file cannot be read; None where it can.
    """

    name: str
    description: str
    path: Path
    shadows: Path | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Found:
    """What `--config=` names.

    Attributes:
        path: The file.
        name: The class in a Python file; None for YAML, and where the file is to have one preset only.
        shadows: The file of the preset that it hides, of the kit or shipped.
    """

    path: Path
    name: str | None = None
    shadows: Path | None = None


def list_presets() -> list[PresetEntry]:
    """All presets: those of the folder `presets` here, of the kit, and shipped, each but for what the former hide."""
    found: list[PresetEntry] = []
    for folder in reversed(_folders()):
        weaker = {entry.name: entry.path for entry in found}
        own = [replace(entry, shadows=weaker.get(entry.name)) for entry in _in_folder(folder)]
        hidden = {entry.name for entry in own}
        found = [*own, *(entry for entry in found if entry.name not in hidden)]
    return found


def presets_in(folder: Path) -> list[PresetEntry]:
    """The presets of a folder."""
    return [*_in_folder(folder)]


def find_preset(name: str, said: str = "", beside: Path = Path()) -> Found:
    """The file that `--config=name` means: a path, a preset's name, or both as in `my_presets.py:Wide`.

    Args:
        name: What was written.
        said: How, for messages; by default `--config=name`.
        beside: Where a path begins.

    Raises:
        LabError: If there is none, or the name stands for several.
    """
    text, _, class_name = name.rpartition(":") if name.rpartition(":")[0].endswith(".py") else (name, "", "")
    said, path = said or f"--config={name}", beside / at_home(text)
    if path.suffix in SUFFIXES or path.is_file():
        return Found(path, class_name or None)
    if path.is_dir() or "/" in text:
        raise LabError(f"{said}: {_not_a_file(path)}")
    entries = list_presets()
    found = [entry for entry in entries if entry.name == name]
    if not found:
        known = list(dict.fromkeys(entry.name for entry in entries))
        listed = f"There are {', '.join(known)}." if known else "There are no presets."
        hint = suggestion(name, known)
        of_kit = "".join(f" {sentence}" for sentence in misplaced("presets"))
        raise LabError(f"{said}: there is neither such a file nor such a preset.{hint} {listed}{of_kit}")
    if len(found) > 1:
        places = " and ".join(str(entry.path) for entry in found)
        raise LabError(f"{said}: several presets are called {name}, in {places}. Name the file too.")
    (entry,) = found
    return Found(entry.path, entry.name if entry.path.suffix == ".py" else None, entry.shadows)


def preset_classes(text: str) -> dict[str, str]:
    """The presets in the source of a Python file, by name, with their descriptions; nothing is run.

    A preset is a public class that derives from a preset, or the clone of one; `Preset` and `preset(...)` are presets.

    Raises:
        SyntaxError: If it is no Python.
    """
    return _described(parsed(text), frozenset())


def comment(text: str) -> str:
    """The words of the comment that a YAML file opens with, without commands and notes for editors."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words = line.lstrip("#").strip()
        if not words.startswith(("mnistlab ", "yaml-language-server:")):
            lines.append(words)
    return _first_paragraph("\n".join(lines))


def parsed(text: str) -> ast.Module:
    """The tree of a Python file, which is not run; what no parser takes is no Python.

    Raises:
        SyntaxError: If it is none.
    """
    try:
        return ast.parse(text)
    except (ValueError, MemoryError, RecursionError) as error:
        raise SyntaxError("it is nested too deeply, or no text") from error


def _in_folder(folder: Path) -> Iterator[PresetEntry]:
    files = (
        sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES and path.is_file())
        if folder.is_dir()
        else []
    )
    sources = {path: _read(path) for path in files}
    known = _names_of_presets(sources)
    for path, text in sources.items():
        if path.suffix != ".py":
            yield PresetEntry(path.stem, comment(text), path)
            continue
        try:
            found = _described(parsed(text), known)
        except SyntaxError as error:
            place = f"line {error.lineno}: " if error.lineno else ""
            yield PresetEntry(path.stem, "", path, problem=f"{place}{error.msg}")
            continue
        for name, description in found.items():
            yield PresetEntry(name, description, path)


def _names_of_presets(sources: Mapping[Path, str]) -> frozenset[str]:
    """The names of all presets in Python files that lie together: one may derive from that of another file."""
    names: frozenset[str] = frozenset()
    while True:
        more: set[str] = set()
        for path, text in sources.items():
            if path.suffix == ".py":
                try:
                    more.update(_described(parsed(text), names))
                except SyntaxError:
                    continue
        if more <= names:
            return names
        names |= more


def _described(module: ast.Module, known: frozenset[str]) -> dict[str, str]:
    """The presets among what a module defines, by name; `known` are presets that it may import."""
    presets = {BASE, *known}
    found: dict[str, str] = {}
    for node in module.body:
        match node:
            case ast.ImportFrom(names=names):
                presets.update(alias.asname for alias in names if alias.asname and alias.name in presets)
            case ast.ClassDef(name=name, bases=bases) if any(preset_in(base) in presets for base in bases):
                presets.add(name)
                found[name] = _first_paragraph(ast.get_docstring(node) or "")
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if preset_in(call) in presets:
                presets.add(name)
                found[name] = f"{ast.unparse(call.func).removesuffix('.clone')}, changed."
    return {name: description for name, description in found.items() if not name.startswith("_")}


def preset_in(node: ast.expr) -> str:
    """The preset that an expression is or is made from, if it is one; `preset(...)` gives one of any name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Attribute(value=inner, attr="clone")):
            return preset_in(inner)
        case ast.Call(func=ast.Name(id="preset") | ast.Attribute(attr="preset")):
            return BASE
    return ""


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # said by whoever uses it


def _folders() -> list[Path]:
    """The folders of presets, the strongest first, each once."""
    of_kit = kit_folder("presets")
    shipped = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])
    every = [_OWN, *([Path(of_kit)] if of_kit else []), shipped]
    return [*{folder.resolve(): folder for folder in every}.values()]


def _not_a_file(path: Path) -> str:
    if (path / "config.yaml").is_file():
        return f"this is the folder of a run. Its configuration is {path / 'config.yaml'}."
    if path.is_dir():
        return "this is a folder; a YAML file, a Python file or the name of a preset is wanted."
    return "there is no such file."
