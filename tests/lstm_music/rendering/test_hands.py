"""Hands: those of the tracks where there are two, and a rule that finds most of them without."""

import zipfile
from itertools import islice

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, sorted_notes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.hands import HAND_NAMES, in_two_tracks, split_by_line, split_hands
from lstm_music.scores.reading import read_score
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import music_format


def two_tracks(left, right):
    rows = [
        (track, 0, 0, False, pitch, 80, at * QUARTER, QUARTER)
        for track, part in ((0, left), (1, right))
        for at, pitch in part
    ]
    return PieceNotes(QUARTER, sorted_notes(np.array(rows, NOTE_DTYPE)))


def test_two_tracks_that_lie_apart_are_the_hands_even_where_they_cross():
    piece = two_tracks([(0, 40), (1, 84), (2, 43)], [(0, 70), (1, 72), (2, 41), (3, 90)])
    assert np.array_equal(split_hands(piece), piece.notes["track"] == 1)


def test_two_tracks_at_one_height_are_no_hands():
    piece = two_tracks([(0, 40), (1, 80)], [(0, 81), (1, 41)])
    assert np.array_equal(split_hands(piece), piece.notes["pitch"] > 60)


def test_a_further_track_for_a_few_notes_is_no_hand():
    """Our own writer makes one for notes that overlap another of their pitch."""
    scale = [(at, pitch) for at, pitch in enumerate([40, 76, 43, 72, 45, 79] * 4)]
    piece = two_tracks(scale, [(3, 72)])
    assert np.array_equal(split_hands(piece), split_by_line(piece.notes, piece.ticks_per_quarter))
    assert 0.4 < split_hands(piece).mean() < 0.6


def test_a_chord_wider_than_a_hand_is_shared():
    piece = piece_of([(0, QUARTER, pitch) for pitch in (36, 43, 48, 67, 72, 76)])
    assert split_hands(piece).tolist() == [False, False, False, True, True, True]


def test_a_bass_that_is_still_held_keeps_its_hand():
    piece = piece_of(
        [(0, 4 * QUARTER, 40), *((at * QUARTER, QUARTER, pitch) for at, pitch in enumerate((64, 60, 57, 55)))]
    )
    assert split_hands(piece).tolist() == [False, True, True, True, True]


def test_drums_are_played_by_no_hand():
    assert not split_hands(piece_of([(0, QUARTER, 90)], drums=True)).any()
    assert split_hands(PieceNotes(QUARTER, np.empty(0, NOTE_DTYPE))).shape == (0,)


def test_of_chorales_the_upper_voices_are_the_right_hand():
    """Four voices on tracks of their own: the rule gives the soprano to the right hand and the bass to the left."""
    agreed = {"soprano": [], "bass": []}
    for entry in islice(Corpus().entries(), 5):
        piece = read_score(entry.data, music_format(entry.name))
        voices = sorted(
            np.unique(piece.notes["track"]),
            key=lambda track: piece.notes["pitch"][piece.notes["track"] == track].mean(),
        )
        is_right = split_hands(piece)
        agreed["soprano"].append(is_right[piece.notes["track"] == voices[-1]].mean())
        agreed["bass"].append((~is_right[piece.notes["track"] == voices[0]]).mean())
    assert np.mean(agreed["soprano"]) > 0.97
    assert np.mean(agreed["bass"]) > 0.97


@pytest.mark.corpus
def test_the_rule_finds_nine_of_ten_hands_of_piano_pieces(collection_zip):
    """What the split at middle C finds of the same notes is the floor."""
    found, floor = [], []
    with zipfile.ZipFile(collection_zip) as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".mid"))[::20]:
            piece = read_midi(archive.read(name))
            if [title.strip().lower() for title in piece.track_names[1:3]] == ["piano right", "piano left"]:
                is_right = piece.notes["track"] == 1
                found += (split_by_line(piece.notes, piece.ticks_per_quarter) == is_right).tolist()
                floor += ((piece.notes["pitch"] >= 60) == is_right).tolist()
    assert len(found) > 10_000
    assert np.mean(found) > 0.85
    assert np.mean(found) > np.mean(floor) + 0.08


@pytest.mark.parametrize("number", range(3))
def test_two_tracks_hold_the_same_notes_and_the_same_hands(number):
    """Also after they were written and read, with a further track for overlapping notes."""
    piece = small_piece(number)
    written = in_two_tracks(piece, "Waltz")
    back = read_midi(write_midi(written))
    names = ["pitch", "velocity", "onset_ticks", "duration_ticks", "program"]
    assert np.array_equal(back.notes[names], piece.notes[names])
    assert back.track_names[:3] == ("Waltz", *HAND_NAMES)
    assert np.array_equal(split_hands(back), split_hands(piece))
    assert np.array_equal(split_hands(piece), written.notes["track"] == 1)
    assert np.array_equal(written.notes["channel"], written.notes["track"] - 1)
