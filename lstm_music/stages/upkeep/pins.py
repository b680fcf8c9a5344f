"""Results that stay: generations that somebody named to be kept, in `generations/kept.json`."""

from collections.abc import Collection

from lstm_music.stages.music.names import KIND
from lstm_music.store import ArtifactRef, Store
from lstm_music.store.checksummed import dump_checksummed, load_checksummed

PINS = "kept.json"


def pinned(store: Store) -> list[ArtifactRef]:
    """List the generations that stay. Raises CorruptArtifactError for a damaged list, so that nothing is removed by mistake."""
    return [ArtifactRef(KIND, key) for key in _keys(store, store.read_page(KIND, PINS))]


def pin(store: Store, ref: ArtifactRef) -> None:
    """Let a generation stay, with all that it was made from."""
    store.change_page(KIND, PINS, lambda data: _dump({*_keys(store, data), ref.key}))


def release(store: Store, ref: ArtifactRef) -> None:
    """Let a generation go like any other."""
    store.change_page(KIND, PINS, lambda data: _dump({*_keys(store, data)} - {ref.key}))


def _keys(store: Store, data: bytes | None) -> list[str]:
    if data is None:
        return []
    fix = "delete it, and keep your results again with `lstm-music keep RESULT`"
    return list(load_checksummed(data, store.shown(f"{KIND}/{PINS}"), fix)["kept"])


def _dump(keys: Collection[str]) -> bytes:
    return dump_checksummed({"kept": sorted(keys)})
