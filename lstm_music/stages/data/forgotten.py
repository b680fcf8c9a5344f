"""Contents that storage must not keep: `inputs/forgotten.json`, SHA-256 → name. `ingest` passes them over.

They leave no row in a table of inputs, so a source that holds them has the same key as one without them.
"""

from collections.abc import Mapping

from lstm_music.store import Store
from lstm_music.store.checksummed import dump_checksummed, load_checksummed

KIND, FILE = "inputs", "forgotten.json"
FIX = "restore it from a backup, or delete it and forget the pieces again"


def read_forgotten(store: Store) -> dict[str, str]:
    """Give the forgotten contents. Raises CorruptArtifactError for a damaged list: what is on it must not come back."""
    return _parse(store, store.read_page(KIND, FILE))


def add_forgotten(store: Store, contents: Mapping[str, str]) -> None:
    """Add contents to the list."""
    store.change_page(KIND, FILE, lambda data: dump_checksummed({"contents": {**_parse(store, data), **contents}}))


def _parse(store: Store, data: bytes | None) -> dict[str, str]:
    return {} if data is None else dict(load_checksummed(data, store.shown(f"{KIND}/{FILE}"), FIX)["contents"])
