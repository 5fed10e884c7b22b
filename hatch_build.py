"""Notes in a wheel which source its catalogue is for."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_CATALOGUE = "mnistlab/catalogue/shipped.json"


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the catalogue into the wheel with the hash of the source that the wheel carries."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Exchange the catalogue; an editable install has no use for one, since its source changes."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        from mnistlab.catalogue.store import source_hash  # noqa: PLC0415 - found only now

        found = json.loads((root / _CATALOGUE).read_text(encoding="utf-8"))
        found["identity"]["source"] = source_hash(root / "mnistlab")
        stamped = Path(tempfile.mkdtemp()) / "shipped.json"
        stamped.write_text(json.dumps(found, separators=(",", ":")), encoding="utf-8")
        build_data["force_include"][str(stamped)] = _CATALOGUE
