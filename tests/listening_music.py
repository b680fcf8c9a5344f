"""A listening page of real music: chorales from music21's corpus, written as MIDI, synthesised, drawn and engraved."""

import base64
import io
from functools import cache

import numpy as np

from lstm_music.midi.notes import PieceNotes, Tempo
from lstm_music.midi.writer import write_midi
from lstm_music.rendering import audio
from lstm_music.rendering.listening_page import (
    Clip,
    CopyCheck,
    Download,
    Listening,
    Origin,
    QuizClip,
    Result,
    Roll,
    RollPlace,
    Setting,
    Statistic,
    Table,
)
from lstm_music.rendering.piano_roll import MARGIN, PIXELS_PER_QUARTER, piano_roll
from lstm_music.scores.reading import read_scores
from lstm_music.sources.corpus import CREDIT, Corpus
from lstm_music.sources.entry import Found

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></template></style>{{ 7 * 7 }}&lt;\u202e\x1b"
SAMPLE_RATE = 22_050
MICROSECONDS_PER_QUARTER = 500_000
QUARTERS_PER_SECOND = 1_000_000 / MICROSECONDS_PER_QUARTER
PROMPT_QUARTERS, RESULT_QUARTERS = 8, 16


@cache
def chorales(count: int = 3) -> tuple[tuple[Found, PieceNotes], ...]:
    """Read the first chorales of the corpus."""
    entries = []
    for entry in Corpus().entries():
        if isinstance(entry, Found) and entry.name.endswith(".mxl") and entry.name not in {one.name for one in entries}:
            entries.append(entry)
        if len(entries) == count:
            break
    pieces = dict(read_scores([(entry.name, "musicxml", entry.data) for entry in entries]))
    return tuple((entry, pieces[entry.name]) for entry in entries)


def excerpt(piece: PieceNotes, first: int, quarters: int) -> PieceNotes:
    """Cut the notes that start within some quarters."""
    notes = piece.notes.copy()
    onset = notes["onset_ticks"] - first * piece.ticks_per_quarter
    notes["onset_ticks"] = onset
    inside = notes[(onset >= 0) & (onset < quarters * piece.ticks_per_quarter)]
    return PieceNotes(piece.ticks_per_quarter, inside, tempos=(Tempo(0, MICROSECONDS_PER_QUARTER),))


def sound(piece: PieceNotes, label: str) -> Clip:
    """Play a piece into an Ogg Vorbis file."""
    samples = audio.synthesise(piece)
    return Clip(label, "audio/ogg", audio.encode_audio(samples, ".ogg"), len(samples) / audio.SAMPLE_RATE)


def tone(hertz: float, seconds: float, label: str = "Result") -> Clip:
    """Write a sine wave, for tests in which only the length of the audio matters."""
    import soundfile

    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    file = io.BytesIO()
    soundfile.write(file, 0.2 * np.sin(2 * np.pi * hertz * times), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return Clip(label, "audio/wav", file.getvalue(), seconds)


def engrave(mxl: bytes) -> str:
    """Engrave the first page of a compressed MusicXML file."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(
        {
            "pageWidth": 1800,
            "pageHeight": 1400,
            "scale": 45,
            "adjustPageHeight": True,
            "footer": "none",
            "header": "none",
        }
    )
    assert toolkit.loadZipDataBase64(base64.b64encode(mxl).decode())
    return toolkit.renderToSVG(1)


def heard(number: int, name: str, *, with_score: bool = True) -> Result:
    """The start of a chorale as the prompt, and its continuation as the result."""
    entry, piece = chorales()[number - 1]
    prompt = excerpt(piece, 0, PROMPT_QUARTERS)
    result = excerpt(piece, PROMPT_QUARTERS, RESULT_QUARTERS)
    clip = sound(result, "Result")
    rate = PIXELS_PER_QUARTER * QUARTERS_PER_SECOND
    return Result(
        number=number,
        prompt=sound(prompt, "Prompt"),
        clip=clip,
        roll=Roll(
            piano_roll(result, name, prompt, result_at_quarters=PROMPT_QUARTERS),
            result=RollPlace(MARGIN + PROMPT_QUARTERS * PIXELS_PER_QUARTER, rate),
            prompt=RollPlace(MARGIN, rate),
        ),
        score_svg=engrave(entry.data) if with_score else None,
        origin=Origin(name, "bach", CREDIT.source, CREDIT.licence, "bars 1 to 2"),
        settings=[Setting("temperature", "note=0.9, offset=0.7, duration=0.7"), Setting("events", "128")],
        statistics=[
            Statistic(
                "Pitch class entropy", "how evenly the twelve pitch classes are used, in bits", 2.81, (2.55, 3.05)
            ),
            Statistic("Scale consistency", "share of notes in the best fitting scale", 0.71, (0.88, 0.99)),
            Statistic("Polyphony", "notes that sound at once, on average", 4.2, (3.4, 3.9)),
            Statistic("Groove consistency", "how alike the onsets of neighbouring bars are", float("nan"), (0.9, 1.0)),
            Statistic("Empty beats", "share of beats in which nothing begins", 0.0),
        ],
        copy_check=CopyCheck(9 + 5 * number, name, 7, 16),
        loop_interventions=number - 1,
        downloads=[
            Download("MIDI", f"result_{number:03d}.mid", "audio/midi", write_midi(result)),
            Download("MusicXML", f"result_{number:03d}.mxl", "application/vnd.recordare.musicxml", entry.data),
            Download("Audio", f"result_{number:03d}.ogg", clip.mime, clip.data),
        ],
        command=f"lstm-music generate --recipe demo --prompt '{name}:0' --num-outputs 8",
    )


def real_page(count: int = 2, name: str = HOSTILE, *, with_scores: bool = True) -> Listening:
    """A complete page; the piece of its first result has the given name."""
    results = [
        heard(i, name if i == 1 else chorales()[i - 1][0].name, with_score=with_scores) for i in range(1, count + 1)
    ]
    generated = [QuizClip(one.clip, is_generated=True, about=f"result {one.number}") for one in results if one.clip]
    entry, piece = chorales()[count]
    real = [
        QuizClip(sound(excerpt(piece, at, 16), "Clip"), is_generated=False, about=f"{entry.name}") for at in (0, 16)
    ]
    return Listening(
        title="Eight chorales that Bach did not write",
        results=results,
        command="lstm-music generate --recipe demo --num-outputs 8 --random-seed 7",
        created_with=[Setting("recipe", "demo"), Setting("random seed", "7"), Setting("prompt", name)],
        tables=[
            Table(
                "Overlapped area with held-out music",
                ("metric", "results", "training music (ceiling)", "shuffled music (floor)"),
                [("pitch class entropy", "0.91", "0.95", "0.62"), ("scale consistency", "0.87", "0.93", "0.41")],
                "1 is the same distribution, 0 one that shares nothing.",
            )
        ],
        quiz=[*generated, *real],
        quiz_random_seed=7,
    )
