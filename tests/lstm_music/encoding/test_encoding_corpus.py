"""All 296 real pieces: notes → events → MIDI → notes loses only what the grid and the encoding are meant to lose."""

import numpy as np
import pytest

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import decode, encode
from lstm_music.encoding.splits import PieceIdentity, SplitSpec, assign, music_hash
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

pytestmark = pytest.mark.corpus
SPEC = EventSpec(quarter_length_divisors=(8, 6))
TICKS_PER_STEP = SPEC.grid.ticks_per_quarter // SPEC.grid.steps_per_quarter


def steps_of(notes, onset, duration):
    """The rows (onset, pitch, duration) in steps, ascending."""
    rows = np.stack([onset, notes["pitch"].astype(np.int64), duration], axis=1)
    return rows[np.lexsort(rows.T[[2, 1, 0]])]


def with_pitch_classes(rows):
    """The distinct rows (onset, pitch class, duration)."""
    classes = rows.copy()
    classes[:, 1] %= 12
    return np.unique(classes, axis=0)


@pytest.fixture(scope="module")
def on_grid(collection):
    """The pitched notes of each piece on the grid; of notes with one onset and pitch, the longest."""
    grids = {}
    for name, piece in collection.items():
        notes = piece.notes[~piece.notes["is_drum"]]
        onset = SPEC.grid.onsets(notes["onset_ticks"], piece.ticks_per_quarter)
        duration = SPEC.grid.durations(notes["duration_ticks"], piece.ticks_per_quarter)
        rows = steps_of(notes, onset, duration)
        is_longest = np.ones(len(rows), dtype=np.bool_)
        is_longest[:-1] = np.diff(rows[:, :2], axis=0).any(axis=1)
        grids[name] = rows[is_longest]
    return grids


def written_and_read(piece, spec):
    """Return the events of a piece, and the notes of their MIDI file as rows (onset, pitch, duration) in steps."""
    events = encode(piece, spec)
    data = write_midi(decode(events.note, events.offset_steps, events.duration_steps, events.velocity, spec))
    notes = read_midi(data).notes
    assert not (notes["onset_ticks"] % TICKS_PER_STEP).any()
    assert not (notes["duration_ticks"] % TICKS_PER_STEP).any()
    return events, steps_of(notes, notes["onset_ticks"] // TICKS_PER_STEP, notes["duration_ticks"] // TICKS_PER_STEP)


@pytest.mark.parametrize("chords", ["per_note", pytest.param("pitch_set", marks=pytest.mark.operation)])
def test_exact_encodings_preserve_every_note(collection, on_grid, chords):
    assert len(collection) == 296
    spec = SPEC.model_copy(update={"chords": chords})
    for name, piece in collection.items():
        events, back = written_and_read(piece, spec)
        assert np.array_equal(back, on_grid[name]), name
        assert len(back) + events.merged + events.drums == len(piece.notes), name


@pytest.mark.operation
def test_normal_order_preserves_onsets_durations_and_pitch_classes(collection, on_grid):
    spec = SPEC.model_copy(update={"chords": "normal_order"})
    for name, piece in collection.items():
        events, back = written_and_read(piece, spec)
        expected = on_grid[name]
        assert len(expected) + events.merged + events.drums == len(piece.notes), name
        assert np.array_equal(with_pitch_classes(back), with_pitch_classes(expected)), name


def test_the_collection_fills_all_splits(collection):
    pieces = [PieceIdentity(name, music_hash(piece), (name,)) for name, piece in collection.items()]
    splits = assign(pieces, SplitSpec())
    assert splits.moved == ()
    assert len(splits.train) > 200
    assert len(splits.validation) > 10
    assert len(splits.test) > 10
