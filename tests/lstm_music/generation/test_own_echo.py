"""Own echoes that are found event by event are those of the whole piece, or of as much as is remembered."""

import numpy as np
import pytest
from own_echo_music import SHAPES, STEPS, part_music

from lstm_music.encoding.echoes import PART_COLUMN
from lstm_music.encoding.own_echoes import own_echo_tokens
from lstm_music.generation.own_echo import begin

OUTPUTS = 3
MORE = 200
"""Events that are made."""
PROMPT = 60


@pytest.fixture(scope="module")
def pieces():
    """The events of each output, int32 [events, outputs, streams]."""
    rng = np.random.default_rng(6)
    return np.stack([part_music(rng, PROMPT + MORE) for _ in range(OUTPUTS)], axis=1).astype(np.int32)


@pytest.fixture(scope="module")
def whole(pieces):
    found = [own_echo_tokens(pieces[:, output].astype(np.int64), SHAPES, STEPS) for output in range(OUTPUTS)]
    return np.stack(found, axis=1)


def heard(pieces, prompt_events):
    """Hear what follows a prompt of so many events; give the own echoes of that."""
    past, own = begin(pieces[:prompt_events], MORE, SHAPES, STEPS)
    found = []
    for event in pieces[prompt_events:][:MORE]:
        step = own.step_to(event[:, 0], event[:, PART_COLUMN])
        found.append(own.own_echoes(step))
        own.hear(step)
        past.hear(event)
    return np.stack(found)


@pytest.mark.parametrize("prompt_events", [0, 1, PROMPT])
def test_they_are_those_of_the_whole_piece(pieces, whole, prompt_events):
    found = heard(pieces, prompt_events)
    assert {*found[..., 2].flat} >= {*range(6)}
    assert np.array_equal(found, whole[prompt_events:][:MORE])


def test_nothing_is_found_that_is_farther_back_than_is_remembered(pieces, whole, monkeypatch):
    """What is near is found as before, also where the prompt is longer than what is remembered."""
    most = 40
    monkeypatch.setattr("lstm_music.generation.echo.MOST_HEARD", most)
    found, wanted = heard(pieces, PROMPT), whole[PROMPT:][:MORE]
    assert (found[..., 2] <= wanted[..., 2]).all()
    assert (found[..., 2] < wanted[..., 2]).any()
    near = heard(pieces, 0)[:most]
    assert np.array_equal(near, whole[:most])
