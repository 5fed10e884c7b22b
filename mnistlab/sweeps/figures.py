"""What there is to see of a sweep or a comparison that is kept in a folder."""

from dataclasses import replace
from pathlib import Path

from mnistlab.errors import tell
from mnistlab.reports.charts import Chart
from mnistlab.sections.parts import prepare
from mnistlab.sweeps.jobs import State
from mnistlab.sweeps.pareto import pareto_charts
from mnistlab.sweeps.plan import DATABASE, read_plan
from mnistlab.sweeps.plots import plots_of
from mnistlab.sweeps.presets import title_of
from mnistlab.sweeps.storage import told_of_the_database
from mnistlab.sweeps.study import Study
from mnistlab.sweeps.summary import importances
from mnistlab.sweeps.table import standings


def charts_of(folder: Path) -> list[Chart]:
    """Its plots, drawn anew; nothing where its database is not there.

    Raises:
        LabError: If the database cannot be used.
    """
    plan = read_plan(folder)
    if plan is None or (not plan.storage and not (folder / DATABASE).is_file()):
        tell(f"note: the plots of {folder} are left out: its database is not there.")
        return []
    prepare()
    with told_of_the_database():
        study = Study(replace(plan, root=str(folder.resolve().parent)))
        jobs = study.jobs().values()
        if plan.kind == "compare":
            points = {each.stem: each.point for each in jobs}
            stems = {stem: title_of(str(point.get("config", point.get("model")))) for stem, point in points.items()}
            of_presets = any("config" in point for point in points.values())
            return pareto_charts(standings(study, stems, of_presets=of_presets))
        done = [each.last for each in jobs if each.state is State.FINISHED]
        return plots_of(study, importances(done, plan.space))
