"""The flow `watch`: news in the inbox → an event that starts `retrain`."""

from prefect import flow

from flows.engine.naming import named_after
from flows.parameters import CollectionText, InboxText, RecipeName, SettleSeconds, StorageText
from lstm_music.stages.current import find_recipe
from lstm_music.stages.inbox.news import SETTLE_SECONDS, News, should_announce
from lstm_music.store import Store
from tasks.failing import advise, say_ended
from tasks.retraining import announce, look


@flow(
    name="watch",
    flow_run_name=named_after("watch"),
    persist_result=False,
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def watch(
    recipe: RecipeName = "default",
    inbox: InboxText = None,
    storage: StorageText = "storage",
    source: CollectionText = None,
    settle_seconds: SettleSeconds = SETTLE_SECONDS,
) -> News:
    """Look for new, changed and removed music in the inbox, and emit an event if there is any."""
    store = Store(storage)
    chosen = find_recipe(store, recipe)
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
