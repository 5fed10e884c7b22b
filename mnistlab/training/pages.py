"""Exports of a run, and pages of several runs side by side."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from mnistlab.errors import LabError, say
from mnistlab.export.document import page_of, parts_of
from mnistlab.system.files import replacing
from mnistlab.system.handing import hand_over
from mnistlab.text.values import counted
from mnistlab.training.export_options import Export
from mnistlab.training.measuring import measuring
from mnistlab.training.opening import open_page

_PAGE = "html"


def exporting(command: str, runs: Sequence[str], others: Sequence[str], wanted: Export) -> Callable[[], int]:
    """What writes the nets of some runs, with all that it needs imported.

    Args:
        command: For messages.
        runs: The runs that were named.
        others: What else was typed.
        wanted: Which forms, and where they are to be written.

    Raises:
        LabError: For what a user can mend; several runs stand on a page, and in no other form.
    """
    if len(runs) <= 1:
        return measuring(command, [*(f"--ckpt_path={run}" for run in runs), *others], wanted)
    if wanted.forms != (_PAGE,):
        raise LabError(f"{' '.join(runs)}: only a page holds {len(runs)} nets. Use --format={_PAGE}, or name one run.")
    folder = tempfile.TemporaryDirectory(prefix="mnistlab-pages-")
    pages = [Path(folder.name, f"{number}.{_PAGE}") for number in range(len(runs))]
    try:
        works = [
            measuring(command, [f"--ckpt_path={run}", *others], Export((_PAGE,), page))
            for run, page in zip(runs, pages, strict=True)
        ]
    except BaseException:
        folder.cleanup()
        raise
    target = wanted.path_of(_PAGE, None)

    def run_all() -> int:
        with folder:
            code = next(filter(None, (work() for work in works)), 0)
            return code or _join(pages, target, opens=wanted.opens)

    return run_all


def _join(pages: Sequence[Path], target: Path, *, opens: bool) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    parts = [part for page in pages for part in parts_of(page)]
    with replacing(target) as temporary:
        temporary.write_text(page_of(parts), encoding="utf-8")
    say([f"{target}: {counted(len(parts), 'net')} side by side, {target.stat().st_size:,} bytes."])
    hand_over(target)
    if opens:
        open_page(target)
    return 0
