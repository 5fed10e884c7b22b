"""Whether the images that are read are those that a run knows, and as they should be."""

from collections.abc import Iterator, Mapping
from typing import Literal

from mnistlab.data.imageset import ImageSet
from mnistlab.data.likeness import Oddity, fingerprint
from mnistlab.errors import LabError


class Recognition:
    """What is known of the official images of a data set by having read them.

    Attributes:
        fingerprint: That of each split that was read, and under `of` what was asked for.
    """

    def __init__(self) -> None:
        self.fingerprint: dict[str, str] = {}
        self._expected: dict[str, str] = {}
        self._whose = self._way_out = ""
        self._odd: list[Oddity] = []

    def expect(self, fingerprint: Mapping[str, str], whose: str, way_out: str) -> None:
        """Compare what is read with what a run has read; see `ImageData.expect`."""
        self._expected, self._whose, self._way_out = dict(fingerprint), whose, way_out

    def note(self, of: str, split: Literal["train", "test"], data: ImageSet) -> None:
        """Note which images were read, for which data set."""
        self.fingerprint |= {"of": of, split: fingerprint(data.images, data.primary)}

    def doubt(self, oddities: Iterator[Oddity]) -> None:
        """Note what is odd about them."""
        self._odd = list(oddities)

    def notes(self, stage: str, name: str) -> list[str]:
        """What is to be told of the images that were read, once each.

        Args:
            stage: "fit", "validate", "test" or "predict".
            name: The data set, and where it lies.

        Raises:
            LabError: If a run would be trained with others than its own.
        """
        notes, self._odd = [f"{oddity.text}." for oddity in self._odd], []
        for split, kind in (("train", "training"), ("test", "test")):
            if split not in self.fingerprint or (stage == "validate" and split == "test"):
                continue
            if self._expected.pop(split, self.fingerprint[split]) != self.fingerprint[split]:
                other = f"the {kind} images of {name} are not those of {self._whose}"
                if stage == "fit":
                    raise LabError(f"{other}. {self._way_out}")
                notes.append(f"{other}: their figures do not compare.")
        return notes
