"""`--log-to`: the metrics of a training in TensorBoard or MLflow, by the library of each.

One run per training of a recipe: its parameters, the scores of each model per epoch, and the score card. A training that
is resumed or found finished continues the same run; epochs that are there already are not logged again.
"""

import importlib.util
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from lstm_music.errors import RecipeError
from lstm_music.evaluation.scorecard import rows
from lstm_music.recipe import Recipe
from lstm_music.stages.training.trackers import TRACKERS, Tracker
from lstm_music.stages.training.trained import model_stages, read_history
from lstm_music.store import ArtifactRef, Store
from lstm_music.store.checksummed import digest

_LOG = logging.getLogger("lstm_music.tracking")

Record = Callable[[Mapping[str, Any]], None]

_LOGGED_OF_A_RECIPE = {"name", "random_seed", "source", "events", "split", "windows", "model", "training", "models"}


@dataclass(frozen=True)
class LogTarget:
    """Where to log: the name of a tool, and its folder or URI ("": the tool's own default)."""

    tool: str
    where: str


@dataclass(frozen=True)
class LoggedRun:
    """A run of a tool: small, so that flows can pass it to their tasks. `run` is a folder or an id."""

    target: LogTarget
    run: str

    def open(self) -> Tracker:
        """Connect to the run."""
        return TRACKERS[self.target.tool](self.target.where, self.run)


def parse_log_to(text: str) -> LogTarget:
    """Read a `--log-to`: `tensorboard:DIR`, `mlflow` or `mlflow:URI`.

    Raises RecipeError for another text, a URI with a password, and a tool that is not installed.
    """
    tool, _, where = text.partition(":")
    if tool not in TRACKERS or (tool == "tensorboard" and not where):
        raise RecipeError(f"--log-to: expected tensorboard:DIR, mlflow or mlflow:URI, got {text!r}")
    try:
        password = urlsplit(where).password
    except ValueError as error:
        raise RecipeError(f"--log-to: expected mlflow:URI, got {text!r} ({error})") from error
    if tool == "mlflow" and password is not None:
        raise RecipeError(
            "--log-to: expected a URI without a password; set MLFLOW_TRACKING_URI and use `--log-to mlflow`"
        )
    if importlib.util.find_spec(tool) is None:
        raise RecipeError(f"--log-to: {tool} is not installed; install it with `pip install 'lstm-music[{tool}]'`")
    return LogTarget(tool, str(Path(where).expanduser().absolute()) if tool == "tensorboard" else where)


def require_log_to(text: str | None) -> None:
    """Raise RecipeError for a `--log-to` that `parse_log_to` refuses: before anything else is done."""
    if text is not None:
        parse_log_to(text)


def begin_run(text: str, recipe: Recipe, dataset: ArtifactRef, starts: Mapping[str, ArtifactRef]) -> LoggedRun:
    """Begin the run of a training, or find it where an earlier try began it, and log the recipe's parameters.

    Raises RecipeError for a `--log-to` that is wrong or cannot be reached: nothing was trained yet.
    """
    target = parse_log_to(text)
    key = digest({name: stage.ref.key for name, stage in model_stages(recipe, dataset, starts).items()})
    params = flat(recipe.model_dump(mode="json", include=_LOGGED_OF_A_RECIPE))
    try:
        run = TRACKERS[target.tool].begin(target.where, recipe.name, key, params)
    except Exception as error:
        said = str(error).partition("\n")[0]
        raise RecipeError(f"--log-to: {target.tool} cannot log to {target.where or 'its default'}: {said}") from error
    return LoggedRun(target, run)


@contextmanager
def recorded(run: LoggedRun | None, store: Store, ref: ArtifactRef, model: str) -> Iterator[Record]:
    """Yield a function that takes the progress of a model's training and logs its new epochs.

    At the end the rest of the model's history is logged: all of it where the model was found trained. A tool that fails
    meanwhile is reported once and then left alone, because a log must not end a training.
    """
    if run is None:
        yield lambda _progress: None
        return
    log = _EpochLog(run, model)
    yield lambda progress: log.update(progress.get("history") or ())
    log.update(read_history(store, ref))
    log.close()


def record_card(run: LoggedRun | None, card: Mapping[str, Any]) -> None:
    """Log the NLL of a score card, in nats per event, as `<split>/<predictor>/<stream>`, and end the run, if there is one."""
    if run is not None:
        end_run(run, {f"{row['split']}/{row['predictor']}/{row['stream']}": row["nll"] for row in rows(card)})


def end_run(run: LoggedRun | None, metrics: Mapping[str, float] = MappingProxyType({})) -> None:
    """End a run, if there is one, with metrics of the whole."""
    if run is not None:
        with _reported(run):
            run.open().finish(metrics)


def record_finished(run: LoggedRun, store: Store, models: Mapping[str, ArtifactRef], card: Mapping[str, Any]) -> None:
    """Log a training that was found finished."""
    for name, ref in models.items():
        with recorded(run, store, ref, name):
            pass
    record_card(run, card)


def metrics_of(score: Mapping[str, Any]) -> dict[str, float]:
    """Name the numbers of an epoch: losses in nats, accuracies by stream; epoch 0, the start of a training, has no loss."""
    accuracies = {"train": score["accuracy"], "held_out": score["held_out_accuracy"]}
    return {
        **({} if score["loss"] is None else {"loss/train": score["loss"]}),
        "loss/held_out": score["held_out"],
        **{f"accuracy/{split}/{name}": one for split, streams in accuracies.items() for name, one in streams.items()},
    }


def flat(value: Any, name: str = "") -> dict[str, str | int | float | bool]:
    """Give nested parameters by dotted names; lists as text, and nothing for what is not set."""
    if isinstance(value, Mapping):
        parts = [flat(inner, f"{name}.{key}" if name else str(key)) for key, inner in value.items()]
        return {key: one for part in parts for key, one in part.items()}
    if value is None:
        return {}
    return {name: value if isinstance(value, str | int | float) else str(value)}


class _EpochLog:
    """Logs the epochs of one model that its run does not have."""

    def __init__(self, run: LoggedRun, model: str) -> None:
        self._run, self._model = run, model
        self._tracker: Tracker | None = None
        self._done = 0
        with _reported(run):
            tracker = run.open()
            self._done = tracker.epochs(model)
            self._tracker = tracker

    def update(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Log the epochs of a history from the first new one on; steps count from 1, and 0 is the start of a training."""
        if self._tracker is None:
            return
        tracker, self._tracker = self._tracker, None  # nobody for good, if it fails
        with _reported(self._run):
            for score in history[self._done :]:
                tracker.epoch(self._model, score["epoch"] + 1, metrics_of(score))
                self._done += 1
            self._tracker = tracker

    def close(self) -> None:
        if self._tracker is not None:
            with _reported(self._run):
                self._tracker.close()


@contextmanager
def _reported(run: LoggedRun) -> Iterator[None]:
    """Turn a failure of a tool into a line of the log."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a tool raises, the training is worth more
        _LOG.warning("--log-to: %s failed and is not used any more: %s", run.target.tool, error)
