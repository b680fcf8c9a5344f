"""Drums in every bar: where one has to play, and what it does to the choices of the models."""

import numpy as np
import pytest

from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, Vocabulary
from lstm_music.errors import RecipeError
from lstm_music.generation.drums import DrumsInEveryBar

ZERO, QUARTER, BAR = (SPECIAL_IDS + place for place in range(3))
PIANO, DRUM = SPECIAL_IDS, SPECIAL_IDS + 1
STEPS = np.array([0] * SPECIAL_IDS + [0, 1, 4], np.int32)


def vocabularies(*parts):
    return {
        "offset": Vocabulary("offset", ("0", "1", "4"), (1,) * 3, 1.0),
        "part": Vocabulary("part", parts, (1,) * 2, 1.0),
    }


@pytest.fixture
def drums():
    return DrumsInEveryBar.of(vocabularies("piano", "drums"), STEPS)


def event(part, offset=ZERO):
    return np.array([offset, 0, 0, part], np.int32)


def played(drums, beat, last, chosen, rest_of_bar=4):
    """Choose an offset after an event; give it, and the parts that may play then."""
    offset, now = drums.chosen("offset", beat, event(last)[None], np.array([rest_of_bar]), np.array([chosen]), None)
    may_play = np.ones((1, DRUM + 1), np.bool_)
    allowed = drums.allowed("part", may_play, now)[0]
    assert drums.allowed("note", may_play, now) is may_play
    return int(offset[0]), [*np.flatnonzero(allowed[SPECIAL_IDS:]) + SPECIAL_IDS]


def test_a_drum_joins_the_first_onset_and_then_the_models_are_free(drums):
    prompt = np.stack([event(PIANO), event(PIANO, QUARTER)])[:, None]
    beat = drums.before(prompt, np.array([2]))
    assert played(drums, beat, PIANO, QUARTER) == (QUARTER, [PIANO, DRUM])  # the prompt's own onset stays as it is
    beat = drums.after(beat, event(PIANO)[None], np.array([False]))
    assert played(drums, beat, PIANO, ZERO) == (ZERO, [PIANO, DRUM])
    assert played(drums, beat, PIANO, QUARTER) == (ZERO, [DRUM])
    assert played(drums, beat, PIANO, END) == (ZERO, [DRUM])
    beat = drums.after(beat, event(DRUM)[None], np.array([False]))
    assert played(drums, beat, DRUM, BAR) == (BAR, [PIANO, DRUM])


def test_no_bar_ends_before_a_drum(drums):
    beat = drums.before(np.stack([event(DRUM)])[:, None], np.array([0]))
    beat = drums.after(beat, event(PIANO, QUARTER)[None], np.array([True]))
    assert played(drums, beat, PIANO, QUARTER, rest_of_bar=2) == (QUARTER, [PIANO, DRUM])
    assert played(drums, beat, PIANO, QUARTER, rest_of_bar=1) == (ZERO, [DRUM])
    assert played(drums, beat, PIANO, END) == (ZERO, [DRUM])


def test_no_bar_is_jumped_over_where_another_offset_may_follow(drums):
    before = drums.before(np.stack([event(DRUM)])[:, None], np.array([0]))
    begun = drums.after(before, event(DRUM)[None], np.array([False]))

    def allowed(beat, rest_of_bar, *ids, bar=2):
        row = np.isin(np.arange(BAR + 1), ids)[None]
        found = drums.offsets(beat, row, np.array([rest_of_bar]), np.array([bar]))
        return [*np.flatnonzero(found[0])]

    assert allowed(begun, 2, END, ZERO, QUARTER, BAR) == [END, ZERO, QUARTER]
    assert allowed(begun, 2, QUARTER, BAR, bar=4) == [QUARTER, BAR]  # to the next bar, and not over it
    assert allowed(begun, 1, END, BAR) == [END, BAR]
    assert allowed(before, 1, QUARTER, BAR) == [QUARTER, BAR]


def test_drums_of_the_last_bar_of_a_prompt_count(drums):
    prompt = np.stack([event(DRUM), event(PIANO, QUARTER), event(PIANO, QUARTER)])[:, None].repeat(2, 1)
    beat = drums.before(prompt, np.array([1, 2]))
    assert beat.is_due.tolist() == [True, False]
    assert drums.before(prompt[:0], np.array([0, 0])).is_due.tolist() == [True, True]


def test_models_without_drums_cannot_add_them():
    with pytest.raises(RecipeError, match=r"know no drums \(they know alto, bass\); train on music with drums"):
        DrumsInEveryBar.of(vocabularies("alto", "bass"), STEPS)
    with pytest.raises(RecipeError, match="no two notes begin together"):
        DrumsInEveryBar.of(vocabularies("piano", "drums"), STEPS + 1)
