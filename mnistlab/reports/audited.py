"""`mnistlab audit`: the labels that look wrong, and the images that stand twice, as a page, a table or JSON."""

import shlex
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mnistlab.data.twins import Twins
from mnistlab.errors import LabError, say, tell
from mnistlab.options.arguments import Arguments
from mnistlab.reports.drawing import Drawing
from mnistlab.reports.markup import Markup, element, note, preformatted
from mnistlab.reports.mistakes import png
from mnistlab.reports.writing import page
from mnistlab.system.files import telling, write_text
from mnistlab.system.strict_json import as_json
from mnistlab.text.layout import as_csv
from mnistlab.text.values import counted, duration, percent
from mnistlab.training.auditing import Audited, train_folds

_FOLDS, _SHOWN = 5, 120
_MOST_TWINS = 60
_WIDTH, _HEIGHT = 96, 18  # of the small curve below an image


def audit(asked: Arguments) -> int:
    """Train, look, and write what was found; the exit code.

    Raises:
        LabError: For what a user can mend.
    """
    folds, shown = int(asked.values.get("folds", _FOLDS)), int(asked.values.get("images", _SHOWN))
    forms = asked.switches & {"json", "csv"}
    if folds < 2:  # noqa: PLR2004 - one would see all images
        raise LabError("--folds=1: from 2 on, so that every image is left out once.")
    if len(forms) > 1:
        raise LabError("--csv and --json exclude each other.")
    named = asked.values.get("output")
    if named and not Path(named).absolute().parent.is_dir():
        raise LabError(f"--output={named}: there is no folder {Path(named).absolute().parent}.")
    found = Findings(train_folds(asked.others, folds, speaks=not forms), shown)
    path = Path(named or f"audit-{found.name}.html")
    command = shlex.join(["mnistlab", "audit", *(f"--{name}={value}" for name, value in asked.values.items())])
    text = page(
        f"The labels of {found.name}",
        found.about,
        found.sections(shlex.join([command, *asked.others])),
        Drawing(path.parent),
        "audit",
    )
    with telling(path, "Name a file with --output=..."):
        write_text(path, text)
    if "json" in forms:
        print(as_json({**found.as_dict(), "page": str(path)}))
    elif "csv" in forms:
        print(as_csv(found.rows()), end="")
        tell(f"the page is {path}")
    else:
        say([*found.lines(), f"wrote {path}"])
    return 0


class Findings:
    """What an audit has found.

    Attributes:
        name: What the data set is called.
        order: The images by how badly their labels fit, the worst first.
        wrong: How many labels look wrong: another class was more probable.
        twins: What stands twice.

    Args:
        audited: What nets make of the images.
        shown: How many images a page and JSON have at most.
    """

    def __init__(self, audited: Audited, shown: int) -> None:
        self._audited, self._course, self._shown = audited, audited.course, shown
        self.name = type(audited.data).__name__
        self.order: Tensor = self._course.scores.argsort(stable=True)
        self.wrong = int(self._course.is_wrong.sum())
        self.twins = Twins.among(audited.data, self._course.rows)

    @property
    def about(self) -> str:
        """What was done, in a line."""
        nets = f"{self._audited.folds} nets of {self._audited.model}"
        epochs = counted(len(self._course.margins), "epoch")
        return f"{counted(len(self.order), 'image')} · {nets}, {epochs} · {duration(self._audited.seconds)}"

    @cached_property
    def planted(self) -> tuple[int, int]:
        """How many wrong labels were planted, and how many of them are among as many that fit worst."""
        planted = self._audited.data.planted
        named = self._course.rows[self.order[: len(planted)]]
        return len(planted), int(torch.isin(named, planted).sum())

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.name}: {self.about.replace(' · ', ', ')}"
        yield f"{percent(self._course.accuracy)} of the labels are what the nets that have not seen them say"
        yield f"{counted(self.wrong, 'label')} {_verb(self.wrong, 'looks', 'look')} wrong"
        groups, odd = self.twins.groups, self._odd
        if groups:
            copies = counted(self._copies, "image")
            yield f"{copies} {_verb(self._copies, 'is a copy', 'are copies')} of another, {odd} of several labels"
        if self.twins.tested:
            many = len(self.twins.tested)
            yield f"{counted(many, 'test image')} {_verb(many, 'stands', 'stand')} among them too"
        if not groups and not self.twins.tested:
            yield "no image stands twice"
        if self.planted[0]:
            yield self._of_planted()

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the images that fit worst, and all that stand twice."""
        planted, named = self.planted
        return {
            "data": self.name,
            "model": self._audited.model,
            "images": len(self.order),
            "folds": self._audited.folds,
            "epochs": len(self._course.margins),
            "seconds": round(self._audited.seconds, 2),
            "accuracy": self._course.accuracy,
            "wrong": self.wrong,
            "worst": [self._row(rank) for rank in range(min(self._shown, len(self.order)))],
            "twice": [
                {"images": group, "labels": [self._label_of(row) for row in group]} for group in self.twins.groups
            ],
            "tested": [{"test": test, "image": row} for test, row in self.twins.tested],
            **({"planted": {"labels": planted, "named": named}} if planted else {}),
        }

    def rows(self) -> list[dict[str, Any]]:
        """For spreadsheets: every image, with the probability of its label after each epoch."""
        rows = []
        for rank in range(len(self.order)):
            row = self._row(rank)
            course = row.pop("confidence")
            rows.append({**row, **{f"confidence_{epoch}": value for epoch, value in enumerate(course, start=1)}})
        return rows

    def sections(self, command: str) -> Iterator[Markup]:
        """The parts of a page."""
        tested = len(self.twins.tested)
        figures = {
            "labels that look wrong": f"{self.wrong:,}",
            "labels that the nets agree with": percent(self._course.accuracy),
            "copies of other images": f"{self._copies:,}",
            "test images among them": f"{tested:,}",
        }
        parts = [element("div", element("dt", name), element("dd", value)) for name, value in figures.items()]
        yield element("dl", *parts, class_="figures")
        if self.planted[0]:
            yield note(f"{self._of_planted().capitalize()}.")
        yield _part("Labels that look wrong", *self._worst())
        yield _part("Images that stand twice", *self._twice())
        yield _part("In training and test", *self._in_test())
        yield _part("How it was found", element("p", _METHOD), preformatted(command))

    def _worst(self) -> Iterator[Markup]:
        many, several = min(self._shown, len(self.order)), len(self._course.margins) > 1
        yield element(
            "p",
            f"{self.wrong:,} of {len(self.order):,} images look more like another class to the nets that have not seen "
            f"them. Here are the {many:,} whose labels fit worst, each with how probable its label was."
            f"{' The line below is that after each epoch.' if several else ''}",
        )
        yield element("ul", *(self._suspect(self._row(rank)) for rank in range(many)), class_="images")

    def _suspect(self, row: dict[str, Any]) -> Markup:
        said = element(
            "span",
            f"{row['label']}, looks like {row['looks_like']} ",
            element("small", f"({percent(row['score'], 1)})"),
        )
        alt = f"Image {row['image']}: labelled {row['label']}, looks like {row['looks_like']}"
        return element("li", self._picture(row["image"], alt), said, _curve(row["confidence"]))

    def _twice(self) -> Iterator[Markup]:
        groups = sorted(self.twins.groups, key=lambda group: not self._contradicts(group))
        if not groups:
            yield note("No image that is not for the test stands twice.")
            return
        shown = groups[:_MOST_TWINS]
        some = (
            f" The first {len(shown)}, those with several labels before the others:" if len(shown) < len(groups) else ""
        )
        yield element(
            "p", f"{counted(len(groups), 'image')} twice or more, {self._odd} of them with several labels.{some}"
        )
        items = []
        for group in shown:
            labels = " and ".join(dict.fromkeys(self._label_of(row) for row in group))
            which = ", ".join(f"{row:,}" for row in group[:4])
            said = element("span", labels, " ", element("small", f"({len(group)} times)"))
            items.append(element("li", self._picture(group[0], f"Images {which}"), said))
        yield element("ul", *items, class_="images")

    def _in_test(self) -> Iterator[Markup]:
        found = self.twins.tested
        if self._audited.data.lacks("test"):
            yield note("There are no test images.")
        elif not found:
            yield note("No test image stands among these images.")
        else:
            yield element(
                "p", f"{counted(len(found), 'test image')} among these images: what is tested was learnt by heart."
            )
            items = [
                element(
                    "li", self._picture(row, f"Test image {test}"), element("span", f"test {test:,}, image {row:,}")
                )
                for test, row in found[:_MOST_TWINS]
            ]
            yield element("ul", *items, class_="images")

    def _row(self, rank: int) -> dict[str, Any]:
        """An image by its rank, from 0 on."""
        at, course = int(self.order[rank]), self._course
        return {
            "image": int(course.rows[at]),
            "label": self._names[int(course.labels[at])],
            "looks_like": self._names[int(course.others[at])],
            "is_wrong": bool(course.is_wrong[at]),
            "score": round(float(course.scores[at]), 4),
            "confidence": [round(value, 4) for value in course.confidence[:, at].tolist() if not isnan(value)],
        }

    @cached_property
    def _names(self) -> Sequence[str]:
        head, size = next(iter(self._audited.data.own_heads.items()))
        return self._audited.data.class_names.get(head) or [*map(str, range(size))]

    @property
    def _copies(self) -> int:
        """How many images there would be less if none stood twice."""
        return sum(map(len, self.twins.groups)) - len(self.twins.groups)

    @property
    def _odd(self) -> int:
        """How many images stand twice under several labels."""
        return sum(map(self._contradicts, self.twins.groups))

    def _contradicts(self, group: Sequence[int]) -> bool:
        return len({self._label_of(row) for row in group}) > 1

    def _label_of(self, row: int) -> str:
        return self._names[int(self._audited.data.rows_of("train")[0].primary[row])]

    def _picture(self, row: int, alt: str) -> Markup:
        image = self._audited.data.rows_of("train")[0].images[row].cpu().numpy()
        return element("img", src=png(image), alt=alt, title=f"image {row}")

    def _of_planted(self) -> str:
        planted, named = self.planted
        share = percent(named / planted)
        return f"of the first {planted:,} images {named:,} ({share}) are among those mislabelled by data.label_noise"


_METHOD = """\
The images were divided into parts with every class in proportion, and for each part a net was trained on all others.
Images are ranked by how probable their labels were to the net that had not seen them: half of the score is that after
the last epoch, half its mean over all epochs. A label looks wrong where another class was more probable, after the last
epoch and in the mean. That is a reason to look, and no proof: rare and careless writing is doubted too. Images that
stand twice are equal to the bit."""


def _part(heading: str, *inner: Markup) -> Markup:
    return element("section", element("h2", heading), *inner)


def _curve(values: Sequence[float]) -> Markup:
    """A course from 0 to 1 as a small line, where there is more than one value."""
    if len(values) < 2:  # noqa: PLR2004 - a point is no course
        return Markup("")
    step = _WIDTH / (len(values) - 1)
    points = " ".join(f"{step * at:.1f},{1 + (_HEIGHT - 2) * (1 - value):.1f}" for at, value in enumerate(values))
    line = element("polyline", points=points, fill="none", stroke="currentColor", stroke_width="1.5")
    said = ", ".join(f"{value:.2f}" for value in values)
    return element("svg", line, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", class_="course", role="img", aria_label=said)


def _verb(many: int, one: str, several: str) -> str:
    return one if many == 1 else several
