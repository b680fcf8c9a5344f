"""Patterns of notes, under names that a musician knows."""

import numpy as np
import pytest

from lstm_music.evaluation.note_ngrams import KINDS, NoteList, kind_of, pattern_shares


def notes(*rows: tuple[int, int, int], bar: int = 16, steps: int = 4) -> NoteList:
    """Make notes of (onset, pitch, duration), in 4/4."""
    onset, pitch, duration = np.array(rows, np.int64).reshape(-1, 3).T
    return NoteList.of(onset, onset % bar, pitch, duration, steps)


def test_a_small_piece_by_hand():
    shares = pattern_shares(notes((4, 62, 2), (0, 67, 4), (0, 60, 4), (0, 64, 4), (6, 61, 33)))
    assert shares["melody: 4th down"] == shares["melody: minor 2nd down"] == 0.5
    assert shares["melody: 4th down, minor 2nd down"] == 1
    assert shares["chord: major 3rd"] == shares["chord: minor 3rd"] == 0.25
    assert shares["chord: a single note"] == 0.5
    assert shares["chord: major 3rd, minor 3rd"] == 1
    assert shares["rhythm: quarter"] == shares["rhythm: eighth"] == 0.5
    assert shares["length: quarter, eighth, over 8 quarters"] == 1
    assert shares["metre: beat 1, beat 2, beat 2 + 1/2"] == 1
    assert {kind_of(name) for name in shares} == KINDS.keys()


def test_shares_of_a_kind_and_length_add_up_to_one():
    rng = np.random.default_rng(1)
    rows = np.stack([rng.integers(0, 200, 300), rng.integers(30, 90, 300), rng.integers(1, 40, 300)], axis=1)
    totals: dict[tuple[str, int], float] = {}
    for name, share in pattern_shares(notes(*rows.tolist())).items():
        key = kind_of(name), name.count(",")
        totals[key] = totals.get(key, 0) + share
    assert len(totals) == 3 * len(KINDS)
    assert all(total == pytest.approx(1) for total in totals.values())


def test_the_key_does_not_count_and_neither_does_the_order_of_the_notes():
    rows = [(0, 60, 4), (0, 64, 4), (4, 65, 2), (6, 67, 2)]
    higher = [(onset, pitch + 5, duration) for onset, pitch, duration in reversed(rows)]
    assert pattern_shares(notes(*rows)) == pattern_shares(notes(*higher))


def test_no_notes_have_no_patterns():
    assert pattern_shares(notes()) == {}
