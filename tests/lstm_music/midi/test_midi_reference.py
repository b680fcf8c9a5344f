"""Our reader compared with mido, an independent one, and tried on bytes that are not music."""

import io
import itertools
import random
import zipfile

import midi_bytes as mb
import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_music.errors import RejectedInputError
from lstm_music.midi.reader import ReadLimits, read_midi
from lstm_music.midi.writer import write_midi

NAMES = ("track", "channel", "program", "pitch", "velocity", "onset_ticks", "duration_ticks")


def mido_facts(data: bytes) -> tuple[list[tuple], list[tuple], list[tuple]]:
    """Read notes, tempos and time signatures with mido; pairs and programs follow a slow, literal version of the rules."""
    file = mido.MidiFile(file=io.BytesIO(data))
    tracks = [
        list(zip(itertools.accumulate(message.time for message in track), track, strict=True)) for track in file.tracks
    ]
    merged = sorted(
        (tick, number, place) for number, track in enumerate(tracks) for place, (tick, _) in enumerate(track)
    )
    programs, program_at = {}, {}
    for _, number, place in merged:
        message = tracks[number][place][1]
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on":
            program_at[number, place] = programs.get(message.channel, 0)
    notes = []
    for number, track in enumerate(tracks):
        sounding = {}
        for place, (tick, message) in enumerate(track):
            if message.type == "note_on" and message.velocity > 0:
                sounding.setdefault((message.channel, message.note), []).append((tick, place, message))
            elif message.type in ("note_off", "note_on") and sounding.get((message.channel, message.note)):
                begun, at, on = sounding[message.channel, message.note].pop(0)
                notes.append((number, on.channel, program_at[number, at], on.note, on.velocity, begun, tick - begun))
        if any(sounding.values()):
            raise LookupError("a note has no end, which is a matter of choice")
    meta = [(tick, message) for _, number, place in merged for tick, message in [tracks[number][place]]]
    latest = ReadLimits().max_quarters * file.ticks_per_beat  # nothing sounds after it
    meta = [(tick, message) for tick, message in meta if tick <= latest]
    tempos = [(tick, message.tempo) for tick, message in meta if message.type == "set_tempo"]
    signatures = [
        (tick, message.numerator, message.denominator) for tick, message in meta if message.type == "time_signature"
    ]
    return sorted(notes), tempos, signatures


def our_facts(data: bytes) -> tuple[list[tuple], list[tuple], list[tuple]]:
    piece = read_midi(data)
    tempos = [(tempo.tick, tempo.microseconds_per_quarter) for tempo in piece.tempos]
    signatures = [(one.tick, one.numerator, one.denominator) for one in piece.time_signatures]
    return mb.note_rows(piece, *NAMES), tempos, signatures


def trouble(data: bytes) -> str | None:
    """Read bytes; return the reason of their rejection, or the first warning, or None."""
    try:
        return next(iter(read_midi(data).warnings), None)
    except RejectedInputError as error:
        return str(error)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change, insert, remove or cut a few bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0 | 1:
                changed[at] = chance.randrange(256)
            case 2:
                changed[at:at] = chance.randbytes(chance.randint(1, 3))
            case 3:
                del changed[at : at + chance.randint(1, 3)]
            case _:
                changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed[: chance.randrange(1, len(changed))] if chance.random() < 0.1 else changed)


@settings(deadline=None)
@given(mb.pieces().map(write_midi))
def test_mido_reads_the_same_from_written_files(data):
    reason = trouble(data)
    if reason is None:
        assert our_facts(data) == mido_facts(data)
    else:
        assert "too long" in reason or "without an end" in reason  # longer than a piece can be


@pytest.mark.corpus
def test_mido_reads_the_same_from_real_pieces(collection_zip):
    with zipfile.ZipFile(collection_zip) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".mid"))
        for name in names[::37]:
            data = archive.read(name)
            assert our_facts(data) == mido_facts(data), name


@pytest.mark.corpus
def test_every_real_piece_survives_reading_and_writing(collection_zip):
    notes = 0
    with zipfile.ZipFile(collection_zip) as archive:
        for name in sorted(archive.namelist())[::8]:
            if name.endswith(".mid"):
                piece = read_midi(archive.read(name))
                assert mb.note_rows(read_midi(write_midi(piece))) == mb.note_rows(piece), name
                notes += len(piece.notes)
    assert notes > 50_000


@settings(deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda events: mb.smf(mb.track(events))))
def test_arbitrary_bytes_are_read_or_rejected(data):
    reason = trouble(data)
    assert reason is None or reason.isprintable()


def test_if_mido_reads_a_damaged_file_the_notes_agree():
    chance = random.Random(20)
    tempo, name = b"\x00\xff\x51\x03\x07\xa1\x20", b"\x00\xff\x03\x05piano"
    notes = b"".join(
        b"\x00\x90" + bytes([pitch]) + b"\x40\x83\x60" + bytes([pitch]) + b"\x00" for pitch in range(60, 72)
    )
    whole = mb.smf(mb.track(tempo, name), mb.track(b"\x00\xc0\x05", notes, b"\x00\xb0\x40\x7f\x00\xf0\x02\x01\xf7"))
    damaged, compared = 0, 0
    for _ in range(4000):
        data = mutated(whole, chance)
        if trouble(data) is not None:
            damaged += 1
            continue
        try:
            theirs = mido_facts(data)
        except Exception:  # noqa: BLE001 - mido raises whatever it meets in a damaged file
            continue
        assert our_facts(data) == theirs, data.hex()
        compared += 1
    assert damaged > 500
    assert compared > 200
