"""What stands beside events as they are made is what the tokens of a whole piece say there, each thing in its column."""

from types import SimpleNamespace

import numpy as np
import pytest
from own_echo_music import SHAPES, STEPS, VOCABULARY, part_music

from lstm_music.encoding.echoes import echo_columns, echo_tokens
from lstm_music.encoding.guesses import guess_columns, guess_tokens
from lstm_music.encoding.ngrams import count, joined, occasions
from lstm_music.encoding.own_echoes import OWN_ECHOES, own_echo_tokens
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import ALL_STREAMS, STREAMS, chain_of
from lstm_music.encoding.vocabulary import END
from lstm_music.generation.beside import Beside, begin
from lstm_music.generation.guess import Guesser

OUTPUTS = 3
EVENTS = 120
RANKS = 8
OTHERS = 2
"""Columns that others fill, behind all."""
SIZES = {"offset": 7, "note": VOCABULARY.size, "duration": 6, "part": 8, "velocity": 9}


@pytest.fixture(params=[ALL_STREAMS[:3], ALL_STREAMS[:4], ALL_STREAMS], ids="-".join)
def streams(request):
    return request.param


@pytest.fixture
def pieces(streams):
    """The events of each output, int32 [events, outputs, streams]."""
    rng = np.random.default_rng(3)
    tokens = np.stack([part_music(rng, EVENTS) for _ in range(OUTPUTS)], axis=1)
    velocities = rng.integers(3, SIZES["velocity"], (EVENTS, OUTPUTS, 1))
    return np.concatenate([tokens, velocities], axis=2)[..., : len(streams)].astype(np.int32)


@pytest.fixture
def table(streams, tmp_path):
    """What other pieces count."""
    rng = np.random.default_rng(7)
    others = [part_music(rng, EVENTS)[:, : len(streams)] for _ in range(6)]
    return joined([*count((occasions(piece, SHAPES) for piece in others), tmp_path)])


@pytest.fixture(params=[True, False], ids=["guesses", "no guesses"])
def guesser(request, table, streams):
    return Guesser(table, SHAPES, {stream: SIZES[stream] for stream in streams}) if request.param else None


def made(guesser, pieces, prompt_events, streams):
    """Choose the events after a prompt, stream by stream; give all columns of them, [events, outputs, columns]."""
    grammar = SimpleNamespace(streams=streams, shapes=SHAPES, offset_steps=STEPS)
    has_own = "part" in streams
    sounding = pieces[:prompt_events, :, :4]
    memory = begin(sounding, len(pieces) - prompt_events, grammar, has_own=has_own)
    columns = len(streams) + len(PLACES) + len(echo_columns(streams, RANKS)) + has_own * len(OWN_ECHOES)
    columns += len(guess_columns(streams)) if guesser else 0
    beside = Beside(grammar, guesser, columns, memory)
    found = np.full((len(pieces) - prompt_events, OUTPUTS, columns + OTHERS), -1, np.int32)
    for current, event in zip(found, pieces[prompt_events:], strict=True):
        for stream in chain_of(streams):
            current[:, streams.index(stream)] = event[:, streams.index(stream)]
            beside.known(stream, current)
        current[(event == END).all(1)] = END
        beside.heard(current)
    return found


@pytest.mark.parametrize("prompt_events", [0, 45])
def test_each_column_is_what_the_whole_piece_says(guesser, table, pieces, streams, prompt_events):
    found = made(guesser, pieces, prompt_events, streams)
    sizes = {stream: SIZES[stream] for stream in streams}
    for output in range(OUTPUTS):
        tokens = pieces[:, output, :4].astype(np.int64)
        wanted = [pieces[:, output], np.full((EVENTS, len(PLACES)), -1), echo_tokens(tokens, SHAPES, ranks=RANKS)]
        if "part" in streams:
            wanted.append(own_echo_tokens(tokens, SHAPES, STEPS))
        if guesser:
            wanted.append(guess_tokens(tokens, SHAPES, sizes, table, is_counted=False))
        wanted.append(np.full((EVENTS, OTHERS), -1))
        assert np.array_equal(found[:, output], np.concatenate(wanted, axis=1)[prompt_events:])


def test_an_output_that_has_ended_changes_nothing_of_the_others(guesser, pieces, streams):
    whole = made(guesser, pieces, 10, streams)
    pieces[40:, 1] = END
    found = made(guesser, pieces, 10, streams)
    assert np.array_equal(found[:, ::2], whole[:, ::2])
    assert (found[30:, 1, : len(STREAMS)] == END).all()
