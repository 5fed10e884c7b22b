"""Text on a terminal: its size, columns, wrapped paragraphs. Plain characters only. And tables for spreadsheets."""

import csv
import io
import os
import re
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from mnistlab.text.words import first_sentence

_PIPE = (80, 24)
_NARROWEST, _WIDEST = 40, 120  # narrower, names would be cut; wider, lines are hard to read

_LAST, _BELOW = 16, 4
"""The room in which the last column of a table is wrapped beside the others, and its indentation below them."""


def screen_width() -> int:
    """The width to write for: that of the terminal, 80 where the output is none."""
    return min(max(_screen().columns, _NARROWEST), _WIDEST)


def beside(parts: Sequence[str]) -> list[str]:
    """The parts of a line beside each other; on a terminal that is too narrow the others stand below, none is cut."""
    lines = [parts[0]]
    for part in parts[1:]:
        if sys.stdout.isatty() and len(lines[-1]) + 2 + len(part) > _screen().columns:
            lines.append(f"    {part}")
        else:
            lines[-1] += f"  {part}"
    return lines


def wrapped(text: str) -> list[str]:
    """The lines of a text on a terminal; elsewhere it is one."""
    return paragraph(text, _screen().columns, 2, "") if sys.stdout.isatty() else [text]


def screen_height() -> int:
    """The lines that can be read at once, with the prompt below them."""
    return _screen().lines - 1


def _screen() -> os.terminal_size:
    if not sys.stdout.isatty():
        return os.terminal_size(_PIPE)
    from shutil import get_terminal_size  # noqa: PLC0415 - what else it brings takes a tenth of the overview's time

    return get_terminal_size(_PIPE)


def paragraph(text: str, width: int, indent: int = 0, opening: str | None = None) -> list[str]:
    """The lines of a text, the first one after `opening`; words are never broken."""
    margin = " " * indent
    return textwrap.wrap(
        text,
        width,
        initial_indent=margin if opening is None else opening,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def fitted(text: str) -> str:
    """A text whose lines are broken between words where the terminal is too narrow for them.

    What follows stands below the second column, where there is one. A command stays whole, to be copied,
    and so does a line of a file.
    """
    if not sys.stdout.isatty():
        return text
    width = _screen().columns
    return "\n".join(part for line in text.splitlines() for part in _broken(line, width))


def _broken(line: str, width: int) -> list[str]:
    if len(line) <= width or line.startswith(("  mnistlab ", "# ")):
        return [line]
    column = re.match(r" *\S+(?: \S+)* {2,}", line)
    indent = column.end() if column and column.end() <= width // 2 else len(line) - len(line.lstrip()) + 2
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def shortened(text: str, width: int) -> str:
    """A text that fits: its first sentence, else that to a pause, else as many words as fit."""
    sentence = first_sentence(text).removesuffix(".")
    for part in (sentence, sentence.partition(";")[0], sentence.partition(": ")[0]):
        if len(part) <= width:
            return part
    words = sentence[: width - 3].rpartition(" ")[0] or sentence[: width - 3]
    return f"{words.rstrip(' ,;:(')}..."


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Sequence[int] = ()) -> list[str]:
    """Rows in columns, of which the last one is wrapped, or stands below, and the others are never cut.

    Args:
        head: The names of the columns.
        rows: The cells.
        width: Of the whole.
        right: The columns that are aligned to the right: numbers.
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head) - 1)]
    indent = sum(widths) + 2 * len(widths) + 2
    needed = min(_LAST, max(len(row[-1]) for row in (head, *rows)))

    def line(row: Sequence[str]) -> Iterator[str]:
        cells = [
            cell.rjust(size) if column in right else cell.ljust(size)
            for column, (cell, size) in enumerate(zip(row, widths, strict=False))
        ]
        first = "  ".join(["", *cells, ""])
        if width - indent < needed:
            yield first.rstrip()
            yield from paragraph(row[-1], width, _BELOW)
            return
        last = paragraph(row[-1], width, indent, first) or [first]
        yield last[0].rstrip()
        yield from last[1:]

    return [text for row in (head, *rows) for text in line(row)]


def as_csv(rows: Sequence[Mapping[str, object]], without_rows: Iterable[str] = ()) -> str:
    """Rows as CSV, where there are none those columns, or nothing; a column that a row does not have stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row)) or [*without_rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if columns:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows as a table of Markdown.

    Args:
        head: The names of the columns.
        rows: The cells; what is a sign of Markdown in them is none there.
        right: The columns that are aligned to the right.
    """
    plain = [[re.sub(r"([\\`*_<\[|])", r"\\\1", cell) for cell in row] for row in (head, *rows)]
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (plain[0], rule, *plain[1:])]


_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "±": r"$\pm$",
        "\u2013": "--",
    }
)


def as_latex(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows as a table of LaTeX, which needs the package booktabs; for the arguments see `as_markdown`."""
    columns = "".join("r" if column in right else "l" for column in range(len(head)))
    first, *others = (f"{' & '.join(cell.translate(_LATEX) for cell in row)} \\\\" for row in (head, *rows))
    opening = ["% needs \\usepackage{booktabs}", f"\\begin{{tabular}}{{{columns}}}", r"\toprule"]
    return [*opening, first, r"\midrule", *others, r"\bottomrule", r"\end{tabular}"]
