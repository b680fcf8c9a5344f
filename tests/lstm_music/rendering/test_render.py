"""Rendering in several processes: each has about as much to do."""

import pytest
from pydantic import ValidationError
from small_music import small_piece

from lstm_music.midi.writer import write_midi
from lstm_music.rendering.render import Rendering, shares
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


def test_single_parts_need_sheet_music():
    assert RenderingSpec(parts=True).sheet_music
    with pytest.raises(ValidationError, match="parts: expected sheet music to take them from, got none"):
        RenderingSpec(parts=True, sheet_music=False)
