"""What MIDI events mean: ends of notes, drums, and files for two kinds of devices."""

import midi_bytes as mb
import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.midi import pairing
from lstm_music.midi.damage import is_notice
from lstm_music.midi.reader import ReadLimits, read_midi

TIMES = ("onset_ticks", "duration_ticks", "pitch", "velocity")
ON, OFF = b"\x90\x3c\x40", b"\x80\x3c\x00"
QUARTER = b"\x83\x60"  # 480 ticks
GS_RESET = b"\x00\xf0\x0a\x41\x10\x42\x12\x40\x00\x7f\x00\x41\xf7"
XG_ON = b"\x00\xf0\x08\x43\x10\x4c\x00\x00\x7e\x00\xf7"
GM_ON = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7"


def rows(*tracks: bytes, **header) -> list[tuple]:
    return mb.note_rows(read_midi(mb.smf(*tracks, **header)), *TIMES)


def durations(*events: bytes) -> list[int]:
    return [duration for _, duration, *_ in rows(mb.track(*events))]


def played(channel: int, pitches=(60,), length: int = 96) -> bytes:
    on, off = bytes([0x90 | channel]), bytes([0x80 | channel])
    return b"".join(b"\x00" + on + bytes([pitch, 64, length]) + off + bytes([pitch, 0]) for pitch in pitches)


def test_notes_struck_again_before_they_end_last_as_written():
    late = [QUARTER, ON, b"\x01", OFF, b"\x83\x5f"]
    assert durations(b"\x00", ON, *late, ON, b"\x01", OFF, b"\x83\x5f", OFF) == [481, 481, 480]


def test_a_note_on_before_the_note_off_at_one_tick_is_no_note_of_zero_length():
    assert durations(b"\x00", ON, QUARTER, ON, b"\x00", OFF, QUARTER, OFF) == [480, 480]


def test_a_lost_note_off_does_not_move_the_ends_of_the_later_notes():
    melody = b"".join([b"\x00", ON, QUARTER, OFF] * 5)
    data = mb.smf(mb.track(melody, b"\x00", ON, QUARTER, ON, QUARTER, OFF, melody))
    piece = read_midi(data)
    assert {row[1] for row in mb.note_rows(piece, *TIMES)} == {480}
    assert len(piece.notes) == 12
    assert piece.warnings == (
        "has a note without an end, which lasts until the next of the same pitch, a quarter at most; the first is at byte 69",
    )


def test_a_legato_melody_that_breaks_off_keeps_its_lengths():
    tie = [QUARTER, ON, b"\x05", OFF]
    tail = b"\x83\x5b"
    assert durations(b"\x00", ON, *tie, tail, ON, b"\x05", OFF, tail, ON, b"\x05", OFF) == [485, 485, 485, 5]


def test_a_hanging_note_lasts_a_quarter_at_most():
    far = b"\x90\x00"  # 2,048 ticks
    piece = read_midi(mb.smf(mb.track(b"\x00\x90\x30\x40\x00", ON, b"\x60", OFF, far, ON, b"\x60", OFF)))
    assert mb.note_rows(piece, *TIMES) == [(0, 96, 60, 64), (0, 480, 48, 64), (2144, 96, 60, 64)]
    assert piece.warnings[0].startswith("has a note without an end, which lasts until")


def test_a_hanging_note_ends_with_its_track():
    data = mb.smf(mb.track(b"\x00", ON, b"\x20\xff\x2f\x00"), mb.track(b"\x60\x91\x3c\x40\x05\x91\x3c\x00"))
    assert mb.note_rows(read_midi(data), *TIMES) == [(0, 32, 60, 64), (96, 5, 60, 64)]


def test_note_offs_in_another_track_end_their_notes():
    ons = mb.track(b"".join(b"\x60\x90" + bytes([60 + at % 3]) + b"\x40" for at in range(9)))
    first = b"\x30\xff\x01\x00"  # a text, which moves the ends by half an eighth
    offs = mb.track(first, b"".join(b"\x60\x80" + bytes([60 + at % 3]) + b"\x00" for at in range(9)))
    piece = read_midi(mb.smf(ons, offs))
    assert piece.notes["duration_ticks"].tolist() == [48] * 9
    assert piece.notes["track"].tolist() == [0] * 9
    assert piece.warnings == ()


def test_a_note_off_too_many_in_another_track_changes_nothing():
    assert rows(mb.track(b"\x00", ON, QUARTER, OFF), mb.track(b"\x10", OFF)) == [(0, 480, 60, 64)]


def test_two_tracks_that_play_the_same_pitch_keep_their_own_ends():
    long, short = mb.track(b"\x00", ON, QUARTER, OFF), mb.track(b"\x10", ON, b"\x10", OFF)
    assert rows(long, short) == [(0, 480, 60, 64), (16, 16, 60, 64)]


def gs_part(block: int, mode: int) -> bytes:
    data = bytes([0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | block, 0x15, mode, 0, 0xF7])
    return b"\x00\xf0" + bytes([len(data)]) + data


def xg_part(part: int, mode: int) -> bytes:
    return b"\x00\xf0\x08\x43\x10\x4c\x08" + bytes([part, 7, mode, 0xF7])


def bank(channel: int, number: int) -> bytes:
    return bytes([0, 0xB0 | channel, 0, number, 0, 0xC0 | channel, 0])


IS_DRUM = {
    "General MIDI": (b"", {0: False, 9: True, 15: False}),
    "GS part 12": (GS_RESET + gs_part(0xB, 1), {9: True, 10: False, 11: True}),
    "GS part 1, second drum map": (gs_part(1, 2), {0: True, 9: True}),
    "GS part 10 melodic": (GS_RESET + gs_part(0, 0), {0: False, 9: False}),
    "GS part switched back": (gs_part(2, 1) + gs_part(2, 0), {1: False}),
    "GS reset afterwards": (gs_part(2, 1) + GS_RESET, {1: False, 9: True}),
    "XG part 3": (XG_ON + xg_part(2, 1), {2: True, 9: True}),
    "XG part 10 melodic": (XG_ON + xg_part(9, 0), {9: False}),
    "XG bank 127": (XG_ON + bank(10, 127), {10: True, 9: True}),
    "XG bank 126": (bank(3, 126), {3: True}),
    "XG bank taken back": (bank(3, 127) + bank(3, 0), {3: False}),
    "GM2 bank 120": (bank(3, 120), {3: True}),
    "GM2 bank 121": (bank(9, 121), {9: False}),
    "bank 0 on the drum channel": (bank(9, 0), {9: True}),
    "bank 127 of GS": (GS_RESET + bank(3, 127), {3: False, 9: True}),
    "bank 127 after GM on": (GS_RESET + GM_ON + bank(3, 127), {3: True}),
    "bank without program": (b"\x00\xb3\x00\x7f", {3: False}),
    "message of another maker": (b"\x00\xf0\x05\x42\x10\x42\x12\xf7", {9: True}),
}


@pytest.mark.parametrize("name", IS_DRUM)
def test_which_channels_play_drums(name):
    setup, expected = IS_DRUM[name]
    for tracks in (
        [mb.track(setup, *map(played, expected))],
        [mb.track(setup), *(mb.track(played(one)) for one in expected)],
    ):
        piece = read_midi(mb.smf(*tracks))
        assert dict(mb.note_rows(piece, "channel", "is_drum")) == expected
        assert piece.warnings == ()


def test_a_channel_becomes_drums_where_the_message_stands():
    data = mb.smf(mb.track(played(2), gs_part(3, 1), played(2), gs_part(3, 0), played(2)))
    assert mb.note_rows(read_midi(data), "onset_ticks", "is_drum") == [(0, False), (96, True), (192, False)]


def test_too_many_messages_about_drums_are_rejected():
    with pytest.raises(RejectedInputError, match="too many changes of program: expected at most 3, got 4"):
        read_midi(mb.smf(mb.track(bank(3, 127), bank(3, 127), played(3))), ReadLimits(max_changes=3))


@pytest.mark.parametrize(
    ("name", "program", "warns"),
    [
        (b"EZdrummer", 0, True),
        (b"Percussion", 0, True),
        (b"Schlagzeug", 5, True),
        (b"Steel drums", 114, False),
        (b"Viola", 0, False),
        (b"Percussive Organ", 17, False),
        (b"Chromatic Percussion", 9, False),
    ],
)
def test_drums_by_the_name_of_a_track_alone_are_warned_of(name, program, warns):
    track = mb.track(b"\x00\xff\x03" + bytes([len(name)]) + name, bytes([0, 0xC3, program]), played(3))
    piece = read_midi(mb.smf(mb.track(), track))
    assert mb.note_rows(piece, "is_drum") == [(False,)]
    said = f"calls a track {name.decode()!r}, whose notes on channel 4 are no drums by MIDI, and are read as pitches"
    assert piece.warnings == ((said,) if warns else ())


MARK = b"\x00\xff\x7f\x03\x00\x00\x41"


def two_devices(mark: bytes = b"", *, moved: int = 0, more: bytes = b"") -> bytes:
    melody, beat = range(60, 80), [36] * 20
    extended = mb.track(mark, played(0, melody)), mb.track(played(9, beat))
    basic = mb.track(played(12, [pitch + moved for pitch in melody])), mb.track(played(15, beat))
    return mb.smf(*extended, *basic, mb.track(more))


def test_a_file_for_two_kinds_of_devices_is_read_once():
    for data in (two_devices(), two_devices(MARK, moved=12)):
        piece = read_midi(data)
        assert sorted(set(mb.note_rows(piece, "channel"))) == [(0,), (9,)]
        assert len(piece.notes) == 40
        assert piece.warnings == (
            "holds its music twice, for two kinds of devices; 40 notes of channels 13 to 16 are left out",
        )


def test_other_music_on_the_last_channels_is_kept():
    for data in (two_devices(moved=12), two_devices(more=played(10))):
        piece = read_midi(data)
        assert len(piece.notes) >= 80
        assert piece.warnings == ()


def test_warnings_of_whole_files_are_notices_and_those_of_damage_are_not():
    hanging = mb.smf(mb.track(b"\x00", ON), mb.track(b"\x00\x91\x30\x40\x00\x91\x31\x40"))
    name = b"\x00\xff\x03\x05Drums"
    whole = (two_devices(MARK), hanging, mb.smf(mb.track(name, played(3))))
    damaged = (hanging[:-4], mb.smf(mb.track(b"\x00\xb0\x07\xff", played(0))), mb.smf(mb.track(b"\x00\xf8", played(0))))
    assert [[is_notice(said) for said in read_midi(data).warnings] for data in whole] == [[True]] * 3
    assert [[is_notice(said) for said in read_midi(data).warnings].count(False) for data in damaged] == [1] * 3


def test_more_sounds_without_an_end_than_music_has_are_not_mended(monkeypatch):
    data = mb.smf(mb.track(b"\x00", ON, QUARTER, ON, QUARTER, OFF, b"".join([b"\x00", ON, QUARTER, OFF] * 5)))
    mended = mb.note_rows(read_midi(data), *TIMES)
    monkeypatch.setattr(pairing, "_MOST_MENDED", 0)
    found = read_midi(data)
    assert len(found.notes) == len(mended) == 7
    assert mb.note_rows(found, *TIMES) != mended
