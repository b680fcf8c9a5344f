"""Guesses are what the formula says of what followed in other pieces, found by comparing all with all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_music.encoding import guesses
from lstm_music.encoding.guesses import (
    GUESS_COLUMNS,
    GUESSES,
    LEAST_SHARE,
    ODDS_STEP,
    PARTS,
    SMOOTHING,
    guess_tokens,
)
from lstm_music.encoding.ngrams import NO_VALUE, ORDERS, added, count, joined, occasions
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, Vocabulary

PITCH_NAMES = tuple(f"{name}{octave}" for octave in (3, 4) for name in ("C", "D", "E", "F", "G", "A", "B"))
SHAPES = shapes_of(Vocabulary("note", PITCH_NAMES, (1,) * len(PITCH_NAMES), 0.0))
SIZES = {"offset": 6, "note": SPECIAL_IDS + len(PITCH_NAMES), "duration": 24}

PIECE = st.lists(
    st.tuples(st.integers(3, 5), st.integers(SPECIAL_IDS, SIZES["note"] - 1), st.integers(3, 6)),
    min_size=1,
    max_size=25,
).map(lambda events: np.array(events, np.int64))
PIECES = st.lists(PIECE, min_size=1, max_size=5)


@pytest.fixture(scope="module")
def table_of(tmp_path_factory):
    """Count over pieces."""

    def make(pieces):
        folder = tmp_path_factory.mktemp("ngrams")
        return joined([*count((occasions(piece, SHAPES) for piece in pieces), folder)])

    return make


def heard(piece, event):
    """What a melody is compared by: offset, duration and interval of an event; None before the piece."""
    if event < 0:
        return None
    interval = SHAPES.lowest[piece[event, 1]] - SHAPES.lowest[piece[event - 1, 1]] if event else None
    return piece[event, 0], piece[event, 2], interval


def chosen(piece, stream, event):
    """Give what is known where a stream of an event is chosen, and what was chosen: for a note its interval, or None."""
    if stream == "offset":
        return (), piece[event, 0] if event < len(piece) else END
    interval = SHAPES.lowest[piece[event, 1]] - SHAPES.lowest[piece[event - 1, 1]] if event else None
    return ((piece[event, 0],), interval) if stream == "note" else ((piece[event, 0], interval), piece[event, 2])


def events_of(piece, stream):
    """The events whose stream is guessed: the offset's is that of the next event, or of the end."""
    return range(1, len(piece) + 1) if stream == "offset" else range(len(piece))


def context(piece, stream, event, order):
    known, _ = chosen(piece, stream, event)
    return known, tuple(heard(piece, event - back) for back in range(1, order + 1))


def brute(others, piece, stream, event):
    """Blend as the formula of the module says; give p of each id, and how many orders are known."""
    discount, strength = SMOOTHING[stream]
    p, reached = np.full(SIZES[stream], 1 / SIZES[stream]), 0
    for number, order in enumerate(ORDERS, start=1):
        here = context(piece, stream, event, order)
        counts = np.zeros(SIZES[stream])
        for other in others:
            for place in events_of(other, stream):
                value = chosen(other, stream, place)[1]
                if value is None or context(other, stream, place, order) != here:
                    continue
                if stream == "note":
                    lowest = SHAPES.lowest[piece[event - 1, 1]] + value
                    value = next(
                        (id_ for id_, low in enumerate(SHAPES.lowest) if id_ >= SPECIAL_IDS and low == lowest), None
                    )
                if value is not None:
                    counts[value] += 1
        if counts.sum():
            passed_on = discount * np.count_nonzero(counts) + strength
            p = (np.maximum(counts - discount, 0) + passed_on * p) / (counts.sum() + strength)
            reached = number
    return p, reached


def odds_of(p):
    """Give the odds of the likeliest ids, in descending order."""
    best = np.sort(p)[::-1][:GUESSES]
    rest = max(1 - best.sum(), LEAST_SHARE) / max(len(p) - GUESSES, 1)
    return np.maximum(np.log(best / rest), 0)


@settings(max_examples=40, deadline=None)
@given(PIECES, st.integers(0, 4), st.booleans())
def test_guesses_equal_those_of_comparing_all_with_all(table_of, pieces, which, is_counted):
    piece = pieces[which % len(pieces)]
    others = [other for other in pieces if other is not piece]
    found = guess_tokens(piece, SHAPES, SIZES, table_of(pieces if is_counted else others), is_counted=is_counted)
    assert found.shape == (len(piece), len(GUESS_COLUMNS))
    for place, stream in enumerate(STREAMS):
        of_stream = found[:, place * len(PARTS) : (place + 1) * len(PARTS)]
        for row, event in zip(of_stream, events_of(piece, stream), strict=True):
            if stream == "note" and event == 0:
                assert not row.any()
                continue
            p, reached = brute(others, piece, stream, event)
            ids, odds, order = row[:GUESSES], row[GUESSES : 2 * GUESSES], row[-1]
            assert order == reached
            wanted = odds_of(p) if reached else np.zeros(0)
            assert odds[: len(wanted)] * ODDS_STEP == pytest.approx(wanted, abs=0.6 * ODDS_STEP)
            assert not odds[len(wanted) :].any()
            for id_, odd in zip(ids.tolist(), odds.tolist(), strict=True):
                if odd > 1:
                    assert p[id_] == pytest.approx(p.max() * np.exp((odd - odds[0]) * ODDS_STEP), rel=1.1 * ODDS_STEP)


def test_a_piece_does_not_hear_of_itself(table_of):
    piece = np.array([[3, SPECIAL_IDS + number % 5, 3 + number % 2] for number in range(30)])
    table = table_of([piece])
    assert guess_tokens(piece, SHAPES, SIZES, table, is_counted=False).any()
    assert not guess_tokens(piece, SHAPES, SIZES, table, is_counted=True).any()


@settings(max_examples=15, deadline=None)
@given(PIECES)
def test_parts_of_a_piece_give_what_the_whole_gives(table_of, pieces):
    """Of long pieces some events are guessed at a time; what the piece itself counts is still that of all of them."""
    table = table_of(pieces)
    whole, parts = [], []
    for cells, found in ((guesses._CELLS, whole), (4 * max(SIZES.values()), parts)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(guesses, "_CELLS", cells)
            found += [guess_tokens(piece, SHAPES, SIZES, table, is_counted=True) for piece in pieces]
    assert all(np.array_equal(one, other) for one, other in zip(whole, parts, strict=True))


@settings(max_examples=20, deadline=None)
@given(PIECES, PIECE, st.data())
def test_what_comes_later_changes_nothing(table_of, pieces, piece, data):
    end = data.draw(st.integers(1, len(piece)))
    table = table_of(pieces)
    whole = guess_tokens(piece, SHAPES, SIZES, table, is_counted=False)
    assert np.array_equal(guess_tokens(piece[:end], SHAPES, SIZES, table, is_counted=False), whole[:end])


@settings(max_examples=20, deadline=None)
@given(PIECES)
def test_a_table_counts_every_choice_once_an_order(table_of, pieces):
    table = table_of(pieces)
    choices = sum(
        np.count_nonzero(found.values != NO_VALUE) for piece in pieces for found in occasions(piece, SHAPES).values()
    )
    assert table.counts.sum() == choices * len(ORDERS)
    assert (np.diff(table.contexts) > 0).all()
    assert table.starts[-1] == len(table.values) == len(table.counts)


@settings(max_examples=20, deadline=None)
@given(PIECES, st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1))
def test_contexts_are_found_where_they_are(table_of, pieces, others):
    table = table_of(pieces)
    numbers = {context: number for number, context in enumerate(table.contexts.tolist())}
    wanted = [*numbers, *others, *(context + 1 for context in numbers if context + 1 < 1 << 63)]
    assert table.find(np.array(wanted)).tolist() == [numbers.get(context, -1) for context in wanted]


def test_an_empty_table_guesses_nothing(table_of):
    piece = np.array([[3, SPECIAL_IDS, 3]] * 4)
    assert not guess_tokens(piece, SHAPES, SIZES, table_of([]), is_counted=False).any()


@given(PIECES, PIECES)
@settings(max_examples=20, deadline=None)
def test_tables_add_up_to_that_of_all_pieces(table_of, first, second):
    found, wanted = added(table_of(first), table_of(second)), table_of([*first, *second])
    for name in ("contexts", "starts", "values", "counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
        assert getattr(found, name).dtype == getattr(wanted, name).dtype
