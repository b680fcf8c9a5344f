"""Given music: where it waits, what it stands for, and between which pitches new notes lie."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, Vocabulary
from lstm_music.generation.given import GivenMusic, GivenNotes, is_given
from lstm_music.generation.grammar import make_grammar

STEPS = ("0", "1/4", "1/2", "1")
ZERO, QUARTER, HALF, ONE = (SPECIAL_IDS + place for place in range(4))
NOTES = ("C3", "E3", "C4", "E4", "C5")
C3, E3, C4, E4, C5 = (SPECIAL_IDS + place for place in range(5))
NO_PART = -1


def vocabulary(stream, values):
    return Vocabulary(stream, values, (1,) * len(values), 0.0)


@pytest.fixture
def grammar():
    vocabularies = {
        "offset": vocabulary("offset", STEPS),
        "note": vocabulary("note", NOTES),
        "duration": vocabulary("duration", STEPS[1:]),
    }
    return make_grammar(EventSpec(quarter_length_divisors=(4,)), vocabularies)


def given_notes(rows, end):
    """Give notes of (onset, note id, steps)."""
    onsets, notes, steps = (np.array(column) for column in zip(*rows, strict=True))
    none, places = np.full(len(rows), NO_PART), np.arange(end + 1)
    return GivenNotes(onsets, none, notes, np.full(len(rows), ONE), none, steps, end, places % 4, 4 - places % 4)


@pytest.fixture
def music(grammar):
    def make(rows, end, side="below", grammar=grammar):
        return GivenMusic.of(grammar, given_notes(rows, end), side)

    return make


def chosen(rules, stream, ids, onset, following=0, is_given=False):
    """Choose ids, one for each output."""
    count = len(ids)
    found, given = rules.chosen(
        stream,
        np.array(ids, np.int32),
        np.full(count, following, np.int32),
        np.full(count, onset, np.int32),
        np.full(count, is_given),
    )
    return found.tolist(), given.tolist()


def allowed(rules, stream, onset, last=(0, 0), following=0):
    ids = len(STEPS if stream == "offset" else NOTES) + SPECIAL_IDS
    may = np.arange(ids)[None] >= SPECIAL_IDS
    found = rules.allowed(
        stream, may, *(np.array([value], np.int32) for value in (following, onset)), np.array([last], np.int32), None
    )
    return np.flatnonzero(found[0]).tolist()


def test_without_an_offset_of_0_nothing_new_comes_before_a_given_note_at_its_onset(grammar):
    at_once = grammar.offset_steps == 0
    at_once[:SPECIAL_IDS] = False
    later = replace(grammar, offset_steps=np.where(at_once, 7, grammar.offset_steps))
    for known, may_come in ((grammar, [C3, E3, C4, E4, C5]), (later, [C4, E4, C5])):
        rules = GivenMusic.of(known, given_notes([(2, C4, 2)], 8), "below")
        assert allowed(rules, "note", onset=2) == may_come


def test_an_offset_that_would_pass_a_given_note_leads_to_it(music):
    rules = music([(2, C5, 2), (4, C4, 2)], 8)
    assert rules.unreachable() is None
    assert chosen(rules, "offset", [QUARTER, HALF, ONE, END], onset=0)[0] == [QUARTER, HALF, HALF, HALF]
    assert chosen(rules, "offset", [ZERO, ONE], onset=2)[0] == [ZERO, ZERO]  # it is due
    assert chosen(rules, "offset", [QUARTER, ONE, END], onset=2, following=1)[0] == [QUARTER, HALF, HALF]
    assert chosen(rules, "offset", [HALF, ONE, END], onset=4, following=2)[0] == [HALF, END, END]  # the music ends at 8


def test_what_sorts_behind_a_given_note_is_that_note(music):
    rules = music([(2, C4, 2)], 4)
    assert chosen(rules, "note", [C3, C4, E4], onset=2) == ([C3, C4, C4], [False, True, True])
    assert chosen(rules, "note", [E4], onset=1) == ([E4], [False])
    assert chosen(rules, "duration", [QUARTER], onset=2, is_given=True)[0] == [ONE]
    assert chosen(rules, "duration", [QUARTER], onset=2)[0] == [QUARTER]


@pytest.mark.parametrize(("side", "new"), [("below", [C3, E3]), ("above", [E4, C5])])
def test_new_notes_lie_on_their_side_of_what_sounds(music, side, new):
    rules = music([(0, C4, 2), (6, C4, 2)], 8, side)
    assert allowed(rules, "note", onset=1, following=1) == new
    assert allowed(rules, "note", onset=4, following=1) == new  # in a rest, by what is around it
    due = [C3, E3, C4, E4, C5] if side == "below" else [C4, E4, C5]
    assert allowed(rules, "note", onset=0) == due


def test_no_offset_leads_to_where_no_new_note_may_lie(music):
    rules = music([(0, C3, 4), (8, C5, 4)], 12)
    assert allowed(rules, "offset", onset=0, last=(ZERO, C3), following=1) == [END]  # all else is too short
    assert rules.unreachable() == 8
    rules = music([(0, C5, 4), (8, C5, 4)], 12)
    assert rules.unreachable() is None
    assert chosen(rules, "offset", [END], onset=0, following=1)[0] == [ONE]  # two steps, with a new note between
    assert allowed(rules, "offset", onset=0, last=(ZERO, C5), following=1) == [END, QUARTER, HALF, ONE]
    assert allowed(rules, "offset", onset=1, last=(QUARTER, E4), following=1) == [END, QUARTER, HALF, ONE]
    assert allowed(rules, "offset", onset=1, last=(QUARTER, C3), following=1) == [END, ZERO, QUARTER, HALF, ONE]


def test_notes_that_begin_together_need_an_offset_of_nothing(music, grammar):
    chord = [(0, C4, 2), (0, E4, 2)]
    assert music(chord, 4).unreachable() is None
    steps = np.where(np.arange(len(grammar.offset_steps)) == ZERO, 1, grammar.offset_steps)
    assert music(chord, 4, grammar=replace(grammar, offset_steps=steps)).unreachable() == 0


def test_the_given_notes_are_found_among_the_events(grammar):
    tokens = np.array([[ZERO, C3, 0], [ZERO, C4, 0], [HALF, C4, 0], [HALF, C4, 0]], np.int32)
    found = is_given(tokens, grammar.offset_steps, given_notes([(0, C4, 2), (4, C4, 1)], 8))
    assert found.tolist() == [False, True, False, True]
