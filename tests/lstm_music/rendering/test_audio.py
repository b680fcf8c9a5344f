"""Audio: notes sound when and as loud as they are written, ring out, and give the same bytes always."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.midi.notes import NOTE_DTYPE, Pedal, PieceNotes, Tempo, sorted_notes
from lstm_music.rendering.audio import (
    MAX_SECONDS,
    MAX_TICKS,
    PEAK,
    SAMPLE_RATE,
    encode_audio,
    player,
    seconds_at,
    synthesise,
    write_audio,
)
from lstm_music.rendering.soundfont import default_soundfont


def loudness(samples, start, stop):
    """The loudest sample from one second to another."""
    return float(np.abs(samples[round(start * SAMPLE_RATE) : round(stop * SAMPLE_RATE)]).max(initial=0))


def begins(samples):
    """The seconds at which something is heard after a tenth of a second of near silence."""
    block = SAMPLE_RATE // 100
    levels = np.abs(samples[: len(samples) // block * block]).max(axis=1).reshape(-1, block).max(axis=1)
    quiet = np.array([levels[max(0, at - 10) : at].max(initial=0) for at in range(len(levels))])
    return (np.flatnonzero((levels > 0.3) & (quiet < 0.1)) / 100).tolist()


def with_program(piece, program):
    piece.notes["program"] = program
    return piece


def with_velocities(velocities):
    rows = [(1, 0, 0, False, 60, velocity, 2 * at * QUARTER, QUARTER) for at, velocity in enumerate(velocities)]
    return PieceNotes(QUARTER, sorted_notes(np.array(rows, NOTE_DTYPE)))


@pytest.fixture(scope="module")
def played():
    return synthesise(small_piece(1))


def test_samples_are_stereo_with_the_same_peak_for_every_piece(played):
    other = synthesise(piece_of([(0, QUARTER, 30)]))
    for samples in (played, other):
        assert samples.dtype == np.float32
        assert samples.shape[1] == 2
        assert np.abs(samples).max() == pytest.approx(PEAK, abs=1e-6)
    assert len(played) / SAMPLE_RATE == pytest.approx(12, abs=1.5)  # 24 quarters and what rings


def test_notes_sound_when_the_tempos_say():
    piece = replace(
        piece_of([(at * 4 * QUARTER, 120, 72) for at in range(4)]),
        tempos=(Tempo(0, 500_000), Tempo(4 * QUARTER, 250_000), Tempo(8 * QUARTER, 1_000_000)),
    )
    expected = seconds_at(piece, piece.notes["onset_ticks"])
    assert expected.tolist() == [0, 2, 3, 7]
    assert begins(synthesise(piece)) == pytest.approx(expected, abs=0.02)


def test_a_louder_velocity_is_louder():
    samples = synthesise(with_velocities([127, 90, 64, 30]))
    levels = [loudness(samples, at, at + 0.9) for at in range(4)]
    assert levels == sorted(levels, reverse=True)
    assert levels[2] / levels[0] == pytest.approx((64 / 127) ** 2, rel=0.2)


def test_the_last_note_rings_and_silence_is_cut():
    samples = synthesise(piece_of([(0, QUARTER // 4, 84), (QUARTER, QUARTER // 4, 60)]))
    end = 0.5 + 0.125
    assert 0.05 < len(samples) / SAMPLE_RATE - end < 2
    assert loudness(samples, end, end + 0.05) > 0.01
    assert np.abs(samples[-1]).max() < 0.001


def test_a_glockenspiel_rings_for_seconds():
    samples = synthesise(with_program(piece_of([(0, QUARTER, 60)]), 9))
    assert 5 < len(samples) / SAMPLE_RATE < 9
    assert np.abs(samples[-1]).max() < 0.001


def test_every_program_sounds_on_both_sides():
    piece = piece_of([(number * 2 * QUARTER, QUARTER, 60) for number in range(128)])
    piece.notes["program"] = range(128)
    samples = synthesise(piece)
    powers = (samples[: 128 * SAMPLE_RATE].reshape(128, SAMPLE_RATE, 2) ** 2).mean(axis=1)
    assert powers.min() > 1e-6
    assert np.abs(10 * np.log10(powers[:, 0] / powers[:, 1])).max() < 6


def test_the_highest_notes_of_every_program_end():
    """The synthesiser of symusic 0.5.9 never returns for 75 of these pairs of program and pitch."""
    places = [(program, pitch) for program in range(128) for pitch in range(100, 109)]
    piece = piece_of([(number * 10, 10, pitch) for number, (_, pitch) in enumerate(places)])
    piece.notes["program"] = [program for program, _ in places]
    samples = synthesise(piece)
    assert np.isfinite(samples).all()
    assert len(samples) / SAMPLE_RATE > len(places) * 10 / 2 / QUARTER


def test_a_tempo_out_of_all_reason_is_played():
    fast = piece_of([(at * 10**6, 10**6, 60) for at in range(900)], tempo=1)
    assert 0.9 < len(synthesise(fast)) / SAMPLE_RATE < 5


def test_any_notes_of_a_piece_are_played_as_long_as_all():
    """The synthesiser adds up the times of its events, so that more of them may end a sample earlier or later."""
    piece = piece_of([(at * 37, 30, 60 + at % 12) for at in range(60)])
    play = player(piece, None)
    assert len({play(replace(piece, notes=piece.notes[start:])).shape for start in range(0, 60, 2)}) == 1


def test_loud_music_does_not_clip():
    """Notes together are what they are one by one, also where their sum is beyond what 16 bits hold."""
    piece = with_program(piece_of([(0, QUARTER, pitch) for pitch in range(48, 64)]), 60)
    piece.notes["velocity"] = 127
    play = player(piece, None)
    together = play(piece)
    alone = sum(play(replace(piece, notes=notes)) for notes in np.split(piece.notes, 4))
    assert np.abs(together).max() > 1.1
    assert np.abs(together - alone).max() < 0.001


def test_the_pedal_holds_notes_until_it_is_lifted():
    piece = piece_of([(0, QUARTER // 2, 60), (8 * QUARTER, QUARTER, 90)])
    held = replace(piece, pedal=(Pedal(0, 1, 0, 127), Pedal(4 * QUARTER, 1, 0, 0)))
    assert loudness(synthesise(held), 1.0, 1.5) > 10 * loudness(synthesise(piece), 1.0, 1.5) > 0
    assert loudness(synthesise(held), 3.0, 3.9) < 0.005


def test_a_pedal_that_is_never_lifted_is_lifted_at_the_end():
    organ = with_program(piece_of([(0, QUARTER, 60), (4 * QUARTER, QUARTER, 64)]), 19)
    held = replace(organ, pedal=(Pedal(0, 1, 0, 127),))
    assert loudness(synthesise(held), 1.5, 1.9) > 10 * loudness(synthesise(organ), 1.5, 1.9)
    assert len(synthesise(held)) / SAMPLE_RATE == pytest.approx(2.5, abs=1.5)


def test_what_changes_after_the_last_note_does_not_lengthen_the_audio():
    piece = piece_of([(0, QUARTER, 60)])
    later = replace(piece, tempos=(*piece.tempos, Tempo(10**6, 400_000)), pedal=(Pedal(10**6, 1, 0, 127),))
    assert len(player(later, None)(later)) == len(player(piece, None)(piece))
    assert np.array_equal(synthesise(later), synthesise(piece))


def test_a_pedal_of_another_channel_or_pressed_later_holds_nothing():
    piece = piece_of([(0, QUARTER // 2, 60), (8 * QUARTER, QUARTER, 90)])
    expected = synthesise(piece)
    for pedal in (Pedal(0, 1, 1, 127), Pedal(QUARTER, 1, 0, 127)):
        ends_before_pedal = replace(piece, pedal=(pedal, Pedal(4 * QUARTER, 1, pedal.channel, 0)))
        assert np.array_equal(synthesise(ends_before_pedal), expected)


@pytest.mark.parametrize("extension", [".ogg", ".mp3"])
def test_files_hold_what_was_played(played, extension, tmp_path):
    import soundfile

    path = tmp_path / f"a{extension}"
    write_audio(path, played)
    assert path.read_bytes() == encode_audio(played, extension)
    back, rate = soundfile.read(path)
    assert rate == SAMPLE_RATE
    assert back.shape == played.shape
    assert np.abs(back).max() < 1
    assert np.corrcoef(back[:, 0], played[:, 0])[0, 1] > 0.99


def test_ogg_pages_have_right_checksums_and_one_serial_number(played):
    """The checksum of RFC 3533, section 6, computed bit by bit for every page."""
    data, place, serials = encode_audio(played[:SAMPLE_RATE], ".ogg"), 0, set()
    while place < len(data):
        assert data[place : place + 4] == b"OggS"
        end = place + 27 + data[place + 26] + sum(data[place + 27 : place + 27 + data[place + 26]])
        crc = 0
        for byte in data[place : place + 22] + bytes(4) + data[place + 26 : end]:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ (0x104C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
        assert int.from_bytes(data[place + 22 : place + 26], "little") == crc
        serials.add(data[place + 14 : place + 18])
        place = end
    assert serials == {(1).to_bytes(4, "little")}


def test_the_same_piece_gives_the_same_samples(played):
    assert np.array_equal(synthesise(small_piece(1)), played)
    assert not np.array_equal(synthesise(small_piece(2))[:SAMPLE_RATE], played[:SAMPLE_RATE])


def test_another_extension_is_an_error(played, tmp_path):
    with pytest.raises(SourceError, match=r"audio: expected \.ogg or \.mp3, got '\.wav'"):
        write_audio(tmp_path / "a.wav", played)


def test_pieces_that_cannot_be_played_are_rejected():
    with pytest.raises(RejectedInputError, match="no notes"):
        synthesise(PieceNotes(QUARTER, np.empty(0, NOTE_DTYPE)))
    with pytest.raises(RejectedInputError, match=f"at most {MAX_SECONDS:,}"):
        synthesise(piece_of([(0, (2 * MAX_SECONDS + 1) * QUARTER, 60)]))
    with pytest.raises(RejectedInputError, match=f"ticks, where at most {MAX_TICKS:,}"):
        synthesise(piece_of([(0, MAX_TICKS + 1, 60)], tempo=1))


def test_a_soundfont_of_ones_own_is_played_with(tmp_path):
    path = tmp_path / "own.sf2"
    shutil.copy(default_soundfont(), path)
    piece = piece_of([(0, QUARTER, 60)])
    assert np.array_equal(synthesise(piece, path), synthesise(piece))


def test_a_soundfont_that_is_none_is_an_error(tmp_path):
    piece, path = piece_of([(0, QUARTER, 60)]), tmp_path / "a.sf2"
    with pytest.raises(SourceError, match="No such file"):
        synthesise(piece, path)
    path.write_bytes(b"RIFF and no more")
    with pytest.raises(SourceError, match="no soundfont by its first bytes"):
        synthesise(piece, path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [("cut", "failed to fill"), ("overwritten", "SoundFont error"), ("beyond", "index out of bounds")],
)
def test_a_damaged_soundfont_is_an_error_not_a_crash(tmp_path, damage, reason):
    """An index beyond its table makes Rust panic, which is no Exception."""
    path, data = tmp_path / "a.sf2", bytearray(default_soundfont().read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "overwritten":
        data[-100_000:] = np.random.default_rng(1).integers(256, size=100_000, dtype=np.uint8).tobytes()
    else:
        first_zone = data.index(b"ibag") + 8
        data[first_zone + 4 : first_zone + 6] = b"\xff\xff"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=rf"is damaged or of an unknown kind \(.*{reason}.*\); give another"):
        synthesise(piece_of([(0, QUARTER, 60)]), path)
    assert len(synthesise(piece_of([(0, QUARTER, 60)])))


def test_encoding_leaves_the_samples_as_they_are(played):
    before = played.copy()
    assert encode_audio(played[: SAMPLE_RATE // 2], ".ogg")
    assert np.array_equal(played, before)
