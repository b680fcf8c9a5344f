"""The sheet music that the composing page writes, read by music21: the same notes as in the MIDI file, in whole bars."""

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lstm_music.midi.reader import read_midi

SCRIPT = Path(__file__).parents[2] / "studio_js" / "musicxml.mjs"
PER_QUARTER, SPECIAL = 12, 3

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None, reason="Node.js, which runs the page's scripts, is missing"
)


def drawn_music(random_seed, beats, beat_type, fifths):
    """Notes by chance on the grid of quarters, sixteenths and triplets; none sounds where its pitch still does."""
    rng = np.random.default_rng(random_seed)
    points = [0, 3, 4, 6, 8, 9]
    events, busy = [], {}
    for _ in range(120):
        onset = 12 * int(rng.integers(0, 60)) + int(rng.choice(points))
        pitch, steps = int(rng.integers(30, 95)), int(rng.choice([1, 2, 3, 4, 5, 6, 8, 9, 12, 15, 20, 48, 100]))
        if any(onset < end and begin < onset + steps for begin, end in busy.get(pitch, ())):
            continue
        busy.setdefault(pitch, []).append((onset, onset + steps))
        events.append([onset, SPECIAL, SPECIAL + pitch, SPECIAL + steps, 0, 0])
    facts = {
        "streams": ["offset", "note", "duration"],
        "stepsPerQuarter": PER_QUARTER,
        "durationSteps": [0] * SPECIAL + [*range(128)],
        "pitches": [[]] * SPECIAL + [[pitch] for pitch in range(128)],
        "drumKeys": [-1] * (128 + SPECIAL),
        "velocities": [],
        "parts": [],
    }
    meter = {"barSteps": 48 * beats // beat_type, "signature": [beats, beat_type], "velocity": 80, "fifths": fifths}
    return {"facts": facts, "meter": meter | {"title": "A & <B>"}, "events": sorted(events), "tempo": 96}


def tied_notes(score):
    """Yield (onset, length, pitch) of each note, tied ones as one; in one pitch only one sounds at a time."""
    open_notes = {}
    for element in sorted(score.flatten().notes, key=lambda element: element.offset):
        for one in getattr(element, "notes", [element]):
            kind, pitch = one.tie.type if one.tie else "", one.pitch.midi
            begun = open_notes.pop(pitch, None)
            assert (begun is not None) == (kind in {"stop", "continue"}), (element.offset, pitch, kind)
            onset = Fraction(element.offset) if begun is None else begun
            if kind in {"start", "continue"}:
                open_notes[pitch] = onset
            else:
                yield onset, Fraction(element.offset) + Fraction(element.quarterLength) - onset, pitch
    assert not open_notes


@pytest.mark.operation
@pytest.mark.parametrize(
    ("random_seed", "beats", "beat_type", "fifths"), [(1, 4, 4, 0), (2, 3, 4, -4), (3, 6, 8, 5), (4, 2, 2, 7)]
)
def test_music21_reads_the_notes_of_the_midi_file(tmp_path, random_seed, beats, beat_type, fifths):
    music21 = pytest.importorskip("music21")
    paths = [tmp_path / name for name in ("music.json", "music.musicxml", "music.mid")]
    paths[0].write_text(json.dumps(drawn_music(random_seed, beats, beat_type, fifths)))
    subprocess.run(["node", SCRIPT, *paths], check=True)
    score = music21.converter.parse(paths[1])
    piece = read_midi(paths[2].read_bytes())
    columns = (piece.notes[name].tolist() for name in ("onset_ticks", "duration_ticks", "pitch"))
    in_midi = sorted(
        (Fraction(onset, piece.ticks_per_quarter), Fraction(duration, piece.ticks_per_quarter), pitch)
        for onset, duration, pitch in zip(*columns, strict=True)
    )
    assert len(in_midi) > 60
    assert sorted(tied_notes(score)) == in_midi
    assert {signature.ratioString for signature in score.recurse().getElementsByClass("TimeSignature")} == {
        f"{beats}/{beat_type}"
    }
    assert {key.sharps for key in score.recurse().getElementsByClass("KeySignature")} == {fifths}
    assert {mark.number for mark in score.recurse().getElementsByClass("MetronomeMark")} == {96}
    bars = [bar for part in score.parts for bar in part.getElementsByClass("Measure")]
    assert {Fraction(bar.duration.quarterLength) for bar in bars} == {Fraction(4 * beats, beat_type)}
    assert [bar.number for bar in score.parts[0].getElementsByClass("Measure")][:3] == [1, 2, 3]
    assert score.metadata.title == "After A & <B>"
