"""A kept run as Python has it: what its folder says, and the pictures, the net and the answers that come of it."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mnistlab.errors import LabError
from mnistlab.runs.listing import find_run
from mnistlab.runs.metrics import ACC, measures_of
from mnistlab.runs.run import Run as KeptRun
from mnistlab.system.files import is_folder
from mnistlab.text.nearest import suggestion
from mnistlab.text.values import short_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from mnistlab.calling.asking import Asked
    from mnistlab.calling.chosen import Chosen
    from mnistlab.calling.doing import Which
    from mnistlab.calling.history import History
    from mnistlab.calling.predicted import Predictions
    from mnistlab.calling.results import Figures, Picture
    from mnistlab.classifier import Classifier
    from mnistlab.reports.charts import Chart, Charts


class Run(KeptRun):
    """A run: `Run.of("runs/cnn_8k/20260101T120000Z-1a2b3c")`."""

    @classmethod
    def of(cls, folder: "Path | str | KeptRun") -> "Self":
        """Take up a run that is kept: by its folder, its id, its name, or `last` for the newest one.

        Raises:
            LabError: If it means no run, or one that cannot be read.
        """
        from mnistlab.calling.doing import named  # noqa: PLC0415 - brings the commands in
        from mnistlab.options.kit import run_dir  # noqa: PLC0415 - only here
        from mnistlab.options.notation import at_home  # noqa: PLC0415 - only here

        (name,) = named(folder)
        found = cls.find(at_home(name)) if name else None
        return found or super().of(find_run(name, Path(at_home(run_dir()))).absolute())

    @classmethod
    def find(cls, folder: "Path | str") -> "Self | None":
        """Read the run in a folder, which it knows wherever one stands later; None where there is no record.

        Raises:
            UnreadableError: If there is one that cannot be read.
        """
        return super().find(Path(folder).absolute())

    def _check(self) -> None:
        """Refuse what needs the folder where that is gone."""
        if not is_folder(self.folder):
            raise LabError(f"{short_path(self.folder)} is gone: this run was moved or removed.")

    def resume(self, options: "Mapping[str, object] | None" = None, **short: object) -> "Run":
        """Go on with it, `run.resume(epochs=6)`: as `fit` does with its last checkpoint.

        Args:
            options: Options by their full names.
            **short: Options by their short names.

        Raises:
            LabError: With the text that the command line would show.
        """
        self._check()
        from mnistlab.calling.doing import go_on  # noqa: PLC0415 - brings the commands in

        return Run.of(go_on(self, options, short))

    def test(self, options: "Mapping[str, object] | None" = None, **short: object) -> "Figures":
        """Measure its best weights on test images, `run.test(data="EMNIST")`.

        Args:
            options: Options by their full names.
            **short: Options by their short names.

        Raises:
            LabError: With the text that the command line would show.
        """
        self._check()
        from mnistlab.calling.doing import measured  # noqa: PLC0415 - as above

        return measured("test", self, options, short)

    def validate(self, options: "Mapping[str, object] | None" = None, **short: object) -> "Figures":
        """Measure its best weights on validation images; else as `test`."""
        self._check()
        from mnistlab.calling.doing import measured  # noqa: PLC0415 - as above

        return measured("validate", self, options, short)

    def explain(self, options: "Mapping[str, object] | None" = None, **short: object) -> "Picture":
        """Picture what it looks at, `run.explain(method="gradcam")`, as `lab.explain` does."""
        self._check()
        from mnistlab.calling.doing import explained  # noqa: PLC0415 - as above

        return explained(self, options, short)

    def report(self, output: "Path | str | None" = None, **options: object) -> Path:
        """Write a page about it, as `lab.report` does."""
        self._check()
        from mnistlab.calling.doing import reported  # noqa: PLC0415 - as above

        return reported([self], {"output": output, **options})

    def export(
        self,
        format: "str | Sequence[str] | None" = None,  # noqa: A002 - the command's word
        output: "Path | str | None" = None,
        **short: object,
    ) -> "Path | list[Path]":
        """Write its net for other programs, `run.export(format="onnx")`, as `lab.export` does."""
        self._check()
        from mnistlab.calling.doing import exported  # noqa: PLC0415 - as above

        return exported(self, None, {"format": format, "output": output}, short)

    def __repr__(self) -> str:
        """What it is, in a line."""
        figures = {"val": self.val_acc, "test": self.test_acc}
        parts = [
            f"{self.title} on {self.data}" if self.data else self.title,
            " ".join(part for part in (self.command, self.status) if part),
            *(f"{split} {ACC.name} {ACC.figure(value)}" for split, value in figures.items() if value is not None),
        ]
        called = f"{self.name!r}, " if self.name else ""
        return f"Run({called}{short_path(self.folder)}: {', '.join(part for part in parts if part)})"

    @cached_property
    def history(self) -> "History":
        """What was measured after each epoch: a column for each metric, `run.history["val/acc"]`.

        Raises:
            UnreadableError: If the table cannot be read.
        """
        self._check()
        from mnistlab.calling.history import History  # noqa: PLC0415 - brings charts in

        return History(self.read_table(), measures_of(self.record))

    @cached_property
    def config(self) -> "Chosen":
        """What it was configured with: the value of each option, and the text of its file.

        Raises:
            LabError: If that is not there, or cannot be read.
        """
        self._check()
        from mnistlab.calling.chosen import Chosen  # noqa: PLC0415 - as above

        return Chosen(self)

    def plot(self, *metrics: str, beside: "Which" = ()) -> "Charts":
        """The metrics over the epochs, training and validation in one chart for each.

        Args:
            *metrics: Which ones, such as `loss`; all if none is named.
            beside: Another run, or several, as `lab.Run.of` takes them; then it is the validation of all of them.

        Raises:
            LabError: If no epoch was completed, nothing of that name was measured, or there is no such other run.
        """
        self._check()
        from mnistlab.reports.charts import Charts  # noqa: PLC0415 - brings matplotlib in
        from mnistlab.reports.curves import course_charts, courses_charts  # noqa: PLC0415 - as above
        from mnistlab.reports.several import best_of, names_of  # noqa: PLC0415 - as above

        others = beside if isinstance(beside, list | tuple) else [beside]
        runs = [self, *(each if isinstance(each, KeptRun) else Run.of(str(each)) for each in others)]
        charts = courses_charts(runs, best_of(runs), names_of(runs)) if others else course_charts(self)
        known = {chart.name: chart for chart in charts}
        if not known:
            least = "two epochs are" if others else "an epoch is"
            raise LabError(f"{short_path(self.folder)} has nothing to plot: {least} the least.")
        for name in metrics:
            if name not in known:
                raise LabError(f"plot({name!r}): measured is {', '.join(known)}.{suggestion(name, known)}")
        return Charts("course", [known[name] for name in metrics or known])

    def confusion(self, head: str | None = None) -> "Chart":
        """How often the test images of each class were taken for each class.

        Args:
            head: Of which label; the primary one if not given.

        Raises:
            LabError: If the run was not tested, or there is no such label.
        """
        self._check()
        from mnistlab.reports.answered import confusion_chart, outcomes_of  # noqa: PLC0415 - as above

        outcomes, _ = outcomes_of(self)
        return confusion_chart(outcomes, outcomes.head(head))

    def calibration(self, head: str | None = None) -> "Chart":
        """How far the confidence of the answers to the test images can be trusted.

        Args:
            head: Of which label; the primary one if not given.

        Raises:
            LabError: If the run was not tested, or there is no such label.
        """
        self._check()
        from mnistlab.reports.answered import calibration_chart, outcomes_of  # noqa: PLC0415 - as above

        outcomes, _ = outcomes_of(self)
        return calibration_chart(outcomes, outcomes.head(head))

    def mistakes(self, head: str | None = None) -> "Chart":
        """The test images that were mistaken with the highest confidence.

        Args:
            head: Of which label; the primary one if not given.

        Raises:
            LabError: If the run was not tested, or there is no such label.
        """
        self._check()
        from mnistlab.reports.answered import outcomes_of  # noqa: PLC0415 - as above
        from mnistlab.reports.behind import Trust  # noqa: PLC0415 - as above
        from mnistlab.reports.mistakes import mistakes_chart  # noqa: PLC0415 - as above

        outcomes, folder = outcomes_of(self)
        return mistakes_chart(outcomes, outcomes.head(head), folder, Trust())

    @cached_property
    def model(self) -> "Classifier":
        """The trained net with its best weights, on the CPU and not in training; its checkpoint is not trusted.

        Raises:
            LabError: If the run has no weights, or they cannot be loaded.
        """
        return self._load().model

    @cached_property
    def _asked(self) -> "Asked":
        """The same once more, so that `predict` answers as the run was, whatever becomes of `model`."""
        return self._load()

    def _load(self) -> "Asked":
        self._check()
        from mnistlab.calling.given import trusted_here  # noqa: PLC0415 - not for what needs no torch
        from mnistlab.calling.kept_settings import settings_kept  # noqa: PLC0415 - as above
        from mnistlab.calling.within import told_here  # noqa: PLC0415 - as above

        with told_here(), settings_kept() as torch_comes:
            from mnistlab.calling.asking import Asked  # noqa: PLC0415 - brings torch in

            torch_comes()
            return Asked.of(self.folder, trusted_here())

    def predict(self, images: object) -> "Predictions":
        """What the net answers, as `mnistlab predict` does.

        Args:
            images: Images as the data have them, one or several, of uint8 in an array or a tensor; or pictures of any
                size, as files, folders or Pillow's.

        Raises:
            LabError: If the run has no weights, or these are no images.
        """
        from mnistlab.calling.kept_settings import settings_kept  # noqa: PLC0415 - as above
        from mnistlab.calling.within import told_here  # noqa: PLC0415 - as above

        asked = self._asked
        with told_here(), settings_kept():
            return asked.predict(images)
