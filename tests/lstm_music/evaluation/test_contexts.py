import numpy as np
import pytest
from token_music import NOTE, SIZES, TRANSPOSITION, dictionary_counts, random_piece, random_training, token_at

from lstm_music.encoding.vocabulary import END, START
from lstm_music.evaluation.contexts import (
    LONGEST_LAG,
    TABLE_CODES,
    Element,
    History,
    Training,
    Walk,
    distinct,
    positions_in,
)

CONTEXTS = [
    (),
    (Element(1, 0),),
    (Element(1, 2), Element(1, 0), Element(2, 0)),
    (Element(1, 0), Element(1, 1), Element(2, 1)),
    (Element(1, 1), Element(1, 2), Element(3, 1), Element(2, 0)),
]


@pytest.mark.parametrize("with_end", [False, True])
def test_history_reads_every_element_and_start_and_end_around_a_piece(with_end):
    rng = np.random.default_rng(1)
    pieces = [random_piece(rng, length) for length in (4, 1, 7)]
    history = History.of(pieces, 3, with_end=with_end)
    for element in [Element(0, 1), Element(1, 0), Element(3, 2), Element(LONGEST_LAG, 0)]:
        expected = [token_at(piece, place, element) for piece in pieces for place in range(len(piece) + with_end)]
        assert history.at(element).tolist() == expected
    assert history.piece.tolist() == [n for n, piece in enumerate(pieces) for _ in range(len(piece) + with_end)]
    assert history.at(Element(LONGEST_LAG, 0))[0] == START
    assert (history.at(Element(0, 0))[-1] == END) == with_end


@pytest.mark.parametrize("context", CONTEXTS, ids=str)
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_walk_counts_what_a_dictionary_counts(stream, context):
    rng = np.random.default_rng(2)
    pieces = random_training(rng, (40, 30, 20, 1))
    heard = [random_piece(rng, 15), random_piece(rng, 5)]
    with_end = stream == 0
    training = Training.of(pieces, TRANSPOSITION, SIZES, note=NOTE, with_end=with_end)
    walk = Walk.begin(training, History.of(heard, 3, with_end=with_end), stream)
    for element in context:
        walk = walk.step(element)
    counts = walk.count()

    followed = dictionary_counts(pieces, stream, context, with_end=with_end)
    places = [(piece, place) for piece in heard for place in range(len(piece) + with_end)]
    assert len(counts.context) == len(places)
    for (piece, place), number in zip(places, counts.context, strict=True):
        expected = followed.get(tuple(token_at(piece, place, element) for element in context), {})
        of_context = counts.pair_context == number
        tokens, times = counts.pair_token[of_context], counts.times[of_context]
        assert dict(zip(tokens.tolist(), times.tolist(), strict=True)) == expected
        assert counts.totals[number] == sum(expected.values())


def some_of(rng, pieces):
    """Choose about half of the events of each piece, and none of the first piece."""
    return [(rng.random(len(piece)) < 0.5) & (number > 0) for number, piece in enumerate(pieces)]


def test_only_chosen_events_are_targets_and_what_stands_before_them_is_all_there_was():
    rng = np.random.default_rng(7)
    pieces = [random_piece(rng, length) for length in (4, 1, 30)]
    chosen = some_of(rng, pieces)
    history = History.of(pieces, 3, with_end=False, chosen=chosen)
    places = [(number, place) for number, marks in enumerate(chosen) for place in np.flatnonzero(marks).tolist()]
    assert history.piece.tolist() == [number for number, _ in places]
    for element in [Element(0, 1), Element(1, 0), Element(3, 2), Element(LONGEST_LAG, 0)]:
        assert history.at(element).tolist() == [token_at(pieces[number], place, element) for number, place in places]


def test_a_history_of_which_all_is_chosen_is_the_whole_history():
    rng = np.random.default_rng(8)
    pieces = [random_piece(rng, length) for length in (4, 7)]
    whole = History.of(pieces, 3, with_end=False)
    chosen = History.of(pieces, 3, with_end=False, chosen=[np.ones(len(piece), np.bool_) for piece in pieces])
    for name in ("tokens", "places", "piece"):
        assert np.array_equal(getattr(chosen, name), getattr(whole, name))
    assert len(History.of([], 3, with_end=False, chosen=[]).places) == 0


@pytest.mark.parametrize("context", CONTEXTS, ids=str)
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_walk_counts_the_chosen_events_of_training_alone(stream, context):
    rng = np.random.default_rng(9)
    pieces = random_training(rng, (40, 30, 20))
    chosen = some_of(rng, [piece.tokens for piece in pieces])
    heard = random_piece(rng, 15)
    training = Training.of(pieces, TRANSPOSITION, SIZES, note=NOTE, with_end=False, chosen=chosen)
    walk = Walk.begin(training, History.of([heard], 3, with_end=False), stream)
    for element in context:
        walk = walk.step(element)
    counts = walk.count()
    followed = dictionary_counts(pieces, stream, context, with_end=False, chosen=chosen)
    for place, number in enumerate(counts.context):
        of_context = counts.pair_context == number
        found = dict(zip(counts.pair_token[of_context].tolist(), counts.times[of_context].tolist(), strict=True))
        assert found == followed.get(tuple(token_at(heard, place, element) for element in context), {})


def test_pairs_of_lists_the_pairs_of_each_context_in_turn():
    rng = np.random.default_rng(3)
    training = Training.of(random_training(rng, (40,)), TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    walk = Walk.begin(training, History.of([random_piece(rng, 20)], 3, with_end=False), 2).step(Element(1, 2))
    counts = walk.count()
    asked = np.array([counts.contexts - 1, 0, 0])
    position, pair = counts.pairs_of(asked)
    assert (counts.pair_context[pair] == asked[position]).all()
    assert len(pair) == sum((counts.pair_context == number).sum() for number in asked)


def test_a_training_piece_without_shifts_counts_only_where_no_note_is():
    rng = np.random.default_rng(4)
    piece = random_training(rng, (10,))[0]
    silent = type(piece)(piece.tokens, ())
    training = Training.of([silent], TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    history = History.of([piece.tokens], 3, with_end=False)
    assert Walk.begin(training, history, 0).count().times.sum() == 10
    assert Walk.begin(training, history, NOTE).count().times.sum() == 0


@pytest.mark.parametrize("largest", [1000, 10 * TABLE_CODES])
def test_positions_are_found_by_table_and_by_bisection(largest):
    rng = np.random.default_rng(5)
    ascending = np.unique(rng.integers(0, largest, 300))
    codes = np.concatenate([ascending[::3], rng.integers(0, 2 * largest, TABLE_CODES // 60)])
    where = {int(code): position for position, code in enumerate(ascending)}
    assert positions_in(ascending, codes).tolist() == [where.get(int(code), -1) for code in codes]


def test_nothing_is_found_where_nothing_is():
    assert positions_in(np.empty(0, np.int64), np.array([1, 2])).tolist() == [-1, -1]


@pytest.mark.parametrize("limit", [50, 10**9])
def test_distinct_codes_are_counted_by_table_and_by_sorting(limit):
    codes = np.random.default_rng(6).integers(0, 50, 1000)
    values, times = np.unique(codes, return_counts=True)
    pairs, counted = distinct(codes, limit)
    assert pairs.tolist() == values.tolist()
    assert counted.tolist() == times.tolist()
    assert [len(part) for part in distinct(codes[:0], limit)] == [0, 0]
