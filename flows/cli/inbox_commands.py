"""What `watch`, `retrain` and `rollback` do on the command line."""

import contextlib
import os

from flows.cli.choosing import choose_recipe
from flows.cli.display import ROWS_SHOWN, Display
from flows.cli.training import RunnerChoice, runner_of
from flows.cli.words import capital
from flows.engine.server import orchestrated, server_is_configured
from lstm_music.errors import StorageError
from lstm_music.stages.current import require_promoted
from lstm_music.stages.inbox import news as inboxes
from lstm_music.stages.inbox.news import News
from lstm_music.stages.inbox.retraining import NOTHING_NEW, Retraining, describe, rejected, require_retrainable
from lstm_music.stages.training import promotion
from lstm_music.store import Store

KEY_SHOWN = 12
"""Digits of a score card's key that tell it from others."""


def watch(display: Display, recipe_name: str | None, inbox: str | None, storage: str, settle_seconds: float) -> None:
    """Report what is new in the inbox; with a configured server the flow does it, and announces the news."""
    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted", "prepared")
    recipe_name = recipe_name or recipe.name
    require_retrainable(recipe)
    if server_is_configured(os.environ):
        with display.doing("Looking at the inbox"), orchestrated():
            from flows.watch import watch as flow

            news: News = flow(recipe_name, inbox, storage, settle_seconds=settle_seconds)
    else:
        with display.doing("Looking at the inbox"):
            news = inboxes.look(store, recipe, inbox, settle_seconds)
    _log_news(display, news)
    if not news.is_any:
        display.log(capital(NOTHING_NEW))
    else:
        display.log(f"Train on it with `lstm-music retrain --recipe {recipe_name}`")
    names = {"came": news.came, "changed": news.changed, "went": news.went, "growing": news.growing}
    display.result({**{name: list(files) for name, files in names.items()}, "fingerprint": news.fingerprint})


def retrain(
    display: Display,
    recipe_name: str | None,
    source: str | None,
    inbox: str | None,
    storage: str,
    runner: RunnerChoice,
    settle_seconds: float,
) -> None:
    """Retrain through the flow if the inbox has news; without news nothing is started, not even Prefect."""
    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted", "prepared").run_by(*runner)
    require_retrainable(recipe)
    with display.doing("Looking at the inbox"):
        news = inboxes.look(store, recipe, inbox, settle_seconds)
    _log_news(display, news)
    if news.is_any:
        with display.doing("Retraining on all music"), orchestrated():
            from flows.retrain import retrain as flow

            # The flow looks again for itself; what has settled here needs no second wait.
            result: Retraining = flow(recipe_name or recipe.name, inbox, storage, source, *runner_of(recipe), 0.0)
    else:
        result = Retraining(recipe.name, news)
    for row in rejected(store, result)[:ROWS_SHOWN]:
        display.log(f"Rejected: {row.name} {row.reason}")
    display.log(capital(result.outcome))
    said = describe(store, result)
    if said["page"]:
        display.log(f"Listen: {said['page']}")
    display.result(said)


def rollback(display: Display, recipe_name: str | None, storage: str, from_scorecard: str | None) -> None:
    """Promote the previous models again."""
    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted")
    require_promoted(store, recipe.name)  # before a mistyped --storage is made
    with store.session():
        done = promotion.rollback(store, recipe.name, from_scorecard)
        if not done.was_done:
            display.log(f"Recipe {recipe.name}: the previous models are promoted again")
        elif from_scorecard is not None:
            display.log(
                f"Recipe {recipe.name}: the models of {from_scorecard} are not promoted, so nothing was changed"
            )
        else:
            display.log(
                f"Recipe {recipe.name}: the last rollback was interrupted after its change, so this one goes no further; "
                "run it again to go one step back"
            )
        for name, ref in done.promoted.models.items():
            display.log(f"{name:11} {store.open(ref).folder}")
        display.log(
            f"To go back from here, once: `lstm-music rollback --from {done.promoted.scorecard.key[:KEY_SHOWN]}`"
        )
        display.result({"recipe": recipe.name, "promoted": done.promoted.to_json(), "was_done": done.was_done})
        with contextlib.suppress(StorageError):  # the user knows now, so this is no failure
            promotion.rollback_is_told(store, recipe.name)


def _log_news(display: Display, news: News) -> None:
    for what, names in (("New", news.came), ("Changed", news.changed), ("Gone", news.went), ("Growing", news.growing)):
        for name in names[:ROWS_SHOWN]:
            display.log(f"{what}: {name}")
        if len(names) > ROWS_SHOWN:
            display.log(f"{what}: {len(names) - ROWS_SHOWN} more")
