"""A data set says itself which of its places are not on this machine."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mnistlab import main

_OWN = '''
"""Data of a user's."""
from collections.abc import Mapping
from pathlib import Path
from mnistlab import SyntheticDigits

class {name}(SyntheticDigits):
    """Digits that are drawn, and two places.

    Args:
        data_dir: A place that need not be here.
        source: One that must.
    """

    def __init__(self, data_dir: str | None = None, source: str | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)

    @classmethod
    def not_here(cls, written: Mapping[str, object]) -> list[str]:
        return [] if Path(str(written.get("source"))).exists() else ["source"]
'''


@pytest.mark.parametrize("there", [True, False])
def test_a_place_of_another_machine_is_known_to_the_data_set(
    fit: Callable[..., Path], here: Path, capsys: pytest.CaptureFixture[str], *, there: bool
) -> None:
    """A checkpoint's word counts for a folder of whatever kind, unless the class says that it is not here."""
    name = f"Own{here.name.title().replace('_', '')}{there}".replace("-", "")
    module = name.lower()
    (here / f"{module}.py").write_text(_OWN.format(name=name))
    (here / "source").mkdir()
    run = fit(f"--data={module}.{name}", "--data.data_dir=mine", "--data.source=source")
    if not there:
        (here / "source").rmdir()
    capsys.readouterr()

    assert main(["test", f"--ckpt_path={run}", f"--trust={module}", "--print_config"]) == 0
    data = yaml.safe_load(capsys.readouterr().out)["data"]["init_args"]
    assert (data["data_dir"], data["source"]) == ("mine", "source" if there else None)
