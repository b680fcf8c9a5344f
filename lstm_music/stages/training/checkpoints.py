"""The files of a training until its model is published: its state, to continue from, and its progress, to show.

In a bucket both are shared, so that another machine can continue a training whose machine was lost.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm_music.errors import StorageError
from lstm_music.models.checkpoint import load_state
from lstm_music.recipe import Recipe
from lstm_music.store import ArtifactRef, Stage, Store

# The loss of a machine loses at most this much of a training in a bucket; a killed process loses less.
SHARE_SECONDS = 60.0

Progress = Mapping[str, Any]  # TrainingProgress as JSON


class Sharing:
    """Shares the files of one training from time to time."""

    def __init__(self, store: Store, stage: Stage, recipe: Recipe) -> None:
        self._store = store
        self._names = (_state_name(stage, recipe), _progress_name(stage.ref))
        self._shared = time.monotonic()

    def now_and_then(self) -> None:
        """Share the files, unless that was done a moment ago; an unreachable store does not end the training."""
        if time.monotonic() - self._shared >= SHARE_SECONDS:
            with contextlib.suppress(StorageError):
                for name in self._names:
                    self._store.share_training_file(name)
            self._shared = time.monotonic()


def resumed_state(store: Store, stage: Stage, recipe: Recipe) -> Path:
    """Give the path of a training's state on this machine, copied from another machine where that one was further."""
    name = _state_name(stage, recipe)
    path = store.training_file(name)
    shared = path.with_suffix(f".{os.getpid()}.tmp")
    if store.copy_training_file(name, shared):
        if _done(shared) > _done(path):
            shared.replace(path)
        shared.unlink(missing_ok=True)
    return path


def may_go_on(recipe: Recipe) -> bool:
    """Whether a training of more epochs can continue from the end of this one: only a constant learning rate allows it."""
    return recipe.training.schedule == "constant"


def forget_training(store: Store, stage: Stage, recipe: Recipe) -> None:
    """Remove the files of a training whose model is published; a process that was killed in between leaves them.

    The state of a training that may continue stays, and is shared.
    """
    store.drop_training_file(_progress_name(stage.ref))
    name = _state_name(stage, recipe)
    if not may_go_on(recipe):
        store.drop_training_file(name)
    elif store.training_file(name).exists():
        store.share_training_file(name)


def unfinished_trainings(store: Store) -> list[str]:
    """Give the keys of the models whose trainings began and have not ended."""
    begun = [Path(name) for name in store.training_files()]
    keys = sorted(path.stem for path in begun if path.suffix == ".json")
    return [key for key in keys if not store.has(ArtifactRef("model", key))]


def progress_path(store: Store, ref: ArtifactRef) -> Path:
    """Give the path of the newest progress of a running training."""
    return store.training_file(_progress_name(ref))


def read_progress(store: Store, ref: ArtifactRef) -> Progress | None:
    """Read the progress of a training on this machine; None before its first report and after its end."""
    try:
        progress: Progress = json.loads(progress_path(store, ref).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return progress


def note_progress(store: Store, ref: ArtifactRef, progress: Progress) -> None:
    """Write the newest progress; a full disk does not end the training."""
    path = progress_path(store, ref)
    temporary = path.with_suffix(".json.tmp")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(progress), encoding="utf-8")
        temporary.replace(path)


def _progress_name(ref: ArtifactRef) -> str:
    return f"{ref.key}.json"


def _state_name(stage: Stage, recipe: Recipe) -> str:
    """Name the state of a training; trainings that may continue one another share it: they differ only in their epochs."""
    if may_go_on(recipe):
        training = {key: value for key, value in stage.spec["training"].items() if key != "epochs"}
        stage = replace(stage, spec={**stage.spec, "training": training})
    return f"{stage.ref.key}.npz"


def _done(path: Path) -> tuple[int, int]:
    """Count the finished epochs of a state, and the steps of its next one; (-1, 0) where there is no state."""
    state = load_state(path)
    return (len(state.history), state.running.steps) if state else (-1, 0)
