"""The tools that `--log-to` can name, behind one interface."""

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from lstm_music.models.backend import load_tensorflow

Params = Mapping[str, str | int | float | bool]
Metrics = Mapping[str, float]

EXPERIMENT = "lstm-music"
TAG = "lstm_music.run"
FOLDER_DIGITS = 12


class Tracker(Protocol):
    """A run of a tool. Models are named as in the recipe, epochs count from 1."""

    def __init__(self, where: str, run: str) -> None: ...

    @classmethod
    def begin(cls, where: str, name: str, key: str, params: Params) -> str:
        """Begin the run of this key and log its parameters, or find it; return its folder or id."""

    def epochs(self, model: str) -> int:
        """Count the epochs of a model that the run has."""

    def epoch(self, model: str, epoch: int, metrics: Metrics) -> None:
        """Log an epoch of a model, so that a reader sees it at once."""

    def finish(self, metrics: Metrics) -> None:
        """Log the metrics of the whole run, once, and end it."""

    def close(self) -> None:
        """Release files."""


class TensorBoard:
    """A folder `<name>-<12 hex>` in the folder that TensorBoard is started on, with a folder for each model."""

    def __init__(self, where: str, run: str) -> None:
        del where
        self._folder = Path(run)
        self._writers: dict[str, Any] = {}

    @classmethod
    def begin(cls, where: str, name: str, key: str, params: Params) -> str:
        """Write the parameters for the tab HPARAMS.

        TensorBoard imports TensorFlow for its files. It is imported here first, silently and set up as trainings need it.
        """
        load_tensorflow(threads=1)
        run = Path(where) / f"{name}-{key[:FOLDER_DIGITS]}"
        if not list(run.glob("events.*")):
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.plugins.hparams.summary_v2 import hparams_pb
            from tensorboard.summary.writer.event_file_writer import EventFileWriter

            writer = EventFileWriter(str(run))
            writer.add_event(Event(summary=hparams_pb(dict(params), trial_id=run.name)))
            writer.close()
        return str(run)

    def epochs(self, model: str) -> int:
        """Count the points of the held-out loss."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        folder = self._folder / model
        if not folder.is_dir():
            return 0
        found = EventAccumulator(str(folder)).Reload()
        tag = "loss/held_out"
        return len({event.step for event in found.Tensors(tag)}) if tag in found.Tags()["tensors"] else 0

    def epoch(self, model: str, epoch: int, metrics: Metrics) -> None:
        """Write and flush one point per metric."""
        self._write(model, epoch, metrics)

    def finish(self, metrics: Metrics) -> None:
        """Write the metrics into the run's own folder, as step 0, unless they are there."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        there = EventAccumulator(str(self._folder)).Reload().Tags()["tensors"]
        if new := {name: value for name, value in metrics.items() if name not in there}:
            self._write("", 0, new)
        self.close()

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _write(self, folder: str, step: int, metrics: Metrics) -> None:
        from tensorboard.summary import Writer

        if folder not in self._writers:
            self._writers[folder] = Writer(str(self._folder / folder))
        for name, value in metrics.items():
            self._writers[folder].add_scalar(name, value, step)
        self._writers[folder].flush()


class MLflow:
    """A run of the experiment `lstm-music`; metrics of a model are named `<model>/<metric>`."""

    _lock = threading.Lock()  # models train side by side in threads; one SQLite file takes one writer

    def __init__(self, where: str, run: str) -> None:
        self._client, self._run = _mlflow_client(where), run

    @classmethod
    def begin(cls, where: str, name: str, key: str, params: Params) -> str:
        """Find the run by its tag, or create it with its parameters."""
        client = _mlflow_client(where)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
        found = client.search_runs([number], filter_string=f"tags.`{TAG}` = '{key}'", max_results=1)
        if found:
            client.update_run(found[0].info.run_id, status="RUNNING")
            return str(found[0].info.run_id)
        run = str(client.create_run(number, tags={TAG: key}, run_name=f"{name}-{key[:FOLDER_DIGITS]}").info.run_id)
        for param, value in params.items():
            client.log_param(run, param, value)
        return run

    def epochs(self, model: str) -> int:
        """Count the points of the held-out loss."""
        with self._lock:
            points = self._client.get_metric_history(self._run, _metric(model, "loss/held_out"))
        return len({point.step for point in points})

    def epoch(self, model: str, epoch: int, metrics: Metrics) -> None:
        """Log one point per metric."""
        with self._lock:
            for name, value in metrics.items():
                self._client.log_metric(self._run, _metric(model, name), value, step=epoch)

    def finish(self, metrics: Metrics) -> None:
        """Log the metrics, unless they are there, and end the run."""
        with self._lock:
            there = self._client.get_run(self._run).data.metrics
            for name, value in metrics.items():
                if name not in there:
                    self._client.log_metric(self._run, name, value)
            self._client.set_terminated(self._run)

    def close(self) -> None:
        """Nothing is open between two calls."""


def _metric(model: str, name: str) -> str:
    """Name a metric of a model; MLflow takes no `+`."""
    return f"{model.replace('+', '-')}/{name}"


def _mlflow_client(where: str) -> Any:
    """Connect to MLflow; it asks a server that does not answer twice more, not for minutes."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):  # their import sets other levels
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(where or None)


TRACKERS: dict[str, type[Tracker]] = {"tensorboard": TensorBoard, "mlflow": MLflow}
"""Name of a tool, which is that of its package and of our extra → its runs."""
