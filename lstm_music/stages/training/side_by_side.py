"""The models of a recipe, trained side by side, each in a process of its own: in which order, and without an orchestrator."""

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from lstm_music.errors import ChildError
from lstm_music.recipe import Recipe
from lstm_music.stages.training.checkpoints import Progress
from lstm_music.stages.training.train import Report, train_model_in_child
from lstm_music.stages.training.trained import model_stages
from lstm_music.store import ArtifactRef, Store

__all__ = ["Report", "cores", "epochs_left", "lanes", "train_models"]


def cores() -> int:
    """Give the number of cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # Linux has it
    return len(usable(0)) if usable else os.cpu_count() or 1


def epochs_left(
    store: Store, recipe: Recipe, dataset_ref: ArtifactRef, starts: Mapping[str, ArtifactRef]
) -> dict[str, int]:
    """Give the epochs of each model's training, by its name: the most it can have, and 0 for a model that is in storage."""
    stages = model_stages(recipe, dataset_ref, starts)
    return {name: 0 if store.has(stage.ref) else stage.spec["training"]["epochs"] for name, stage in stages.items()}


def lanes(epochs: Mapping[str, int], cores: int) -> list[list[str]]:
    """Arrange trainings of some lengths so that the last one ends soonest: lanes run side by side, the trainings of one in turn.

    A training computes on one core, and trainings that outnumber the cores share them equally. The longest begins first. With
    two cores and the lengths 12, 5 and 5 it has a core to itself, and the others take turns; of three equal lengths all run
    at once, because otherwise a core would idle at the end. No lane is more than needed: each has a process in memory.
    """
    longest_first = sorted(epochs, key=lambda name: -epochs[name])
    lengths = [epochs[name] for name in longest_first]
    most = max(1, len(lengths))
    at_once = min(range(min(max(1, cores), most), most + 1), key=lambda number: _ending(lengths, number, cores))
    arranged: list[list[str]] = [[] for _ in range(min(at_once, len(lengths)))]
    for name in longest_first:
        min(arranged, key=lambda lane: sum(epochs[one] for one in lane)).append(name)
    return arranged


def _ending(lengths: Sequence[int], at_once: int, cores: int) -> int:
    """Give when trainings end that start in this order, `at_once` at a time; the unit is an epoch's time over `cores`."""
    waiting, running, now = list(lengths), list[int](), 0
    while waiting or running:
        running, waiting = running + waiting[: at_once - len(running)], waiting[at_once - len(running) :]
        shortest = min(running)
        now += shortest * max(len(running), cores)
        running = [length - shortest for length in running if length > shortest]
    return now


def train_models(
    store: Store,
    recipe: Recipe,
    dataset_ref: ArtifactRef,
    starts: Mapping[str, ArtifactRef],
    report: Report | None = None,
) -> dict[str, ArtifactRef]:
    """Train all models of a recipe, by name, in their lanes; one that is in `starts` begins with the weights of that model.

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

    def train_lane(names: Sequence[str]) -> dict[str, ArtifactRef]:
        made = {}
        for name in names:
            if stopped.is_set():
                break
            made[name] = train_model_in_child(store, recipe, dataset_ref, name, on_progress, starts.get(name))
        return made

    arranged = lanes(epochs_left(store, recipe, dataset_ref, starts), cores())
    with ThreadPoolExecutor(len(arranged)) as pool:
        futures = [pool.submit(train_lane, names) for names in arranged]
        try:
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        finally:
            stopped.set()
    made = {name: ref for future in futures for name, ref in future.result().items()}
    return {name: made[name] for name in recipe.model.models}
