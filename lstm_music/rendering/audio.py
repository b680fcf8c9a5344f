"""Audio of a piece: its notes through a soundfont, and the samples as Ogg Vorbis or MP3.

symusic's synthesiser is fast and does four things less than a listener expects, so they are done here: it ignores velocity
(notes of about the same velocity are rendered together, then mixed by the curve of SoundFont 2.04, section 8.4.1), it
ignores the sustain pedal (notes are lengthened to where it is lifted), it stops where the last note ends (a silent
note makes room for it to ring), and it crashes on damaged files (it only sees MIDI that `write_midi` wrote, and a soundfont
that a child process has survived).

The same piece gives the same samples, and the same samples the same bytes.
"""

import io
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.child import run_child
from lstm_music.errors import ChildError, RejectedInputError, SourceError
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, Tempo, sorted_notes
from lstm_music.midi.writer import SLOWEST_TEMPO, write_midi
from lstm_music.rendering.soundfont import default_soundfont, require_soundfont

SAMPLE_RATE = 44_100
PEAK = 0.8  # 1.9 dB below full scale: what the encoders lose may make a peak higher
MAX_SECONDS = 3_600
RING_SECONDS = 2.0
FADE_SECONDS = 0.05
INAUDIBLE = 0.001  # of the peak: -60 dB
VELOCITY_BAND = 8  # velocities within it differ by less than 2 dB where music is played

Samples = npt.NDArray[np.float32]

_FORMS: dict[str, dict[str, Any]] = {
    ".ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.6},
    ".mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE", "compression_level": 0.5},
}
_CHUNK = 1 << 16  # samples; libsndfile crashes on minutes of audio in one call
_FIRST_TEMPO = Tempo(0, 500_000)  # what a MIDI file means that names none
_PEDAL_DOWN = 64
_TRIAL_SECONDS = 120.0  # for a soundfont of gigabytes on a slow disk
_OGG_CRC_POLYNOMIAL = 0x04C11DB7  # RFC 3533, section 6
_OGG_SERIAL = 1


def synthesise(piece: PieceNotes, soundfont: Path | None = None, sample_rate: int = SAMPLE_RATE) -> Samples:
    """Play a piece: float32 [samples, 2], left and right, from tick 0 on until the last sound has died away.

    The loudest sample of every piece is `PEAK`. Without a soundfont it is TimGM6mb, which the package pretty_midi carries.
    Raises RejectedInputError for a piece without notes or longer than `MAX_SECONDS`, SourceError for a soundfont that is
    none.
    """
    mixed = player(piece, soundfont, sample_rate)(piece)
    peak = peak_of(mixed)
    if peak == 0:
        return mixed.T
    mixed *= PEAK / peak
    return finished(mixed, sample_rate).T


def player(piece: PieceNotes, soundfont: Path | None, sample_rate: int) -> Callable[[PieceNotes], Samples]:
    """Give a function that plays some notes of a piece, which have its tempos: [2, samples], as long for any notes of it.

    Raises the errors of `synthesise`.
    """
    if not len(piece.notes):
        raise RejectedInputError("holds no notes to play")
    length = float(seconds_at(piece, _end_ticks(piece)))
    if length > MAX_SECONDS:
        raise RejectedInputError(f"lasts {length:,.0f} seconds, where at most {MAX_SECONDS:,} are made audio")
    font = default_soundfont() if soundfont is None else _checked_soundfont(soundfont, piece)
    render = _synthesiser(font, sample_rate)

    def play(some: PieceNotes) -> Samples:
        mixed = np.zeros((2, round((length + 2 * RING_SECONDS) * sample_rate)), np.float32)
        for gain, layer in _layers(_with_pedal(some)):
            rendered = render(write_midi(_with_room(layer)))[:, : mixed.shape[1]]
            rendered *= gain
            mixed[:, : rendered.shape[1]] += rendered
        return mixed

    return play


def write_audio(path: Path, samples: Samples, sample_rate: int = SAMPLE_RATE) -> None:
    """Write samples [samples, channels] in the form that the extension of `path` names: .ogg or .mp3."""
    path.write_bytes(encode_audio(samples, path.suffix, sample_rate))


def encode_audio(samples: Samples, extension: str, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Give samples [samples, channels] as the bytes of a file; SourceError for an extension other than .ogg and .mp3."""
    import soundfile

    if extension not in _FORMS:
        raise SourceError(f"audio: expected .ogg or .mp3, got {extension!r}")
    written = io.BytesIO()
    with soundfile.SoundFile(written, "w", sample_rate, samples.shape[1], **_FORMS[extension]) as file:
        for start in range(0, len(samples), _CHUNK):
            file.write(np.ascontiguousarray(samples[start : start + _CHUNK]))
    return _with_fixed_serial(written.getvalue()) if extension == ".ogg" else written.getvalue()


def seconds_at(piece: PieceNotes, ticks: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give the second of the audio at which each of `ticks` lies, by the tempos of the piece."""
    tempos = [_FIRST_TEMPO, *piece.tempos]
    starts = np.array([tempo.tick for tempo in tempos], np.int64)
    lasts = np.array([min(tempo.microseconds_per_quarter, SLOWEST_TEMPO) for tempo in tempos], np.float64)
    begun = np.concatenate([[0.0], np.cumsum(np.diff(starts) * lasts[:-1])])
    at = np.asarray(ticks, np.int64)
    index = np.searchsorted(starts, at, side="right") - 1
    return np.asarray((begun[index] + (at - starts[index]) * lasts[index]) / piece.ticks_per_quarter / 1e6, np.float64)


def _checked_soundfont(path: Path, piece: PieceNotes) -> Path:
    """Raise SourceError unless a file is a soundfont that a child process can play the sounds of the piece with."""
    require_soundfont(path)
    facts = path.stat()
    sounds = np.unique(piece.notes[["program", "is_drum", "pitch"]])
    _require_playable(str(path), facts.st_size, facts.st_mtime_ns, tuple(sounds.tolist()))
    return path


@cache
def _require_playable(path: str, size: int, changed: int, sounds: tuple[Any, ...]) -> None:  # noqa: ARG001 (parts of the key)
    request = {"soundfont": path, "sounds": sounds}
    try:
        run_child(f"{__name__}:try_soundfont", request, timeout_seconds=_TRIAL_SECONDS, reads_foreign=True)
    except ChildError as error:
        raise SourceError(
            f"soundfont {path}: is damaged, the synthesiser fails on it; give another .sf2 file"
        ) from error


def try_soundfont(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> int:  # noqa: ARG001 (a child's signature)
    """Play sounds (program, is a drum, pitch) for two seconds each, in a child process; how many samples they give."""
    notes = [
        (0, 9 if is_drum else 0, program, is_drum, pitch, 80, 0, 4 * 480)
        for program, is_drum, pitch in request["sounds"]
    ]
    render = _synthesiser(Path(request["soundfont"]), SAMPLE_RATE)
    by_program = itertools.groupby(notes, key=lambda note: note[2])
    pieces = [PieceNotes(480, sorted_notes(np.array(list(group), NOTE_DTYPE))) for _, group in by_program]
    return sum(render(write_midi(piece)).shape[1] for piece in pieces)


def _synthesiser(soundfont: Path, sample_rate: int) -> Callable[[bytes], Samples]:
    """Give a function that renders the bytes of our own MIDI as [2, samples]."""
    from symusic import Score, Synthesizer

    synthesiser = Synthesizer(sf_path=os.fspath(soundfont), sample_rate=sample_rate, quality=0)
    return lambda data: np.asarray(synthesiser.render(Score.from_midi(data), stereo=True), np.float32)


def _end_ticks(piece: PieceNotes) -> int:
    return int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max())


def _with_pedal(piece: PieceNotes) -> PieceNotes:
    """Lengthen each note that ends while its channel's pedal is down: until it is lifted, or the same key is struck again."""
    notes, end = piece.notes.copy(), _end_ticks(piece)
    ends = notes["onset_ticks"] + notes["duration_ticks"]
    for channel in sorted({event.channel for event in piece.pedal}):
        moves = [event for event in piece.pedal if event.channel == channel]
        ticks = np.array([event.tick for event in moves], np.int64)
        is_down = np.array([event.value >= _PEDAL_DOWN for event in moves])
        lifted = np.minimum.accumulate(np.where(is_down, end, ticks)[::-1])[::-1]
        mine = np.flatnonzero(notes["channel"] == channel)
        last_move = np.searchsorted(ticks, ends[mine], side="left") - 1
        held = (last_move >= 0) & is_down[last_move]
        until = np.minimum(lifted[last_move], _struck_again(notes, mine, end))
        ends[mine[held]] = np.maximum(ends[mine], until)[held]
    notes["duration_ticks"] = ends - notes["onset_ticks"]
    return replace(piece, notes=sorted_notes(notes), pedal=())


def _struck_again(notes: np.ndarray, indices: npt.NDArray[np.intp], end: int) -> npt.NDArray[np.int64]:
    """Give for each of some notes the onset of the next one of its pitch among them, `end` where there is none."""
    chosen = notes[indices]
    order = np.lexsort([chosen["onset_ticks"], chosen["pitch"]])
    following = np.full(len(order), end, np.int64)
    is_same = chosen["pitch"][order[1:]] == chosen["pitch"][order[:-1]]
    following[order[:-1][is_same]] = chosen["onset_ticks"][order[1:][is_same]]
    return following


def _layers(piece: PieceNotes) -> Iterator[tuple[float, PieceNotes]]:
    """Yield (gain, piece) of the notes of each band of velocities; names and signatures are not for the synthesiser."""
    bands = piece.notes["velocity"] // VELOCITY_BAND
    for band in np.unique(bands).tolist():
        bare = replace(piece, time_signatures=(), key_signatures=(), track_names=())
        yield float(gain_of(band * VELOCITY_BAND)), replace(bare, notes=piece.notes[bands == band])


def gain_of(velocities: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give the gain of each velocity: that of its band, by the curve of SoundFont 2.04."""
    return np.asarray(((np.asarray(velocities) // VELOCITY_BAND + 0.5) * VELOCITY_BAND / 127) ** 2, np.float64)


def _with_room(piece: PieceNotes) -> PieceNotes:
    """Add a note that no drum kit has a sound for, so that the last audible one can ring for `RING_SECONDS`."""
    last = piece.tempos[-1] if piece.tempos else _FIRST_TEMPO
    room = int(RING_SECONDS * 1e6 / min(last.microseconds_per_quarter, SLOWEST_TEMPO) * piece.ticks_per_quarter) + 1
    silent = np.zeros(1, NOTE_DTYPE)
    silent["channel"], silent["is_drum"], silent["velocity"] = 9, True, 1
    silent["track"] = piece.notes["track"].max() + 1
    silent["onset_ticks"], silent["duration_ticks"] = _end_ticks(piece), room
    return replace(piece, notes=sorted_notes(np.concatenate([piece.notes, silent])))


def peak_of(samples: Samples) -> float:
    """Give the loudest sample."""
    return float(max(samples.max(), -samples.min()))


def finished(mixed: Samples, sample_rate: int) -> Samples:
    """Cut [2, samples] where nothing is heard any more beside `PEAK`, and fade its end out; in place."""
    ended = mixed[:, : _last_audible(mixed, sample_rate) + round(FADE_SECONDS * sample_rate)]
    fade_out(ended, sample_rate)
    return ended


def fade_out(samples: Samples, sample_rate: int) -> None:
    """Fade the end of [2, samples] out, in place."""
    fade = min(round(FADE_SECONDS * sample_rate), samples.shape[1])
    samples[:, samples.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)


def _last_audible(mixed: Samples, block: int) -> int:
    """Count the samples until nothing is heard any more; block by block from the end, for an hour is large."""
    for start in range(mixed.shape[1] // block * block, -1, -block):
        heard = np.flatnonzero((np.abs(mixed[:, start : start + block]) > INAUDIBLE * PEAK).any(axis=0))
        if len(heard):
            return start + int(heard[-1]) + 1
    return 0


def _with_fixed_serial(data: bytes) -> bytes:
    """Give an Ogg file the same serial number always, where libsndfile draws one by the clock.

    A page's checksum is linear in its bytes (RFC 3533, section 6), so that of the changed bits is added to it.
    """
    pages, place = bytearray(data), 0
    old = int.from_bytes(pages[14:18], "little")
    changes = _checksums((old ^ _OGG_SERIAL).to_bytes(4, "little"))
    while place < len(pages):
        segments = pages[place + 26]
        end = place + 27 + segments + sum(pages[place + 27 : place + 27 + segments])
        checksum = int.from_bytes(pages[place + 22 : place + 26], "little")
        pages[place + 14 : place + 18] = _OGG_SERIAL.to_bytes(4, "little")
        pages[place + 22 : place + 26] = (checksum ^ changes(end - place - 18)).to_bytes(4, "little")
        place = end
    return bytes(pages)


def _checksums(head: bytes) -> Callable[[int], int]:
    """Give a function from n to the Ogg checksum of `head` and n zero bytes."""
    known: list[int] = []

    def advanced(crc: int) -> int:
        for _ in range(8):
            crc = (crc << 1 ^ _OGG_CRC_POLYNOMIAL if crc >> 31 else crc << 1) & 0xFFFFFFFF
        return crc

    crc = 0
    for byte in head:
        crc = advanced(crc ^ byte << 24)
    known.append(crc)

    def checksum(zeros: int) -> int:
        while len(known) <= zeros:
            known.append(advanced(known[-1]))
        return known[zeros]

    return checksum
