"""`current.json`, the one file that changes: facts by recipe, such as which models are promoted."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError
from lstm_music.store import files
from lstm_music.store.backend import Backend
from lstm_music.store.checksummed import dump_checksummed, load_checksummed

CURRENT_FILE = "current.json"
FIX = "run `lstm-music repair`"


class CurrentFile:
    """The file of a storage; `writing` gives a private folder for a change."""

    def __init__(self, backend: Backend, writing: Callable[[], AbstractContextManager[Path]]) -> None:
        self._backend = backend
        self._writing = writing

    def read(self) -> dict[str, Any]:
        """Give the facts of all recipes; none before the first. Raises CorruptArtifactError for a damaged file."""
        with files.disk_errors(self._backend.root):
            try:
                data = self._backend.read(CURRENT_FILE)
            except FileNotFoundError:
                data = None
            return self._recipes(data)

    def change(self, recipe: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Keep what `change` gives for the present facts of a recipe, beside its other facts; None takes a fact away."""

        def rewritten(data: bytes | None) -> bytes:
            recipes = self._recipes(data)
            facts = recipes.get(recipe, {})
            changed = {**facts, **change(facts)}
            recipes[recipe] = {name: value for name, value in changed.items() if value is not None}
            return dump_checksummed({"recipes": recipes})

        with self._writing() as folder:
            self._backend.change(CURRENT_FILE, rewritten, folder)

    def damaged(self) -> bytes | None:
        """Give the bytes of the file where they are not those that were written; None where they are, or there are none."""
        try:
            self.read()
        except CorruptArtifactError:
            return self._backend.read(CURRENT_FILE)
        return None

    def add(self, told: Mapping[str, Mapping[str, Any]]) -> None:
        """Add facts by recipe, or write the file again where it is damaged; facts that can be read stay as they are.

        The bytes of a damaged file are kept beside it.
        """

        def added(data: bytes | None) -> bytes:
            try:
                recipes = self._recipes(data)
            except CorruptArtifactError:
                assert data is not None
                name = f"{CURRENT_FILE.removesuffix('.json')}-damaged-{hashlib.sha256(data).hexdigest()[:8]}.json"
                self._backend.create(name, data, folder)
                recipes = {}
            new = {recipe: {**facts, **recipes.get(recipe, {})} for recipe, facts in told.items()}
            return dump_checksummed({"recipes": {**recipes, **new}})

        with self._writing() as folder:
            self._backend.change(CURRENT_FILE, added, folder)

    def _recipes(self, data: bytes | None) -> dict[str, Any]:
        if data is None:
            return {}
        path = self._backend.shown(CURRENT_FILE)
        recipes = load_checksummed(data, path, FIX).get("recipes")
        if not isinstance(recipes, dict):  # another file of the storage, copied over it
            raise CorruptArtifactError(f"{path}: expected the facts of recipes, found other content; {FIX}")
        return dict(recipes)
