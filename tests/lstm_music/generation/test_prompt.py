"""Prompts: the same moment in every stream, known values only, and notes made of them again."""

from collections import Counter

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.encoding.echoes import ECHOES, echo_tokens
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import encode
from lstm_music.encoding.places import place_tokens
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, START, fit
from lstm_music.errors import NotEnoughMusicError
from lstm_music.generation.prompt import (
    average_tempo,
    choose_places,
    cut_segment,
    signature_after,
    start_in_bar,
    to_notes,
)
from lstm_music.midi.notes import KeySignature, PieceNotes, Tempo, TimeSignature

SPEC = EventSpec(quarter_length_divisors=(4, 3))
PIECE = small_piece(3)
EVENTS = encode(PIECE, SPEC)


def texts(events):
    return {
        "offset": [SPEC.grid.text(step) for step in events.offset_steps.tolist()],
        "note": events.note,
        "duration": [SPEC.grid.text(step) for step in events.duration_steps.tolist()],
    }


@pytest.fixture
def vocabularies():
    return {stream: fit(stream, Counter(texts(EVENTS)[stream]), SPEC.encoding, SPEC.grid) for stream in STREAMS}


def cut(vocabularies, first, length, piece=PIECE):
    return cut_segment(piece, encode(piece, SPEC), SPEC, vocabularies, name="p", first=first, length=length)


@pytest.mark.parametrize(("first", "length"), [(0, 5), (1, 4), (17, 9), (len(EVENTS) - 3, 3)])
def test_a_segment_is_the_same_moment_in_every_stream(vocabularies, first, length):
    segment = cut(vocabularies, first, length)
    assert (segment.first, segment.replaced) == (first, 0)
    for column, stream in enumerate(STREAMS):
        said = [vocabularies[stream].value(token) for token in segment.tokens[:, column].tolist()]
        assert said == texts(EVENTS)[stream][first : first + length]
        if first:
            assert vocabularies[stream].value(int(segment.before[column])) == texts(EVENTS)[stream][first - 1]
    places = place_tokens(EVENTS.position_in_bar_steps, SPEC.grid)
    assert np.array_equal(segment.tokens[:, len(STREAMS) : -len(ECHOES)], places[first : first + length])
    assert np.array_equal(
        segment.tokens[:, -len(ECHOES) :],
        echo_tokens(segment.tokens[:, : len(STREAMS)], shapes_of(vocabularies["note"])),
    )
    if not first:
        assert set(segment.before.tolist()) == {START}
    assert segment.onset_steps == EVENTS.onset_steps[first]
    assert segment.last_onset_steps == EVENTS.onset_steps[first + length - 1]
    assert segment.last_position_in_bar_steps == EVENTS.position_in_bar_steps[first + length - 1]
    assert segment.bar_steps == 48
    assert (segment.velocity, segment.microseconds_per_quarter) == (80, 500_000)


@pytest.mark.parametrize("first", [0, 17])
def test_the_notes_of_a_segment_are_those_of_the_piece(vocabularies, first):
    segment = cut(vocabularies, first, 12)
    notes = to_notes(segment.tokens, SPEC, vocabularies, first_onset_steps=segment.onset_steps, segment=segment)
    again = encode(notes, SPEC)
    assert again.note == EVENTS.note[first : first + 12]
    assert again.onset_steps.tolist() == EVENTS.onset_steps[first : first + 12].tolist()
    assert again.duration_steps.tolist() == EVENTS.duration_steps[first : first + 12].tolist()
    assert notes.tempos == (Tempo(0, 500_000),)


def test_unknown_values_become_the_nearest_known_and_are_counted(vocabularies):
    strange = piece_of([(0, QUARTER, 60), (3 * QUARTER, 7 * QUARTER, 64), (4 * QUARTER, QUARTER, 67)])
    segment = cut(vocabularies, 0, 3, strange)
    known = vocabularies["offset"].values, vocabularies["duration"].values
    assert "3" not in known[0]
    assert "7" not in known[1]
    assert segment.replaced == 2
    assert (segment.tokens[:, :3] >= SPECIAL_IDS).all()
    assert vocabularies["offset"].value(int(segment.tokens[1, 0])) == known[0][-1]
    assert vocabularies["duration"].value(int(segment.tokens[1, 2])) == known[1][-1]
    # the last event begins where the tokens say, so that what follows is on the grid
    longest = SPEC.grid.steps(known[0][-1])
    assert segment.last_onset_steps == longest + 12
    assert segment.last_position_in_bar_steps == (longest + 12) % 48
    after = cut(vocabularies, 2, 1, strange)
    assert after.replaced == 0  # the event before the segment is no part of it


def test_the_time_signature_is_that_at_the_end_of_the_segment(vocabularies):
    waltz = PieceNotes(QUARTER, PIECE.notes, time_signatures=(TimeSignature(0, 4, 4), TimeSignature(4 * QUARTER, 3, 4)))
    whole = encode(waltz, SPEC)
    first = int(np.searchsorted(whole.onset_steps, 60))  # in the second bar
    early, late = cut(vocabularies, 0, 3, waltz), cut(vocabularies, first, 5, waltz)
    assert (early.time_signature, early.bar_steps) == (TimeSignature(0, 4, 4), 48)
    assert (late.time_signature, late.bar_steps) == (TimeSignature(0, 3, 4), 36)
    assert late.position_in_bar_steps == whole.position_in_bar_steps[first]
    assert late.last_position_in_bar_steps == whole.position_in_bar_steps[first + 4]


def test_a_signature_of_one_bar_is_no_measure_for_what_follows():
    """The last bar of a waltz with a pickup is short; a change that stays is taken."""
    grid, end = SPEC.grid, piece_of([(0, 25 * QUARTER, 60)]).notes

    def after(tick, *changes):
        piece = PieceNotes(
            QUARTER, end, time_signatures=tuple(TimeSignature(at * QUARTER, *fraction) for at, fraction in changes)
        )
        return signature_after(piece, tick * QUARTER, grid)

    assert after(24, (0, (3, 4)), (24, (3, 8))) == (3, 4)
    assert after(12, (0, (4, 4)), (12, (2, 4)), (14, (4, 4))) == (4, 4)
    assert after(12, (0, (4, 4)), (12, (3, 4))) == (3, 4)
    assert after(11, (0, (4, 4)), (12, (3, 4))) == (4, 4)
    assert after(0, (0, (2, 4))) == (2, 4)
    assert after(3) == (4, 4)


def test_the_key_signature_is_that_at_the_end_of_the_segment(vocabularies):
    keys = (KeySignature(QUARTER, -3, is_minor=True), KeySignature(8 * QUARTER, 2, is_minor=False))
    piece = PieceNotes(QUARTER, PIECE.notes, key_signatures=keys)
    late = int(np.searchsorted(EVENTS.onset_steps, 9 * 12))
    assert cut(vocabularies, 0, 1, piece).key_signature == KeySignature(0, -3, is_minor=True)
    assert cut(vocabularies, late, 3, piece).key_signature == KeySignature(0, 2, is_minor=False)
    assert cut(vocabularies, 0, 1).key_signature is None


def test_music_begins_as_far_into_its_bar_as_it_was_where_that_keeps_it_on_the_grid():
    grid = SPEC.grid
    assert start_in_bar(48 + 18, 18, grid) == 18
    assert start_in_bar(100, 4, grid) == 4
    assert start_in_bar(15 + 3, 3, grid) == 18 % 12  # after a bar of 5/16


def test_a_tempo_is_the_mean_over_the_whole_piece():
    def piece(*tempos):
        return PieceNotes(QUARTER, piece_of([(0, 4 * QUARTER, 60)]).notes, tempos=tempos)

    assert average_tempo(piece()) == 500_000
    assert average_tempo(piece(Tempo(0, 400_000))) == 400_000
    assert average_tempo(piece(Tempo(QUARTER, 100_000))) == 200_000
    assert average_tempo(piece(Tempo(0, 300_000), Tempo(3 * QUARTER, 700_000), Tempo(99 * QUARTER, 9))) == 400_000
    silent = PieceNotes(QUARTER, piece_of([(0, 0, 60)]).notes, tempos=(Tempo(0, 300_000),))
    assert average_tempo(silent) == 300_000


def test_places_are_chosen_once_each_before_any_twice_and_evenly():
    lengths = [10, 3, 7]
    every = [(0, first) for first in range(6)] + [(2, first) for first in range(3)]
    chosen = choose_places(lengths, 5, 20, random_seed=1)
    assert sorted(chosen[:9]) == every
    assert sorted(chosen[9:18]) == every
    assert len(chosen) == 20
    assert choose_places(lengths, 5, 20, random_seed=1) == chosen
    assert choose_places(lengths, 5, 20, random_seed=2) != chosen
    firsts = Counter(choose_places(lengths, 5, 1, random_seed=seed)[0] for seed in range(900))
    assert set(firsts) == set(every)
    assert max(firsts.values()) < 150


@pytest.mark.parametrize(("lengths", "longest"), [([4, 3], 4), ([], 0)])
def test_where_no_piece_is_long_enough_the_longest_is_named(lengths, longest):
    with pytest.raises(NotEnoughMusicError, match=f"the 5 events of a prompt: the longest has {longest}; give"):
        choose_places(lengths, 5, 1, random_seed=1)
