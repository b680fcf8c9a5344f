"""Tasks that train, score and promote models."""

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE

from lstm_music.recipe import Recipe
from lstm_music.stages.current import Promoted
from lstm_music.stages.training import promotion, scorecard, train
from lstm_music.store import ArtifactRef, Store
from tasks.reporting import publish_card, training_report
from tasks.retrying import may_pass


@task(
    name="train",
    task_run_name="train {model}",
    retries=1,
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def train_model(
    storage: str, recipe: Recipe, dataset: ArtifactRef, model: str, start: ArtifactRef | None = None
) -> ArtifactRef:
    """Train one model, by its name, in a process of its own; with a `start` it begins with that model's weights."""
    with training_report(model) as report:
        return train.train_model_in_child(Store(storage), recipe, dataset, model, report, start)


@task(name="evaluate", cache_policy=NO_CACHE, persist_result=False)
def evaluate(storage: str, recipe: Recipe, dataset: ArtifactRef, trained: Mapping[str, ArtifactRef]) -> ArtifactRef:
    """Score the models beside the baselines."""
    ref = scorecard.evaluate(Store(storage), recipe, dataset, trained)
    publish_card(scorecard.read_card(Store(storage), ref))
    return ref


@task(name="promote", cache_policy=NO_CACHE, persist_result=False)
def promote(storage: str, recipe: Recipe, new: Promoted) -> promotion.Decision:
    """Put the models to use if they are not worse than those in use."""
    return promotion.promote(Store(storage), recipe, new)
