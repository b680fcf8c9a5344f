"""A little music, and a recipe that trains on it in seconds, for tests of the whole pipeline."""

from pathlib import Path

import numpy as np

from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, sorted_notes
from lstm_music.midi.writer import write_midi

PIECES = 8

RECIPE = """
name = "tiny"

[events]
quarter_length_divisors = [4]

[windows]
length = 32

[model]
units = 8
controls = ["density", "polyphony", "mean_pitch"]

[training]
epochs = 2
batch_size = 4

[generation]
num_outputs = 2
num_events = 24
min_events = 12
prompt_events = 16
"""


def write_recipe(folder: Path) -> Path:
    """Write the recipe `tiny`."""
    path = folder / "tiny.toml"
    path.write_text(RECIPE)
    return path


def write_pieces(folder: Path, numbers: range = range(PIECES)) -> Path:
    """Write some of the pieces as MIDI files, always the same; folder and name together form an HTML tag."""
    for number in numbers:
        path = folder / f"<script>alert({number:02d})<" / "script>.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(piece(number))
    return folder


def piece(number: int, events: int = 120) -> bytes:
    """Return a random melody in C major as the bytes of a MIDI file; the number is its seed."""
    rng = np.random.default_rng(number)
    notes = np.zeros(events, NOTE_DTYPE)
    notes["pitch"] = rng.choice([60, 62, 64, 65, 67, 69, 71, 72], events)
    notes["velocity"] = 80
    notes["onset_ticks"] = np.cumsum(rng.choice([120, 240, 480], events))
    notes["duration_ticks"] = rng.choice([120, 240, 480], events)
    return write_midi(PieceNotes(480, sorted_notes(notes)))
