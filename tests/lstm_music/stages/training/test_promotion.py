"""Promotion: the first models, better ones, and no worse ones, all measured on the same validation pieces."""

import dataclasses
import math

import h5py
import numpy as np
import pytest
from small_music import piece_of, small_collection, tiny_recipe, write_folder

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.errors import CorruptArtifactError, MismatchError, MissingArtifactError
from lstm_music.stages.current import Promoted, promoted_models, remember, require_promoted
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training import promotion, trained
from lstm_music.stages.training.promotion import promote
from lstm_music.stages.training.scorecard import evaluate
from lstm_music.stages.training.trained import load_model
from lstm_music.store.checksummed import dump_checksummed
from lstm_music.store.files import sha256_of


@pytest.fixture
def copy(made, tmp_path, uncompiled):
    return made.copy(tmp_path / "storage")


@pytest.fixture
def untrained(copy, evaluated, publish):
    """Worse models of the same dataset."""
    recipe = tiny_recipe(random_seed=99)
    models = publish(copy.store, recipe, copy.prepared.dataset)
    return Promoted(copy.prepared.dataset, models, evaluate(copy.store, recipe, copy.prepared.dataset, models))


def slowed(piece):
    """The notes of a piece as (onset, duration, pitch), three times as long."""
    return [
        (3 * onset, 3 * duration, pitch)
        for onset, duration, pitch in piece.notes[["onset_ticks", "duration_ticks", "pitch"]].tolist()
    ]


def validation_nll(store, current):
    return store.open(current.scorecard).facts["nll_per_event"]["validation"]


def test_before_the_first_models_there_are_none(copy):
    assert promoted_models(copy.store, "tiny") is None
    with pytest.raises(
        MissingArtifactError, match="recipe 'tiny' is not trained yet; run `lstm-music run --recipe tiny`"
    ):
        require_promoted(copy.store, "tiny")


def test_the_first_models_are_promoted_and_then_they_are_the_same(copy, evaluated):
    prepared = copy.store.current("tiny")
    first = promote(copy.store, copy.recipe, evaluated)
    assert (first.promoted, first.outcome) == (True, "promoted")
    assert first.sentence == "The models are promoted: they are the first models of this recipe"
    assert require_promoted(copy.store, "tiny") == evaluated
    assert copy.store.current("tiny")["prepared"] == prepared["prepared"]
    again = promote(copy.store, copy.recipe, evaluated)
    assert (again.promoted, again.outcome) == (True, "unchanged")
    assert again.sentence == "Nothing changed: the promoted models of this recipe are the same"


def test_models_of_an_older_version_give_way_and_are_not_read(copy, evaluated, publish, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(trained, "MODEL_VERSION", 1)
        older = publish(copy.store, copy.recipe, copy.prepared.dataset)
    dataset = load_dataset(copy.store, copy.prepared.dataset)
    with pytest.raises(MismatchError, match=r"expected a model of version \d+, got version 1; train again with"):
        load_model(copy.store, older["note"], dataset)
    promote(copy.store, copy.recipe, dataclasses.replace(evaluated, models=older))
    decision = promote(copy.store, copy.recipe, evaluated)
    assert decision.promoted
    assert "older version of this project" in decision.reason
    assert require_promoted(copy.store, "tiny") == evaluated


def test_worse_models_are_refused_and_better_ones_accepted(copy, evaluated, untrained):
    worse, better = validation_nll(copy.store, untrained), validation_nll(copy.store, evaluated)
    assert worse > better + 0.1
    promote(copy.store, copy.recipe, evaluated)
    refused = promote(copy.store, copy.recipe, untrained)
    assert (refused.promoted, refused.outcome) == (False, "kept")
    assert refused.sentence == (
        f"The new models are not promoted: validation NLL {worse:.3f} nats per event, {better:.3f} for the models before "
        f"({worse - better:.3f}, 1 piece); the recipe tolerates 0 more"
    )
    assert (refused.difference, refused.interval) == (pytest.approx(worse - better, abs=1e-5), None)
    assert promoted_models(copy.store, "tiny") == evaluated
    patient = tiny_recipe(promotion={"tolerance": math.ceil(worse - better)})
    assert promote(copy.store, patient, untrained).promoted
    assert promoted_models(copy.store, "tiny") == untrained
    accepted = promote(copy.store, copy.recipe, evaluated)
    assert accepted.promoted
    assert accepted.reason.startswith(
        f"validation NLL {better:.3f} nats per event, {worse:.3f} for the models before ({better - worse:.3f}, 1 "
    )
    assert promoted_models(copy.store, "tiny") == evaluated


@pytest.fixture
def on_several_pieces(copy, publish):
    """Two sets of models of a dataset with several validation pieces, the better one first; and their recipe."""
    split, found = {"validation": 0.6, "test": 0.1}, []
    dataset = prepare(copy.store, tiny_recipe(split=split), copy.prepared.inputs).dataset
    for random_seed in (98, 99):
        recipe = tiny_recipe(split=split, random_seed=random_seed)
        models = publish(copy.store, recipe, dataset)
        found.append(Promoted(dataset, models, evaluate(copy.store, recipe, dataset, models)))
    return sorted(found, key=lambda one: validation_nll(copy.store, one)), split


def test_what_may_be_noise_does_not_refuse_models(copy, on_several_pieces):
    """The same models are refused or not by the level of the interval."""
    (better, worse), split = on_several_pieces
    strict = tiny_recipe(split=split, promotion={"level": 1e-6})
    sure = tiny_recipe(split=split, promotion={"level": 0.999999})
    promote(copy.store, strict, better)
    refused = promote(copy.store, strict, worse)
    assert (refused.outcome, promoted_models(copy.store, "tiny")) == ("kept", better)
    assert 0 < refused.interval[0] < refused.difference < refused.interval[1]
    decision = promote(copy.store, sure, worse)
    assert (decision.outcome, promoted_models(copy.store, "tiny")) == ("promoted", worse)
    assert decision.interval[0] < 0 < decision.difference == refused.difference
    pieces, noise = (
        len(load_dataset(copy.store, better.dataset).spans["validation"]),
        decision.interval[1] - decision.difference,
    )
    assert pieces > 2
    assert decision.reason == (
        f"validation NLL {validation_nll(copy.store, worse):.3f} nats per event, {validation_nll(copy.store, better):.3f} for "
        f"the models before ({decision.difference:.3f} ± {noise:.3f}, 99.9999 %, {pieces} pieces)"
    )


def test_worse_models_are_promoted_by_force_and_the_decision_says_so(copy, evaluated, untrained):
    promote(copy.store, copy.recipe, evaluated)
    assert promote(copy.store, copy.recipe, untrained).outcome == "kept"
    forced = promote(copy.store, copy.recipe, untrained, force=True)
    assert (forced.promoted, forced.outcome) == (True, "forced")
    assert forced.sentence.startswith("The models are promoted as asked, although they are worse: validation NLL ")
    assert promoted_models(copy.store, "tiny") == untrained
    assert promotion.rollback(copy.store, "tiny").promoted == evaluated
    assert promote(copy.store, copy.recipe, evaluated, force=True).outcome == "unchanged"


def test_another_recipe_has_models_of_its_own(copy, evaluated):
    assert promote(copy.store, tiny_recipe(name="other"), evaluated).promoted
    assert promoted_models(copy.store, "tiny") is None
    assert promoted_models(copy.store, "other") == evaluated


def test_old_models_are_scored_on_the_new_pieces_in_their_own_vocabularies(copy, evaluated, publish, tmp_path):
    """New pieces bring new values: the old models pay for them as for every unknown value."""
    from lstm_music.models.scoring import make_scorer, score_held_out

    slow = {f"slow/{name}": piece_of(slowed(piece)) for name, piece in small_collection(8, first=20).items()}
    folder = write_folder(tmp_path / "more", small_collection(8) | slow)
    prepared = prepare(copy.store, copy.recipe, ingest(copy.store, copy.recipe, str(folder)))
    models = publish(copy.store, copy.recipe, prepared.dataset)
    new = Promoted(prepared.dataset, models, evaluate(copy.store, copy.recipe, prepared.dataset, models))
    fresh, before = load_dataset(copy.store, new.dataset), copy.dataset
    parts = iterate_columns(copy.store, prepared.events, STREAMS)
    tokens = np.concatenate(
        [columns.tokens(before.vocabularies, before.events.grid, before.knowledge) for columns in parts]
    )
    spans, against = fresh.spans["validation"], 0.0
    unknown = sum((tokens[span.start : span.stop, :3] == UNKNOWN).sum() for span in spans)
    assert unknown > 10
    targets = fresh.targets("validation")
    for ref in evaluated.models.values():
        scorer = make_scorer(load_model(copy.store, ref, before), tokens)
        against += score_held_out(scorer, targets, tokens, STREAMS, before.log_unknown).nll
    promote(copy.store, copy.recipe, evaluated)
    decision = promote(copy.store, copy.recipe, new)
    assert f"nats per event, {against:.3f} for the models before" in decision.reason
    assert decision.old_nll == pytest.approx(against, abs=1e-5)
    assert decision.new_nll == pytest.approx(validation_nll(copy.store, new), abs=1e-5)
    assert decision.promoted == (decision.interval[0] <= 0)


def test_where_the_encoding_changed_nothing_can_be_compared(copy, evaluated):
    promote(copy.store, copy.recipe, evaluated)
    recipe = tiny_recipe(events={"chords": "pitch_set"})
    other = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    new = Promoted(other, evaluated.models, evaluated.scorecard)
    decision = promote(copy.store, recipe, new)
    assert decision.promoted
    assert decision.reason.startswith("the recipe's encoding or architecture changed")
    assert promoted_models(copy.store, "tiny") == new


def test_a_score_that_is_no_number_is_never_promoted(copy, evaluated, monkeypatch):
    promote(copy.store, copy.recipe, evaluated)
    new = Promoted(evaluated.dataset, {**evaluated.models, "note": evaluated.models["offset"]}, evaluated.scorecard)
    monkeypatch.setattr(promotion, "nats_of_pieces", lambda *_: np.full(len(copy.dataset.spans["validation"]), np.nan))
    assert not promote(copy.store, copy.recipe, new).promoted


def test_what_is_remembered_of_a_recipe_stands_beside_its_other_facts(copy):
    remember(copy.store, "tiny", "note", {"a": 1})
    remember(copy.store, "tiny", "other note", {"b": 2})
    assert copy.store.current("tiny")["note"] == {"a": 1}
    assert {"prepared", "note", "other note"} <= copy.store.current("tiny").keys()


def test_weights_that_are_not_those_that_were_trained_are_never_promoted(copy, publish):
    """As after a failed write that nobody noticed: the model is whole by its checksum, and scores otherwise."""
    recipe = tiny_recipe(random_seed=97)  # else the models and the card of other tests are found
    models = publish(copy.store, recipe, copy.prepared.dataset)
    artifact = copy.store.open(models["note"])
    path = artifact.file("model")
    with h5py.File(path, "r+") as file:
        file["head/vars/0"][...] = 0
    entry = artifact.manifest["files"]["model.weights.h5"]
    entry["sha256"], entry["bytes"] = sha256_of(path), path.stat().st_size
    (artifact.folder / "manifest.json").write_bytes(dump_checksummed(artifact.manifest))
    card = evaluate(copy.store, recipe, copy.prepared.dataset, models)
    with pytest.raises(CorruptArtifactError, match="the weights are not those that were trained"):
        promote(copy.store, recipe, Promoted(copy.prepared.dataset, models, card))
    assert promoted_models(copy.store, "tiny") is None
