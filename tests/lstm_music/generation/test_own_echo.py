"""Own echoes that are found event by event are those of the whole piece, or of as much as is remembered."""

import numpy as np
import pytest
from own_echo_music import SHAPES, STEPS, part_music

from lstm_music.encoding.echoes import PART_COLUMN
from lstm_music.encoding.own_echoes import OWN_ECHOES, own_echo_tokens

OUTPUTS = 3
MORE = 200
"""Events that are made; always as many, because each number of them is compiled anew."""
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


@pytest.fixture(scope="module")
def heard(tensorflow):
    """Hear, compiled, what follows a prompt of so many events; give the own echoes of that."""
    import tensorflow as tf

    from lstm_music.generation import echo, own_echo
    from lstm_music.models.backend import compiled

    @compiled
    def loop(past, own, events):
        found = tf.TensorArray(tf.int32, size=MORE, element_shape=[OUTPUTS, len(OWN_ECHOES)])

        def body(number, past, own, found):
            event = events[number]
            part = event[:, PART_COLUMN]
            step = own_echo.step_to(own, past, tf.gather(tf.constant(STEPS), event[:, 0]), part, SHAPES)
            found = found.write(number, own_echo.own_echoes(step, own, past, SHAPES))
            return number + 1, echo.hear(past, event, SHAPES), own_echo.hear(own, step, part), found

        return tf.while_loop(lambda number, *_: number < MORE, body, (0, past, own, found), maximum_iterations=MORE)[
            3
        ].stack()

    def run(pieces, prompt_events):
        prompts, events = pieces[:prompt_events], pieces[prompt_events:][:MORE]
        past = echo.begin(prompts, MORE, SHAPES)
        own = own_echo.begin(prompts, past.runs.shape[1], SHAPES, STEPS)
        return loop(past, own, tf.constant(events)).numpy()

    return run


@pytest.mark.parametrize("prompt_events", [0, 1, PROMPT])
def test_they_are_those_of_the_whole_piece(heard, pieces, whole, prompt_events):
    found = heard(pieces, prompt_events)
    assert {*found[..., 2].flat} >= {*range(6)}
    assert np.array_equal(found, whole[prompt_events:][:MORE])


def test_nothing_is_found_that_is_farther_back_than_is_remembered(heard, pieces, whole, monkeypatch):
    """What is near is found as before, also where the prompt is longer than what is remembered."""
    most = 40
    monkeypatch.setattr("lstm_music.generation.echo.MOST_HEARD", most)
    found, wanted = heard(pieces, PROMPT), whole[PROMPT:][:MORE]
    assert (found[..., 2] <= wanted[..., 2]).all()
    assert (found[..., 2] < wanted[..., 2]).any()
    near = heard(pieces, 0)[:most]
    assert np.array_equal(near, whole[:most])
