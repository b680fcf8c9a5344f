"""The report's architectures through the stages: trained, scored on events with a full window, and decoded to music."""

import json

import numpy as np
import pytest
from small_music import piece_of, small_piece, tiny_recipe, write_folder

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.errors import NotEnoughMusicError, RejectedInputError
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.models.spec import WINDOWED
from lstm_music.sources.entry import music_format
from lstm_music.stages.current import Promoted, promoted_models
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest, read_inputs
from lstm_music.stages.data.prepare import describe, prepare
from lstm_music.stages.music import prompt_files
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.training.piece_scores import nats_of_pieces
from lstm_music.stages.training.promotion import promote
from lstm_music.stages.training.scorecard import evaluate, read_card
from lstm_music.stages.training.train import train_model, trained_longer
from lstm_music.stages.training.trained import load_model, model_stage
from lstm_music.store import Store

WINDOW = 8
ARCHITECTURES = sorted(WINDOWED)


def windowed_recipe(architecture="three_streams", by="hash", **training):
    shares = {"validation": 0.2, "test": 0.2}
    return tiny_recipe(
        name="windowed",
        events={"reading": "music21-5", "chords": "normal_order", "quarter_length_divisors": [4, 3]},
        split={"by": by, **shares},
        windows={"length": WINDOW, "transpose_from": 0, "transpose_to": 0},
        model={"architecture": architecture, "units": 8, "hidden_inputs": 0.0},
        training={"epochs": 1, "batch_size": 64, "schedule": "constant", "warmup_steps": 0, **training},
        generation={"num_outputs": 2, "num_events": 20, "min_events": 10, "prompt_events": WINDOW},
    )


@pytest.fixture
def copy(made, tmp_path):
    return made.copy(tmp_path / "storage")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("by", ["hash", "random_windows"])
def test_an_architecture_of_the_report_is_scored_on_the_events_with_a_full_window(copy, publish, architecture, by):
    recipe = windowed_recipe(architecture, by)
    prepared = prepare(copy.store, recipe, copy.prepared.inputs)
    dataset = load_dataset(copy.store, prepared.dataset)
    card = read_card(
        copy.store, evaluate(copy.store, recipe, prepared.dataset, publish(copy.store, recipe, prepared.dataset))
    )
    assert card["protocol"] == {"hash": "by piece", "random_windows": "random windows, leaky"}[by]
    windows = describe(copy.store, recipe, prepared)["windows"]
    for side, split in card["splits"].items():
        targets = dataset.targets(side, WINDOW)
        assert (split["events"], split["pieces"]) == (len(targets.places), len(targets.spans))
        assert split["events"] == windows[side]
        assert split["first_position"] >= WINDOW
        assert split["nll_per_note"] is None
        assert set(split["streams"]) == set(split["lookup"]) == set(recipe.model.predicted)
        majority = split["baselines"]["majority"]["streams"]
        for column, stream in enumerate(STREAMS):
            if stream in majority:
                heard = dataset.tokens[targets.places, column]
                train = dataset.tokens[dataset.targets("train").places, column]
                commonest = np.bincount(train).argmax()
                assert majority[stream]["accuracy"] == pytest.approx((heard == commonest).mean())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_architecture_of_the_report_decodes_to_music(copy, publish, architecture):
    recipe = windowed_recipe(architecture)
    prepared = prepare(copy.store, recipe, copy.prepared.inputs)
    models = publish(copy.store, recipe, prepared.dataset)
    for made in read_music(copy.store, make_music(copy.store, prepared.dataset, models, recipe.generation, 5)):
        piece = read_midi(made.midi)
        onsets = np.unique(piece.notes["onset_ticks"])
        assert 10 <= made.facts["events"] <= 20
        assert len(piece.notes) >= made.facts["events"]
        if architecture == "notes_only":  # what nobody predicts is half a quarter, or next to it on the grid
            quarter = piece.ticks_per_quarter
            assert set(np.diff(onsets).tolist()) <= {quarter // 2, quarter * 5 // 12, quarter // 3}
            assert set(piece.notes["duration_ticks"].tolist()) == {piece.ticks_per_quarter // 2}


@pytest.mark.operation
def test_a_training_that_is_allowed_more_epochs_goes_on_from_one_that_was_allowed_fewer(copy):
    """Bit for bit, as the learning rate stays: so a night's work can be begun in an hour."""
    dataset = prepare(copy.store, windowed_recipe(), copy.prepared.inputs).dataset
    told = []
    first = train_model(copy.store, windowed_recipe(epochs=2), dataset, "note")
    more = train_model(copy.store, windowed_recipe(epochs=3), dataset, "note", told.append)
    assert {progress["epoch"] for progress in told} == {3}
    fewer = train_model(copy.store, windowed_recipe(epochs=1), dataset, "note")
    (checkpoint,) = (copy.store.root / "checkpoints").iterdir()
    checkpoint.unlink()
    (copy.store.root / "model" / more.key / "manifest.json").unlink()
    assert (
        train_model(copy.store, windowed_recipe(epochs=3), dataset, "note") == more
    )  # and its files have the same hashes
    epochs = {ref: copy.store.open(ref).counts["epochs"] for ref in (first, more, fewer)}
    assert list(epochs.values()) == [2, 3, 1]
    histories = [json.loads(copy.store.open(ref).file("history").read_text()) for ref in (fewer, first, more)]
    assert histories[2][:2] == histories[1]
    assert histories[1][:1] == histories[0]


@pytest.mark.operation
def test_a_model_that_was_trained_for_longer_than_asked_is_taken_as_it_is(copy):
    dataset = prepare(copy.store, windowed_recipe(), copy.prepared.inputs).dataset
    assert trained_longer(copy.store, windowed_recipe(epochs=1), dataset, "note") == windowed_recipe(epochs=1)
    done = train_model(copy.store, windowed_recipe(epochs=2), dataset, "note")
    longer = trained_longer(copy.store, windowed_recipe(epochs=1), dataset, "note")
    assert model_stage(longer, dataset, "note").ref == done
    assert trained_longer(copy.store, windowed_recipe(epochs=5), dataset, "note") == windowed_recipe(epochs=5)
    falling = windowed_recipe(epochs=1, schedule="cosine")
    train_model(copy.store, falling, dataset, "note")
    assert trained_longer(copy.store, falling, dataset, "note") == falling


def test_the_note_model_alone_is_that_of_the_three(made):
    alone, three = (
        model_stage(windowed_recipe(name), made.prepared.dataset, "note") for name in ("notes_only", "three_streams")
    )
    assert alone.ref == three.ref


def test_models_of_random_windows_are_never_promoted(copy, publish):
    recipe = windowed_recipe(by="random_windows")
    dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    models = publish(copy.store, recipe, dataset)
    new = Promoted(dataset, models, evaluate(copy.store, recipe, dataset, models))
    decision = promote(copy.store, recipe, new)
    assert (decision.promoted, promoted_models(copy.store, recipe.name)) == (False, None)
    assert "leaky" in decision.reason


@pytest.mark.parametrize("architecture", ["three_streams", "dual_head"])
def test_the_nats_of_the_pieces_add_up_to_the_score_card(copy, publish, architecture):
    """Promotion compares pieces from their first full window on, as the card scores them."""
    recipe = windowed_recipe(architecture)
    ref = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    models, dataset = publish(copy.store, recipe, ref), load_dataset(copy.store, ref)
    card = copy.store.open(evaluate(copy.store, recipe, ref, models))
    nats = nats_of_pieces(copy.store, dataset, models, dataset, recipe.first_target)
    targets = dataset.targets("validation", recipe.first_target)
    assert len(nats) == len(targets.spans)
    assert nats.sum() / targets.events == pytest.approx(card.facts["nll_per_event"]["validation"], rel=1e-5)


def test_where_the_architecture_changed_nothing_can_be_compared(copy, publish):
    decisions = []
    for architecture in ("notes_only", "three_streams"):
        recipe = windowed_recipe(architecture)
        dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
        models = publish(copy.store, recipe, dataset)
        new = Promoted(dataset, models, evaluate(copy.store, recipe, dataset, models))
        decisions.append(promote(copy.store, recipe, new))
    assert [decision.promoted for decision in decisions] == [True, True]
    assert "architecture changed" in decisions[1].reason


def test_the_faults_are_those_that_the_report_saw(copy, publish):
    from lstm_music.models.faults import faults

    found = {}
    for architecture in ("dual_head", "multi_label", "three_streams"):
        recipe = windowed_recipe(architecture)
        dataset = load_dataset(copy.store, prepare(copy.store, recipe, copy.prepared.inputs).dataset)
        ref = next(iter(publish(copy.store, recipe, dataset.ref).values()))
        model = load_model(copy.store, ref, dataset)
        targets = dataset.targets("validation", WINDOW)
        if architecture == "dual_head":  # every offset is a quarter early
            model.heads[0].kernel.assign(model.heads[0].kernel * 0)
            model.heads[0].bias.assign([-1.0])
            tokens = np.array(dataset.tokens)
            tokens[targets.places[:3], 0] = UNKNOWN  # whose quarters nobody knows
            quarters = model.columns.offset_quarters[tokens[targets.places[3:], 0]]
            found[architecture] = faults(model, tokens, targets)
            continue
        if architecture == "multi_label":  # the notes are certain, and two of them the most
            model.heads[1].bias.assign(model.heads[1].bias + 9)
        found[architecture] = faults(model, dataset.tokens, targets)
    assert found["three_streams"] == {}
    assert found["dual_head"]["negative offsets"] == 1
    assert found["dual_head"]["mean absolute error of the offset in quarters"] == pytest.approx((quarters + 1).mean())
    assert found["multi_label"] == {"two likeliest labels of one kind": 1, "no label above one half": 0}


def test_music_to_start_from_that_is_shorter_than_a_window_is_refused(copy, publish):
    recipe = windowed_recipe()
    dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    models, short = publish(copy.store, recipe, dataset), small_piece(1, quarters=1)
    with pytest.raises(NotEnoughMusicError, match=r"a\.mid: has [1-7] events, and the models read a window of 8;"):
        make_music(copy.store, dataset, models, recipe.generation, 1, PromptMidi("a.mid", write_midi(short), "midi"))
    by_bars = recipe.generation.model_copy(update={"prompt_bars": "1"})
    with pytest.raises(NotEnoughMusicError, match=r"give a longer --prompt-midi, or more bars in --prompt-bars$"):
        make_music(copy.store, dataset, models, by_bars, 1, PromptMidi("a.mid", write_midi(short), "midi"))


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.mid", write_midi(piece_of([(0, 20, 60)])), "a.mid: these models read no event in it"),
        ("a.abc", b"X:1\nK:C\nC", "a.abc: is abc, and these models read MIDI files"),
    ],
)
def test_music_to_start_from_that_the_reading_finds_nothing_in_is_refused(
    copy, publish, name, data, sentence, monkeypatch
):
    recipe = windowed_recipe()
    dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    seed = PromptMidi(name, data, music_format(name))
    monkeypatch.setattr(prompt_files, "read_score", lambda *_, **__: piece_of([(0, 480, 60)]))
    with pytest.raises(RejectedInputError, match=sentence):
        make_music(copy.store, dataset, publish(copy.store, recipe, dataset), recipe.generation, 1, seed)


def test_a_score_is_rejected_where_the_reading_is_of_midi_files(tmp_path):
    contents = {"a.mid": small_piece(1), "b.abc": b"X:1\nK:C\nC", "c.mid": small_piece(2)}
    folder, store = write_folder(tmp_path / "music", contents), Store(tmp_path / "storage")
    rows = {row.name: row for row in read_inputs(store, ingest(store, windowed_recipe(), str(folder)))}
    assert {name: row.status for name, row in rows.items()} == {
        "a.mid": "accepted",
        "b.abc": "rejected",
        "c.mid": "accepted",
    }
    assert rows["b.abc"].reason == "is no MIDI file, which the reading 'music21-5' is of"
