"""Windows: an epoch has every target once, inside its piece, transposed only as far as the piece allows."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START, UNKNOWN
from lstm_music.encoding.windows import (
    EpochWindows,
    PieceSpan,
    Targets,
    WindowSpec,
    batches,
    blank_batch,
    epoch_windows,
    fill,
    hide,
    next_event_batches,
    shuffled,
    window_count,
)

NOTE = 1
SHIFTS = range(-6, 6)
LOWEST_NOTE = 20
IDS = 80
# a note id moves by as many ids as semitones, special ids stay
TRANSPOSITION = np.array([[*range(SPECIAL_IDS), *np.clip(np.arange(SPECIAL_IDS, IDS) + s, 0, IDS)] for s in SHIFTS])


@st.composite
def collections(draw) -> list[PieceSpan]:
    """Pieces in sequence, with gaps between some."""
    spans, at = [], 0
    for number in range(draw(st.integers(1, 6))):
        at += draw(st.integers(0, 3))
        stop = at + draw(st.integers(1, 40))
        spans.append(PieceSpan(f"{number}", at, stop, draw(st.integers(-6, 0)), draw(st.integers(0, 5))))
        at = stop
    return spans


def tokens_of(spans: list[PieceSpan]) -> np.ndarray:
    """Tokens [events, 2]: the first is the row itself, the second a note."""
    places = np.arange(spans[-1].stop + 2)
    return np.stack([SPECIAL_IDS + places, LOWEST_NOTE + places % 40], axis=1).astype(np.uint16)


def windows_of_epoch(
    spans, length, batch_size, seed, epoch
) -> list[list[tuple[tuple[int, ...], tuple[int, ...], int]]]:
    """Return the targets of each window as (event before, event or end, whether it is an event)."""
    found = []
    windows = epoch_windows(spans, length, seed, epoch)
    for batch in batches(
        tokens_of(spans),
        spans,
        windows,
        length=length,
        batch_size=batch_size,
        note_columns=[NOTE],
        transposition=TRANSPOSITION,
        first_shift=SHIFTS[0],
    ):
        assert batch.current.shape == batch.previous.shape == (length, batch_size, 2)
        assert not (batch.is_event * (1 - batch.mask)).any()
        for column in range(batch_size):
            rows = np.flatnonzero(batch.mask[:, column])
            if len(rows):
                found.append(
                    [
                        (
                            tuple(batch.previous[row, column].tolist()),
                            tuple(batch.current[row, column].tolist()),
                            int(batch.is_event[row, column]),
                        )
                        for row in rows
                    ]
                )
    assert len(found) == len(windows.piece)
    return found


def piece_of_place(spans, token) -> int:
    return next(index for index, span in enumerate(spans) if span.start <= token - SPECIAL_IDS < span.stop)


@settings(max_examples=60, deadline=None)
@given(collections(), st.integers(2, 12), st.integers(1, 5), st.integers(0, 2**32 - 1), st.integers(0, 50))
def test_an_epoch_has_every_target_of_every_piece_once(spans, length, batch_size, seed, epoch):
    expected = Counter()
    for index, span in enumerate(spans):
        places = [START, *(SPECIAL_IDS + place for place in range(span.start, span.stop)), END]
        expected.update((index, before, after) for before, after in pairwise(places))
    seen = Counter()
    for window in windows_of_epoch(spans, length, batch_size, seed, epoch):
        for (before, _), (after, _), is_event in window:
            named = after if after >= SPECIAL_IDS else before
            seen[(piece_of_place(spans, named), before, after)] += 1
            assert is_event == (after >= SPECIAL_IDS)
    assert seen == expected


@settings(max_examples=60, deadline=None)
@given(collections(), st.integers(2, 12), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_a_window_stays_in_its_piece_and_within_its_range_of_shifts(spans, length, batch_size, seed):
    for window in windows_of_epoch(spans, length, batch_size, seed, 0):
        assert len(window) <= length
        events = [event for before, after, _ in window for event in (before, after) if event[0] >= SPECIAL_IDS]
        (piece,) = {piece_of_place(spans, place) for place, _ in events}
        moved = {note - (LOWEST_NOTE + (place - SPECIAL_IDS) % 40) for place, note in events}
        assert len(moved) == 1
        assert spans[piece].lowest_shift <= moved.pop() <= spans[piece].highest_shift


@given(st.lists(st.integers(1, 100), min_size=3, max_size=5), st.integers(2, 20), st.integers(0, 2**32 - 1))
def test_seed_and_number_decide_an_epoch(counts, length, seed):
    spans = [PieceSpan(str(count), 0, count, -6, 5) for count in counts]
    first, again = (epoch_windows(spans, length, seed, 3) for _ in range(2))
    for name in ("piece", "first", "count", "shift"):
        assert getattr(first, name).tolist() == getattr(again, name).tolist()


def test_epochs_and_seeds_differ_in_cuts_shifts_and_order():
    spans = [PieceSpan("a", 0, 500, -6, 5), PieceSpan("b", 500, 900, -6, 5)]
    plans = [epoch_windows(spans, 16, seed, epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    for name in ("piece", "first", "shift"):
        assert len({tuple(getattr(plan, name).tolist()) for plan in plans}) == 3
    phases = {int(plan.count[(plan.piece == 0) & (plan.first == 0)][0]) for plan in plans}
    assert len(phases) > 1
    assert set(plans[0].shift.tolist()) == set(SHIFTS)


def test_epochs_are_joined_in_their_order():
    spans = [PieceSpan("a", 0, 50, -6, 5), PieceSpan("b", 50, 90, -6, 5)]
    plans = [epoch_windows(spans, 16, 1, epoch) for epoch in (4, 5)]
    joined, size = EpochWindows.joined(plans), len(plans[0].piece)
    for name in ("piece", "first", "count", "shift"):
        assert getattr(joined, name).tolist() == [value for plan in plans for value in getattr(plan, name).tolist()]
        assert getattr(joined.after(size), name).tolist() == getattr(plans[1], name).tolist()


def test_a_batch_is_filled_up_with_fully_masked_windows():
    spans = [PieceSpan("a", 0, 3)]
    batch = blank_batch(4, 3, 2)
    fill(batch, 1, tokens_of(spans), spans[0], 2, 2)
    assert batch.mask.T.tolist() == [[0] * 4, [1, 1, 0, 0], [0] * 4]
    assert batch.is_event.T.tolist() == [[0] * 4, [1, 0, 0, 0], [0] * 4]
    assert batch.previous[:2, 1, 0].tolist() == [SPECIAL_IDS + 1, SPECIAL_IDS + 2]
    assert batch.current[:2, 1, 0].tolist() == [SPECIAL_IDS + 2, END]
    assert (batch.previous[:, 0] == START).all()


def test_windows_are_counted_with_the_ends_as_targets():
    assert window_count([], 4) == 0
    assert [window_count([events], 4) for events in (1, 3, 4, 7, 8)] == [1, 1, 2, 2, 3]
    assert window_count([3, 8], 4) == 4


def test_hidden_tokens_are_unknown_and_the_others_stay():
    rng = np.random.default_rng(5)
    tokens = rng.integers(SPECIAL_IDS, 50, (100, 20, 3), np.int32)
    hidden = hide(tokens, 0.25, rng)
    assert hidden.dtype == np.int32
    assert np.isin(hidden[hidden != tokens], UNKNOWN).all()
    assert (hidden == UNKNOWN).mean() == pytest.approx(0.25, abs=0.02)
    assert np.array_equal(hide(tokens, 0, rng), tokens)


def test_shifts_include_zero_and_span_at_most_two_octaves():
    assert WindowSpec(transpose_from=-2, transpose_to=1).shifts == (-2, -1, 0, 1)
    assert WindowSpec(transpose_from=0, transpose_to=0).shifts == (0,)
    with pytest.raises(ValidationError, match="expected a range of at most 24 semitones, got"):
        WindowSpec(transpose_from=-13, transpose_to=12)


THREE_PIECES = [PieceSpan("a", 0, 4), PieceSpan("b", 4, 6), PieceSpan("c", 8, 13)]


def test_targets_are_the_events_from_a_position_on():
    everything, late = Targets.of(THREE_PIECES), Targets.of(THREE_PIECES, 3)
    assert everything.places.tolist() == [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    assert everything.positions.tolist() == [0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 4]
    assert (everything.spans, everything.lengths) == (tuple(THREE_PIECES), (4, 2, 5))
    assert late.places.tolist() == [3, 11, 12]
    assert late.positions.tolist() == [3, 3, 4]


def test_a_piece_without_targets_is_left_out():
    late = Targets.of(THREE_PIECES, 3)
    assert (late.spans, late.lengths) == ((THREE_PIECES[0], THREE_PIECES[2]), (1, 2))
    none = Targets.of(THREE_PIECES, 5)
    assert (none.spans, none.lengths, none.places.tolist(), none.positions.tolist()) == ((), (), [], [])


@given(collections(), st.integers(0, 12), st.data())
def test_targets_are_the_chosen_ones_from_a_position_on(spans, first, data):
    rows = spans[-1].stop
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    targets = Targets.of(spans, first, chosen)
    expected = [
        (span.piece_id, position)
        for span in spans
        for position in range(first, span.events)
        if chosen[span.start + position]
    ]
    pieces = np.repeat([span.piece_id for span in targets.spans], targets.lengths).tolist()
    assert list(zip(pieces, targets.positions.tolist(), strict=True)) == expected
    starts = {span.piece_id: span.start for span in spans}
    assert targets.places.tolist() == [starts[piece] + position for piece, position in expected]


@given(collections(), st.integers(1, 12), st.integers(1, 5), st.randoms())
def test_a_window_ends_with_the_event_at_its_place(spans, length, batch_size, random):
    tokens, places = tokens_of(spans), Targets.of(spans, length).places
    random.shuffle(places)
    seen = []
    for batch in next_event_batches(tokens, places, length=length, batch_size=batch_size):
        assert batch.previous.shape == batch.current.shape == (length, batch_size, 2)
        assert not batch.mask[:-1].any()
        assert np.array_equal(batch.is_event, batch.mask)
        filled = int(batch.mask[-1].sum())
        assert batch.mask[-1].tolist() == [1] * filled + [0] * (batch_size - filled)
        assert (batch.previous[:, filled:] == START).all()
        for column in range(filled):
            place = int(batch.current[-1, column, 0]) - SPECIAL_IDS
            assert batch.previous[:, column].tolist() == tokens[place - length : place].tolist()
            assert batch.current[:, column].tolist() == tokens[place - length + 1 : place + 1].tolist()
            seen.append(place)
    assert seen == places.tolist()


def test_windows_fill_as_few_batches_as_possible():
    spans = [PieceSpan("a", 0, 30)]
    sizes = [
        int(batch.mask.sum())
        for batch in next_event_batches(tokens_of(spans), np.arange(4, 11), length=4, batch_size=3)
    ]
    assert sizes == [3, 3, 1]


@given(st.lists(st.integers(0, 1000), unique=True), st.integers(0, 2**32 - 1), st.integers(0, 50))
def test_an_epoch_has_every_place_once_in_its_own_order(places, seed, epoch):
    order = shuffled(np.array(places, np.int64), seed, epoch).tolist()
    assert sorted(order) == sorted(places)
    assert shuffled(np.array(places, np.int64), seed, epoch).tolist() == order


def test_the_order_of_places_depends_on_epoch_and_seed():
    places = np.arange(100)
    assert len({tuple(shuffled(places, *start).tolist()) for start in ((1, 0), (1, 1), (2, 0))}) == 3
    assert places.tolist() == list(range(100))
