"""Soundfonts with compressed samples sound like those without; damaged ones are refused in one sentence."""

import io
from contextlib import suppress

import numpy as np
import pytest
from small_music import QUARTER, piece_of

from lstm_music.errors import SourceError
from lstm_music.rendering import compressed_soundfont
from lstm_music.rendering.audio import synthesise
from lstm_music.rendering.compressed_soundfont import decompressed
from lstm_music.rendering.soundfont import default_soundfont

HEADER = np.dtype(
    [("name", "S20"), *((name, "<i4") for name in ("start", "end", "from", "to")), ("pitch", "V8"), ("type", "<u2")]
)
COMPRESSED = 48
"""How many samples are compressed, the piano's among them; the others, the snare drum's among them, stay as they are."""


def chunk(name, body):
    """As MuseScore writes it: an odd one is not padded."""
    return name + len(body).to_bytes(4, "little") + body


def compress(data):
    """Write SoundFont 3: the first samples as Ogg Vorbis files, their loops counted from their starts."""
    import soundfile

    at, headers_at = data.index(b"smpl") + 8, data.index(b"shdr") + 8
    parameters_at = data.index(b"LIST", at + int.from_bytes(data[at - 4 : at], "little"))
    table = np.frombuffer(data[headers_at:], HEADER).copy()
    samples = np.frombuffer(data[at:parameters_at], "<i2")
    stored = bytearray()
    for row in table[:COMPRESSED]:
        written = io.BytesIO()
        soundfile.write(written, samples[row["start"] : row["end"]], 44_100, format="OGG", subtype="VORBIS")
        row["from"], row["to"] = row["from"] - row["start"], row["to"] - row["start"]
        row["start"], row["end"] = len(stored), len(stored) + written.tell()
        row["type"] |= 16
        stored += written.getvalue()
    stored += bytes(len(stored) % 2)
    for row in table[COMPRESSED:-1]:
        moved = len(stored) // 2 - int(row["start"])
        stored += samples[row["start"] : row["end"]].tobytes()
        for name in ("start", "end", "from", "to"):
            row[name] += moved
    stored += b"\1"  # odd
    body = data[8 : data.index(b"LIST", 20)] + chunk(b"LIST", b"sdta" + chunk(b"smpl", bytes(stored)))
    return b"RIFF" + bytes(4) + body + data[parameters_at:headers_at] + table.tobytes()


@pytest.fixture(scope="module")
def plain():
    return default_soundfont().read_bytes()


@pytest.fixture(scope="module")
def compressed(plain):
    return compress(plain)


def test_a_soundfont_of_compressed_samples_sounds_like_the_plain_one(compressed, tmp_path):
    path = tmp_path / "a.sf3"
    path.write_bytes(compressed)
    piece = piece_of([(at * QUARTER, 2 * QUARTER, 48 + 3 * at) for at in range(12)])
    expected, samples = synthesise(piece), synthesise(piece, path)
    assert abs(len(expected) - len(samples)) < 2000
    size = min(len(expected), len(samples))
    assert not np.array_equal(samples, expected)
    assert np.corrcoef(samples[:size, 0], expected[:size, 0])[0, 1] > 0.99
    drums = piece_of([(0, QUARTER, 38)], drums=True)
    assert np.array_equal(synthesise(drums, path), synthesise(drums))


def test_a_soundfont_without_compressed_samples_stays_as_it_is(plain):
    assert decompressed(plain) is plain


def test_a_damaged_sample_is_refused(compressed, tmp_path):
    path = tmp_path / "a.sf3"
    path.write_bytes(compressed.replace(b"OggS", b"OgXS", 1))
    with pytest.raises(SourceError, match=r"a\.sf3: the compressed sample '.*' is damaged; give another"):
        synthesise(piece_of([(0, QUARTER, 60)]), path)


def test_hours_of_samples_are_refused(compressed, monkeypatch):
    monkeypatch.setattr(compressed_soundfont, "MAX_SAMPLES", 100_000)
    with pytest.raises(SourceError, match="more than 100,000 samples"):
        decompressed(compressed)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_tables_give_a_sentence_or_a_soundfont(compressed, seed):
    """Whatever the numbers say: no other error."""
    data, chance = bytearray(compressed), np.random.default_rng(seed)
    tables = data.index(b"pdta")
    for place in chance.integers(tables, len(data), 300):
        data[place] = chance.integers(256)
    with suppress(SourceError):
        assert decompressed(bytes(data))[:4] == b"RIFF"
