"""MLflow."""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mnistlab.errors import tell
from mnistlab.system.locks import locked
from mnistlab.text.addresses import Address, is_incomplete, opened, without_mask
from mnistlab.trackers.tracker import DEFAULT_NAME, Followed, Tracker, epoch_of, metrics_of, shown

if TYPE_CHECKING:
    from mlflow import MlflowClient

T = TypeVar("T")

_SERVERS = ("http", "https", "databricks", "databricks-uc")
_STATUS = {"finished": "FINISHED", "failed": "FAILED", "diverged": "FAILED"}  # whatever else ends a run has killed it
_AT_ONCE = 100  # parameters that a server takes in one call
_LONGEST = 6000  # characters of a parameter that a server keeps
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds; a server that hangs must not hold a run up for two minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # nor one that is away; MLflow tries 7 times, ever more slowly
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""What counts unless the user's environment says otherwise."""

_PASSWORDS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD", "MYSQL_PWD")
"""Where MLflow and its databases look for a password that no address has."""


class MLflow(Tracker):
    """Runs in MLflow, in a file of its own or on a server, with their parameters, curves and checkpoints.

    Look at them with `mlflow ui --backend-store-uri=sqlite:///runs/mlflow.db`, which needs the whole `mlflow`. A
    parameter that is changed when a run is continued keeps its first value there, for MLflow allows no other.

    Args:
        uri: A server (http://host:5000) or a database; by default MLFLOW_TRACKING_URI, else mlflow.db beside the runs.
            A password in it is not kept: a run that is continued takes it from there again, or from
            MLFLOW_TRACKING_PASSWORD.
        experiment: The experiment that the run belongs to.

    Raises:
        ValueError: If `uri` is a folder.
    """

    module = "mlflow"
    extra = "mlflow"

    def __init__(self, uri: Address | None = None, experiment: str = DEFAULT_NAME) -> None:
        if uri is not None and (":" not in uri or uri.startswith("file:")):
            raise ValueError(
                f"`uri` must be a server or a database, got {uri}: MLflow keeps runs in folders no more. "
                f"Use http://host:5000 or sqlite:///{uri.removeprefix('file:').lstrip('/') or 'runs'}/mlflow.db."
            )
        self.uri = uri
        self.experiment = experiment
        self._client: MlflowClient | None = None
        self._run_id = ""

    def begin(self, run: Followed) -> str:
        """Find or make the experiment and the run in it."""
        uri = _complete(self.uri) or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{shown(run.root)}/mlflow.db"
        folder = Path(uri.removeprefix("sqlite:///")).parent if uri.startswith("sqlite:///") else run.root
        files = None if uri.partition(":")[0] in _SERVERS else (folder.resolve() / "mlartifacts").as_uri()
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".mlflow.lock"):  # MLflow leaves a broken database where two make one at a time
            self._client = client = _client(_rooted(uri))
            experiment = self._experiment(client, files)
        known = client.search_runs([experiment], f"tags.mnistlab = '{run.key}'", max_results=1) if run.rows else []
        if known:
            self._run_id = known[0].info.run_id
            client.update_run(self._run_id, status="RUNNING")
        else:
            tags = {**dict.fromkeys(run.words, "true"), **run.facts, "mnistlab": run.key}
            self._run_id = client.create_run(experiment, run_name=run.name, tags=tags).info.run_id
        self._add_parameters(client, run, known[0].data.params if known else {})
        self._add_missing(client, run.rows)
        return uri if uri.startswith("http") else f"mlflow ui --backend-store-uri={uri}"

    def row(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add a point to each curve, and all in one call."""
        from mlflow.entities import Metric  # noqa: PLC0415

        assert self._client is not None
        now = time.time_ns() // 1_000_000
        self._client.log_batch(
            self._run_id, [Metric(name, float(value), now, epoch) for name, value in metrics.items()]
        )

    def end(self, run: Followed) -> None:
        """Add the best and the test metrics and the files, and say how the run has ended."""
        assert self._client is not None
        last = (run.record.get("metrics") or {}).get("last")
        self.row(epoch_of(last) if last else 0, run.outcome)
        for path in run.files:
            self._client.log_artifact(self._run_id, str(path))
        self._client.set_terminated(self._run_id, _STATUS.get(run.record["status"], "KILLED"))

    def _experiment(self, client: "MlflowClient", files: str | None) -> str:
        """The experiment; a new one keeps its files there, unless a server decides that."""
        found = client.get_experiment_by_name(self.experiment)
        return found.experiment_id if found else client.create_experiment(self.experiment, files)

    def _add_parameters(self, client: "MlflowClient", run: Followed, known: Mapping[str, str]) -> None:
        from mlflow.entities import Param  # noqa: PLC0415

        new = [Param(name, str(value)[:_LONGEST]) for name, value in run.parameters.items() if name not in known]
        for some in _in_parts(new, _AT_ONCE):
            client.log_batch(self._run_id, params=some)

    def _add_missing(self, client: "MlflowClient", rows: Sequence[Mapping[str, float]]) -> None:
        """Add the rows of a run that is continued which were never told, because it was killed or not tracked yet."""
        name = next((name for row in rows for name in metrics_of(row)), None)
        told = {point.step for point in client.get_metric_history(self._run_id, name)} if name else set()
        for row in rows:
            if epoch_of(row) not in told:
                self.row(epoch_of(row), metrics_of(row))


def _complete(uri: str | None) -> str | None:
    """An address as MLflow takes it: where its password is not known, that and the user are for the environment."""
    if uri is None or not is_incomplete(uri):
        return uri and opened(uri)
    if not any(name in os.environ for name in _PASSWORDS):
        tell(f"note: the password of {uri} is kept nowhere. Say it with {_PASSWORDS[0]}=..., or --logger.uri=... anew.")
    scheme, slashes, rest = without_mask(uri).partition("://")
    user, at, host = rest.rpartition("@")
    if not at or scheme not in _SERVERS:
        return without_mask(uri)
    os.environ.setdefault("MLFLOW_TRACKING_USERNAME", user)  # one in the address would hide the password
    return f"{scheme}{slashes}{host}"


def _rooted(uri: str) -> str:
    """The address of a database file with its whole path.

    MLflow keeps a connection for each address, and would go on with that of the folder in which the process was before.
    """
    scheme, file, path = uri.partition("sqlite:///")
    known = scheme or not file or path.startswith((":memory:", "file:")) or Path(path).is_absolute()
    return uri if known else f"{file}{Path(path).absolute()}"


def _client(uri: str) -> "MlflowClient":
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from mlflow import MlflowClient  # noqa: PLC0415 - it takes a second, and reads the settings

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # importing it has changed that
    return MlflowClient(tracking_uri=uri)


def _in_parts(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The values, so many at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
