"""Datasets: split by piece, vocabularies of the training pieces only, tokens that stand for the events."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_collection, small_piece, tiny_recipe, write_folder

from lstm_music import parquet
from lstm_music.encoding.chords import content
from lstm_music.encoding.echoes import ECHOES, echo_tokens
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.splits import SPLITS
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.errors import RecipeError
from lstm_music.parquet import read_table
from lstm_music.stages.data import notes
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.dataset import dataset_stage, load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.prepare import prepare
from lstm_music.store import Store

ONLY_HELD_OUT = piece_of([(0, QUARTER, 60), (5 * QUARTER, 11 * QUARTER, 64), (16 * QUARTER, QUARTER, 67)])
BY_EVENT = {
    "split": {"by": "random_windows", "validation": 0.2, "test": 0.2},
    "windows": {"length": 8, "transpose_from": 0, "transpose_to": 0},
    "model": {"architecture": "three_streams"},
}


def events_of(made):
    (path,) = made.store.open(made.prepared.events).files("events")
    return read_table(path).to_pandas()


def prepared(tmp_path, contents, **changes):
    store, recipe = Store(tmp_path / "storage"), tiny_recipe(**changes)
    return store, prepare(store, recipe, ingest(store, recipe, str(write_folder(tmp_path / "music", contents))))


def by_folder(tmp_path, contents):
    return prepared(tmp_path, contents, split={"by": "folder"})


def test_every_piece_is_in_one_split_as_a_whole(made):
    spans = [span for spans in made.dataset.spans.values() for span in spans]
    events = events_of(made)
    assert sorted(span.piece_id for span in spans) == sorted(set(events["piece_id"]))
    assert all(made.dataset.spans.values())
    for span in spans:
        assert set(events["piece_id"][span.start : span.stop]) == {span.piece_id}
        assert (events["piece_id"] == span.piece_id).sum() == span.events
    assert sum(span.events for span in spans) == len(events) == len(made.dataset.tokens)


def test_tokens_stand_for_the_events(made):
    dataset, events = made.dataset, events_of(made)
    assert isinstance(dataset.tokens, np.memmap)
    assert dataset.tokens.dtype == np.uint16
    assert dataset.tokens.shape == (len(events), len(STREAMS) + len(PLACES) + len(ECHOES))
    on_train = np.zeros(len(events), bool)
    for span in dataset.spans["train"]:
        on_train[span.start : span.stop] = True
    for column, stream in enumerate(STREAMS):
        vocabulary, tokens = dataset.vocabularies[stream], dataset.tokens[:, column]
        known = tokens != UNKNOWN
        assert known[on_train].all()
        assert [vocabulary.value(token) for token in tokens[known].tolist()] == events[stream][known].tolist()
        assert not set(events[stream][~known]) & set(vocabulary.values)


def test_places_are_positions_in_the_bar(made):
    position = np.rint(events_of(made)["position_in_bar"] * 12).astype(int)
    tokens = made.dataset.tokens[:, len(STREAMS) :]
    assert tokens[:, 0].tolist() == (position % 12).tolist()
    assert tokens[:, 1].tolist() == (position // 12).tolist()
    sizes = made.dataset.sizes
    assert all(tokens[:, column].max() < sizes[place] for column, place in enumerate(PLACES))


def test_echoes_never_cross_pieces(made):
    dataset = made.dataset
    shapes = shapes_of(dataset.vocabularies["note"])
    for span in itertools.chain(*dataset.spans.values()):
        tokens = dataset.tokens[span.start : span.stop]
        assert np.array_equal(tokens[:, -len(ECHOES) :], echo_tokens(tokens[:, : len(STREAMS)], shapes))
    assert (dataset.tokens.max(0) < list(dataset.sizes.values())).all()
    assert dataset.tokens[:, -1].max() > 3  # chorales repeat whole lines


def test_vocabularies_are_fitted_on_training_pieces_only(tmp_path):
    store, refs = by_folder(
        tmp_path, {"train/a.mid": small_piece(1), "validation/b.mid": ONLY_HELD_OUT, "test/c.mid": small_piece(2)}
    )
    dataset = load_dataset(store, refs.dataset)
    events = read_table(store.open(refs.events).files("events")[0]).to_pandas()
    (train,) = dataset.spans["train"]
    for stream in ("offset", "duration"):
        counts = events[stream][train.start : train.stop].value_counts().to_dict()
        vocabulary = dataset.vocabularies[stream]
        assert dict(zip(vocabulary.values, vocabulary.counts, strict=True)) == counts
    (held_out,) = dataset.spans["validation"]
    tokens = dataset.tokens[held_out.start : held_out.stop]
    assert tokens[:, 0].tolist().count(UNKNOWN) == 2
    assert tokens[:, 2].tolist().count(UNKNOWN) == 1
    assert len(dataset.vocabularies["note"].values) == 128
    assert dataset.log_unknown["note"] == 0
    assert dataset.log_unknown["offset"] > 0


def test_a_piece_is_transposed_within_the_piano(tmp_path):
    def scale(lowest):
        return piece_of([(number * QUARTER, QUARTER, lowest + number) for number in range(12)])

    contents = {
        "train/low.mid": scale(22),
        "train/high.mid": scale(96),
        "train/both.mid": piece_of([(0, 9, 21), (0, 9, 108)]),
    }
    store, refs = by_folder(tmp_path, contents | {"train/beyond.mid": piece_of([(0, 9, 5), (0, 9, 120)])})
    dataset = load_dataset(store, refs.dataset)
    ranges = {}
    for span in dataset.spans["train"]:
        tokens = dataset.tokens[span.start : span.stop, 1]
        pitches = [content(dataset.vocabularies["note"].value(token))[0][0] for token in tokens.tolist()]
        ranges[min(pitches), max(pitches)] = (span.lowest_shift, span.highest_shift)
        table = dataset.transposition(tiny_recipe().windows)
        allowed = table[span.lowest_shift + 2 : span.highest_shift + 3]
        assert (allowed[:, tokens] != UNKNOWN).all() or (span.lowest_shift, span.highest_shift) == (0, 0)
    assert ranges == {(22, 33): (-1, 2), (96, 107): (-2, 1), (21, 108): (0, 0), (5, 120): (0, 0)}


def test_pitch_classes_move_freely(tmp_path):
    chord = [(0, QUARTER, 21), (0, QUARTER, 108), (QUARTER, QUARTER, 60)]
    store, refs = prepared(tmp_path, {"a.mid": piece_of(chord)}, events={"chords": "normal_order"})
    (span,) = load_dataset(store, refs.dataset).spans["train"]
    assert (span.lowest_shift, span.highest_shift) == (-2, 2)


def test_content_in_two_folders_is_in_both_splits_and_leaky(tmp_path):
    music = {"train/a.mid": small_piece(1), "val/b.mid": small_piece(2), "test/c.mid": small_piece(3)}
    store, refs = by_folder(tmp_path, music | {"test/again.mid": small_piece(1)})
    dataset = load_dataset(store, refs.dataset)
    (train,) = dataset.spans["train"]
    assert train in dataset.spans["test"]
    assert len(dataset.spans["test"]) == 2
    assert dataset.is_leaky
    assert any("The same music is in train and test: 'test/again.mid'" in warning for warning in dataset.warnings)
    assert dataset.artifact.counts["events"] == len(dataset.tokens)


def test_a_split_without_shared_music_is_not_leaky(made):
    assert not made.dataset.is_leaky


def test_a_split_by_folder_needs_folders(tmp_path):
    with pytest.raises(RecipeError, match="expected each piece in a folder train, validation or test"):
        by_folder(tmp_path, {"train/a.mid": small_piece(1), "b.mid": small_piece(2)})


def test_a_single_piece_is_prepared_with_a_warning(tmp_path):
    store, refs = prepared(tmp_path, {"a.mid": small_piece(1)})
    dataset = load_dataset(store, refs.dataset)
    assert [len(dataset.spans[split]) for split in ("train", "validation", "test")] == [1, 0, 0]
    assert len(dataset.warnings) == 2


def test_two_preparations_have_the_same_bytes(made, tmp_path):
    _, refs = prepared(tmp_path, small_collection())
    other = Store(tmp_path / "storage")
    assert refs == made.prepared
    for ref in (refs.notes, refs.events, refs.dataset):
        assert other.open(ref).manifest == made.store.open(ref).manifest


def test_drums_and_merged_notes_are_counted(tmp_path):
    drums = piece_of([(0, QUARTER, 36)], drums=True).notes
    tune = piece_of([(0, QUARTER, 60), (1, QUARTER, 60), (QUARTER, QUARTER, 62)])
    both = type(tune)(QUARTER, np.concatenate([drums, tune.notes]))
    store, refs = prepared(tmp_path, {"a.mid": both})
    assert store.open(refs.events).counts == {"events": 2, "merged": 1, "drums": 1}
    assert store.open(refs.notes).counts["drum_notes"] == 1


def test_a_dataset_does_not_depend_on_row_groups(made, tmp_path, monkeypatch):
    assert len(list(iterate_columns(made.store, made.prepared.events, STREAMS))) == 1
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 1)
    monkeypatch.setattr(parquet, "GROUPS_PER_SHARD", 3)
    monkeypatch.setattr(notes, "PIECES_PER_GROUP", 2)
    store = Store(tmp_path / "storage")
    prepared = prepare(store, made.recipe, ingest(store, made.recipe, str(made.folder)))
    assert len(list(iterate_columns(store, prepared.events, STREAMS))) == len(read_pieces(store, prepared.notes)) > 3
    assert read_pieces(store, prepared.notes) == read_pieces(made.store, made.prepared.notes)
    assert prepared == made.prepared
    assert store.open(prepared.dataset).manifest == made.store.open(made.prepared.dataset).manifest


@pytest.mark.parametrize("first", [0, 8])
def test_with_random_windows_each_late_enough_event_is_a_target_of_one_split(tmp_path, first):
    store, refs = prepared(tmp_path, small_collection(3) | {"short.mid": ONLY_HELD_OUT}, **BY_EVENT)
    dataset = load_dataset(store, refs.dataset)
    assert dataset.is_split_by_event
    assert dataset.is_leaky
    assert "Each event is drawn for a split on its own" in dataset.warnings[0]
    places = {split: dataset.targets(split, first).places.tolist() for split in SPLITS}
    assert all(places.values())
    assert len(dataset.spans["train"]) == 4
    assert dataset.spans["train"] == dataset.spans["validation"] == dataset.spans["test"]
    expected = [place for span in dataset.spans["train"] for place in range(span.start + first, span.stop)]
    assert sorted(place for split in SPLITS for place in places[split]) == sorted(expected)
    assert len(expected) == len(dataset.tokens) - first * 3 - min(first, 3)


def test_with_random_windows_vocabularies_are_fitted_on_all_pieces(tmp_path):
    store, refs = prepared(tmp_path, small_collection(2), **BY_EVENT)
    dataset = load_dataset(store, refs.dataset)
    assert (dataset.tokens[:, : len(STREAMS)] >= SPECIAL_IDS).all()
    for stream in ("offset", "duration"):
        assert sum(dataset.vocabularies[stream].counts) == len(dataset.tokens)


def test_in_a_split_by_piece_all_late_enough_events_are_targets(made):
    assert not made.dataset.is_split_by_event
    for split in SPLITS:
        spans = made.dataset.spans[split]
        expected = [place for span in spans for place in range(span.start + 5, span.stop)]
        assert made.dataset.targets(split, 5).places.tolist() == expected


def test_the_random_seed_decides_a_dataset_only_with_random_windows(made):
    def key(**changes):
        return dataset_stage(tiny_recipe(**changes), made.prepared.notes, made.prepared.events).ref

    assert key(random_seed=1) == key(random_seed=2) == made.prepared.dataset
    assert key(random_seed=1, **BY_EVENT) != key(random_seed=2, **BY_EVENT)
    assert key(random_seed=1, **BY_EVENT) == key(random_seed=1, **BY_EVENT)


def test_another_random_seed_draws_other_targets(tmp_path):
    drawn = []
    for seed in (1, 2):
        store, refs = prepared(tmp_path / str(seed), small_collection(2), random_seed=seed, **BY_EVENT)
        drawn.append(load_dataset(store, refs.dataset).targets("test").places.tolist())
    assert drawn[0] != drawn[1]


def test_an_offset_id_stands_for_quarters(made):
    values = made.dataset.vocabularies["offset"].values
    quarters = made.dataset.offset_quarters
    assert quarters.dtype == np.float32
    assert quarters.tolist() == pytest.approx([0, 0, 0, *(float(Fraction(value)) for value in values)])
    assert "1/3" in values
