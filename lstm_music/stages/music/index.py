"""The index of all generations in storage: a page that shows, plays and leads to them."""

from pathlib import Path

from lstm_music.errors import LstmMusicError
from lstm_music.rendering.index_page import Generation, Preview, index_page
from lstm_music.stages.music.generation import PAGE
from lstm_music.stages.music.names import KIND, made_at, named_folder, read_names, short_recipe
from lstm_music.store import Artifact, Store

MOST_PREVIEWS = 4
"""Per generation; its own page has all of its results."""


def write_index(store: Store) -> Path:
    """Bring `generations/index.html` up to date, the newest first; a damaged generation is left out."""
    entries = []
    for ref in store.refs(KIND):
        try:
            entries.append(_entry(store, store.open(ref)))
        except (LstmMusicError, OSError, KeyError, ValueError):
            continue
    page = index_page(sorted(entries, key=lambda entry: (entry.made, entry.name), reverse=True)).encode()
    path = store.root / KIND / PAGE
    if path.exists() and path.read_bytes() == page:
        return path
    return store.put_page(KIND, PAGE, page)


def _entry(store: Store, artifact: Artifact) -> Generation:
    """Describe a generation by its manifest alone: none of its files is read, and in a bucket none is fetched."""
    facts = artifact.facts
    folder = (named_folder(store, artifact.ref) or artifact.folder).name
    return Generation(
        name=read_names(store).of(artifact.ref) or artifact.ref.key[:16],
        recipe=short_recipe(facts["recipe"]),
        made=made_at(artifact),
        settings=", ".join(facts.get("settings", [f"random seed {facts['random_seed']}"])),
        results=len(facts["results"]),
        link=f"{folder}/{PAGE}",
        previews=_previews(artifact, folder),
    )


def _previews(artifact: Artifact, folder: str) -> list[Preview]:
    """Give the first results; those of an earlier version of this project have no thumbnail."""
    facts, names = artifact.facts, set(artifact.manifest["files"])
    thumbnails = facts.get("thumbnails", [""] * len(facts["results"]))
    found = []
    for number, thumbnail in enumerate(thumbnails[:MOST_PREVIEWS], start=1):
        audio = [name for name in (f"result_{number:03d}.ogg", f"result_{number:03d}.mp3") if name in names]
        found.append(Preview(thumbnail, f"{folder}/{audio[0]}" if audio else ""))
    return [preview for preview in found if preview.thumbnail or preview.audio]
