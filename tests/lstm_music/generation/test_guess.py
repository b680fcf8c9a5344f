"""Guesses that are found event by event are those of the whole piece, to the last bit."""

import numpy as np
import pytest
from own_echo_music import NOTES, SHAPES, VOCABULARY, part_music

from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.echoes import NOTE
from lstm_music.encoding.guesses import PARTS, guess_tokens
from lstm_music.encoding.ngrams import ORDERS, count, joined, occasions
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import ALL_STREAMS, chain_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN, Vocabulary
from lstm_music.generation.echo import begin
from lstm_music.generation.guess import Guesser

OUTPUTS = 3
EVENTS = 150
SIZES = {"offset": 7, "note": VOCABULARY.size, "duration": 40, "part": 8}
CHORDS = (*PITCH_NAMES[50:80], "C4.E4", "D4.F#4", "0.4.7", "0.3.7")


def band(rng, events=EVENTS):
    """Several parts, the first event a drum, which has no height."""
    tokens = part_music(rng, events)
    tokens[0, NOTE:] = NOTES["drum36"], 3, 6
    return tokens


def chords(rng, events=EVENTS):
    """A theme in changing keys; chords without a pitch follow one context with several intervals."""
    theme = np.stack([rng.integers(3, 5, 40), rng.integers(13, 23, 40), rng.integers(3, 25, 40)], 1)
    names = [UNKNOWN, *range(SPECIAL_IDS + 30, SPECIAL_IDS + len(CHORDS))]
    tokens = np.empty((0, 3), np.int64)
    while len(tokens) < events:
        start, shift = rng.integers(0, 30), rng.integers(-6, 7)
        part = np.add(theme[start : start + rng.integers(2, 30)], [0, shift, 0])
        tokens = np.concatenate([tokens, part, [[3, rng.choice(names), 4]]])
    return tokens[:events]


@pytest.fixture(scope="module", params=["chords", "band"])
def music(request, tmp_path_factory):
    """Shapes, sizes, a table, and the events of each output, int64 [events, outputs, streams]."""
    rng = np.random.default_rng(8)
    if request.param == "band":
        draw, shapes, sizes = band, SHAPES, SIZES
    else:
        draw, shapes = chords, shapes_of(Vocabulary("note", CHORDS, (1,) * len(CHORDS), 0.0))
        sizes = {"offset": 7, "note": SPECIAL_IDS + len(CHORDS), "duration": 40}
    counted = [draw(rng) for _ in range(12)]
    table = joined([*count((occasions(piece, shapes) for piece in counted), tmp_path_factory.mktemp("ngrams"))])
    halves = [np.concatenate([draw(rng)[: EVENTS // 2], counted[one][: EVENTS // 2]]) for one in range(OUTPUTS)]
    return shapes, sizes, table, np.stack(halves, axis=1)


def heard(guesser, pieces, prompt_events, shapes):
    """Hear what follows a prompt of so many events; give the guesses of that, [events, outputs, guess columns]."""
    streams = ALL_STREAMS[: pieces.shape[2]]
    past = begin(pieces[:prompt_events].astype(np.int32), len(pieces) - prompt_events, shapes)
    found = []
    for event in pieces[prompt_events:].astype(np.int32):
        known, guesses = np.zeros_like(event), {}
        for stream in chain_of(streams):
            guesses[stream] = guesser.guess(stream, past, known)
            known[:, streams.index(stream)] = event[:, streams.index(stream)]
        past.hear(event)
        guesses["offset"] = guesser.guess("offset", past, known)
        found.append(np.concatenate([guesses[stream] for stream in streams], axis=1))
    return np.stack(found)


@pytest.mark.parametrize("prompt_events", [0, 1, 45])
def test_they_are_those_of_the_whole_piece(music, prompt_events):
    shapes, sizes, table, pieces = music
    whole = [guess_tokens(pieces[:, one], shapes, sizes, table, is_counted=False) for one in range(OUTPUTS)]
    wanted = np.stack(whole, axis=1)[prompt_events:]
    for number in range(pieces.shape[2]):
        assert {*wanted[:, :, (number + 1) * len(PARTS) - 1].flat} >= {2, len(ORDERS)}
    assert np.array_equal(heard(Guesser(table, shapes, sizes), pieces, prompt_events, shapes), wanted)


def test_before_the_first_pitch_no_note_is_guessed(music):
    shapes, sizes, table, pieces = music
    note = slice(len(PARTS), 2 * len(PARTS))
    found = heard(Guesser(table, shapes, sizes), pieces, 0, shapes)
    assert not found[0, :, note].any()
    assert found[2:, :, note].any(axis=(1, 2)).all()


def test_an_output_alone_is_guessed_as_beside_others(music):
    shapes, sizes, table, pieces = music
    guesser = Guesser(table, shapes, sizes)
    alone = [heard(guesser, pieces[:, one : one + 1], 0, shapes) for one in range(OUTPUTS)]
    assert np.array_equal(np.concatenate(alone, axis=1), heard(guesser, pieces, 0, shapes))


def test_an_empty_table_guesses_nothing(music, tmp_path):
    shapes, sizes, _, pieces = music
    guesser = Guesser(joined([*count([], tmp_path)]), shapes, sizes)
    assert not heard(guesser, pieces[:20], 0, shapes).any()
