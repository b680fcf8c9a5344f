"""Damaged MIDI files: what is whole is read, and a warning says what is not."""

import gzip
import re

import midi_bytes as mb
import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import Tempo, TimeSignature
from lstm_music.midi.reader import ReadLimits, read_midi

TIMES = ("onset_ticks", "duration_ticks", "pitch", "velocity")
BASS = b"".join(b"\x00\x91" + bytes([pitch]) + b"\x40\x60" + bytes([pitch]) + b"\x00" for pitch in range(36, 46))
TUNE = b"".join(b"\x00\x90" + bytes([pitch]) + b"\x50\x60" + bytes([pitch]) + b"\x00" for pitch in range(60, 70))
WHOLE = mb.smf(mb.track(b"\x00\xff\x51\x03\x07\xa1\x20"), mb.track(BASS), mb.track(TUNE))
BEGIN_OF_BASS = WHOLE.index(b"MTrk", 30)
BEGIN_OF_TUNE = WHOLE.index(b"MTrk", BEGIN_OF_BASS + 4)
ROWS = mb.note_rows(read_midi(WHOLE))
LATE = b"\xff\xff\xff\x7f"  # a time far beyond the limit


def lengthened(at: int, by: int) -> bytes:
    """The whole file, where the track chunk at byte `at` says another length."""
    size = int.from_bytes(WHOLE[at + 4 : at + 8], "big") + by
    return WHOLE[: at + 4] + (size % 2**32).to_bytes(4, "big") + WHOLE[at + 8 :]


WITH_ALL_NOTES = {
    "whole": (WHOLE, None),
    "last track longer than the file": (lengthened(BEGIN_OF_TUNE, 9), f"wrong length at byte {BEGIN_OF_TUNE + 4}"),
    "last track without end": (lengthened(BEGIN_OF_TUNE, -99999), f"wrong length at byte {BEGIN_OF_TUNE + 4}"),
    "middle track longer": (lengthened(BEGIN_OF_BASS, 5), f"wrong length at byte {BEGIN_OF_BASS + 4}"),
    "middle track shorter": (lengthened(BEGIN_OF_BASS, -5), f"wrong length at byte {BEGIN_OF_BASS + 4}"),
    "middle track longer than the file": (lengthened(BEGIN_OF_BASS, 999), f"wrong length at byte {BEGIN_OF_BASS + 4}"),
    "more tracks announced": (mb.header(9) + WHOLE[14:], "truncated: the file ends at byte 197 after 3 of 9 tracks"),
    "fewer tracks announced": (mb.header(1) + WHOLE[14:], "announces 1 track in its header, and has 3"),
    "format 0 of three tracks": (mb.header(1, 0) + WHOLE[14:], "announces 1 track in its header, and has 3"),
    "format 7": (mb.header(3, 7) + WHOLE[14:], "bad MIDI format at byte 8: expected 0, 1 or 2, got 7; read as 1"),
    "header too long": (
        b"MThd\xff\xff\xff\xff" + WHOLE[8:],
        "bad header at byte 4: expected a length of 6 bytes or more, got 4,294,967,295",
    ),
    "header too short": (
        b"MThd\0\0\0\x05" + WHOLE[8:],
        "bad header at byte 4: expected a length of 6 bytes or more, got 5",
    ),
    "bytes between tracks": (
        WHOLE[:BEGIN_OF_TUNE] + b"\0\0\xff" + WHOLE[BEGIN_OF_TUNE:],
        f"has 3 bytes at byte {BEGIN_OF_TUNE} that belong to no chunk",
    ),
    "bytes behind the last track": (WHOLE + b"\0\0Karaoke by nobody", None),
    "another chunk, cut": (WHOLE + b"XFKM\0\0\0\x99abc", None),
}


@pytest.mark.parametrize("name", WITH_ALL_NOTES)
def test_a_damaged_frame_costs_no_note(name):
    data, warning = WITH_ALL_NOTES[name]
    piece = read_midi(data)
    assert mb.note_rows(piece) == ROWS
    assert piece.tempos == (Tempo(0, 500_000),)
    assert len(piece.warnings) == (warning is not None)
    assert all(said.startswith(warning) for said in piece.warnings)


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 8, 20, 40, 100])
def test_of_a_cut_file_what_stands_before_the_cut_is_read(cut):
    piece = read_midi(WHOLE[:-cut])
    (warning,) = piece.warnings
    assert warning.startswith("truncated: the ")
    onsets = set(mb.note_rows(piece, "pitch", "onset_ticks", "channel"))
    whole = set(mb.note_rows(read_midi(WHOLE), "pitch", "onset_ticks", "channel"))
    assert onsets <= whole
    assert len(whole) - len(onsets) <= (cut + 2) // 7 + 1
    assert piece.notes["duration_ticks"].max() <= 0x60


def test_a_note_that_sounds_at_the_cut_ends_there():
    whole = mb.smf(mb.track(b"\x00\x90\x3c\x40\x20\x90\x40\x40\x50\x80\x40\x00\x10\x80\x3c\x00"))
    cut = whole[: whole.index(b"\x10\x80\x3c")]
    assert mb.note_rows(read_midi(cut), *TIMES) == [(0, 112, 60, 64), (32, 80, 64, 64)]


BAD_BYTES = {  # the event stands at byte 23
    "volume 255": (b"\xb0\x07\xff", "bad event at byte 25: expected a data byte of 0xb0, 0 to 127, got 255"),
    "pitch bend 192": (b"\xe0\x00\xc0", "bad event at byte 25: expected a data byte of 0xe0, 0 to 127, got 192"),
    "program 200": (b"\xc0\xc8", "bad event at byte 24: expected a data byte of 0xc0, 0 to 127, got 200"),
    "pitch 200": (b"\x90\xc8\x40", "bad event at byte 24: expected a data byte of 0x90, 0 to 127, got 200"),
    "real-time byte": (b"\xf8", "has a message for a cable at byte 23, which is skipped"),
    "song position": (b"\xf2\x01\x02", "has a message for a cable at byte 23, which is skipped"),
    "song select": (b"\xf3\x01", "has a message for a cable at byte 23, which is skipped"),
}


@pytest.mark.parametrize("name", BAD_BYTES)
def test_an_event_that_cannot_be_is_left_out_and_the_notes_are_read(name):
    event, warning = BAD_BYTES[name]
    piece = read_midi(mb.smf(mb.track(b"\x00", event, b"\x00\x90\x3c\x40\x10\x3c\x00")))
    assert mb.note_rows(piece, "program", *TIMES) == [(0, 0, 16, 60, 64)]
    assert piece.warnings == (warning,)


def test_a_velocity_above_127_counts_as_127():
    piece = read_midi(mb.smf(mb.track(b"\x00\x90\x3c\xc8\x10\x3c\x00\x00\x3e\xc9\x10\x3e\x00")))
    assert mb.note_rows(piece, *TIMES) == [(0, 16, 60, 127), (16, 16, 62, 127)]
    assert piece.warnings == (
        "bad event at byte 25: expected a data byte of 0x90, 0 to 127, got 200 (and 1 more like it)",
    )


def test_a_track_that_cannot_be_read_on_keeps_its_notes_and_the_other_tracks():
    broken = mb.track(b"\x00\x90\x3c\x40\x10\x3c\x00", b"\x00\xff\x01\x7fhi", end=b"")
    piece = read_midi(mb.smf(broken, mb.track(BASS)))
    assert len(piece.notes) == 11
    assert piece.warnings == ("truncated: the event at byte 33 goes on behind its track, which ends at byte 35",)


BAD_CHANGES = {
    "tempo 0": (b"\x51\x03\0\0\0", "bad tempo at byte 26: .* or more, got the bytes 00 00 00"),
    "short tempo": (b"\x51\x02\x07\xa1", "bad tempo at byte 26: .* or more, got the bytes 07 a1"),
    "empty tempo": (b"\x51\0", "bad tempo at byte 26: .* got no bytes"),
    "0/4": (b"\x58\x04\0\x02\x18\x08", "bad time signature at byte 26: .*, got the bytes 00 02 18 08"),
    "4/256": (b"\x58\x04\x04\x08\x18\x08", "bad time signature .* got the bytes 04 08 18 08"),
    "2 to the 33rd": (b"\x58\x04\x02\x21\x18\x08", "bad time signature .* got the bytes 02 21 18 08"),
    "short signature": (b"\x58\x01\x04", "bad time signature at byte 26: .*, got the bytes 04"),
}


@pytest.mark.parametrize("name", BAD_CHANGES)
def test_a_tempo_or_time_signature_that_cannot_be_is_left_out_and_counted(name):
    event, warning = BAD_CHANGES[name]
    good = b"\x00\xff\x51\x03\x00\x00\x09\x00\xff\x58\x04\x03\x02\x18\x08"
    piece = read_midi(mb.smf(mb.track(b"\x00\xff", event, good, b"\x00\xff", event, mb.MIDDLE_C_FOR_A_QUARTER)))
    assert (piece.tempos, piece.time_signatures) == ((Tempo(0, 9),), (TimeSignature(0, 3, 4),))
    assert len(piece.notes) == 1
    (said,) = piece.warnings
    assert re.fullmatch(warning + r" \(and 1 more like it\)", said)


@pytest.mark.parametrize(
    "late", [b"\xb0\x7b\x00", b"\xff\x51\x03\x07\xa1\x20", b"\xff\x58\x04\x03\x02\x18\x08", b"\xb0\x40\x00"]
)
def test_what_comes_long_after_the_last_note_costs_nothing(late):
    piece = read_midi(
        mb.smf(mb.track(b"\x00\x90\x3c\x40\x10\x80\x3c\x00", LATE, late), mb.track(BASS, end=LATE + b"\xff\x2f\x00"))
    )
    assert len(piece.notes) == 11
    assert (piece.tempos, piece.time_signatures, piece.pedal, piece.warnings) == ((), (), (), ())


def test_a_note_that_begins_beyond_the_limit_is_rejected():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x10\x80\x3c\x00", LATE, b"\x90\x3e\x40\x10\x80\x3e\x00"))
    with pytest.raises(
        RejectedInputError, match=r"too long: .* within 31,457,280 ticks, got one at 268,435,471 at byte 35"
    ):
        read_midi(data)


def test_a_note_that_ends_beyond_the_limit_has_no_end():
    piece = read_midi(mb.smf(mb.track(b"\x00\x90\x3c\x40", LATE, b"\x80\x3c\x00")))
    assert mb.note_rows(piece, *TIMES) == [(0, 480, 60, 64)]
    assert "without an end" in piece.warnings[0]


def test_a_million_kinds_of_one_damage_are_one_warning():
    piece = read_midi(mb.smf(mb.track(b"\x00\xb0\x07\xff" * 5000, mb.MIDDLE_C_FOR_A_QUARTER)))
    assert piece.warnings == (
        "bad event at byte 25: expected a data byte of 0xb0, 0 to 127, got 255 (and 4,999 more like it)",
    )


def test_format_2_is_one_track_after_another():
    tempo = b"\x00\xff\x51\x03\x00\x00\x09"
    two = mb.smf(mb.track(mb.MIDDLE_C_FOR_A_QUARTER), mb.track(tempo, mb.MIDDLE_C_FOR_A_QUARTER), file_format=2)
    piece = read_midi(two)
    assert mb.note_rows(piece, "onset_ticks", "track") == [(0, 0), (480, 1)]
    assert piece.tempos == (Tempo(480, 9),)
    assert piece.warnings == ()


@pytest.mark.parametrize(
    ("division", "ticks_per_quarter", "tempo", "duration"),
    [
        (0xE728, 500, 500_000, 480),
        (0xE802, 24, 500_000, 480),
        (0xE203, 45, 500_000, 480),
        (0xE701, 25, 500_000, 960),
        (0xE350, 1200, 500_500, 480),
    ],
)
def test_smpte_time_is_read_with_quarters_of_half_a_second(division, ticks_per_quarter, tempo, duration):
    piece = read_midi(mb.smf(mb.track(b"\x00\xff\x51\x03\x00\x00\x09", mb.MIDDLE_C_FOR_A_QUARTER), division=division))
    assert (piece.ticks_per_quarter, piece.tempos) == (ticks_per_quarter, (Tempo(0, tempo),))
    assert mb.note_rows(piece, *TIMES) == [(0, duration, 60, 64)]
    assert piece.warnings == ("counts frames (SMPTE), not quarters; a quarter is taken as half a second",)


def mac_binary(data: bytes) -> bytes:
    head = bytearray(128)
    head[1:6], head[65:69], head[83:87] = b"\x04Song", b"Midi", len(data).to_bytes(4, "big")
    return bytes(head) + data + bytes(-len(data) % 128)


CONTAINERS = {
    "RIFF": b"RIFF" + (len(WHOLE) + 12).to_bytes(4, "little") + b"RMIDdata" + len(WHOLE).to_bytes(4, "little") + WHOLE,
    "RIFF without lengths": b"RIFF\0\0\0\0RMIDdata\xff\xff\xff\xff" + WHOLE,
    "gzip": gzip.compress(WHOLE),
    "two gzip members": gzip.compress(WHOLE[:99]) + gzip.compress(WHOLE[99:]),
    "MacBinary": mac_binary(WHOLE),
    "MacBinary in gzip": gzip.compress(mac_binary(WHOLE)),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_is_taken_off(name):
    piece = read_midi(CONTAINERS[name])
    assert (mb.note_rows(piece), piece.warnings) == (ROWS, ())


def test_of_a_cut_gzip_file_what_comes_out_is_read():
    piece = read_midi(gzip.compress(WHOLE, 0)[:-30])
    assert len(piece.notes) == 17
    assert piece.warnings[0] == "truncated: its gzip data ends too early, after 175 unpacked bytes"


def test_a_gzip_bomb_is_rejected():
    bomb = gzip.compress(bytes(1 << 24))
    with pytest.raises(RejectedInputError, match="unpacks to more than 200 times its packed size"):
        read_midi(bomb)
    with pytest.raises(RejectedInputError, match="unpacks to more than 1,000 bytes"):
        read_midi(gzip.compress(bytes(1001)), ReadLimits(max_bytes=1000))


@pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8bnonsense", gzip.compress(WHOLE, mtime=0)[:11]])
def test_gzip_without_contents_is_rejected(data):
    with pytest.raises(RejectedInputError, match="cannot be unpacked"):
        read_midi(data)
