"""The reading of MIDI events: pairs, programs, drums, signatures and limits."""

import midi_bytes as mb
import numpy as np
import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, Pedal, Tempo, TimeSignature, sorted_notes
from lstm_music.midi.reader import ReadLimits, read_midi

TIMES = ("onset_ticks", "duration_ticks", "pitch", "velocity")


def test_a_note_is_read():
    piece = read_midi(mb.smf(mb.track(), mb.track(b"\x00\xc3\x05\x0a\x93\x3c\x40\x83\x60\x83\x3c\x40"), division=96))
    assert piece.ticks_per_quarter == 96
    assert piece.notes.dtype == NOTE_DTYPE
    assert piece.notes.tolist() == [(1, 3, 5, False, 60, 64, 10, 480)]


def test_a_note_on_of_velocity_0_ends_a_note():
    assert mb.note_rows(read_midi(mb.smf(mb.track(b"\x00\x90\x3c\x40\x10\x3c\x00"))), *TIMES) == [(0, 16, 60, 64)]


def test_the_first_of_two_overlapping_notes_of_one_pitch_ends_first():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x0a\x3c\x41\x0a\x3c\x00\x0a\x3c\x00"))
    assert mb.note_rows(read_midi(data), *TIMES) == [(0, 20, 60, 64), (10, 20, 60, 65)]


def test_a_pair_has_one_pitch_channel_and_track():
    first = mb.track(b"\x00\x90\x3c\x40\x00\x91\x3c\x41\x00\x90\x3d\x42\x0a\x91\x3c\x00\x0a\x90\x3d\x00\x0a\x3c\x00")
    second = mb.track(b"\x00\x90\x3c\x43\x05\x3c\x00")
    assert mb.note_rows(read_midi(mb.smf(first, second)), *TIMES) == [
        (0, 5, 60, 67),
        (0, 10, 60, 65),
        (0, 20, 61, 66),
        (0, 30, 60, 64),
    ]


def test_a_note_struck_again_at_the_tick_of_its_end_is_two_notes():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x0a\x3c\x00\x00\x3c\x41\x0a\x3c\x00"))
    assert mb.note_rows(read_midi(data), *TIMES) == [(0, 10, 60, 64), (10, 10, 60, 65)]


def test_a_note_off_without_a_note_is_ignored():
    assert len(read_midi(mb.smf(mb.track(b"\x00\x80\x3c\x40"))).notes) == 0


def test_a_note_can_have_zero_duration():
    assert mb.note_rows(read_midi(mb.smf(mb.track(b"\x07\x90\x3c\x40\x00\x3c\x00"))), *TIMES) == [(7, 0, 60, 64)]


def test_the_program_is_that_of_the_channel_whichever_track_set_it():
    chooser = mb.track(b"\x00\xc0\x05\x00\xc1\x06\x20\xc0\x07")
    player = mb.track(b"\x00\x90\x3c\x40\x00\x91\x3c\x40\x00\x92\x3c\x40\x30\x90\x3e\x40\x00\xc0\x08\x00\x90\x40\x40")
    piece = read_midi(mb.smf(chooser, player))
    assert mb.note_rows(piece, "onset_ticks", "channel", "pitch", "program") == [
        (0, 0, 60, 5),
        (0, 1, 60, 6),
        (0, 2, 60, 0),
        (48, 0, 62, 7),
        (48, 0, 64, 8),
    ]


def test_at_one_tick_an_earlier_track_comes_first():
    piece = read_midi(mb.smf(mb.track(b"\x00\x90\x3c\x40"), mb.track(b"\x00\xc0\x05\x00\x90\x3e\x40")))
    assert mb.note_rows(piece, "pitch", "program") == [(60, 0), (62, 5)]


def test_drums_are_the_notes_of_the_tenth_channel():
    piece = read_midi(mb.smf(mb.track(b"\x00\x99\x24\x40\x00\x98\x24\x40")))
    assert mb.note_rows(piece, "channel", "is_drum") == [(8, False), (9, True)]


def test_notes_are_sorted():
    chord = b"".join(bytes([0, 0x90 | pitch % 3, pitch, 64]) for pitch in (64, 60, 67, 60, 62))
    notes = read_midi(mb.smf(mb.track(chord), mb.track(chord))).notes
    assert notes.tolist() == sorted_notes(notes[::-1]).tolist()
    assert notes["pitch"].tolist() == sorted(notes["pitch"].tolist())


def test_changes_of_all_tracks_are_sorted_by_tick():
    first = mb.track(
        b"\x00\xff\x58\x04\x03\x02\x18\x08",
        b"\x00\xff\x59\x02\xfd\x01",
        b"\x10\xff\x51\x03\x07\xa1\x20",
        b"\x00\xff\x03\x01a",
    )
    second = mb.track(
        b"\x08\xff\x51\x03\x00\x00\x01\x00\xff\x03\x01b\x00\xff\x03\x01c\x00\xb2\x40\x7f\x01\xb2\x07\x50\x01\xb2\x40\x00"
    )
    piece = read_midi(mb.smf(first, second, mb.track()))
    assert piece.tempos == (Tempo(8, 1), Tempo(16, 500_000))
    assert piece.time_signatures == (TimeSignature(0, 3, 4),)
    assert piece.key_signatures == (KeySignature(0, -3, is_minor=True),)
    assert piece.track_names == ("a", "b", "")
    assert piece.pedal == (Pedal(8, 1, 2, 127), Pedal(10, 1, 2, 0))


def test_pedal_events_of_all_tracks_are_sorted_by_tick():
    piece = read_midi(mb.smf(mb.track(b"\x09\xb0\x40\x7f"), mb.track(b"\x05\xb0\x40\x7e\x04\xb0\x40\x7d")))
    assert [(event.tick, event.value) for event in piece.pedal] == [(5, 126), (9, 127), (9, 125)]


@pytest.mark.parametrize("data", [b"\x08\x00", b"\xf8\x01", b"\x01\x02", b"\x01", b""])
def test_an_invalid_key_signature_is_ignored(data):
    assert read_midi(mb.smf(mb.track(b"\x00\xff\x59", bytes([len(data)]), data))).key_signatures == ()


def test_too_many_notes_are_rejected():
    data = mb.smf(mb.track(mb.MIDDLE_C_FOR_A_QUARTER * 3))
    assert len(read_midi(data, ReadLimits(max_notes=3)).notes) == 3
    with pytest.raises(RejectedInputError, match="too many notes: expected at most 2, got 3"):
        read_midi(data, ReadLimits(max_notes=2))


def test_too_many_changes_are_rejected():
    data = mb.smf(mb.track(b"\x00\xff\x51\x03\x07\xa1\x20", b"\x00\xb0\x40\x7f" * 2))
    assert len(read_midi(data, ReadLimits(max_changes=3)).pedal) == 2
    with pytest.raises(
        RejectedInputError, match="too many changes of tempo, signature, name or pedal: expected at most 2, got 3"
    ):
        read_midi(data, ReadLimits(max_changes=2))


def test_a_file_without_tracks_has_no_notes():
    assert len(read_midi(mb.smf()).notes) == 0


def test_a_hundred_thousand_notes_in_one_chord_with_one_end_are_read():
    chord = b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 99_999 + b"\x10\x3c\x00"
    notes = read_midi(mb.smf(mb.track(chord))).notes
    assert len(notes) == 100_000
    assert np.unique(notes["duration_ticks"]).tolist() == [16]
