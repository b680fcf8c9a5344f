"""A moved prompt is what the moved piece would have given, and it goes the shorter way."""

from dataclasses import replace

import numpy as np
import pytest
from small_music import small_piece

from lstm_music.encoding.events import encode
from lstm_music.encoding.knowledge import Knowledge
from lstm_music.encoding.ngrams import count, joined, occasions
from lstm_music.encoding.shapes import shapes_of
from lstm_music.generation.prompt import cut_segment
from lstm_music.generation.transposing import pitches_of, shift_between, transposed


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize("semitones", [0, 3, -5])
@pytest.mark.parametrize("experts", [(), ("piece", "ngrams")], ids=" and ".join)
def test_a_moved_prompt_is_that_of_the_moved_piece(made, tmp_path, first, semitones, experts):
    dataset = made.dataset
    knowledge = Knowledge.of(experts, tuple(dataset.vocabularies))
    if experts:
        tokens = dataset.tokens[:, :3].astype(np.int64)
        shapes = shapes_of(dataset.vocabularies["note"])
        pieces = (occasions(tokens[span.start : span.stop], shapes) for span in dataset.spans["train"])
        knowledge = replace(knowledge, table=joined([*count(pieces, tmp_path)]))
    piece = small_piece(3)
    notes = piece.notes.copy()
    notes["pitch"] += np.uint8(semitones % 256)

    def cut(of):
        spec, known = dataset.events, dataset.vocabularies
        return cut_segment(of, encode(of, spec), spec, known, name="x", first=first, length=40, knowledge=knowledge)

    wanted = cut(replace(piece, notes=notes))
    found = transposed(cut(piece), semitones, dataset.events, dataset.vocabularies, knowledge)
    assert np.array_equal(found.tokens, wanted.tokens)
    assert np.array_equal(found.before, wanted.before)
    assert found.replaced == wanted.replaced
    here, moved = (pitches_of(one, dataset.vocabularies["note"]) for one in (cut(piece), found))
    assert (moved - here == semitones).all()


@pytest.mark.parametrize(
    ("sharps", "wanted", "semitones"),
    [(0, 0, 0), (0, 1, -5), (0, -1, 5), (0, 2, 2), (0, -2, -2), (3, 0, 3), (0, 6, -6), (-5, 6, 5), (6, -6, 0)],
)
def test_the_shorter_way_is_taken(sharps, wanted, semitones):
    assert shift_between(sharps, wanted, np.array([60, 70]), (0, 127)) == semitones


def test_the_longer_way_is_taken_where_the_shorter_one_leaves_the_range():
    pitches = np.array([50, 60])
    assert shift_between(0, 2, pitches, (40, 62)) == 2
    assert shift_between(0, 2, pitches, (38, 61)) == -10
    assert shift_between(0, 2, pitches, (45, 55)) == 2  # one note is outside either way
