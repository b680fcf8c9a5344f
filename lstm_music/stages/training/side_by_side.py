"""The models of a recipe, trained side by side, each in a process of its own; without an orchestrator."""

import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from lstm_music.errors import ChildError
from lstm_music.recipe import Recipe
from lstm_music.stages.training.checkpoints import Progress
from lstm_music.stages.training.train import Report, train_model_in_child
from lstm_music.store import ArtifactRef, Store

__all__ = ["Report", "train_models"]


def train_models(
    store: Store,
    recipe: Recipe,
    dataset_ref: ArtifactRef,
    starts: Mapping[str, ArtifactRef],
    report: Report | None = None,
) -> dict[str, ArtifactRef]:
    """Train all models of a recipe, by name; one that is in `starts` begins with the weights of that model.

    `report` gets the progress of every model, one call at a time. When one training fails, or on an interrupt, the others
    end at their next step and keep their checkpoints. Raises the errors of `train_model`.
    """
    stopped, one_at_a_time = threading.Event(), threading.Lock()

    def on_progress(progress: Progress) -> None:
        if stopped.is_set():
            raise ChildError("the training was stopped; train again to continue it")
        if report is not None:
            with one_at_a_time:
                report(progress)

    names = recipe.model.models
    with ThreadPoolExecutor(len(names)) as pool:
        futures = {
            name: pool.submit(train_model_in_child, store, recipe, dataset_ref, name, on_progress, starts.get(name))
            for name in names
        }
        try:
            for future in wait(futures.values(), return_when=FIRST_EXCEPTION).done:
                future.result()
        finally:
            stopped.set()
    return {name: future.result() for name, future in futures.items()}
