"""What `watch`, `retrain` and `rollback` do on the command line."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.cli.choosing import choose_recipe
from flows.cli.display import ROWS_SHOWN, Display
from flows.cli.training import RunnerChoice
from flows.engine.begun import told_of_trainings
from flows.engine.server import orchestrated, server_is_configured
from lstm_music.errors import RetrainingError, StorageError
from lstm_music.stages.current import require_promoted
from lstm_music.stages.inbox import news as inboxes
from lstm_music.stages.inbox.news import News
from lstm_music.stages.inbox.retraining import (
    Retraining,
    describe,
    describe_news,
    news_sentence,
    rejected,
    trains_anyway,
    warned,
)
from lstm_music.stages.inbox.serving import Served, nothing_to_serve, served_recipes
from lstm_music.stages.inbox.standing import standing
from lstm_music.stages.training import promotion
from lstm_music.store import ArtifactRef, Store

KEY_SHOWN = 12
"""Digits of a score card's key that tell it from others."""


def watch(display: Display, recipes: str | None, inbox: str | None, storage: str, settle_seconds: float) -> None:
    """Report what is new in the inbox; with a configured server the flow does it, and announces the news."""
    store = Store(storage)
    served = served_recipes(store, recipes)
    if not served:
        _log_nothing(display, store)
        return
    if server_is_configured(os.environ):
        with display.doing("Looking at the inbox"), orchestrated():
            from flows.watch import watch as flow

            found: dict[str, News] = flow(
                ",".join(one.given for one in served), inbox, storage, settle_seconds=settle_seconds
            )
    else:
        found = _look(display, store, served, inbox, settle_seconds)
    said = {}
    for one in served:
        name, news = one.recipe.name, found[one.recipe.name]
        _log_news(display, news)
        sentence = news_sentence(news, name, standing(store, name))
        todo = f"; train on it with `lstm-music retrain --recipe {one.given}`" if news.is_any else ""
        display.log(f"Recipe {name}: {sentence}{todo}")
        said[name] = {"sentence": sentence, **describe_news(news)}
    _result(display, said)


def retrain(
    display: Display,
    recipes: str | None,
    source: str | None,
    inbox: str | None,
    storage: str,
    runner: RunnerChoice,
    settle_seconds: float,
    again: bool,
    force: bool,
) -> None:
    """Retrain through the flow where there is a reason to; without one nothing is started, not even Prefect."""
    store = Store(storage)
    served = served_recipes(store, recipes)
    if not served:
        _log_nothing(display, store)
        return
    for one in served:
        one.recipe.run_by(*runner)  # what it may not be is said before anything starts
    found = _look(display, store, served, inbox, settle_seconds)
    results = {one.recipe.name: _result_without_news(store, one, found) for one in served}
    todo = [
        one.given
        for one in served
        if found[one.recipe.name].is_any or trains_anyway(results[one.recipe.name].before, again=again, force=force)
    ]
    failure: RetrainingError | None = None
    if todo:
        for one in served:
            _log_news(display, found[one.recipe.name])
        display.log("Retraining on all music …")
        with orchestrated(), _shown_trainings(display, store, of_several=len(todo) > 1):
            from flows.retrain import retrain as flow

            try:
                # The flow looks again for itself; what has settled here needs no second wait.
                made: list[Retraining] = flow(
                    ",".join(todo), inbox, storage, source, *runner, settle_seconds=0.0, again=again, force=force
                )
            except RetrainingError as error:
                failure, made = error, error.done
        results |= {result.recipe: result for result in made}
    said = {}
    for name, result in results.items():
        if failure is None or name not in failure.failed:
            said[name] = _report(display, store, result)
    _result(display, said)
    if failure is not None:
        raise failure


def rollback(display: Display, recipe_name: str | None, storage: str, from_scorecard: str | None) -> None:
    """Promote the previous models again."""
    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted")
    require_promoted(store, recipe.name)  # before a mistyped --storage is made
    done = promotion.rollback(store, recipe.name, from_scorecard)
    if not done.was_done:
        display.log(f"Recipe {recipe.name}: the previous models are promoted again")
    elif from_scorecard is not None:
        display.log(f"Recipe {recipe.name}: the models of {from_scorecard} are not promoted, so nothing was changed")
    else:
        display.log(
            f"Recipe {recipe.name}: the last rollback was interrupted after its change, so this one goes no further; "
            "run it again to go one step back"
        )
    for name, ref in done.promoted.models.items():
        display.log(f"{name:11} {store.open(ref).folder}")
    display.log(f"To go back from here, once: `lstm-music rollback --from {done.promoted.scorecard.key[:KEY_SHOWN]}`")
    display.result({"recipe": recipe.name, "promoted": done.promoted.to_json(), "was_done": done.was_done})
    with contextlib.suppress(StorageError):  # the user knows now, so this is no failure
        promotion.rollback_is_told(store, recipe.name)


def _look(
    display: Display, store: Store, served: Sequence[Served], inbox: str | None, settle_seconds: float
) -> dict[str, News]:
    with display.doing("Looking at the inbox"):
        return inboxes.look_all(store, [one.recipe for one in served], inbox, settle_seconds)


def _result_without_news(store: Store, one: Served, found: Mapping[str, News]) -> Retraining:
    return Retraining(one.recipe.name, found[one.recipe.name], before=standing(store, one.recipe.name))


@contextlib.contextmanager
def _shown_trainings(display: Display, store: Store, *, of_several: bool) -> Iterator[None]:
    """Show how far the trainings of a flow are, of several recipes with the recipe's name."""
    with display.trainings(store) as shown:

        def add(recipe: str, models: Mapping[str, ArtifactRef]) -> None:
            shown.update({f"{recipe} {name}" if of_several else name: ref for name, ref in models.items()})

        with told_of_trainings(add):
            yield


def _report(display: Display, store: Store, result: Retraining) -> dict[str, Any]:
    """Print what came of a retraining; give it for programs, too."""
    for row in rejected(store, result)[:ROWS_SHOWN]:
        display.log(f"Rejected: {row.name} {row.reason}")
    for row in warned(store, result)[:ROWS_SHOWN]:
        display.log(f"Warning: {row.name} {'; '.join(row.warnings)}")
    display.log(f"Recipe {result.recipe}: {result.sentence}")
    said = describe(store, result)
    if said["page"]:
        display.log(f"Listen: {said['page']}")
    return said


def _log_nothing(display: Display, store: Store) -> None:
    display.log(nothing_to_serve(store))
    display.result({"recipes": {}})


def _result(display: Display, said: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the result for programs: by recipe and, for a single one, also as it was before there could be several."""
    (only,) = said.values() if len(said) == 1 else [{}]
    display.result({**only, "recipes": said})


def _log_news(display: Display, news: News) -> None:
    names = {"New": news.new, "Changed": news.changed, "Removed": news.removed, "Growing": news.growing}
    for what, files in names.items():
        for name in files[:ROWS_SHOWN]:
            display.log(f"{what}: {name}")
        if len(files) > ROWS_SHOWN:
            display.log(f"{what}: {len(files) - ROWS_SHOWN} more")
