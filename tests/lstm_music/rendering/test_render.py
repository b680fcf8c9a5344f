"""Rendering in several processes: each has about as much to do."""

from dataclasses import asdict

import numpy as np
import pytest
from ensemble_music import BAND, band
from pydantic import ValidationError
from small_music import QUARTER, piece_of, small_piece

from lstm_music.midi.parts import Part, in_parts, parts_of
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.audio import SAMPLE_RATE
from lstm_music.rendering.render import Rendered, Rendering, render, render_all, shares
from lstm_music.rendering.spec import RenderingSpec


@pytest.mark.parametrize("processes", [2, 4])
def test_each_process_has_as_many_long_files_as_any_other(tmp_path, processes):
    wanted = []
    for number in range(8):  # as generation asks: the prompt of a try, then its result
        for name, quarters in (("seed", 4), ("result", 40)):
            path = tmp_path / f"{name}_{number}.mid"
            path.write_bytes(write_midi(small_piece(number, quarters)))
            wanted.append(Rendering(str(path), ("ogg",), sheet_music=False))
    dealt = shares(wanted, processes)
    assert sorted(one.midi for share in dealt for one in share) == sorted(one.midi for one in wanted)
    for share in dealt:
        assert sum("result" in one.midi for one in share) == 8 / processes


def rendered(path, piece, **settings):
    path.write_bytes(write_midi(piece))
    one = Rendering(str(path), ("ogg",), sheet_music=False, parts=parts_of(piece)[0], **settings)
    found = render({"wanted": [asdict(one)], "soundfont": None}, lambda _message: None)
    return found[str(path)], sorted(other.name for other in path.parent.glob("*.ogg"))


def test_stems_are_files_of_the_parts_made_only_where_they_are_wanted(tmp_path):
    import soundfile

    heard, names = rendered(tmp_path / "a.mid", band(1), stems=True)
    assert names == ["a.ogg", *(f"a_part_{number}.ogg" for number in range(1, len(BAND) + 1))]
    mix, *stems = (soundfile.read(tmp_path / name)[0] for name in names)
    assert np.corrcoef(np.sum(stems, axis=0).ravel(), mix.ravel())[0, 1] > 0.99
    assert heard == {"seconds": pytest.approx(len(mix) / SAMPLE_RATE), "silent": ()}
    (tmp_path / "b").mkdir()
    assert rendered(tmp_path / "b" / "a.mid", band(1))[1] == ["a.ogg"]


def test_parts_that_the_soundfont_has_no_sound_for_are_named(tmp_path):
    parts = [Part("Piano"), Part("Bells from nowhere", is_drum=True)]
    piece = in_parts(piece_of([(0, QUARTER, 60), (0, QUARTER, 3)]), parts, np.array([1, 0]))
    path = tmp_path / "a.mid"
    path.write_bytes(write_midi(piece))
    wanted = Rendering(str(path), ("ogg",), sheet_music=False, parts=parts_of(piece)[0])
    (found,) = render_all([wanted], None, lambda: None).values()
    assert isinstance(found, Rendered)
    assert found.silent == ("Bells from nowhere",)


def test_an_ensemble_of_more_than_an_hour_has_no_audio(tmp_path):
    long = in_parts(piece_of([(0, 9000 * QUARTER, 60)]), [Part("Piano")], np.zeros(1, np.int64))
    heard, names = rendered(tmp_path / "a.mid", long, stems=True)
    assert (heard["seconds"], names) == (0, [])


def test_single_parts_need_sheet_music():
    assert RenderingSpec(parts=True).sheet_music
    with pytest.raises(ValidationError, match="parts: expected sheet music to take them from, got none"):
        RenderingSpec(parts=True, sheet_music=False)
