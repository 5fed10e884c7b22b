"""`mnistlab board`: writes the page of a class, or serves it."""

from pathlib import Path

from mnistlab.errors import LabError
from mnistlab.options.arguments import Arguments
from mnistlab.reports.board.asked import Board
from mnistlab.reports.board.page import page
from mnistlab.system.files import telling, write_text
from mnistlab.text.values import moment

_OF_SERVING = ("host", "port")


def show_board(asked: Arguments) -> int:
    """Write the page, or serve it until it is interrupted; the exit code.

    Raises:
        LabError: If the folder is none, a filter is none, the file cannot be written, or the port is taken.
    """
    serves = "serve" in asked.switches
    typed = asked.values.keys() - asked.usual
    wrong = [name for name in (("output",) if serves else _OF_SERVING) if name in typed]
    if wrong:
        other = "a board that is served is no file" if serves else "it is for a board that is served, with --serve"
        raise LabError(f"--{wrong[0]}={asked.values[wrong[0]]}: {other}.")
    board = Board(asked)
    shown = board.standing()  # a mistake is told before anything is written or served
    if serves:
        from mnistlab.reports.board.serving import serve  # noqa: PLC0415 - brings a server in

        return serve(board, asked.values.get("host", "127.0.0.1"), int(asked.values.get("port", "8321")))
    path = Path(asked.values.get("output", "board.html"))
    from mnistlab.runs.record import now  # noqa: PLC0415 - not for a board that is served

    if shown.missing:
        raise LabError(f"{shown.missing} Nothing was written.")
    closing = f"Written by mnistlab board, {moment(now(), 'minutes')} UTC: it shows what there was then."
    text = page(shown, board.by, best=board.best, closing=closing)
    with telling(path, "Name a file with --output=..."):
        write_text(path, text)
    print(f"wrote {path}")
    return 0
