"""A dataset with guesses: what is counted, what a piece sees of it, and what the key depends on."""

import numpy as np
import pytest
from small_music import small_piece, tiny_recipe, write_folder

from lstm_music.encoding.guesses import GUESS_COLUMNS
from lstm_music.encoding.ngrams import count, joined, occasions
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.splits import SPLITS, TRAIN
from lstm_music.encoding.streams import STREAMS
from lstm_music.stages.data import ngrams
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.store import Store

NAMED = len(GUESS_COLUMNS)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    return write_folder(
        tmp_path_factory.mktemp("music"), {f"{number}.mid": small_piece(number, 40) for number in range(8)}
    )


def prepared(folder, music, experts):
    recipe, store = tiny_recipe(model={"experts": experts}), Store(folder)
    return load_dataset(store, prepare(store, recipe, ingest(store, recipe, str(music))).dataset)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, music):
    return prepared(tmp_path_factory.mktemp("storage"), music, ["ngrams"])


def guesses(dataset, tokens, table):
    """The guesses of a piece that is not counted, by another table."""
    from lstm_music.encoding.guesses import guess_tokens

    shapes = shapes_of(dataset.vocabularies["note"])
    return guess_tokens(tokens, shapes, dataset.sizes, table, is_counted=False)


def test_each_piece_sees_the_counts_of_the_other_training_pieces(dataset, tmp_path):
    shapes = shapes_of(dataset.vocabularies["note"])
    streams = {
        span.piece_id: dataset.tokens[span.start : span.stop, : len(STREAMS)].astype(np.int64)
        for split in SPLITS
        for span in dataset.spans[split]
    }
    train = [span.piece_id for span in dataset.spans[TRAIN]]
    assert 2 < len(train) < len(streams)
    for split in SPLITS:
        for span in dataset.spans[split]:
            others = (occasions(streams[other], shapes) for other in train if other != span.piece_id)
            table = joined([*count(others, tmp_path)])
            found = dataset.tokens[span.start : span.stop, -NAMED:]
            assert np.array_equal(found, guesses(dataset, streams[span.piece_id], table)), split
            assert found.any()


def test_what_is_known_of_a_dataset_is_what_made_it(dataset):
    for split in SPLITS:
        for span in dataset.spans[split]:
            tokens = dataset.tokens[span.start : span.stop]
            streams = tokens[:, : len(STREAMS)].astype(np.int64)
            known = dataset.knowledge.tokens(streams, dataset.vocabularies, dataset.events.grid)
            is_counted = span.piece_id in dataset.knowledge.counted
            assert is_counted == (split == TRAIN)
            assert np.array_equal(known, tokens[:, -known.shape[1] :]) != is_counted
    assert list(dataset.sizes)[-NAMED:] == list(GUESS_COLUMNS)
    assert (dataset.tokens.max(0) < [*dataset.sizes.values()]).all()


def test_two_storages_get_the_same_files(dataset, music, tmp_path):
    other = prepared(tmp_path, music, ["ngrams"])
    assert other.ref == dataset.ref
    for name in ("tokens", "ngram_contexts", "ngram_starts", "ngram_values", "ngram_counts"):
        assert other.artifact.file(name).read_bytes() == dataset.artifact.file(name).read_bytes()


def test_the_key_depends_on_experts_only_where_there_are_some(dataset, music, tmp_path):
    refs = {experts: prepared(tmp_path, music, list(experts)).ref for experts in ((), ("piece",), ("piece", "ngrams"))}
    assert len({*refs.values(), dataset.ref}) == 4


def test_only_so_many_events_are_counted(dataset, music, tmp_path, monkeypatch):
    monkeypatch.setattr(ngrams, "MOST_EVENTS", 50)
    few = prepared(tmp_path, music, ["ngrams"])
    events = [span.events for span in few.spans[TRAIN]]
    assert few.knowledge.counted == {
        span.piece_id for span in few.spans[TRAIN][: np.searchsorted(np.cumsum(events), 50) + 1]
    }
    assert len(few.knowledge.table.contexts) < len(dataset.knowledge.table.contexts)
