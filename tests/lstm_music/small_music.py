"""Small pieces of music made by chance, folders of them, and a recipe whose models are tiny."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, Tempo, sorted_notes
from lstm_music.midi.writer import write_midi
from lstm_music.recipe import Recipe, parse_recipe

QUARTER = 480
RHYTHMS = ((480,), (240, 240), (160, 160, 160), (120, 120, 240))


def piece_of(rows: Sequence[tuple[int, int, int]], *, tempo: int = 500_000, drums: bool = False) -> PieceNotes:
    """Make a piece of (onset, duration, pitch), 480 ticks a quarter."""
    notes = np.array(
        [(1, 9 if drums else 0, 0, drums, pitch, 80, onset, duration) for onset, duration, pitch in rows], NOTE_DTYPE
    )
    return PieceNotes(QUARTER, sorted_notes(notes), tempos=(Tempo(0, tempo),))


def small_piece(number: int, quarters: int = 24) -> PieceNotes:
    """Draw a piece of a melody over chords; another number gives another piece."""
    rng = np.random.default_rng(number)
    rows = []
    for quarter in range(quarters):
        onset = quarter * QUARTER
        chord = 48 + int(rng.integers(8)) + np.array([0, 4, 7])[: rng.integers(4)]
        rows += [(onset, QUARTER, int(pitch)) for pitch in chord]
        for length in RHYTHMS[rng.integers(len(RHYTHMS))]:
            rows.append((onset, length, 62 + int(rng.integers(12))))
            onset += length
    return piece_of(rows)


def small_collection(count: int = 8, first: int = 0) -> dict[str, PieceNotes]:
    return {f"composer/piece {number:02d}.mid": small_piece(number) for number in range(first, first + count)}


def write_folder(root: Path, contents: Mapping[str, PieceNotes | bytes]) -> Path:
    """Write pieces, or bytes, as files below `root`."""
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else write_midi(content))
    return root


def tiny_recipe(**changes: Any) -> Recipe:
    """Give a recipe whose models train in a moment; a table in `changes` is put over its own."""
    tables: dict[str, Any] = {
        "name": "tiny",
        "events": {"quarter_length_divisors": [4, 3]},
        "split": {"validation": 0.2, "test": 0.2},
        "windows": {"length": 16, "transpose_from": -2, "transpose_to": 2},
        "model": {"units": 8, "dropout": 0.25, "hidden_inputs": 0.1},
        "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.02, "warmup_steps": 2},
        "generation": {"num_outputs": 3, "num_events": 24, "min_events": 6, "prompt_events": 8},
    }
    for key, value in changes.items():
        tables[key] = {**tables.get(key, {}), **value} if isinstance(value, dict) else value
    return parse_recipe(tables, "tiny.toml")
