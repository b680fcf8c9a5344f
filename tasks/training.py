"""Tasks that train, score and promote models."""

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE

from lstm_music.recipe import Recipe
from lstm_music.stages.current import Promoted
from lstm_music.stages.training import curves, promotion, scorecard, tracking, train
from lstm_music.stages.training.trained import model_stage
from lstm_music.store import ArtifactRef, Store
from tasks.on_worker import require_seen, require_wanted
from tasks.reporting import note, publish_card, publish_curves, publish_decision, training_report
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
    storage: str,
    recipe: Recipe,
    dataset: ArtifactRef,
    model: str,
    start: ArtifactRef | None = None,
    log: tracking.LoggedRun | None = None,
) -> ArtifactRef:
    """Train one model, by its name, in a process of its own; with a `start` it starts from that model's weights."""
    store, ref = Store(storage), model_stage(recipe, dataset, model, start).ref
    require_seen(store, dataset)
    note(train.starts_again_note(store, recipe, dataset, model, start))
    with training_report(model) as report, tracking.recorded(log, store, ref, model) as record:
        reports = train.each(require_wanted, report, record)
        return train.train_model_in_child(store, recipe, dataset, model, reports, start)


@task(name="begin log", task_run_name="begin log", cache_policy=NO_CACHE, persist_result=False)
def begin_log(
    log_to: str | None, recipe: Recipe, dataset: ArtifactRef, starts: Mapping[str, ArtifactRef]
) -> tracking.LoggedRun | None:
    """Begin the run of TensorBoard or MLflow that the trainings log to, if one is asked for."""
    return tracking.begin_run(log_to, recipe, dataset, starts) if log_to else None


@task(name="evaluate", task_run_name="evaluate", cache_policy=NO_CACHE, persist_result=False)
def evaluate(
    storage: str,
    recipe: Recipe,
    dataset: ArtifactRef,
    trained: Mapping[str, ArtifactRef],
    beside: scorecard.Beside = scorecard.NONE_BESIDE,
) -> ArtifactRef:
    """Score the models beside the baselines, and beside other models."""
    ref = scorecard.evaluate(Store(storage), recipe, dataset, trained, beside)
    publish_card(scorecard.read_card(Store(storage), ref))
    return ref


@task(name="draw curves", task_run_name="draw curves", cache_policy=NO_CACHE, persist_result=False)
def draw_curves(storage: str, recipe: Recipe, card: ArtifactRef, log: tracking.LoggedRun | None = None) -> str:
    """Draw the learning curves of the models of a score card, and log the card; return the path of the SVG."""
    path = str(curves.curves_of_card(Store(storage), recipe.name, card))
    tracking.record_card(log, scorecard.read_card(Store(storage), card))
    publish_curves(recipe.name, path)
    return path


@task(name="promote", task_run_name="promote", cache_policy=NO_CACHE, persist_result=False)
def promote(storage: str, recipe: Recipe, new: Promoted, force: bool = False) -> promotion.Decision:
    """Promote the models if they are not worse than the promoted ones, or if it is forced."""
    decision = promotion.promote(Store(storage), recipe, new, force=force)
    publish_decision(recipe.name, decision)
    return decision
