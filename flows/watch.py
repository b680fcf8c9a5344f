"""The flow `watch`: news in the inbox → an event per recipe that starts `retrain`."""

import logging

from prefect import flow

from flows.engine.naming import named_after
from flows.parameters import CollectionText, InboxText, ServedRecipes, SettleSeconds, StorageText
from lstm_music.stages.inbox.news import SETTLE_SECONDS, News, should_announce
from lstm_music.stages.inbox.retraining import news_sentence
from lstm_music.stages.inbox.serving import nothing_to_serve, served_recipes
from lstm_music.stages.inbox.standing import standing
from lstm_music.store import Store
from tasks.failing import advise, say_ended
from tasks.retraining import announce, look

_LOG = logging.getLogger("lstm_music.flows")


@flow(
    name="watch",
    flow_run_name=named_after("watch"),
    persist_result=False,
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def watch(
    recipe: ServedRecipes = None,
    inbox: InboxText = None,
    storage: StorageText = "storage",
    source: CollectionText = None,
    settle_seconds: SettleSeconds = SETTLE_SECONDS,
) -> dict[str, News]:
    """Look for new, changed and removed music in the inbox, and emit an event for each recipe that has news."""
    store = Store(storage)
    served = served_recipes(store, recipe)
    if not served:
        _LOG.info(nothing_to_serve(store))
        return {}
    found = look(storage, [one.recipe for one in served], inbox, settle_seconds)
    for one in served:
        news = found[one.recipe.name]
        if should_announce(store, one.recipe, news):
            parameters = {"recipe": one.given, "inbox": inbox, "storage": storage, "source": source}
            announce(storage, one.recipe, news, parameters)
        _LOG.info(
            "Recipe %s: %s", one.recipe.name, news_sentence(news, one.recipe.name, standing(store, one.recipe.name))
        )
    return found
