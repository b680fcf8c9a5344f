"""The flow `ingest`: a source → raw music in storage."""

from prefect import flow

from flows.engine.naming import named_after
from flows.parameters import RecipeName, SourceText, StorageText
from lstm_music.sources.choice import chosen_source
from lstm_music.stages.current import find_recipe
from lstm_music.store import ArtifactRef, Store
from tasks.failing import advise, say_ended
from tasks.preparing import ingest_source


@flow(
    name="ingest",
    flow_run_name=named_after("ingest"),
    persist_result=False,
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def ingest(recipe: RecipeName = "default", source: SourceText = None, storage: StorageText = "storage") -> ArtifactRef:
    """Ingest the music of a source; without one, the recipe's own."""
    chosen = find_recipe(Store(storage), recipe)
    with Store(storage).session():
        return ingest_source(storage, chosen, chosen_source(source or None, chosen.source))
