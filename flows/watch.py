"""The flow `watch`: news in the inbox → an event that starts `retrain`."""

from prefect import flow

from flows.parameters import CollectionText, InboxText, RecipeName, SettleSeconds, StorageText
from lstm_music.recipe import load_recipe
from lstm_music.stages.inbox.news import SETTLE_SECONDS, News, should_announce
from lstm_music.store import Store
from tasks.failing import advise
from tasks.retraining import announce, look


@flow(name="watch", persist_result=False, on_failure=[advise], on_crashed=[advise])
def watch(
    recipe: RecipeName = "default",
    inbox: InboxText = None,
    storage: StorageText = "storage",
    source: CollectionText = None,
    settle_seconds: SettleSeconds = SETTLE_SECONDS,
) -> News:
    """Look for new, changed and removed music in the inbox, and emit an event if there is any."""
    chosen, store = load_recipe(recipe), Store(storage)
    news = look(storage, chosen, inbox, settle_seconds)
    if should_announce(store, chosen, news):
        parameters = {
            "recipe": recipe,
            "inbox": inbox,
            "storage": storage,
            "source": source,
        }
        announce(storage, chosen, news, parameters)
    return news
