"""The files of a training until its model is published: its state, to continue from, and its progress, to show.

In a bucket both are shared, so that another machine can continue a training whose machine was lost.
"""

import contextlib
import json
import secrets
import tempfile
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
SHARE_PROGRESS_SECONDS = 10.0

Progress = Mapping[str, Any]  # TrainingProgress as JSON


class Sharing:
    """Shares the files of one training from time to time: its state to continue from, and more often its progress to show."""

    def __init__(self, store: Store, stage: Stage, recipe: Recipe) -> None:
        self._store = store
        now = time.monotonic()
        self._due = {_state_name(stage, recipe): now + SHARE_SECONDS, _progress_name(stage.ref): now}
        self._pause = {_state_name(stage, recipe): SHARE_SECONDS, _progress_name(stage.ref): SHARE_PROGRESS_SECONDS}

    def now_and_then(self) -> None:
        """Share the files that are due; an unreachable store does not end the training."""
        for name in [name for name, due in self._due.items() if time.monotonic() >= due]:
            pause = SHARE_SECONDS  # a request to an unreachable store takes seconds, so do not ask soon again
            with contextlib.suppress(StorageError):
                self._store.share_training_file(name)
                pause = self._pause[name]
            self._due[name] = time.monotonic() + pause


def resumed_state(store: Store, stage: Stage, recipe: Recipe) -> Path:
    """Give the path of a training's state on this machine, copied from another machine where that one was further."""
    name = _state_name(stage, recipe)
    path = store.training_file(name)
    shared = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
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


class ProgressWatch:
    """Reads the progress of trainings wherever they run: from files here, and now and then from what is shared in a bucket."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._shared: dict[str, Progress | None] = {}
        self._due: dict[str, float] = {}

    def read(self, ref: ArtifactRef) -> Progress | None:
        """Give the furthest progress of a training; None before its first report and after its end."""
        if time.monotonic() >= self._due.get(ref.key, 0.0):
            self._shared[ref.key] = self._read_shared(_progress_name(ref))
            self._due[ref.key] = time.monotonic() + SHARE_PROGRESS_SECONDS
        known = [said for said in (read_progress(self._store, ref), self._shared[ref.key]) if said]
        return max(known, key=lambda said: (said["epoch"], said["step"]), default=None)

    def _read_shared(self, name: str) -> Progress | None:
        with tempfile.TemporaryDirectory(prefix="lstm-music-") as folder, contextlib.suppress(StorageError, ValueError):
            copied = Path(folder) / name
            if self._store.copy_training_file(name, copied):
                progress: Progress = json.loads(copied.read_text(encoding="utf-8"))
                return progress
        return None


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
