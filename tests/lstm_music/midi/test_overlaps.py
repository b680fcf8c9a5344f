from itertools import pairwise

import midi_bytes as mb
import numpy as np
import pytest
from hypothesis import given, settings

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, sorted_notes
from lstm_music.midi.overlaps import place_notes


def place(*rows, max_parts=100):
    notes = sorted_notes(np.array(list(rows), NOTE_DTYPE))
    part, channel, tracks = place_notes(notes, np.unique(notes["track"]).tolist(), max_parts)
    return part.tolist(), channel.tolist(), tracks


def note(onset, duration, *, track=0, channel=0, is_drum=False, pitch=60):
    return (track, channel, 0, is_drum, pitch, 80, onset, duration)


def test_notes_that_do_not_overlap_stay_on_their_track_and_channel():
    notes = [note(0, 10), note(10, 0), note(10, 5), note(12, 9, pitch=61), note(12, 9, channel=3), note(12, 9, track=7)]
    assert place(*notes) == ([0, 0, 0, 0, 1, 0], [0, 0, 0, 3, 0, 0], [0, 7])


def test_what_overlaps_goes_to_further_parts_on_unused_channels():
    assert place(note(0, 30), note(10, 30), note(20, 30), note(45, 5)) == ([0, 1, 2, 0], [0, 1, 2, 0], [0, 0, 0])


def test_a_note_without_duration_overlaps_the_note_around_it():
    assert place(note(0, 30), note(10, 0)) == ([0, 1], [0, 1], [0, 0])


def test_drums_and_only_drums_are_on_the_tenth_channel():
    notes = [note(0, 30, channel=9), note(0, 30, is_drum=True), note(5, 30, is_drum=True)]
    assert sorted(place(*notes)[1]) == [0, 9, 9]


def test_where_every_channel_is_used_further_parts_share_them():
    channels = [channel for channel in range(16) if channel != 9]
    notes = [note(onset, 30, channel=channel) for channel in channels for onset in (0, 5)]
    _, channel, tracks = place(*notes, note(0, 9, channel=9))
    assert tracks == [0] * (1 + 15 + 1)
    assert 9 not in channel


def test_more_overlaps_than_parts_are_rejected():
    with pytest.raises(RejectedInputError, match="overlap so often that it needs 4 tracks or more"):
        place(*[note(onset, 30) for onset in range(4)], max_parts=3)
    with pytest.raises(RejectedInputError, match="overlap so often that it needs 4 tracks or more"):
        place(*[note(onset, 30, channel=channel) for channel in range(3) for onset in range(2)], max_parts=3)


@settings(deadline=None)
@given(mb.pieces())
def test_no_two_notes_of_a_pitch_overlap_on_one_channel_of_one_part(piece):
    notes = piece.notes
    part, channel, tracks = place_notes(notes, np.unique(notes["track"]).tolist(), 1000)
    assert ((channel == 9) == notes["is_drum"]).all()
    assert ((part >= 0) & (part < len(tracks))).all()
    assert (np.asarray(tracks)[part] == notes["track"]).all()
    places = {}
    for at, (onset, duration) in enumerate(zip(notes["onset_ticks"], notes["duration_ticks"], strict=True)):
        places.setdefault((part[at], channel[at], notes["pitch"][at]), []).append((onset, onset + duration))
    for spans in places.values():
        spans.sort()
        assert all(end <= onset for (_, end), (onset, _) in pairwise(spans))
