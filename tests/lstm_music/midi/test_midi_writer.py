import dataclasses
import io

import midi_bytes as mb
import mido
import numpy as np
import pytest
from hypothesis import given, settings

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import KeySignature, Pedal, Tempo, TimeSignature
from lstm_music.midi.reader import ReadLimits, read_midi
from lstm_music.midi.writer import SLOWEST_TEMPO, write_midi

NO_LIMIT = ReadLimits(max_quarters=1 << 40)
CHANGES = ("ticks_per_quarter", "tempos", "time_signatures", "key_signatures")


@settings(deadline=None)
@given(mb.pieces())
def test_what_is_written_is_read_back(piece):
    back = read_midi(write_midi(piece), NO_LIMIT)
    assert mb.note_rows(back) == mb.note_rows(piece)
    assert [getattr(back, name) for name in CHANGES] == [getattr(piece, name) for name in CHANGES]
    assert sorted((event.tick, event.channel, event.value) for event in back.pedal) == sorted(
        (event.tick, event.channel, event.value) for event in piece.pedal
    )


@settings(deadline=None)
@given(mb.pieces())
def test_the_same_piece_gives_the_same_bytes_and_so_does_what_was_read_back(piece):
    data = write_midi(piece)
    assert write_midi(piece) == data
    once = read_midi(data, NO_LIMIT)
    twice = read_midi(write_midi(once), NO_LIMIT)
    assert mb.note_rows(twice) == mb.note_rows(once)
    assert twice.track_names[: len(once.track_names)] == once.track_names[: len(twice.track_names)]


@settings(deadline=None)
@given(mb.pieces())
def test_another_reader_finds_the_same_notes(piece):
    file = mido.MidiFile(file=io.BytesIO(write_midi(piece)))
    onsets = [message for track in file.tracks for message in track if message.type == "note_on"]
    assert (file.type, file.ticks_per_beat) == (1, piece.ticks_per_quarter)
    assert sorted((message.note, message.velocity) for message in onsets) == mb.note_rows(piece, "pitch", "velocity")


def test_names_stay_with_their_tracks_and_a_silent_first_track_conducts():
    data = mb.smf(
        mb.track(b"\x00\xff\x03\x05title"), mb.track(), mb.track(b"\x00\xff\x03\x04left", mb.MIDDLE_C_FOR_A_QUARTER)
    )
    back = read_midi(write_midi(read_midi(data)))
    assert back.track_names == ("title", "left")
    assert back.notes["track"].tolist() == [1]


def test_where_the_first_track_has_notes_the_tracks_move_up():
    data = mb.smf(mb.track(b"\x00\xff\x03\x05right", mb.MIDDLE_C_FOR_A_QUARTER), file_format=0)
    back = read_midi(write_midi(read_midi(data)))
    assert back.track_names == ("", "right")
    assert back.notes["track"].tolist() == [1]


def test_a_note_struck_again_where_it_ends_is_written_on_one_track():
    back = read_midi(write_midi(mb.piece_of((0, 480, 60), (480, 480, 60), (960, 0, 60), (960, 10, 60))))
    assert np.unique(back.notes["track"]).tolist() == [1]
    assert back.notes["duration_ticks"].tolist() == [480, 480, 0, 10]


def test_overlapping_notes_of_one_pitch_are_on_two_tracks_and_two_channels():
    back = read_midi(write_midi(mb.piece_of((0, 480, 60), (240, 480, 60))))
    assert back.notes[["track", "channel", "duration_ticks"]].tolist() == [(1, 0, 480), (2, 1, 480)]


def test_a_name_that_is_no_unicode_is_written_as_far_as_it_is():
    piece = mb.piece_of((0, 1, 60), track_names=("", "a\ud800"))
    assert read_midi(write_midi(piece)).track_names == ("", "a?")


def test_a_tempo_slower_than_the_format_can_say_becomes_the_slowest():
    piece = mb.piece_of((0, 1, 60), tempos=(Tempo(0, 60_000_000),))
    assert read_midi(write_midi(piece)).tempos == (Tempo(0, SLOWEST_TEMPO),)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"ticks_per_quarter": 32_768}, "ticks per quarter 32768, where 1 to 32,767 are possible"),
        ({"tempos": (Tempo(0, 0),)}, "microseconds per quarter 0"),
        ({"tempos": (Tempo(-1, 1),)}, "tick -1"),
        ({"time_signatures": (TimeSignature(0, 256, 4),)}, "numerator 256, where 1 to 255 are possible"),
        ({"time_signatures": (TimeSignature(0, 4, 3),)}, "time signature 4/3, where the denominator is one of 1, 2, 4"),
        ({"key_signatures": (KeySignature(0, 8, is_minor=False),)}, "sharps 8, where -7 to 7 are possible"),
        ({"pedal": (Pedal(0, 0, 16, 0),)}, "pedal channel 16"),
        ({"pedal": (Pedal(0, 0, 0, 128),)}, "pedal value 128"),
    ],
)
def test_what_the_format_cannot_say_is_rejected(facts, reason):
    piece = dataclasses.replace(mb.piece_of((0, 1, 60)), **facts)
    with pytest.raises(RejectedInputError, match=f"cannot be written as MIDI: {reason}"):
        write_midi(piece)


@pytest.mark.parametrize(
    ("field", "value"),
    [("pitch", 128), ("velocity", 0), ("program", 200), ("channel", 16), ("onset_ticks", -1), ("duration_ticks", -1)],
)
def test_a_note_that_the_format_cannot_say_is_rejected(field, value):
    piece = mb.piece_of((0, 1, 60))
    piece.notes[field] = value
    with pytest.raises(RejectedInputError, match=f"cannot be written as MIDI: {field} {value}, where"):
        write_midi(piece)
