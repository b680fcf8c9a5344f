"""What is said after a retraining: learnt, refused, rolled back, nothing new; and how to go on."""

import shutil
from pathlib import Path

import pytest
from small_music import small_piece, tiny_recipe

from lstm_music.midi.writer import write_midi
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.inbox.news import News, ingest_all, look, remember_seen
from lstm_music.stages.inbox.retraining import (
    Retraining,
    complete,
    facts_for_automations,
    news_sentence,
    record,
    trains_anyway,
)
from lstm_music.stages.inbox.standing import Standing, standing, way_on
from lstm_music.stages.training.promotion import promote, rollback, rollback_is_told
from lstm_music.stages.training.scorecard import evaluate

NO_NEWS = News((), (), (), (), {})
WAY_ON = way_on("tiny")


@pytest.fixture
def copy(made, tmp_path, uncompiled, evaluated):
    """A storage with promoted models and an inbox with a new piece, and a file that cannot be read."""
    copied = made.copy(tmp_path / "storage")
    promote(copied.store, copied.recipe, evaluated)
    inbox = Path(copied.store.inbox())
    (inbox / "new.mid").write_bytes(write_midi(small_piece(90)))
    (inbox / "bad.mid").write_bytes(b"MThd")
    return copied


@pytest.fixture
def retrain(copy, publish):
    """Do a retraining with models that learn nothing, so that they are worse than the promoted ones."""

    def retrained(force=False):
        store, before = copy.store, standing(copy.store, "tiny")
        news = look(store, copy.recipe, None, 0.0)
        inputs = ingest_all(store, copy.recipe, None, None, news)
        recipe = tiny_recipe(random_seed=99)
        dataset = prepare(store, recipe, inputs).dataset
        models = publish(store, recipe, dataset)
        new = Promoted(dataset, models, evaluate(store, recipe, dataset, models))
        decision = promote(store, recipe, new, force=force)
        result = complete(store, Retraining("tiny", news, inputs, decision, None, before))
        record(store, result)
        return result

    return retrained


def test_before_any_retraining_nothing_is_known_and_nothing_behind(copy):
    assert standing(copy.store, "tiny") == Standing()
    assert standing(copy.store, "never heard of") == Standing()
    assert way_on("tiny") == (
        "`lstm-music retrain --recipe tiny --again` trains again, "
        "`lstm-music retrain --recipe tiny --force` promotes whatever comes"
    )
    assert news_sentence(NO_NEWS, "tiny", Standing()) == "no changes in the inbox since the last training"
    news = look(copy.store, copy.recipe, None, 0.0)
    assert news_sentence(news, "tiny", Standing()) == "news in the inbox: 2 new files"


def test_what_was_refused_is_not_called_nothing_new(copy, retrain):
    result = retrain()
    assert result.outcome == "kept"
    assert result.sentence.startswith(
        "trained on all music with 1 new file; the new models are not promoted: validation NLL"
    )
    now = standing(copy.store, "tiny")
    assert (now.missing, now.removed, now.is_behind) == (("inbox/new.mid",), (), True)
    assert now.last["sentence"] == result.sentence
    assert now.last.keys() == {"outcome", "sentence", "reason", "fingerprint", "at"}
    assert not look(copy.store, copy.recipe, None, 0.0).is_any
    assert news_sentence(NO_NEWS, "tiny", now) == (
        f"no changes in the inbox since the last training, whose models were refused: {result.decision.reason}; "
        f"1 file of the inbox is not in the promoted models; {WAY_ON}"
    )
    assert Retraining("tiny", NO_NEWS, before=now).sentence == news_sentence(NO_NEWS, "tiny", now)


def test_refused_models_are_promoted_by_force_and_then_nothing_is_missing(copy, retrain):
    retrain()
    behind = standing(copy.store, "tiny")
    forced = retrain(force=True)
    assert (forced.outcome, forced.decision.promoted) == ("forced", True)
    assert forced.sentence.startswith(
        "trained on the same music again; the models are promoted as asked, although they are worse: "
    )
    now = standing(copy.store, "tiny")
    assert (now.is_behind, now.last["outcome"]) == (False, "forced")
    assert trains_anyway(behind, again=False, force=True)
    assert not trains_anyway(now, again=False, force=True)
    assert trains_anyway(now, again=True, force=False)
    assert not trains_anyway(behind, again=False, force=False)


@pytest.mark.operation
def test_after_a_rollback_the_inbox_is_not_in_the_promoted_models(copy, retrain):
    retrain(force=True)
    rollback(copy.store, "tiny")
    rollback_is_told(copy.store, "tiny")
    said = news_sentence(NO_NEWS, "tiny", standing(copy.store, "tiny"))
    assert said == (
        "no changes in the inbox since the last training, whose models are not promoted: 1 file of the inbox is not in the "
        f"promoted models; {WAY_ON}"
    )


@pytest.mark.operation
def test_music_whose_removal_was_refused_is_still_in_the_promoted_models(copy, retrain):
    retrain(force=True)
    remember_seen(copy.store, "tiny", copy.prepared.inputs)  # as a training that was refused does
    now = standing(copy.store, "tiny")
    assert (now.missing, now.removed) == ((), ("inbox/new.mid",))
    assert now.gap == "1 file removed from the inbox is still in the promoted models"


@pytest.mark.operation
def test_nothing_new_does_not_hide_what_came_before(copy, retrain):
    retrain()
    last = standing(copy.store, "tiny").last
    record(copy.store, Retraining("tiny", NO_NEWS))
    assert standing(copy.store, "tiny").last == last


@pytest.mark.operation
def test_automations_get_the_outcome_and_the_scores(copy, retrain):
    result = retrain()
    facts = facts_for_automations(result)
    assert (facts["recipe"], facts["outcome"], facts["sentence"]) == ("tiny", "kept", result.sentence)
    assert facts["difference"] == pytest.approx(facts["new_nll"] - facts["old_nll"])
    assert (facts["new"], facts["changed"], facts["removed"]) == (2, 0, 0)
    nothing = facts_for_automations(Retraining("tiny", NO_NEWS))
    assert (nothing["outcome"], nothing["new_nll"], nothing["interval"]) == ("nothing_new", None, None)


def test_the_promoted_models_are_not_behind_where_a_table_is_gone(copy, retrain):
    retrain()
    shutil.rmtree(copy.store.root / "notes")
    assert not standing(copy.store, "tiny").is_behind
