"""Puts the catalogue into a wheel, if it is for the source there."""

import json
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_CATALOGUE = "mnistlab/catalogue/shipped.json"


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg]
    """Leaves out a catalogue that is for another source: the first help is slow then, and never wrong."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compare the hash of the source with the one that the catalogue notes."""
        if version == "editable":  # its source changes, and it has a cache for that
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        from mnistlab.catalogue.store import source_hash  # noqa: PLC0415 - found only now

        found = json.loads((root / _CATALOGUE).read_text(encoding="utf-8"))
        if found["identity"]["source"] == source_hash(root / "mnistlab"):
            build_data["force_include"][str(root / _CATALOGUE)] = _CATALOGUE
        else:
            self.app.display_warning("the catalogue is for another source; `nox -s catalogue` writes it anew")
