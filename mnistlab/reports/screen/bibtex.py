"""Sources as BibTeX, from the line that a docstring has on them."""

import re
from dataclasses import dataclass
from typing import NamedTuple

SOFTWARE = "mnistlab"
AUTHORS = "mnistlab developers"

_SOURCE = re.compile(r"(?P<authors>[^()]+) \((?P<year>\d{4})\), (?P<rest>.+?)\.?", re.DOTALL)
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


@dataclass(frozen=True)
class Entry:
    """An entry of a bibliography.

    Attributes:
        kind: `misc`, the one that every style of classic BibTeX knows.
        key: By which it is cited.
        fields: What is known, in BibTeX's words; nothing else.
    """

    kind: str
    key: str
    fields: tuple[tuple[str, str], ...]

    @property
    def words(self) -> str:
        """It in a line."""
        return ", ".join(text.strip("{}") for name, text in self.fields if name != "archiveprefix")

    def __str__(self) -> str:
        """It in BibTeX."""
        lines = [f"  {name} = {{{text}}}," for name, text in self.fields]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def of_software(version: str) -> Entry:
    """Mnistlab itself."""
    fields = (("author", f"{{{AUTHORS}}}"), ("title", f"{{{SOFTWARE}}}"), ("note", f"Software, version {version}"))
    return Entry("misc", f"{SOFTWARE}{version}", fields)


class _Named(NamedTuple):
    """The authors of a source: as a docstring has them, in BibTeX's words, and the first one."""

    said: str

    @property
    def bibtex(self) -> str:
        return " and ".join(re.split(r", | and ", self.said.replace(" et al.", " and others")))

    @property
    def first(self) -> str:
        return re.sub(r"\W", "", re.split(r", | and | et al", self.said)[0]).lower()


def as_entry(source: str, name: str) -> Entry:
    """The source of a class, such as "Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747", as an entry.

    Args:
        source: What its docstring says.
        name: The class, by which it is cited where the source names no authors.
    """
    found = _SOURCE.fullmatch(source)
    if not found:
        return Entry("misc", name.lower(), (("note", source),))
    authors, rest = _Named(found["authors"]), found["rest"]
    arxiv = _ARXIV.search(rest)
    fields = [("author", authors.bibtex), ("year", found["year"])]
    before = (rest[: arxiv.start()] if arxiv else rest).strip(" ,")
    title, _, where = before.partition(", ")
    fields += [("title", f"{{{title}}}")] if title else []
    fields += [("howpublished", where)] if where else []
    fields += [("eprint", arxiv[1]), ("archiveprefix", "arXiv")] if arxiv else []
    return Entry("misc", f"{authors.first}{found['year']}", tuple(fields))
