import midi_bytes as mb
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


def test_events_come_in_the_order_of_the_file_with_their_ticks():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x81\x00\x90\x3e\x41\x00\x80\x3c\x00\x05\xb0\x40\x7f"))
    assert events(data) == [(0, 0x90, 60, 64), (128, 0x90, 62, 65), (128, 0x80, 60, 0), (133, 0xB0, 64, 127)]


def test_every_kind_of_channel_event_is_read_with_the_data_bytes_it_has():
    data = mb.smf(mb.track(b"\x00\xa3\x01\x02\x00\xc4\x05\x00\xd5\x06\x00\xe6\x07\x08"))
    assert events(data) == [(0, 0xA3, 1, 2), (0, 0xC4, 5, 0), (0, 0xD5, 6, 0), (0, 0xE6, 7, 8)]


def test_running_status_goes_on_after_a_meta_event():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x00\xff\x01\x02hi\x10\x3c\x00\x00\xc0\x05\x01\x06"))
    assert events(data) == [(0, 0x90, 60, 64), (16, 0x90, 60, 0), (16, 0xC0, 5, 0), (17, 0xC0, 6, 0)]


def test_running_status_ends_with_a_system_exclusive_event():
    data = mb.smf(mb.track(b"\x00\x90\x3c\x40\x00\xf0\x02\x01\xf7\x10\x3c\x00"))
    with pytest.raises(RejectedInputError, match="bad event at byte 32: 60, where an event begins with a byte of 128"):
        read_smf(data, ReadLimits())


def test_system_exclusive_events_are_passed_over_and_their_time_counts():
    data = mb.smf(mb.track(b"\x05\xf0\x03\x01\x02\xf7\x06\xf7\x01\x00", ONE_EVENT))
    assert events(data) == [(11, 0x90, 60, 64)]


def test_times_of_one_to_four_bytes():
    data = mb.smf(
        mb.track(
            b"\x7f\x90\x3c\x40",
            b"\xff\x7f\x3d\x40",
            b"\x81\x80\x00\x3e\x40",
            b"\x81\x80\x80\x00\x3f\x40",
        ),
    )
    assert [tick for tick, *_ in events(data)] == [127, 127 + 16383, 127 + 16383 + 16384, 127 + 16383 + 16384 + 2097152]


def test_the_track_ends_at_its_end_of_track_event_and_no_later():
    read = read_smf(mb.smf(mb.track(ONE_EVENT, b"\x20\xff\x2f\x00", b"\x01\x90\x99")), ReadLimits()).tracks[0]
    assert (len(read.ticks), read.end_tick) == (1, 32)


def test_a_track_may_lack_its_end_of_track_event():
    read = read_smf(mb.smf(mb.track(ONE_EVENT, b"\x07\x80\x3c\x00", end=b"")), ReadLimits()).tracks[0]
    assert (len(read.ticks), read.end_tick) == (2, 7)


def test_meta_events_that_matter_are_kept_with_their_position():
    data = mb.smf(mb.track(b"\x03\xff\x51\x03\x07\xa1\x20", b"\x00\xff\x01\x02hi"))
    assert read_smf(data, ReadLimits()).tracks[0].meta == ((3, 0x51, b"\x07\xa1\x20", 26),)
    assert data[26:29] == b"\x07\xa1\x20"


def test_other_chunks_and_a_longer_header_are_passed_over():
    longer = b"MThd\x00\x00\x00\x08" + PLAIN[8:14] + b"??"
    data = longer + b"XFIH\x00\x00\x00\x03abc" + PLAIN[14:] + b"after the last track"
    assert events(data) == events(PLAIN)


def test_a_riff_file_is_read_for_the_midi_file_inside():
    inside = b"RMIDLIST\x03\x00\x00\x00abc\x00data" + len(PLAIN).to_bytes(4, "little") + PLAIN
    riff = b"RIFF" + len(inside).to_bytes(4, "little") + inside
    assert events(riff) == events(PLAIN)


def test_a_format_0_file_and_a_file_without_tracks():
    assert read_smf(mb.smf(mb.track(), file_format=0), ReadLimits()).format == 0
    assert read_smf(mb.smf(), ReadLimits()).tracks == ()


REJECTED = {
    "empty": (b"", "no MIDI file: is empty at byte 0, where a MIDI file begins with b'MThd'"),
    "text": (b"hello\x1b[2J", "no MIDI file: begins with b'hell' at byte 0"),
    "escape": (b"\x1b[2J", r"no MIDI file: begins with b'\\x1b\[2J' at byte 0"),
    "RIFF without data": (
        b"RIFF\x10\x00\x00\x00RMIDLIST\x00\x00\x00\x00",
        "truncated: a RIFF file of type RMID that ends",
    ),
    "RIFF of sound": (b"RIFF\x10\x00\x00\x00WAVEfmt ", "no MIDI file: begins with b'RIFF' at byte 0"),
    "RIFF with empty data": (b"RIFF\x0c\x00\x00\x00RMIDdata\x00\x00\x00\x00", "no MIDI file: is empty at byte 20"),
    "header cut": (PLAIN[:11], "truncated: ends at byte 11, inside its header"),
    "header too long": (b"MThd\xff\xff\xff\xff" + PLAIN[8:], "truncated: ends at byte 35, inside its header"),
    "header too short": (
        b"MThd\x00\x00\x00\x05" + PLAIN[8:],
        "bad header: 5 bytes long at byte 4, where a header has 6",
    ),
    "format 2": (mb.smf(mb.track(), file_format=2), "MIDI format 2 at byte 8, where formats 0 and 1 are read"),
    "SMPTE division": (mb.smf(mb.track(), division=0xE728), "time in SMPTE frames at byte 12"),
    "division 0": (
        mb.smf(mb.track(), division=0),
        "0 ticks per quarter note at byte 12, where 1 to 32,767 are possible",
    ),
    "2,000 tracks": (mb.smf(*[mb.track()] * 2000), "too many tracks: 2,000 at byte 10, where 1,024 are read at most"),
    "last 5 bytes missing": (PLAIN[:-5], "truncated: the chunk at byte 14 ends at byte 35, and the file at byte 30"),
    "chunk header cut": (PLAIN[:19], "truncated: the chunk at byte 14 ends at byte 22, and the file at byte 19"),
    "fewer tracks": (mb.header(3) + mb.track() * 2, "truncated: ends at byte 38 after 2 of the 3 tracks"),
    "pitch 200": (
        mb.smf(mb.track(b"\x00\x90\xc8\x40")),
        "bad event at byte 24: 200, where 0x90 has data bytes of 0 to 127",
    ),
    "velocity 200": (mb.smf(mb.track(b"\x00\x90\x3c\xc8")), "bad event at byte 25: 200, where 0x90 has data bytes"),
    "pitch 200, then worse": (
        mb.smf(mb.track(b"\x00\x90\xc8\x40\x00\xf1")),
        "bad event at byte 24: 200, where 0x90 has data bytes of 0 to 127",
    ),
    "no status": (
        mb.smf(mb.track(b"\x00\x3c\x40")),
        "bad event at byte 23: 60, where an event begins with a byte of 128",
    ),
    "real-time event": (
        mb.smf(mb.track(b"\x00\xf8")),
        "bad event at byte 23: 0xf8, where a track has channel, meta or sysex",
    ),
    "time of five bytes": (
        mb.smf(mb.track(b"\x81\x80\x80\x80\x00\x90\x3c\x40")),
        "bad length or time at byte 22: more than the 4 bytes that it may have",
    ),
    "event without data": (
        mb.smf(mb.track(b"\x00\x90", end=b"")),
        "truncated: the track at byte 22 ends at byte 24, in the mid",
    ),
    "event without its last byte": (
        mb.smf(mb.track(b"\x00\x90\x3c", end=b"")),
        "truncated: the track at byte 22 ends at byte 25",
    ),
    "time without event": (mb.smf(mb.track(b"\x00", end=b"")), "truncated: the track at byte 22 ends at byte 23"),
    "time cut": (mb.smf(mb.track(b"\x81\x80", end=b"")), "truncated: the track at byte 22 ends at byte 24"),
    "meta event too long": (
        mb.smf(mb.track(b"\x00\xff\x01\x7fhi", end=b"")),
        "truncated: 127 bytes are announced for an event at byte 26, and its track ends at byte 28",
    ),
    "one huge time": (
        mb.smf(mb.track(b"\xff\xff\xff\x7f\x90\x3c\x40")),
        "too long: the track at byte 22 lasts 268,435,455 ticks, where 31,457,280 is the most",
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_no_whole_midi_file_is_rejected_with_the_reason_and_the_place(name):
    data, reason = REJECTED[name]
    with pytest.raises(RejectedInputError, match=reason):
        read_smf(data, ReadLimits())


def test_a_file_of_more_bytes_than_the_limit_is_rejected():
    with pytest.raises(RejectedInputError, match="too large: 35 bytes, where 34 are read at most"):
        read_smf(PLAIN, ReadLimits(max_bytes=34))


def test_a_file_at_its_limits_is_read():
    assert len(read_smf(PLAIN, ReadLimits(max_bytes=35, max_tracks=1, max_quarters=1)).tracks) == 1


@pytest.mark.parametrize("size", range(len(PLAIN)))
def test_every_beginning_of_a_file_is_rejected_as_truncated(size):
    with pytest.raises(RejectedInputError, match=r"truncated|is empty|begins with"):
        read_smf(PLAIN[:size], ReadLimits())
