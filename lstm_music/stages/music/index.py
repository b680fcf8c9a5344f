"""The index of all generations in storage: a page that leads to their listening pages."""

from pathlib import Path

from lstm_music.errors import LstmMusicError
from lstm_music.rendering.index_page import Generation, index_page
from lstm_music.stages.music.generation import KIND, PAGE
from lstm_music.store import Store


def write_index(store: Store) -> Path:
    """Bring `generations/index.html` up to date, the latest first; one that is damaged is left out."""
    rows = []
    for ref in store.refs(KIND):
        try:
            artifact = store.open(ref)
            started = artifact.provenance["started"]
            facts = artifact.facts
            row = Generation(
                title=f"{len(facts['results'])} pieces by the models of {facts['recipe']}",
                recipe=facts["recipe"],
                made=started[:16].replace("T", " "),
                random_seed=facts["random_seed"],
                results=len(facts["results"]),
                link=f"{artifact.folder.name}/{PAGE}",
            )
        except (LstmMusicError, OSError, KeyError, ValueError):
            continue
        rows.append((started, row))
    page = index_page([row for _, row in sorted(rows, key=lambda one: one[0], reverse=True)]).encode()
    path = store.root / KIND / PAGE
    if path.exists() and path.read_bytes() == page:
        return path
    return store.put_page(KIND, PAGE, page)
