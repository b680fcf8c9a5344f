"""Beams: within beats, by as many lines as the notes have, never over a rest."""

import pytest

from lstm_music.rendering.beams import beams_of
from lstm_music.rendering.notation import Bar, Value

EIGHTH, SIXTEENTH, QUARTER = 12, 6, 24


def beams(lengths, signature=(4, 4), *, rests=(), tuplets=()):
    """The beams of notes of some lengths, one after another: the first letters of each line."""
    values, at = [], 0
    for place, length in enumerate(lengths):
        tuplet = tuplets[place] if tuplets else ""
        values.append(Value(at, length, () if place in rests else (60,), tuplet=tuplet))
        at += length
    bar = Bar(96 * signature[0] // signature[1], *signature, ((tuple(values),),))
    return ["".join(beam[0] for beam in own) for own in beams_of(bar, values)]


@pytest.mark.parametrize(
    ("lengths", "signature", "wanted"),
    [
        ([EIGHTH] * 8, (4, 4), "b c c e b c c e"),
        ([EIGHTH] * 6, (3, 4), "b c c c c e"),
        ([EIGHTH] * 6, (6, 8), "b c e b c e"),
        ([EIGHTH] * 7, (7, 8), "b e b e b c e"),
        ([EIGHTH, EIGHTH, QUARTER, QUARTER, EIGHTH, EIGHTH], (4, 4), "b e - - b e"),
        ([SIXTEENTH] * 4 + [EIGHTH] * 2, (2, 4), "bb cc cc ee b e"),
        ([18, SIXTEENTH], (1, 4), "b eb"),
        ([SIXTEENTH, 18], (1, 4), "bf e"),
        ([SIXTEENTH, EIGHTH, SIXTEENTH], (1, 4), "bf c eb"),
        ([EIGHTH, SIXTEENTH, SIXTEENTH], (1, 4), "b cb ee"),
    ],
)
def test_notes_are_joined_within_beats(lengths, signature, wanted):
    assert beams(lengths, signature) == [one.replace("-", "") for one in wanted.split()]


def test_a_rest_ends_a_beam_and_a_note_alone_has_none():
    assert beams([EIGHTH] * 4, (2, 4), rests={1}) == ["", "", "b", "e"]


def test_triplets_are_joined_as_the_eighths_they_look_like():
    assert beams([8, 8, 8], (1, 4), tuplets=("start", "inside", "stop")) == ["b", "c", "e"]
