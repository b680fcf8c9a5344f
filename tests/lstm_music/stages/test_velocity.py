"""The velocity as a fourth stream: from notes to tokens, models, a score card, and music that reads back as it was made."""

import math
from dataclasses import replace

import numpy as np
import pytest
from small_music import small_piece, tiny_recipe, write_folder

from lstm_music.encoding.echoes import ECHOES, echo_tokens
from lstm_music.encoding.events import encode
from lstm_music.encoding.places import PLACES, place_tokens
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import STREAMS, VELOCITY
from lstm_music.encoding.velocities import LEVELS, level_texts
from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.errors import MismatchError
from lstm_music.midi.notes import sorted_notes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.stages.current import Promoted, promoted_models
from lstm_music.stages.data.dataset import build_dataset, load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.music.prompts import _view
from lstm_music.stages.music.segments import cut
from lstm_music.stages.training.promotion import promote
from lstm_music.stages.training.scorecard import evaluate, read_card
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import columns_of, model_stages
from lstm_music.stages.training.warm_start import earlier_model
from lstm_music.store import Store

WITH_VELOCITY = (*STREAMS, VELOCITY)

COLUMN = WITH_VELOCITY.index("velocity")
RECIPE = tiny_recipe(model={"streams": WITH_VELOCITY})
SHORTER = tiny_recipe(model={"streams": WITH_VELOCITY}, training={"epochs": 1})


def expressive_piece(number):
    """Draw a piece whose loudness follows its pitches, with some chance."""
    piece = small_piece(number)
    notes = piece.notes.copy()
    chance = np.random.default_rng(number).integers(-8, 8, len(notes))
    notes["velocity"] = np.clip(notes["pitch"].astype(int) + chance, 1, 127)
    return replace(piece, notes=sorted_notes(notes))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("velocity") / "storage")


@pytest.fixture(scope="module")
def prepared(store, tmp_path_factory):
    pieces = {f"piece {number:02d}.mid": expressive_piece(number) for number in range(8)}
    folder = write_folder(tmp_path_factory.mktemp("expressive"), pieces)
    return prepare(store, RECIPE, ingest(store, RECIPE, str(folder)))


@pytest.fixture(scope="module")
def dataset(prepared, store):
    return load_dataset(store, prepared.dataset)


@pytest.fixture(scope="module")
def models(store, prepared, publish_untrained):
    """The model of the velocity is trained; the others are as they begin."""
    models = publish_untrained(store, RECIPE, prepared.dataset, STREAMS)
    return {**models, VELOCITY: train_model(store, RECIPE, prepared.dataset, VELOCITY)}


def levels_of(dataset, tokens):
    vocabulary = dataset.vocabularies["velocity"]
    return [vocabulary.value(token) for token in tokens[:, COLUMN].tolist()]


def test_a_level_is_four_velocities_and_is_one_of_them():
    texts = level_texts(np.arange(1, 128))
    assert len(set(texts)) == LEVELS
    assert texts[:8] == ["2", "2", "2", "6", "6", "6", "6", "10"]
    assert texts[-1] == "126"
    assert level_texts([int(text) for text in texts]) == texts


def test_tokens_hold_the_velocity_behind_the_other_streams_and_all_else_as_without_it(dataset, store, prepared):
    assert dataset.streams == WITH_VELOCITY
    assert list(dataset.sizes)[:6] == [*WITH_VELOCITY, *PLACES]
    levels = dataset.vocabularies["velocity"]
    seen = 0
    for side in ("train", "validation", "test"):
        for span in dataset.spans[side]:
            tokens = np.asarray(dataset.tokens[span.start : span.stop])
            segment = cut(store, dataset, [(span.piece_id, 0)], span.events)[span.piece_id, 0]
            known = tokens[:, COLUMN] != UNKNOWN
            piece = expressive_piece(int(segment.name[-6:-4]))
            wanted = np.array(level_texts(encode(piece, RECIPE.events).velocity))
            assert np.isin(wanted[known], levels.values).all()
            assert not np.isin(wanted[~known], levels.values).any()
            assert levels_of(dataset, tokens[known]) == wanted[known].tolist()
            seen += len(wanted)
    assert seen == store.open(prepared.events).counts["events"]
    assert len(levels.values) > 5
    assert levels.log_unknown == pytest.approx(math.log(LEVELS - len(levels.values)))


def test_what_is_no_velocity_is_as_in_a_dataset_without_it(dataset, store, prepared):
    plain = tiny_recipe()
    without = load_dataset(store, build_dataset(store, plain, prepared.notes, prepared.events))
    assert without.streams == STREAMS
    kept = [column for column in range(dataset.tokens.shape[1]) if column != COLUMN]
    assert np.array_equal(dataset.tokens[:, kept], without.tokens)
    span = dataset.spans["train"][0]
    tokens = np.asarray(dataset.tokens[span.start : span.stop], np.int64)
    echoes = echo_tokens(tokens[:, : len(STREAMS)], shapes_of(dataset.vocabularies["note"]))
    assert np.array_equal(tokens[:, -len(ECHOES) :], echoes)


def test_the_velocity_is_predicted_from_all_of_the_event_and_read_by_every_model_of_the_next(dataset, tensorflow):
    import tensorflow as tf

    from lstm_music.models.architectures import build_model

    columns = columns_of(dataset, RECIPE.windows)
    names = list(dataset.sizes)
    drawn = np.random.default_rng(3).integers(0, 3, (7, 2, len(names)), np.int32)

    def changed(tokens, column):
        other = tokens.copy()
        other[2, :, column] = (other[2, :, column] + 1) % 3
        return other

    for stream in WITH_VELOCITY:
        model = build_model(RECIPE.model, stream, columns, 1)

        def logits(previous, current, model=model):
            return model.outputs(tf.constant(model.rows(previous, current))).numpy()

        before, now = drawn[:-1], drawn[1:]
        usual = logits(before, now)
        for column, name in enumerate(names):
            later = np.abs(logits(before, changed(now, column)) - usual).max((1, 2)) > 1e-6
            known = name in WITH_VELOCITY[: WITH_VELOCITY.index(stream)] or (name in PLACES and stream != "offset")
            assert later.tolist() == [False, False, *[known] * 4]
            earlier = np.abs(logits(changed(before, column), now) - usual).max((1, 2)) > 1e-6
            assert earlier.tolist() == [False, False, True, True, True, True]


def test_a_score_card_counts_the_velocity_beside_its_baselines(store, prepared, models):
    card = read_card(store, evaluate(store, RECIPE, prepared.dataset, models))
    for split in card["splits"].values():
        for scores in (split, *split["baselines"].values()):
            assert list(scores["streams"]) == list(WITH_VELOCITY)
            assert scores["nll_per_event"] == pytest.approx(sum(one["nll"] for one in scores["streams"].values()))
        majority = split["baselines"]["majority"]["streams"]["velocity"]["nll"]
        assert split["baselines"]["ngram_joint"]["streams"]["velocity"]["nll"] < majority  # it follows the pitches


@pytest.mark.parametrize("included", [False, True])
def test_music_reads_back_with_the_velocities_that_were_made(dataset, store, prepared, models, included):
    spec = RECIPE.generation.model_copy(update={"include_prompt": included})
    candidates = read_music(store, make_music(store, prepared.dataset, models, spec, 1))
    heard = set()
    for made in candidates:
        written = encode(read_midi(made.midi), dataset.events)
        new = level_texts(written.velocity)[-len(made.tokens) :]
        assert new == levels_of(dataset, made.tokens)
        assert [dataset.vocabularies["note"].value(token) for token in made.tokens[:, 1]] == written.note[-len(new) :]
        places = place_tokens(written.position_in_bar_steps[-len(new) :], dataset.events.grid)
        assert np.array_equal(places, made.tokens[:, 4:6])
        heard |= set(new)
        seed = encode(read_midi(made.prompt_midi), dataset.events)
        if included:
            assert level_texts(written.velocity)[: len(seed)] == level_texts(seed.velocity)
    assert len(heard) > 2


def test_a_temperature_is_that_of_its_stream(dataset, store, prepared, models):
    """At 0 the velocity is the likeliest, whatever chance says; and chance is not used up for the other streams by it."""
    made = []
    for temperature in ({"velocity": 0}, {"velocity": 50}):
        everything = {**RECIPE.generation.temperature, **temperature}
        spec = RECIPE.generation.model_copy(update={"temperature": everything, "num_outputs": 2, "prompt": "none"})
        made.append([one.tokens for one in read_music(store, make_music(store, prepared.dataset, models, spec, 1))])
    calm, wild = ([len(set(levels_of(dataset, tokens))) for tokens in candidates] for candidates in made)
    assert max(calm) < min(wild)


def test_places_that_prompt_are_ranked_by_are_those_of_a_dataset_without_it(dataset, store, prepared):
    without = load_dataset(store, build_dataset(store, tiny_recipe(), prepared.notes, prepared.events))
    for span in dataset.spans["validation"]:
        ours, theirs = _view(dataset, span), _view(without, span)
        assert all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in vars(ours))


def test_a_prompt_keeps_its_own_velocities(store, dataset, prepared, models):
    (span,) = dataset.spans["validation"][:1]
    segment = cut(store, dataset, [(span.piece_id, 4)], 8)[span.piece_id, 4]
    own = level_texts(encode(expressive_piece(int(segment.name[-6:-4])), RECIPE.events).velocity[4:12])
    spec = RECIPE.generation.model_copy(update={"prompt": f"{segment.name}:4", "num_outputs": 1})
    (made,) = read_music(store, make_music(store, prepared.dataset, models, spec, 1))
    written = level_texts(encode(read_midi(made.prompt_midi), dataset.events).velocity)
    known = [level in dataset.vocabularies["velocity"].values for level in own]
    assert any(known)
    assert [one for one, is_known in zip(written, known, strict=True) if is_known] == [
        one for one, is_known in zip(own, known, strict=True) if is_known
    ]


def test_a_file_that_was_given_is_read_with_its_velocities(dataset, store, prepared, models):
    spec = RECIPE.generation.model_copy(update={"num_outputs": 1, "include_prompt": True})
    prompt_midi = PromptMidi("mine.mid", write_midi(expressive_piece(3)), "midi")
    (made,) = read_music(store, make_music(store, prepared.dataset, models, spec, 1, prompt_midi))
    whole = encode(expressive_piece(3), dataset.events)
    prompt = whole.velocity[-spec.prompt_events :].astype(int)
    begun = encode(read_midi(made.midi), dataset.events).velocity[: len(prompt)].astype(int)
    assert len(begun) == len(prompt) < len(whole)
    assert np.abs(begun - prompt).max() < 8  # a level, or the nearest known one


@pytest.mark.operation
def test_models_with_and_without_velocity_are_neither_begun_with_nor_compared(store, prepared, models, dataset):
    plain = tiny_recipe()
    other = build_dataset(store, plain, prepared.notes, prepared.events)
    without = {"note": train_model(store, plain, other, "note")}
    stage = model_stages(RECIPE, prepared.dataset, {"note": without["note"]})["note"]
    with pytest.raises(
        MismatchError, match="its streams are offset, note, duration, and the recipe's are offset, note"
    ):
        earlier_model(store, stage, without["note"], dataset)
    card_ref = evaluate(store, RECIPE, prepared.dataset, models)
    promote(store, plain, Promoted(prepared.dataset, {stream: models[stream] for stream in STREAMS}, card_ref))
    decided = promote(store, RECIPE, Promoted(prepared.dataset, models, card_ref))
    assert "cannot be compared" in decided.reason
    card = read_card(store, card_ref)
    again = {**models, "velocity": train_model(store, SHORTER, prepared.dataset, "velocity")}
    compared = promote(
        store, RECIPE, Promoted(prepared.dataset, again, evaluate(store, SHORTER, prepared.dataset, again))
    )
    assert compared.old_nll == pytest.approx(card["splits"]["validation"]["nll_per_event"], abs=1e-4)
    kept = promoted_models(store, "tiny")
    assert kept
    assert set(kept.models) == set(WITH_VELOCITY)
    assert load_dataset(store, kept.dataset).streams == WITH_VELOCITY
