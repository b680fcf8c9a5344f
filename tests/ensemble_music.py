"""Ensembles to hear and to look at: a chorale for a quartet, a band by hand, and a page whose parts are tones."""

import io
from functools import cache

import numpy as np
from listening_music import HOSTILE, chorales, excerpt

from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, Tempo
from lstm_music.midi.parts import Part, in_parts, parts_of
from lstm_music.rendering.ensemble_roll import MARGIN, PIXELS_PER_QUARTER, Played, ensemble_roll
from lstm_music.rendering.listening_page import Clip, Download, Listening, PartShown, Result, Roll, RollPlace

QUARTET = (Part("Violin 1", 40), Part("Violin 2", 40), Part("Viola", 41), Part("Cello", 42))
BAND = (Part("Lead", 80), Part("Keys", 0), Part("Bass", 33), Part(HOSTILE, is_drum=True))
HERTZ = (400, 800, 1600, 3200)
"""The tone of each part of the page."""
WAVE_RATE = 8_000
RESULT_SECONDS = 20.0
LATE_SECONDS = 4.0
"""From when on the last part of a result sounds; the others do from the start."""
TICKS = 480
RATE = PIXELS_PER_QUARTER * 2  # per second, at 120 quarters per minute


def arranged(first: int, quarters: int) -> PieceNotes:
    """Some quarters of a chorale, its four voices played by a string quartet."""
    piece = excerpt(chorales()[1][1], first, quarters)
    _, voices = parts_of(piece)
    return in_parts(piece, QUARTET, voices, "A chorale")


def band(bars: int = 4) -> PieceNotes:
    """A riff: a lead that plays eighths, chords, a bass on the beats, and drums, all of the same velocity."""
    rows = []
    for bar in range(bars):
        start, root = bar * 4 * TICKS, (45, 41, 48, 43)[bar % 4]
        rows += [(0, root + 24 + (0, 3, 7, 10)[at % 4], start + at * TICKS // 2, 220) for at in range(8)]
        rows += [(1, root + 12 + step, start + at * 2 * TICKS, 900) for at in range(2) for step in (0, 3, 7)]
        rows += [(2, root - 12, start + at * TICKS, 400) for at in range(4)]
        rows += [(3, pitch, start + at * TICKS, 60) for at in range(4) for pitch in (42, (36, 38)[at % 2])]
    part, pitch, onset, duration = np.array(rows).T
    notes = np.zeros(len(rows), NOTE_DTYPE)
    notes["velocity"] = 90
    for name, values in (("pitch", pitch), ("onset_ticks", onset), ("duration_ticks", duration)):
        notes[name] = values
    return in_parts(PieceNotes(TICKS, notes, tempos=(Tempo(0, 500_000),)), BAND, part, "A band")


def waves(tones: dict[float, float], seconds: float) -> bytes:
    """Write sine waves (hertz → the second from which on they sound) as one WAV file."""
    import soundfile

    times = np.arange(round(seconds * WAVE_RATE)) / WAVE_RATE
    samples = sum(0.1 * np.sin(2 * np.pi * hertz * times) * (times >= start) for hertz, start in tones.items())
    file = io.BytesIO()
    soundfile.write(file, samples, WAVE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def clip(label: str, late: float, seconds: float) -> tuple[Clip, list[Download]]:
    """The tones of all parts, and each alone."""
    starts = {hertz: late if hertz == HERTZ[-1] else 0.0 for hertz in HERTZ}
    stems = [
        Download("Audio", f"{label}_part_{number}.wav", "audio/wav", waves({hertz: start}, seconds))
        for number, (hertz, start) in enumerate(starts.items(), start=1)
    ]
    return Clip(label, "audio/wav", waves(starts, seconds), seconds), stems


@cache
def ensemble_page() -> Listening:
    """A band after a prompt of four seconds, with stems; and the same without."""
    riff, opening = band(), band(2)
    played, prompt = Played(riff, parts_of(riff)[1], 8), Played(opening, parts_of(opening)[1])
    heard, stems = clip("Result", LATE_SECONDS, RESULT_SECONDS)
    before, prompt_stems = clip("Prompt", 0, 4)
    svg = ensemble_roll(BAND, played, "A band", prompt, has_legend=False)
    roll = Roll(svg, RollPlace(MARGIN + 8 * PIXELS_PER_QUARTER, RATE), RollPlace(MARGIN, RATE))
    plain = [PartShown(part.name, "a sound", part.is_drum, "not heard" if part.is_drum else "") for part in BAND]
    alone = [
        PartShown(part.name, "a sound", part.is_drum, "", stem, before)
        for part, stem, before in zip(plain, stems, prompt_stems, strict=True)
    ]
    results = [Result(1, heard, roll, before, parts=alone), Result(2, heard, roll, before, parts=plain)]
    return Listening("Music for several players", results)
