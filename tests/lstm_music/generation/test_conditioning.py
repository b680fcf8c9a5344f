"""What models are told of music in the making: what `encoding.controls` says of the same music when it is there."""

import numpy as np
import pytest
from asked_bars import BAR, COLUMNS, QUARTER, STREAMS, asked_of, small_grammar

from lstm_music.encoding.controls import CONTROLS, SIZES, Played, control_tokens, density_ids
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.generation.conditioning import Conditioning


@pytest.fixture(scope="module")
def grammar():
    return small_grammar()


def some_music(grammar, bars=6, events=50, seed=1):
    """Draw tokens int32 [events, columns] in bars of three quarters, and the same as it is played; each bar has events."""
    rng = np.random.default_rng(seed)
    onset = np.sort(np.concatenate([np.arange(bars) * BAR, rng.integers(0, bars * BAR, events - bars)]))
    duration, note = rng.integers(1, 13, events), rng.integers(SPECIAL_IDS, SPECIAL_IDS + 14, events)
    tokens = np.zeros((events, STREAMS + len(CONTROLS)), np.int32)
    tokens[:, 0], tokens[:, 1] = SPECIAL_IDS + np.diff(onset, prepend=0), note
    tokens[:, 2] = SPECIAL_IDS - 1 + duration
    bar, position = np.divmod(onset, BAR)
    played = Played(
        np.zeros(events, np.int64), onset, duration, grammar.pitches[note].astype(np.int64), 1 + bar, position
    )
    return tokens, played


def ids_of(grammar, tokens, played, asked, *, prompt=0):
    """Play the events after a prompt, and return what is said at each, int [events, controls]."""
    conditioning = Conditioning(grammar, COLUMNS, asked)
    so_far = conditioning.before(tokens[:prompt, None])
    onsets = np.append(played.onset[prompt - 1] if prompt else 0, played.onset[prompt:])
    rows = []
    for event, passed, position in zip(tokens[prompt:], np.diff(onsets), played.position[prompt:], strict=True):
        one = [np.array([value], np.int32) for value in (passed, position, BAR)]
        current = event[None].copy()
        so_far = conditioning.condition(current, so_far, *one)
        rows.append(current[0, STREAMS:])
        so_far = conditioning.after(so_far, current)
    return np.array(rows)


def first_of_bars(played):
    return np.flatnonzero(np.diff(played.onset // BAR, prepend=-1))


@pytest.mark.parametrize("prompt", [0, 17])
def test_who_asks_for_what_the_music_has_tells_what_the_music_says(grammar, prompt):
    tokens, played = some_music(grammar)
    skipped = int(played.onset[prompt] // BAR)
    begun = int(played.position[prompt])
    expected = control_tokens(played, QUARTER, CONTROLS)[prompt:]
    first = first_of_bars(played)
    counts = np.diff([*first, len(played.onset)])
    density = counts[skipped:].astype(np.float64)
    density[0] = (played.onset[prompt:] // BAR == skipped).sum() * BAR / (BAR - begun)  # of a whole bar
    polyphony = np.array(
        [_mean_sounding(played, max(bar * BAR, played.onset[prompt]), (bar + 1) * BAR) for bar in range(skipped, 6)],
        np.float64,
    )
    asked = asked_of(
        6 - skipped,
        bars=np.array([6 - skipped], np.int32),
        key=expected[np.searchsorted(played.onset[prompt:], BAR * np.arange(skipped, 6)), 1].astype(np.int32),
        density=density,
        polyphony=polyphony,
    )
    found = ids_of(grammar, tokens, played, asked, prompt=prompt)
    for control in ("ending", "key", "density"):
        place = CONTROLS.index(control)
        np.testing.assert_array_equal(found[:, place], expected[:, place], control)
    place = CONTROLS.index("polyphony")
    assert (
        np.abs(found[:, place] - expected[:, place]).max() <= 1
    )  # of a quarter of a note: what is owed is no whole number
    assert (found[:, place] == expected[:, place]).mean() > 0.9


def _mean_sounding(played, start, stop):
    ends = played.onset + played.duration
    lasts = np.minimum(ends, stop) - np.maximum(played.onset, start)
    return np.maximum(lasts, 0).sum() / (stop - start)


def test_chords_are_those_of_the_quarter(grammar):
    tokens, played = some_music(grammar)
    chord = np.arange(18, dtype=np.int32).reshape(1, 6, 3)
    found = ids_of(grammar, tokens, played, asked_of(6, chord=chord))
    np.testing.assert_array_equal(found[:, CONTROLS.index("chord")], played.onset // QUARTER)


def test_after_low_notes_higher_ones_are_owed(grammar):
    tokens, played = some_music(grammar)
    place = CONTROLS.index("mean_pitch")
    found = ids_of(grammar, tokens, played, asked_of(6, mean_pitch=np.full(6, 60, np.float64)))[:, place]
    begins = np.zeros(len(tokens), np.bool_)
    begins[first_of_bars(played)] = True
    assert (found[begins] == 61).all()  # the id of what was asked
    before = [
        played.pitch[(played.onset // BAR == played.onset[index] // BAR) & (np.arange(len(tokens)) < index)].mean()
        for index in np.flatnonzero(~begins)
    ]
    owed, is_late = found[~begins] - 61, played.position[~begins] > 0
    np.testing.assert_array_equal(np.sign(owed)[is_late] * np.sign(np.array(before) - 60)[is_late] <= 0, True)
    assert (np.abs(owed) <= 12).all()
    assert (owed != 0).any()


def test_nothing_is_said_after_the_plan_and_where_nothing_is_asked(grammar):
    tokens, played = some_music(grammar)
    found = ids_of(grammar, tokens, played, asked_of(2, density=np.array([5, 0], np.float64)))
    in_first = played.onset < BAR
    assert not found[~in_first].any()
    assert (found[in_first, CONTROLS.index("density")] > 0).all()
    assert not np.delete(found[in_first], CONTROLS.index("density"), axis=1).any()
    assert not ids_of(grammar, tokens, played, None).any()


def test_an_impossible_wish_stays_within_the_ids(grammar):
    tokens, played = some_music(grammar)
    many = {
        name: np.full(6, value, np.float64) for name, value in (("density", 63), ("polyphony", 10), ("mean_pitch", 127))
    }
    found = ids_of(grammar, tokens, played, asked_of(6, **many))
    for place, control in enumerate(CONTROLS):
        assert found[:, place].min() >= 0
        assert found[:, place].max() < SIZES[control]
    assert density_ids(np.array([0, 1, 99])).tolist() == [1, 1, 63]


def test_the_end_alone_needs_no_guidance(grammar):
    guided = {
        what: Conditioning(grammar, COLUMNS, asked).guided
        for what, asked in (
            ("nothing", None),
            ("the end", asked_of(2, bars=np.array([2], np.int32))),
            ("density", asked_of(2, density=np.array([0, 4], np.float64))),
        )
    }
    assert guided == {"nothing": [], "the end": [], "density": [*COLUMNS.values()][1:]}
