"""A result that a person means, by its name, its key or a path → its generation."""

from pathlib import Path

from lstm_music.errors import MissingArtifactError
from lstm_music.stages.music.names import KIND, LATEST, read_names
from lstm_music.store import ArtifactRef, Store
from lstm_music.store.stage import KEY

SHORTEST_KEY = 8
"""Digits of a key that are enough to name a generation, as git has it."""


def find_result(store: Store, text: str) -> ArtifactRef:
    """Give the generation that a text means: a name such as 2026-11-28_demo_3, `latest`, a key or its first digits, or a path.

    Raises MissingArtifactError where there is none, or several.
    """
    names = read_names(store)
    refs = list(store.refs(KIND))
    by_name = {**names.key_of, **({LATEST: names.latest} if names.latest else {})}
    words = [text, *_words_of_path(text)]
    keys = {by_name.get(word, word) for word in words}
    found = [ref for ref in refs if ref.key in keys]
    if not found and len(text) >= SHORTEST_KEY:
        found = [ref for ref in refs if ref.key.startswith(text)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(list(names.key_of)[-3:]) or "none yet"
    raise MissingArtifactError(
        f"{text}: {'several generations begin so' if found else 'no generation'} in {store.where}; "
        f"expected its name (the latest: {known}), its key, or a path of its files"
    )


def _words_of_path(text: str) -> list[str]:
    """Give the names of the folders of a path, and those that its links lead to, the last first."""
    parts = [*Path(text).resolve().parts, *Path(text).parts] if text else []
    return [part for part in reversed(parts) if KEY.fullmatch(part) or "_" in part]
