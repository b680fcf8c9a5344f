"""The bytes of MIDI files: events, running status, limits, and every kind of damage."""

import itertools

import midi_bytes as mb
import numpy as np
import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.midi.smf import ReadLimits, read_smf

PLAIN = mb.smf(mb.track(mb.MIDDLE_C_FOR_A_QUARTER))
ONE_EVENT = b"\x00\x90\x3c\x40"


def events(data: bytes, track: int = 0) -> list[tuple[int, ...]]:
    read = read_smf(data, ReadLimits()).tracks[track]
    return list(
        zip(read.ticks.tolist(), read.status.tolist(), read.first.tolist(), read.second.tolist(), strict=True),
    )


def test_events_are_in_file_order_with_their_ticks():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x81\x00\x90\x3e\x41\x00\x80\x3c\x00\x05\xb0\x40\x7f"))
    assert events(data) == [(0, 0x90, 60, 64), (128, 0x90, 62, 65), (128, 0x80, 60, 0), (133, 0xB0, 64, 127)]


def warnings(data: bytes) -> tuple[str, ...]:
    return read_smf(data, ReadLimits()).damage.sentences


def test_every_kind_of_channel_event_is_read_with_its_data_bytes():
    data = mb.smf(mb.track(b"\x00\xa3\x01\x02\x00\xc4\x05\x00\xd5\x06\x00\xe6\x07\x08"))
    assert events(data) == [(0, 0xA3, 1, 2), (0, 0xC4, 5, 0), (0, 0xD5, 6, 0), (0, 0xE6, 7, 8)]


def test_running_status_continues_after_a_meta_event():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x00\xff\x01\x02hi\x10\x3c\x00\x00\xc0\x05\x01\x06"))
    assert events(data) == [(0, 0x90, 60, 64), (16, 0x90, 60, 0), (16, 0xC0, 5, 0), (17, 0xC0, 6, 0)]


def test_running_status_continues_after_a_system_exclusive_event():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x00\xf0\x02\x01\xf7\x10\x3c\x00"))
    assert events(data) == [(0, 0x90, 60, 64), (16, 0x90, 60, 0)]
    assert warnings(data) == ()


def test_system_exclusive_events_are_skipped_and_their_time_counts():
    data = mb.smf(mb.track(b"\x05\xf0\x03\x01\x02\xf7\x06\xf7\x01\x00", ONE_EVENT))
    assert events(data) == [(11, 0x90, 60, 64)]


def test_times_of_one_to_five_bytes():
    data = mb.smf(
        mb.track(
            b"\x7f\x90\x3c\x40",
            b"\xff\x7f\x3d\x40",
            b"\x81\x80\x00\x3e\x40",
            b"\x81\x80\x80\x00\x3f\x40",
            b"\x80\x80\x80\x80\x01\x40\x40",
        ),
    )
    times = [127, 16383, 16384, 2097152, 1]
    assert [tick for tick, *_ in events(data)] == list(itertools.accumulate(times))


def test_a_track_ends_at_its_end_of_track_event():
    read = read_smf(mb.smf(mb.track(ONE_EVENT, b"\x20\xff\x2f\x00", b"\x01\x90\x99")), ReadLimits()).tracks[0]
    assert (len(read.ticks), read.end_tick) == (1, 32)


def test_a_track_without_an_end_of_track_event_is_read():
    read = read_smf(mb.smf(mb.track(ONE_EVENT, b"\x07\x80\x3c\x00", end=b"")), ReadLimits()).tracks[0]
    assert (len(read.ticks), read.end_tick) == (2, 7)


def test_tempos_signatures_and_names_are_kept_with_their_positions():
    data = mb.smf(mb.track(b"\x03\xff\x51\x03\x07\xa1\x20", b"\x00\xff\x01\x02hi"))
    smf = read_smf(data, ReadLimits())
    assert smf.system_kinds.tolist() == [0x51]
    assert smf.system_events(np.array([0])) == [(3, 0, 23, b"\x07\xa1\x20", 26)]
    assert data[26:29] == b"\x07\xa1\x20"


def test_other_chunks_and_a_longer_header_are_skipped():
    longer = b"MThd\x00\x00\x00\x08" + PLAIN[8:14] + b"??"
    data = longer + b"XFIH\x00\x00\x00\x03abc" + PLAIN[14:] + b"after the last track"
    assert events(data) == events(PLAIN)


def test_the_midi_file_inside_a_riff_file_is_read():
    inside = b"RMIDLIST\x03\x00\x00\x00abc\x00data" + len(PLAIN).to_bytes(4, "little") + PLAIN
    riff = b"RIFF" + len(inside).to_bytes(4, "little") + inside
    assert events(riff) == events(PLAIN)


def test_a_format_0_file_and_a_file_without_tracks_are_read():
    assert read_smf(mb.smf(mb.track(), file_format=0), ReadLimits()).format == 0
    assert read_smf(mb.smf(), ReadLimits()).tracks == ()


REJECTED = {
    "empty": (b"", "is empty: expected b'MThd' at byte 0, got nothing"),
    "text": (b"hello\x1b[2J", "is not a MIDI file: expected b'MThd' at byte 0, got b'hell'"),
    "escape": (b"\x1b[2J", r"is not a MIDI file: expected b'MThd' at byte 0, got b'\\x1b\[2J'"),
    "RIFF without data": (
        b"RIFF\x10\x00\x00\x00RMIDLIST\x00\x00\x00\x00",
        "truncated: the RMID file ends at byte 20 without a data chunk",
    ),
    "RIFF of sound": (b"RIFF\x10\x00\x00\x00WAVEfmt ", "is not a MIDI file: expected b'MThd' at byte 0, got b'RIFF'"),
    "RIFF with empty data": (
        b"RIFF\x0c\x00\x00\x00RMIDdata\x00\x00\x00\x00",
        "is empty: expected b'MThd' at byte 20, got nothing",
    ),
    "header cut": (PLAIN[:11], "truncated: the file ends at byte 11, inside its header"),
    "SMPTE of 23 frames": (
        mb.smf(mb.track(), division=0xE928),
        "bad time unit at byte 12: expected 24, 25, 29 or 30 SMPTE frames a second of 1 to 255 ticks, got 23 of 40",
    ),
    "division 0": (
        mb.smf(mb.track(), division=0),
        "bad ticks per quarter at byte 12: expected 1 to 32,767, got 0",
    ),
    "2,000 tracks": (
        mb.smf(*[mb.track()] * 2000),
        "too many tracks: expected at most 1,024, got more, at byte 12302",
    ),
    "a track without notes, cut": (
        PLAIN[:-12],
        "truncated: the track at byte 22 should end at byte 35, but ends at 23",
    ),
    "chunk header cut": (PLAIN[:19], "truncated: the file ends at byte 19, inside the head of the track at byte 14"),
    "fewer tracks": (mb.header(3) + mb.track() * 2, "truncated: the file ends at byte 38 after 2 of 3 tracks"),
    "pitch 200": (
        mb.smf(mb.track(b"\x00\x90\xc8\x40")),
        "bad event at byte 24: expected a data byte of 0x90, 0 to 127, got 200",
    ),
    "no status": (
        mb.smf(mb.track(b"\x00\x3c\x40")),
        "bad event at byte 23: expected a byte of 128 or more, got 60",
    ),
    "time of six bytes": (
        mb.smf(mb.track(b"\x81\x80\x80\x80\x80\x00\x90\x3c\x40")),
        "bad length or time at byte 22: expected at most 5 bytes, got more",
    ),
    "length of six bytes": (
        mb.smf(mb.track(b"\x00\xff\x01\x81\x80\x80\x80\x80\x00")),
        "bad length or time at byte 25: expected at most 5 bytes, got more",
    ),
    "event without data": (
        mb.smf(mb.track(b"\x00\x90", end=b"")),
        "truncated: the track at byte 22 ends at byte 24, inside an event",
    ),
    "event without its last byte": (
        mb.smf(mb.track(b"\x00\x90\x3c", end=b"")),
        "truncated: the track at byte 22 ends at byte 25",
    ),
    "time without event": (mb.smf(mb.track(b"\x00", end=b"")), "truncated: the track at byte 22 ends at byte 23"),
    "time cut": (mb.smf(mb.track(b"\x81\x80", end=b"")), "truncated: the track at byte 22 ends at byte 24"),
    "meta event too long": (
        mb.smf(mb.track(b"\x00\xff\x01\x7fhi", end=b"")),
        "truncated: the event at byte 26 goes on behind its track, which ends at byte 28",
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_file_without_a_whole_note_is_rejected_with_reason_and_position(name):
    data, reason = REJECTED[name]
    with pytest.raises(RejectedInputError, match=reason):
        read_smf(data, ReadLimits())


def test_a_file_larger_than_the_limit_is_rejected():
    with pytest.raises(RejectedInputError, match="too large: expected at most 34 bytes, got 35"):
        read_smf(PLAIN, ReadLimits(max_bytes=34))


def test_a_file_at_its_limits_is_read():
    assert len(read_smf(PLAIN, ReadLimits(max_bytes=35, max_tracks=1, max_quarters=1)).tracks) == 1


@pytest.mark.parametrize("size", range(len(PLAIN)))
def test_every_prefix_of_a_file_gives_its_whole_notes_and_a_warning_or_is_rejected_as_truncated(size):
    if size < PLAIN.index(b"\x83"):  # the time behind the note-on
        with pytest.raises(RejectedInputError, match=r"truncated|is empty|is not a MIDI file"):
            read_smf(PLAIN[:size], ReadLimits())
    else:
        assert events(PLAIN[:size])[0] == (0, 0x90, 60, 64)
        (warning,) = warnings(PLAIN[:size])
        assert warning == f"truncated: the track at byte 22 should end at byte 35, but ends at {size}"
