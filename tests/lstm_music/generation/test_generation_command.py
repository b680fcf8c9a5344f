"""The command that makes more like some music says what differs from the recipe, and nothing else."""

import pytest

from lstm_music.encoding.streams import STREAMS, VELOCITY
from lstm_music.generation.command import command
from lstm_music.generation.spec import GenerationSpec, parse_per_stream

WITH_VELOCITY = (*STREAMS, VELOCITY)

USUAL = GenerationSpec()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"temperature": {**USUAL.temperature, "note": 0.7}}, " --temperature note=0.7"),
        ({"top_p": {**USUAL.top_p, "velocity": 1, "offset": 0.5}}, " --top-p offset=0.5,velocity=1"),
        ({"num_events": 12, "max_quarters": 2.5}, " --num-events 12 --max-quarters 2.5"),
        ({"include_prompt": True}, " --include-prompt"),
        ({"prompt": "a b"}, " --prompt 'a b'"),
    ],
)
def test_what_differs_is_said(changed, words):
    asked = USUAL.model_copy(update=changed)
    assert command("demo", USUAL, asked, {}) == f"lstm-music generate --recipe demo{words}"


def test_what_is_said_of_streams_is_read_again():
    said = command("demo", USUAL, USUAL.model_copy(update={"top_k": {**USUAL.top_k, "note": 3, "velocity": 2}}), {})
    assert parse_per_stream(said.split()[-1], "--top-k", WITH_VELOCITY) == {"note": 3, "velocity": 2}
