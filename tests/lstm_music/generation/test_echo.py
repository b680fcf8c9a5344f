"""Echoes that are found event by event are those of the whole piece, or of as much as is remembered."""

import numpy as np
import pytest

from lstm_music.encoding import echoes
from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.echoes import LENGTHS, echo_tokens
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, UNKNOWN, Vocabulary
from lstm_music.generation.echo import begin

CHORDS = (*PITCH_NAMES, "C4.E4", "D4.F#4", "0.4.7")
SHAPES = shapes_of(Vocabulary("note", CHORDS, (1,) * len(CHORDS), 0.0))
NOTES = [END, UNKNOWN, *(SPECIAL_IDS + CHORDS.index(name) for name in ("C4", "D4", *CHORDS[-3:]))]
OUTPUTS = 3
FEW = 3
"""Echoes of each kind."""
MORE = 250
"""Events that are made."""


def music(rng, period):
    """A loop, and parts of one theme in several keys with a few values in between: int32 [events, streams]."""
    theme = np.stack([rng.integers(3, 5, 80), SPECIAL_IDS + rng.integers(57, 64, 80), rng.integers(3, 5, 80)], axis=1)
    parts = [np.resize(theme[:period], (59, len(STREAMS))), [[3, UNKNOWN, 3]], theme, theme]
    while sum(map(len, parts)) < MORE + 60:
        begin, events = rng.integers(0, 60), rng.integers(1, 8)
        few = [rng.integers(3, 5, events), rng.choice(NOTES, events), np.full(events, 4)]
        part = theme[begin : begin + rng.integers(1, 40)]
        parts += [np.add(part, [0, rng.integers(-3, 4), 0]), np.stack(few, axis=1)]
    return np.concatenate(parts)[: MORE + 60].astype(np.int32)


@pytest.fixture(scope="module")
def pieces():
    """The events of each output, [events, outputs, streams]."""
    rng = np.random.default_rng(4)
    return np.stack([music(rng, period) for period in (1, 4, 6)], axis=1)


def heard(pieces, prompt_events):
    """Hear what follows a prompt of so many events; give the echoes of that."""
    past = begin(pieces[:prompt_events], MORE, SHAPES)
    found = []
    for event in pieces[prompt_events:][:MORE]:
        past.hear(event)
        found.append(past.latest_echoes(FEW))
    return np.stack(found)


def whole(pieces):
    return np.stack([echo_tokens(pieces[:, output], SHAPES, ranks=FEW) for output in range(OUTPUTS)], axis=1)


def longest_within(most, keys, ranks):
    """Do what `find_echoes` does, by comparing all, with events that are at most so many back."""
    keys = keys.tolist()
    place, reached = np.zeros((len(keys), ranks), int), np.zeros((len(keys), ranks), int)
    for here in range(len(keys)):
        matches = []
        for distance in range(1, min(most, here) + 1):
            run = 0
            while run <= here - distance and keys[here - run] == keys[here - run - distance]:
                run += 1
            if run:
                matches.append((sum(run >= length for length in LENGTHS), here - distance + 1))
        for rank, (length, event) in enumerate(sorted(matches, reverse=True)[:ranks]):
            place[here, rank], reached[here, rank] = event, length
    return place, reached


def test_they_are_those_of_the_whole_piece(pieces):
    wanted = whole(pieces)
    assert {*wanted[:, :, len(STREAMS)].flat} == {*range(len(LENGTHS) + 1)}
    for prompt_events in (0, 1, 45):
        found = heard(pieces, prompt_events)
        assert np.array_equal(found, wanted[prompt_events:][:MORE])


@pytest.mark.parametrize("most", [1, 7, 50])
def test_what_is_farther_back_than_is_remembered_is_not_found(pieces, monkeypatch, most):
    """Also where the prompt is as long as that, or longer."""
    monkeypatch.setattr("lstm_music.generation.echo.MOST_HEARD", most)
    everything = whole(pieces)
    monkeypatch.setattr(echoes, "find_echoes", lambda keys, ranks, _piece: longest_within(most, keys, ranks))
    wanted = whole(pieces)
    assert not np.array_equal(wanted, everything)
    for prompt_events in (0, 1, most, most + 1, most + 2):
        found = heard(pieces, prompt_events)
        assert np.array_equal(found, wanted[prompt_events:][:MORE])
