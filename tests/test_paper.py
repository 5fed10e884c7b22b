"""What docs/paper.md shows runs."""

import re
import shlex
from pathlib import Path

import pytest

from mnistlab import main

DOCS = Path(__file__).parent.parent / "docs" / "paper.md"
QUICK = {
    "compare": ["--seeds=1", "--data.train_size=300"],
    "sweep": ["--seeds=1", "--data.train_size=choice:200,300,400,500", "--trainer.limit_train_batches=1"],
}
SMALL = ["--data=SyntheticDigits", "--data.test_size=100", "--data.val_size=50", "--trainer.max_epochs=1"]


@pytest.mark.slow
@pytest.mark.usefixtures("inline")
def test_every_command_of_the_docs_runs(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their order, each on what the ones before have left; costs are measured by a test of their own."""
    monkeypatch.setattr("mnistlab.benchmark.costs.show_costs", lambda *_: 0)
    lines = re.findall(r"^(mnistlab .*)$", "".join(_blocks()), re.MULTILINE)
    for line in lines:
        words = shlex.split(line)[1:]
        more = [*SMALL, *QUICK[words[0]]] if words[0] in QUICK else []
        assert main([*words, *more]) == 0, f"{line}\n{capsys.readouterr().err}"

    assert len(lines) == 8
    assert {"confusion", "pareto-parameters"} <= {
        path.stem.removeprefix("best-") for path in here.glob("figures/*.svg")
    }
    assert (here / "figures/curve-data.train_size.pdf").is_file()
    assert len([*here.glob("runs/*/*/predictions.npz")]) == 1
    assert "@misc{mnistlab" in capsys.readouterr().out


def _blocks() -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
