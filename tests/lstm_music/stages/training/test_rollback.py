"""Rollback: back through the models that were in use; and what a retraining says of its decision."""

import dataclasses

import pytest
from eager import eagerly
from small_music import tiny_recipe

from lstm_music.errors import MismatchError, MissingArtifactError, RecipeError
from lstm_music.stages.current import Promoted, promoted_models
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.inbox.news import News, seen_inputs
from lstm_music.stages.inbox.retraining import Retraining, describe, markdown
from lstm_music.stages.inbox.serving import require_retrainable
from lstm_music.stages.training import promotion, trained
from lstm_music.stages.training.fitting import fitting
from lstm_music.stages.training.promotion import promote, rollback, rollback_is_told
from lstm_music.stages.training.scorecard import evaluate

NEWS = News(("inbox/a`b.mid",), ("inbox/c.mid",), (), ("inbox/d.mid",), {"inbox/a`b.mid": "0" * 64})


pytestmark = pytest.mark.usefixtures("uncompiled")


@pytest.fixture(scope="module")
def home(made, evaluated, tmp_path_factory):
    """The storage that each test copies."""
    return made.copy(tmp_path_factory.mktemp("rollback") / "storage")


@pytest.fixture(scope="module")
def others(home, publish_untrained):
    """Two more sets of models of the same dataset."""
    found = []
    for random_seed in (98, 99):
        recipe = tiny_recipe(random_seed=random_seed)
        models = publish_untrained(home.store, recipe, home.prepared.dataset)
        with eagerly():
            card = evaluate(home.store, recipe, home.prepared.dataset, models)
        found.append(Promoted(home.prepared.dataset, models, card))
    return found


@pytest.fixture
def copy(home, others, tmp_path):
    return home.copy(tmp_path / "storage")


PATIENT = tiny_recipe(promotion={"tolerance": 100})


def test_rollback_goes_back_one_promotion_each_time(copy, evaluated, others):
    for new in (evaluated, *others):
        assert promote(copy.store, PATIENT, new).promoted
    for before in (others[0], evaluated):
        assert rollback(copy.store, "tiny").promoted == before == promoted_models(copy.store, "tiny")
        rollback_is_told(copy.store, "tiny")
    with pytest.raises(
        MissingArtifactError, match="has no earlier models to return to; the promoted ones are its first"
    ):
        rollback(copy.store, "tiny")
    assert promoted_models(copy.store, "tiny") == evaluated


@pytest.mark.operation
def test_a_rollback_that_was_killed_before_it_could_tell_is_not_done_twice(copy, evaluated, others):
    for new in (evaluated, *others):
        promote(copy.store, PATIENT, new)
    first, again = rollback(copy.store, "tiny"), rollback(copy.store, "tiny")
    assert (first.promoted, first.was_done) == (others[0], False)
    assert (again.promoted, again.was_done) == (others[0], True)
    rollback_is_told(copy.store, "tiny")
    assert rollback(copy.store, "tiny").promoted == evaluated


def test_a_rollback_from_certain_models_is_done_once_however_often_it_is_said(copy, evaluated, others):
    for new in (evaluated, *others):
        promote(copy.store, PATIENT, new)
    key = others[1].scorecard.key[:12]
    first, again = (rollback(copy.store, "tiny", key) for _ in range(2))
    assert (first.promoted, first.was_done) == (others[0], False)
    assert (again.promoted, again.was_done) == (others[0], True)


def test_a_rollback_during_a_promotion_stays_in_the_history(copy, evaluated, others, monkeypatch):
    for new in (evaluated, others[0]):
        promote(copy.store, PATIENT, new)
    score = promotion.nats_of_pieces

    def rolled_back_meanwhile(*arguments):
        monkeypatch.setattr(promotion, "nats_of_pieces", score)
        rollback(copy.store, "tiny")
        return score(*arguments)

    monkeypatch.setattr(promotion, "nats_of_pieces", rolled_back_meanwhile)
    assert promote(copy.store, PATIENT, others[1]).promoted
    assert promoted_models(copy.store, "tiny") == others[1]
    assert rollback(copy.store, "tiny").promoted == evaluated  # the one that was returned to, not the rejected one
    rollback_is_told(copy.store, "tiny")
    with pytest.raises(MissingArtifactError):
        rollback(copy.store, "tiny")


def test_without_any_models_there_is_nothing_to_return_to(copy):
    with pytest.raises(MissingArtifactError, match="is not trained yet"):
        rollback(copy.store, "tiny")


@pytest.mark.operation
def test_only_so_many_promotions_are_remembered(copy, evaluated, others, monkeypatch):
    monkeypatch.setattr(promotion, "MOST_EARLIER", 1)
    for new in (evaluated, *others):
        promote(copy.store, PATIENT, new)
    assert rollback(copy.store, "tiny").promoted == others[0]
    rollback_is_told(copy.store, "tiny")
    with pytest.raises(MissingArtifactError):
        rollback(copy.store, "tiny")


def test_models_that_cannot_be_read_are_not_returned_to(copy, evaluated, publish, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(trained, "MODEL_VERSION", 1)
        older = publish(copy.store, copy.recipe, copy.prepared.dataset)
    promote(copy.store, copy.recipe, dataclasses.replace(evaluated, models=older))
    promote(copy.store, copy.recipe, evaluated)
    with pytest.raises(MismatchError, match="this version cannot read them; the promoted models stay"):
        rollback(copy.store, "tiny")
    assert promoted_models(copy.store, "tiny") == evaluated


def test_models_that_are_refused_leave_no_trace_but_what_they_heard(copy, evaluated, others):
    promote(copy.store, copy.recipe, evaluated)
    decision = promote(copy.store, copy.recipe, others[0])
    assert not decision.promoted
    assert decision.new_nll > decision.old_nll
    assert seen_inputs(copy.store, "tiny") == copy.prepared.inputs
    with pytest.raises(MissingArtifactError):
        rollback(copy.store, "tiny")


def test_what_was_heard_is_found_in_a_storage_of_before_it_was_kept(copy, evaluated):
    assert seen_inputs(copy.store, "tiny") is None
    copy.store.set_current("tiny", {"promoted": evaluated.to_json()})
    assert seen_inputs(copy.store, "tiny") == copy.prepared.inputs


def test_models_that_do_not_fit_are_left_out_where_nobody_watches(copy, trained):
    assert fitting(copy.store, copy.recipe, copy.prepared.dataset, trained) == trained
    larger = tiny_recipe(models={"note": {"epochs": 3}}, model={"units": 9})
    assert fitting(copy.store, larger, copy.prepared.dataset, trained) == {}
    leaky = tiny_recipe(split={"validation": 0.4, "test": 0.4})
    dataset = prepare(copy.store, leaky, copy.prepared.inputs).dataset
    assert fitting(copy.store, leaky, dataset, trained) == {}


def test_the_report_says_what_came_both_scores_and_the_decision(copy, evaluated, others):
    promote(copy.store, copy.recipe, evaluated)
    decision = promote(copy.store, copy.recipe, others[0])
    result = Retraining("tiny", NEWS, copy.prepared.inputs, decision)
    text = markdown(copy.store, result)
    assert text.startswith(
        "# Retraining of `tiny`\n\nTrained on all music with 1 new file and 1 changed file; the new models are not promoted: "
    )
    assert f"| new | {decision.new_nll:.3f} |\n| promoted before | {decision.old_nll:.3f} |" in text
    assert "## New: 1\n\n- `inbox/a'b.mid`" in text
    assert "left for the next look: 1\n\n- `inbox/d.mid`" in text
    assert "rollback" not in text
    said = describe(copy.store, result)
    assert (said["promoted"], said["new_nll"], said["page"]) == (False, decision.new_nll, None)
    assert said["new"] == said["came"] == ["inbox/a`b.mid"]
    assert (said["outcome"], said["decision"], said["removed"], said["went"]) == ("kept", "kept", [], [])
    assert said["difference"] == pytest.approx(said["new_nll"] - said["old_nll"])


def test_the_report_of_a_promotion_says_the_way_back(copy, evaluated):
    decision = promote(copy.store, copy.recipe, evaluated)
    text = markdown(copy.store, Retraining("tiny", NEWS, copy.prepared.inputs, decision))
    assert "`lstm-music rollback --recipe tiny`" in text


def test_the_report_without_news_is_one_sentence(copy):
    text = markdown(copy.store, Retraining("tiny", News((), (), (), (), {})))
    assert text.splitlines()[2:] == ["No changes in the inbox since the last training."]


def test_many_names_are_counted_and_not_all_listed(copy):
    news = News(tuple(f"inbox/{number:03d}.mid" for number in range(150)), (), (), (), {})
    text = markdown(copy.store, Retraining("tiny", news))
    assert text.count("- `inbox/") == 100
    assert "- and 50 more" in text


def test_models_of_random_windows_are_not_retrained():
    windows = {"length": 8, "transpose_from": 0, "transpose_to": 0}
    recipe = tiny_recipe(model={"architecture": "three_streams"}, windows=windows, split={"by": "random_windows"})
    with pytest.raises(RecipeError, match="to retrain, got 'random_windows'"):
        require_retrainable(recipe)
