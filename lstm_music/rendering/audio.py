"""Audio of a piece: its notes through a soundfont, and the samples as Ogg Vorbis or MP3.

midirenderer plays MIDI that `write_midi` wrote and gives 16 bits at 48 kHz. It stops at the last event, which a track of our own
places where the last sound has died away. Where 16 bits are too few for all notes together, groups of them are played one by
one and added in float.

The same piece gives the same samples, and the same samples the same bytes.
"""

import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.midi.notes import PieceNotes, Tempo
from lstm_music.midi.smf import CONTROLLER, META, SET_TEMPO, SUSTAIN_PEDAL
from lstm_music.midi.writer import EMPTY_TEXT, SLOWEST_TEMPO, with_track, write_midi
from lstm_music.rendering.soundfont import default_soundfont, require_soundfont, soundfont_bytes

SAMPLE_RATE = 48_000
PEAK = 0.8  # 1.9 dB below full scale: what the encoders lose may make a peak higher
MAX_SECONDS = 3_600
MAX_TICKS = 1 << 30  # the synthesiser counts them in 32 bits
RING_SECONDS = 8.0  # in TimGM6mb the glockenspiel rings longest, for 6.3 s
FADE_SECONDS = 0.05
INAUDIBLE = 0.001  # of the peak: -60 dB
ATTEMPTS = ((1, 127), (2, 127), (4, 127), (8, 127), (8, 64), (8, 32), (8, 16))
"""(groups of notes, volume of all channels), of which the first is taken that does not clip.

Groups come first, because at a lower volume the synthesiser gives less reverberation. The lowest volume is 36 dB below the
highest; all 64 voices that the synthesiser has need 30 dB.
"""

Samples = npt.NDArray[np.float32]

_FORMS: dict[str, dict[str, Any]] = {
    ".ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.6},
    ".mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE", "compression_level": 0.5},
}
_CHUNK = 1 << 16  # samples; libsndfile crashes on minutes of audio in one call
_FIRST_TEMPO = Tempo(0, 500_000)  # what a MIDI file means that names none
_CHANNELS = range(16)
_CHANNEL_VOLUME = 7
_WAV_HEADER_BYTES = 44
_FULL_SCALE = np.iinfo(np.int16)
_OGG_CRC_POLYNOMIAL = 0x04C11DB7  # RFC 3533, section 6
_OGG_SERIAL = 1


def synthesise(piece: PieceNotes, soundfont: Path | None = None) -> Samples:
    """Play a piece: float32 [samples, 2], left and right, from tick 0 on until the last sound has died away.

    The loudest sample of every piece is `PEAK`. Without a soundfont it is TimGM6mb, which the package pretty_midi carries.
    Raises RejectedInputError for a piece without notes or longer than `MAX_SECONDS`, SourceError for a soundfont that is
    none or damaged.
    """
    mixed = player(piece, soundfont)(piece)
    peak = peak_of(mixed)
    if peak == 0:
        return mixed.T
    mixed *= PEAK / peak
    return finished(mixed).T


def player(piece: PieceNotes, soundfont: Path | None) -> Callable[[PieceNotes], Samples]:
    """Give a function that plays some notes of a piece, which have its tempos: [2, samples], as long for any notes of it.

    Raises the errors of `synthesise`; that function raises SourceError for a damaged soundfont.
    """
    if not len(piece.notes):
        raise RejectedInputError("holds no notes to play")
    end = _end_ticks(piece)
    length = float(seconds_at(piece, end))
    if length > MAX_SECONDS:
        raise RejectedInputError(f"lasts {length:,.0f} seconds, where at most {MAX_SECONDS:,} are made audio")
    font = soundfont or default_soundfont()
    require_soundfont(font)
    if end > MAX_TICKS:
        raise RejectedInputError(f"lasts {end:,} ticks, where at most {MAX_TICKS:,} are made audio")
    # The synthesiser adds up the times of its events, so one file may be a sample longer than another.
    size = math.floor((length + RING_SECONDS) * SAMPLE_RATE) - 1

    def play(some: PieceNotes) -> Samples:
        bare = _until(some, end)
        for groups, volume in ATTEMPTS:
            directions = _directions(piece.ticks_per_quarter, end, volume)
            midis = [with_track(write_midi(group), directions) for group in _groups(bare, groups)]
            mixed = _mixed(font, midis, size, may_clip=(groups, volume) == ATTEMPTS[-1])
            if mixed is not None:
                break
        assert mixed is not None  # the last attempt may clip
        mixed *= (ATTEMPTS[0][1] / volume) ** 2
        return mixed

    return play


def write_audio(path: Path, samples: Samples) -> None:
    """Write samples [samples, channels] in the form that the extension of `path` names: .ogg or .mp3."""
    path.write_bytes(encode_audio(samples, path.suffix))


def encode_audio(samples: Samples, extension: str) -> bytes:
    """Give samples [samples, channels] as the bytes of a file; SourceError for an extension other than .ogg and .mp3."""
    import soundfile

    if extension not in _FORMS:
        raise SourceError(f"audio: expected .ogg or .mp3, got {extension!r}")
    written = io.BytesIO()
    with soundfile.SoundFile(written, "w", SAMPLE_RATE, samples.shape[1], **_FORMS[extension]) as file:
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


def _groups(piece: PieceNotes, count: int) -> list[PieceNotes]:
    """Deal the notes out to pieces; drums stay together, because a hi-hat that closes ends the sound of the open one."""
    group = np.where(piece.notes["is_drum"], 0, np.arange(len(piece.notes)) % count)
    return [replace(piece, notes=piece.notes[group == number]) for number in np.unique(group)]


def _mixed(soundfont: Path, midis: list[bytes], size: int, *, may_clip: bool) -> Samples | None:
    """Add up what files sound like, as [2, size]; None where one clips, unless it may."""
    mixed: Samples | None = None
    for midi in midis:
        played = _rendered(soundfont, midi)[:size]
        if not may_clip and (played.min() == _FULL_SCALE.min or played.max() == _FULL_SCALE.max):
            return None
        samples = np.multiply(played.T, np.float32(1 / -_FULL_SCALE.min), dtype=np.float32, order="C")
        mixed = samples if mixed is None else np.add(mixed, samples, out=mixed)
    return mixed


def _rendered(soundfont: Path, midi: bytes) -> npt.NDArray[np.int16]:
    """Render the bytes of our own MIDI as [samples, 2]; SourceError for a soundfont that cannot be played."""
    import midirenderer

    font = soundfont_bytes(soundfont)
    try:
        wav = midirenderer.render_wave_from(font, midi)
    except BaseException as error:  # a panic of Rust is no Exception, and its class cannot be imported
        if not isinstance(error, RuntimeError) and type(error).__name__ != "PanicException":
            raise
        raise SourceError(
            f"soundfont {soundfont}: is damaged or of an unknown kind ({error}); give another .sf2 or .sf3 file"
        ) from error
    return np.frombuffer(wav, "<i2", offset=_WAV_HEADER_BYTES).reshape(-1, 2)


def _end_ticks(piece: PieceNotes) -> int:
    return int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max())


def _until(piece: PieceNotes, end: int) -> PieceNotes:
    """Leave out what is not heard: names, signatures, and what changes after the last note, which would lengthen the audio."""
    tempos = tuple(tempo for tempo in piece.tempos if tempo.tick < end)
    pedal = tuple(event for event in piece.pedal if event.tick < end)
    return replace(piece, tempos=tempos, pedal=pedal, time_signatures=(), key_signatures=(), track_names=())


def _directions(ticks_per_quarter: int, end: int, volume: int) -> list[tuple[int, bytes]]:
    """List messages for the synthesiser: the volume, all pedals lifted at the end, and time for the last note to ring.

    That time has a tempo of its own, for that of the piece may be any.
    """
    quarter = _FIRST_TEMPO.microseconds_per_quarter
    room = math.ceil(RING_SECONDS * 1e6 / quarter * ticks_per_quarter)
    tempo = bytes([META, SET_TEMPO, 3]) + quarter.to_bytes(3, "big")
    volumes = [(0, bytes([CONTROLLER | channel, _CHANNEL_VOLUME, volume])) for channel in _CHANNELS]
    lifted = [(end, bytes([CONTROLLER | channel, SUSTAIN_PEDAL, 0])) for channel in _CHANNELS]
    return [*volumes, *lifted, (end, tempo), (end + room, EMPTY_TEXT)]


def gain_of(velocities: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give the gain of each velocity, by the curve of SoundFont 2.04, section 8.4.1."""
    return np.asarray((np.asarray(velocities) / 127) ** 2, np.float64)


def peak_of(samples: Samples) -> float:
    """Give the loudest sample."""
    return float(max(samples.max(), -samples.min()))


def finished(mixed: Samples) -> Samples:
    """Cut [2, samples] where nothing is heard any more beside `PEAK`, and fade its end out; in place."""
    ended = mixed[:, : _last_audible(mixed) + round(FADE_SECONDS * SAMPLE_RATE)]
    fade_out(ended)
    return ended


def fade_out(samples: Samples) -> None:
    """Fade the end of [2, samples] out, in place."""
    fade = min(round(FADE_SECONDS * SAMPLE_RATE), samples.shape[1])
    samples[:, samples.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)


def _last_audible(mixed: Samples) -> int:
    """Count the samples until nothing is heard any more; second by second from the end, for an hour is large."""
    for start in range(mixed.shape[1] // SAMPLE_RATE * SAMPLE_RATE, -1, -SAMPLE_RATE):
        heard = np.flatnonzero((np.abs(mixed[:, start : start + SAMPLE_RATE]) > INAUDIBLE * PEAK).any(axis=0))
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
