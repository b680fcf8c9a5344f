"""An echo is what followed the longest earlier run (the latest of equally long ones), in any key or by rhythm."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.echoes import ECHOED, ECHOES, LENGTHS, RANKS, echo_sizes, echo_tokens
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, START, UNKNOWN, Vocabulary
from lstm_music.midi import loops

CHORDS = (*PITCH_NAMES, "C4.E4", "D4.F#4", "C4.E-4", "0.4.7", "2.6.9")
SHAPES = shapes_of(Vocabulary("note", CHORDS, (1,) * len(CHORDS), 0.0))
MIDDLE_C = SPECIAL_IDS + 60
VERSE = np.array(
    [(3 + step % 2, MIDDLE_C + note, 5) for step, note in enumerate(np.random.default_rng(1).integers(0, 13, 70))]
)


def in_key(begin, end, semitones):
    return np.array([[offset, note + semitones, duration] for offset, note, duration in VERSE[begin:end].tolist()])


ANYTHING = st_numpy.arrays(np.int64, st.tuples(st.integers(0, 60), st.just(3)), elements=st.integers(3, 5))
WITH_CHORDS = st.lists(
    st.tuples(st.just(3), st.sampled_from([UNKNOWN, 66, 67, 69, *range(131, 136)]), st.just(4)), max_size=40
).map(lambda events: np.array(events, np.int64).reshape(-1, 3))
VERSES = st.lists(
    st.builds(in_key, st.sampled_from([0, 4]), st.sampled_from([6, 9, 70]), st.integers(-3, 3)), min_size=1, max_size=6
).map(np.concatenate)


def melody(events):
    """Describe each event independent of its key: rhythm, pitches above the lowest one, and the interval to that one."""
    found, before = [], None
    for offset, note, duration in events:
        pitches = pitches_of(note)
        lowest = pitches[0] if len(pitches) else 0
        above = tuple(pitches - lowest) if len(pitches) else note
        found.append((offset, duration, above, None if before is None else lowest - before))
        before = lowest
    return found


def rhythm(events):
    return [(offset, duration) for offset, _, duration in events]


@cache
def pitches_of(note):
    """The pitches of an id, ascending; none for a special id or pitch classes."""
    names = CHORDS[note - SPECIAL_IDS].split(".") if note > UNKNOWN else ()
    return np.flatnonzero(np.isin(PITCH_NAMES, names))


def by_comparing_all(events, sound, moves, ranks=1):
    """Compute the columns of the echoes of a kind directly from the definition in the module's docstring."""
    rows, sounds, runs = [], sound(events), {}
    for here in range(len(events)):
        matches = []
        for there in range(here):
            is_the_same = sounds[here] == sounds[there]
            runs[here, there] = runs.get((here - 1, there - 1), 0) + 1 if is_the_same else 0
            if is_the_same:
                matches.append((sum(runs[here, there] >= length for length in LENGTHS), there))
        best = sorted(matches, reverse=True)[:ranks]
        echoes = [echo(events, here, there, moves, reached) for reached, there in best]
        nothing = [[START, START, START, 0]] * (ranks - len(best))
        rows.append([part for one in (*echoes, *nothing) for part in one])
    return rows


def echo(events, here, there, moves, reached):
    offset, note, duration = events[there + 1]
    semitones = SHAPES.lowest[events[here][1]] - SHAPES.lowest[events[there][1]] if moves else 0
    return [offset, moved(note, semitones), duration, reached]


def moved(note, semitones):
    pitches = pitches_of(note)
    if not len(pitches):
        return note
    if not 0 <= pitches[0] + semitones < 128:
        return UNKNOWN
    name = ".".join(PITCH_NAMES[pitch] for pitch in pitches + semitones if pitch < 128)
    return CHORDS.index(name) + SPECIAL_IDS if name in CHORDS else UNKNOWN


@pytest.fixture(params=["sorting", "loops"], autouse=True, scope="module")
def way(request):
    """Both ways of finding echoes; the loops are interpreted here unless they were compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "DIGEST", int(request.param == "loops"))
        yield


@settings(deadline=None)
@given(st.one_of(ANYTHING, WITH_CHORDS, VERSES))
def test_echoes_are_what_followed_the_longest_runs(events):
    echoes = echo_tokens(events, SHAPES)
    assert echoes[:, :4].tolist() == by_comparing_all(events.tolist(), melody, moves=True)
    assert echoes[:, 4:].tolist() == by_comparing_all(events.tolist(), rhythm, moves=False)


@settings(deadline=None)
@given(st.one_of(ANYTHING, WITH_CHORDS, VERSES), st.integers(2, RANKS))
def test_further_echoes_followed_the_next_best_runs(events, ranks):
    echoes = echo_tokens(events, SHAPES, ranks=ranks).reshape(len(events), ranks, 2, 4)
    for kind, (sound, moves) in enumerate(((melody, True), (rhythm, False))):
        wanted = by_comparing_all(events.tolist(), sound, moves, ranks)
        assert echoes[:, :, kind].reshape(len(events), 4 * ranks).tolist() == wanted


@settings(deadline=None)
@given(st.lists(st.one_of(ANYTHING, WITH_CHORDS, VERSES), min_size=1, max_size=4), st.integers(0, 9))
def test_echoes_of_several_pieces_equal_those_of_each_piece(pieces, first_number):
    numbers = np.repeat(np.arange(len(pieces)) + first_number, list(map(len, pieces)))
    at_once = echo_tokens(np.concatenate(pieces), SHAPES, numbers)
    assert np.array_equal(at_once, np.concatenate([echo_tokens(piece, SHAPES) for piece in pieces]))


@pytest.mark.parametrize("semitones", [0, 3, -5])
def test_a_second_verse_echoes_the_first_in_its_own_key(semitones):
    again = in_key(0, 70, semitones)
    echoes = echo_tokens(np.concatenate([VERSE, again]), SHAPES)
    assert echoes.shape == (140, len(ECHOES))
    assert np.array_equal(echoes[76:139, :3], again[7:])  # after a long enough run
    assert (np.diff(echoes[76:, 3]) >= 0).all()
    assert echoes[-1, 3] == echoes[-1, 7] == len(LENGTHS)


def test_echoes_of_transposed_music_are_transposed_echoes():
    music = np.concatenate([VERSE, in_key(4, 30, 2), VERSE[:20]])
    echoes = echo_tokens(music, SHAPES)
    higher = echo_tokens(np.array([[offset, note + 7, duration] for offset, note, duration in music.tolist()]), SHAPES)
    for column, name in enumerate(ECHOES):
        length = echoes[:, 3 if name.startswith("melody") else 7]
        assert np.array_equal(higher[:, column], echoes[:, column] + 7 * (length > 0) * (ECHOED.get(name) == "note"))


def test_echo_sizes_follow_from_streams_and_lengths():
    sizes = echo_sizes({"offset": 5, "note": 131, "duration": 7})
    assert tuple(sizes) == ECHOES
    assert list(sizes.values()) == [5, 131, 7, len(LENGTHS) + 1] * 2
