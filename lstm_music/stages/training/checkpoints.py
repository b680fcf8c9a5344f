"""What is kept of a training until its model is published: its state, so that it goes on, and its progress, to be seen.

In a bucket both are shared, so that another machine may go on where this one was when it was lost.
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

# What the loss of a machine may cost a training in a bucket; a killed process costs less, its state lies on this machine.
SHARE_SECONDS = 60.0

Progress = Mapping[str, Any]  # TrainingProgress as JSON


class Sharing:
    """Shares what is kept of one training, now and then."""

    def __init__(self, store: Store, stage: Stage, recipe: Recipe) -> None:
        self._store = store
        self._names = (_state_name(stage, recipe), _progress_name(stage.ref))
        self._shared = time.monotonic()

    def now_and_then(self) -> None:
        """Share it, unless that was done a moment ago; a store that is away must not end a training for its sake."""
        if time.monotonic() - self._shared >= SHARE_SECONDS:
            with contextlib.suppress(StorageError):
                for name in self._names:
                    self._store.share_training_file(name)
            self._shared = time.monotonic()


def resumed_state(store: Store, stage: Stage, recipe: Recipe) -> Path:
    """Where the state of a training lies on this machine, taken over from another machine that was further."""
    name = _state_name(stage, recipe)
    path = store.training_file(name)
    shared = path.with_suffix(f".{os.getpid()}.tmp")
    if store.copy_training_file(name, shared):
        if _done(shared) > _done(path):
            shared.replace(path)
        shared.unlink(missing_ok=True)
    return path


def may_go_on(recipe: Recipe) -> bool:
    """Whether a training of more epochs begins as this one does, so that it goes on from where this one ended."""
    return recipe.training.schedule == "constant"


def forget_training(store: Store, stage: Stage, recipe: Recipe) -> None:
    """Remove what is kept of a training until its model is published; whoever was killed in between left it.

    The state of a training that may go on is kept for good, and shared.
    """
    store.drop_training_file(_progress_name(stage.ref))
    name = _state_name(stage, recipe)
    if not may_go_on(recipe):
        store.drop_training_file(name)
    elif store.training_file(name).exists():
        store.share_training_file(name)


def unfinished_trainings(store: Store) -> list[str]:
    """Keys of the models whose trainings were seen to begin and have not ended."""
    begun = [Path(name) for name in store.training_files()]
    keys = sorted(path.stem for path in begun if path.suffix == ".json")
    return [key for key in keys if not store.has(ArtifactRef("model", key))]


def progress_path(store: Store, ref: ArtifactRef) -> Path:
    """Where the newest progress of a training lies while it runs."""
    return store.training_file(_progress_name(ref))


def read_progress(store: Store, ref: ArtifactRef) -> Progress | None:
    """Read where a training on this machine is; None where it has not begun, or is done."""
    try:
        said: Progress = json.loads(progress_path(store, ref).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said


def note_progress(store: Store, ref: ArtifactRef, said: Progress) -> None:
    """Keep the newest progress; a full disk must not end a training for its sake."""
    path = progress_path(store, ref)
    temporary = path.with_suffix(".json.tmp")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(said), encoding="utf-8")
        temporary.replace(path)


def _progress_name(ref: ArtifactRef) -> str:
    return f"{ref.key}.json"


def _state_name(stage: Stage, recipe: Recipe) -> str:
    """Name the state of a training; trainings that differ only in how many epochs they may take share it if they can."""
    if may_go_on(recipe):
        training = {key: value for key, value in stage.spec["training"].items() if key != "epochs"}
        stage = replace(stage, spec={**stage.spec, "training": training})
    return f"{stage.ref.key}.npz"


def _done(path: Path) -> tuple[int, int]:
    """Give how many epochs and further steps a state has behind it; less than nothing where there is none."""
    state = load_state(path)
    return (len(state.history), state.running.steps) if state else (-1, 0)
