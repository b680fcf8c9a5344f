import dataclasses
import io
import itertools

import midi_bytes as mb
import mido
import numpy as np
import pytest
from hypothesis import given, settings

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, Pedal, PieceNotes, Tempo, TimeSignature, sorted_notes
from lstm_music.midi.reader import ReadLimits, read_midi
from lstm_music.midi.writer import EMPTY_TEXT, SLOWEST_TEMPO, with_track, write_midi

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
        ({"ticks_per_quarter": 32_768}, "ticks per quarter: expected 1 to 32,767, got 32768"),
        ({"tempos": (Tempo(0, 0),)}, "microseconds per quarter: expected .*, got 0"),
        ({"tempos": (Tempo(-1, 1),)}, "tick: expected .*, got -1"),
        ({"time_signatures": (TimeSignature(0, 256, 4),)}, "numerator: expected 1 to 255, got 256"),
        ({"time_signatures": (TimeSignature(0, 4, 3),)}, "time signature 4/3: expected a denominator of 1, 2, 4"),
        ({"key_signatures": (KeySignature(0, 8, is_minor=False),)}, "sharps: expected -7 to 7, got 8"),
        ({"pedal": (Pedal(0, 0, 16, 0),)}, "pedal channel: expected 0 to 15, got 16"),
        ({"pedal": (Pedal(0, 0, 0, 128),)}, "pedal value: expected 0 to 127, got 128"),
    ],
)
def test_what_a_midi_file_cannot_hold_is_rejected(facts, reason):
    piece = dataclasses.replace(mb.piece_of((0, 1, 60)), **facts)
    with pytest.raises(RejectedInputError, match=f"cannot be written as MIDI: {reason}"):
        write_midi(piece)


@pytest.mark.parametrize(
    ("field", "value"),
    [("pitch", 128), ("velocity", 0), ("program", 200), ("channel", 16), ("onset_ticks", -1), ("duration_ticks", -1)],
)
def test_a_note_that_a_midi_file_cannot_hold_is_rejected(field, value):
    piece = mb.piece_of((0, 1, 60))
    piece.notes[field] = value
    with pytest.raises(RejectedInputError, match=f"cannot be written as MIDI: {field}: expected .*, got {value}"):
        write_midi(piece)


def events_of(data):
    """The (tick, mido message) of each track, as mido reads them."""
    tracks = []
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        ticks = itertools.accumulate(message.time for message in track)
        tracks.append(list(zip(ticks, track, strict=True)))
    return tracks


def test_each_channel_chooses_its_first_program_at_time_0():
    notes = np.array(
        [(1, 0, 7, False, 60, 80, 100, 50), (1, 0, 9, False, 60, 80, 200, 50), (2, 1, 7, False, 40, 80, 300, 50)],
        NOTE_DTYPE,
    )
    piece = PieceNotes(480, notes)

    def programs(data):
        return [
            (tick, message.channel, message.program)
            for track in events_of(data)
            for tick, message in track
            if message.type == "program_change"
        ]

    assert programs(write_midi(piece)) == [(0, 0, 7), (200, 0, 9), (0, 1, 7)]
    assert programs(write_midi(piece, programs_at_start=False)) == [(100, 0, 7), (200, 0, 9), (300, 1, 7)]


def test_a_track_for_overlapping_notes_is_named_after_its_own():
    notes = sorted_notes(
        np.array([(track, 0, 0, False, 60, 80, onset, 50) for track in (1, 2) for onset in (0, 20)], NOTE_DTYPE)
    )
    named = PieceNotes(480, notes, track_names=("Waltz", "Right", ""))
    assert read_midi(write_midi(named)).track_names == ("Waltz", "Right", "", "Right, overlapping notes", "")


def test_a_track_that_is_added_comes_first_and_changes_no_other():
    notes = np.array([(1, 0, 7, False, 60, 80, 100, 50)], NOTE_DTYPE)
    written = write_midi(PieceNotes(480, notes))
    added, *others = events_of(with_track(written, [(0, b"\xb0\x07\x40"), (300, EMPTY_TEXT)]))
    assert [(tick, message.type) for tick, message in added] == [
        (0, "control_change"),
        (300, "text"),
        (300, "end_of_track"),
    ]
    assert others == events_of(written)
