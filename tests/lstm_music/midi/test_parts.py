"""Parts survive being written and read: tracks, names, programs, drums."""

import numpy as np
import pytest

from lstm_music.midi.general_midi import DRUM_CHANNEL, FAMILIES, FAMILY_SIZE, PROGRAMS, family_of
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes
from lstm_music.midi.parts import Part, in_parts, parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

QUARTET = (Part("Violin 1", 40), Part("Violin 2", 40), Part("Viola", 41), Part("Drums", is_drum=True))


def piece_of(*rows: tuple[int, int, int]) -> PieceNotes:
    """A piece of notes (pitch, onset, duration) at 480 ticks a quarter."""
    notes = np.zeros(len(rows), NOTE_DTYPE)
    for name, values in zip(("pitch", "onset_ticks", "duration_ticks"), zip(*rows, strict=True), strict=True):
        notes[name] = values
    notes["velocity"] = 80
    return PieceNotes(480, notes)


def test_general_midi_has_sixteen_families_of_eight_programs() -> None:
    assert len(PROGRAMS) == len(set(PROGRAMS)) == len(FAMILIES) * FAMILY_SIZE == 128
    assert [family_of(program) for program in (0, 40, 48, 52, 127)] == [
        *("piano", "strings", "ensemble", "ensemble", "sound effects")
    ]


def test_parts_of_a_written_file_are_those_that_were_written() -> None:
    piece = piece_of((60, 0, 480), (60, 240, 480), (64, 0, 480), (38, 0, 120), (72, 480, 480))
    of_note = np.array([0, 0, 1, 3, 2])

    read = read_midi(write_midi(in_parts(piece, QUARTET, of_note, "A title")))

    parts, of_note_read = parts_of(read)
    assert read.track_names[0] == "A title"
    assert set(parts) == set(QUARTET)
    played = {(parts[part].name, int(note["pitch"])) for part, note in zip(of_note_read, read.notes, strict=True)}
    assert played == {("Violin 1", 60), ("Violin 2", 64), ("Drums", 38), ("Viola", 72)}
    assert {int(channel) for channel in read.notes["channel"][read.notes["is_drum"]]} == {DRUM_CHANNEL}


@pytest.mark.parametrize("count", [15, 16, 40])
def test_more_parts_than_channels_keep_their_programs(count: int) -> None:
    parts = [Part(f"Part {number}", number) for number in range(count)]
    piece = piece_of(*((60 + number % 12, 120 * number, 120) for number in range(2 * count)))
    of_note = np.arange(2 * count) % count

    read = read_midi(write_midi(in_parts(piece, parts, of_note)))

    found, of_note_read = parts_of(read)
    assert [found[part] for part in of_note_read] == [parts[part] for part in of_note]
    assert not read.notes["is_drum"].any()
