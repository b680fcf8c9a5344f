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
        f"The new models are not promoted: validation NLL {worse:.4f} nats per event, {better:.4f} for the models before "
        "(by piece); the recipe tolerates 0 more"
    )
    assert promoted_models(copy.store, "tiny") == evaluated
    patient = tiny_recipe(promotion={"tolerance": math.ceil(worse - better)})
    assert promote(copy.store, patient, untrained).promoted
    assert promoted_models(copy.store, "tiny") == untrained
    accepted = promote(copy.store, copy.recipe, evaluated)
    assert accepted.promoted
    assert (
        accepted.reason == f"validation NLL {better:.4f} nats per event, {worse:.4f} for the models before (by piece)"
    )
    assert promoted_models(copy.store, "tiny") == evaluated


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
    tokens = np.concatenate([columns.tokens(before.vocabularies, before.events.grid) for columns in parts])
    spans, against = fresh.spans["validation"], 0.0
    unknown = sum((tokens[span.start : span.stop, :3] == UNKNOWN).sum() for span in spans)
    assert unknown > 10
    targets = fresh.targets("validation")
    for ref in evaluated.models.values():
        scorer = make_scorer(load_model(copy.store, ref, before), tokens)
        against += score_held_out(scorer, targets, tokens, STREAMS, before.log_unknown).nll
    promote(copy.store, copy.recipe, evaluated)
    decision = promote(copy.store, copy.recipe, new)
    assert f"nats per event, {against:.4f} for the models before" in decision.reason
    assert decision.promoted == (validation_nll(copy.store, new) <= against)


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
    monkeypatch.setattr(promotion, "_validation_nll", lambda *_: np.nan)
    assert not promote(copy.store, copy.recipe, new).promoted


def test_what_is_remembered_of_a_recipe_stands_beside_its_other_facts(copy):
    remember(copy.store, "tiny", "note", {"a": 1})
    remember(copy.store, "tiny", "other note", {"b": 2})
    assert copy.store.current("tiny")["note"] == {"a": 1}
    assert {"prepared", "note", "other note"} <= copy.store.current("tiny").keys()


def test_weights_that_are_not_those_that_were_trained_are_never_promoted(copy, publish):
    """As after a failed write that nobody noticed: the model is whole by its checksum, and scores otherwise."""
    models = publish(copy.store, copy.recipe, copy.prepared.dataset)
    artifact = copy.store.open(models["note"])
    path = artifact.file("model")
    with h5py.File(path, "r+") as file:
        file["head/vars/0"][...] = 0
    entry = artifact.manifest["files"]["model.weights.h5"]
    entry["sha256"], entry["bytes"] = sha256_of(path), path.stat().st_size
    (artifact.folder / "manifest.json").write_bytes(dump_checksummed(artifact.manifest))
    card = evaluate(copy.store, copy.recipe, copy.prepared.dataset, models)
    with pytest.raises(CorruptArtifactError, match="the weights are not those that were trained"):
        promote(copy.store, copy.recipe, Promoted(copy.prepared.dataset, models, card))
    assert promoted_models(copy.store, "tiny") is None
