"""The flow `ingest`: a source → raw music in storage."""

from prefect import flow

from lstm_music.recipe import load_recipe
from lstm_music.store import ArtifactRef, Store
from tasks.preparing import ingest_source


@flow(name="ingest", persist_result=False)
def ingest(recipe: str = "default", source: str | None = None, storage: str = "storage") -> ArtifactRef:
    """Take in the music of a source (default: the recipe's own)."""
    chosen = load_recipe(recipe)
    with Store(storage).session():
        return ingest_source(storage, chosen, source or chosen.source)
