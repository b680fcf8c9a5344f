"""The lookup table, against a dictionary that is asked for one target at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_music import NOTE, SIZES, STREAMS, TRANSPOSITION, dictionary_counts, random_piece, random_training, token_at

from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.evaluation.contexts import Element, History, Training, TrainingPiece
from lstm_music.evaluation.lookup import LONGEST, lookup_accuracy


def accuracy(train, heard, stream=0, chosen=None, asked=None) -> float:
    training = Training.of(train, TRANSPOSITION, SIZES, note=NOTE, with_end=False, chosen=chosen)
    return lookup_accuracy(training, History.of(heard, 3, with_end=False, chosen=asked), stream)


def piece_of(*tokens) -> np.ndarray:
    """A piece whose three streams are the same."""
    return np.repeat(np.array(tokens)[:, None], 3, axis=1)


def dictionary_accuracy(train, heard, stream, chosen, asked) -> float:
    tables = []
    for lag in range(LONGEST, -1, -1):
        context = tuple(Element(back, stream) for back in range(1, lag + 1))
        tables.append((context, dictionary_counts(train, stream, context, with_end=False, chosen=chosen)))
    right = []
    for piece, marks in zip(heard, asked, strict=True):
        for place in np.flatnonzero(marks).tolist():
            answer = None
            for context, followed in tables:
                seen = followed.get(tuple(token_at(piece, place, element) for element in context), {})
                times = {token: count for token, count in seen.items() if token >= SPECIAL_IDS}
                if times:
                    answer = min(times, key=lambda token: (-times[token], token))
                    break
            right.append(answer == piece[place, stream])
    return sum(right) / len(right)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(range(len(STREAMS))), st.sampled_from([0.0, 0.3]))
def test_the_answers_are_those_of_a_dictionary(seed, stream, unknown):
    rng = np.random.default_rng(seed)
    train, heard = random_training(rng, (60, 25, 1)), [random_piece(rng, length) for length in (30, 1)]
    for tokens in (*(piece.tokens for piece in train), *heard):
        tokens[rng.random(tokens.shape) < unknown] = UNKNOWN
    chosen, asked = [rng.random(len(piece.tokens)) < 0.7 for piece in train], [rng.random(30) < 0.7, np.array([True])]
    expected = dictionary_accuracy(train, heard, stream, chosen, asked)
    assert accuracy(train, heard, stream, chosen, asked) == pytest.approx(expected)


@pytest.mark.parametrize(("last", "expected"), [(4, 1.0), (5, 0.5)])
def test_of_equals_the_smallest_id_is_answered(last, expected):
    train = [TrainingPiece(piece_of(3, 5)), TrainingPiece(piece_of(3, 4))]
    assert accuracy(train, [piece_of(3, last)]) == expected


@pytest.mark.parametrize(("last", "expected"), [(4, 0.75), (5, 1.0)])
def test_what_followed_more_often_is_answered_before_a_smaller_id(last, expected):
    train = [TrainingPiece(piece_of(3, 3, 3, *end)) for end in ((4,), (5,), (5,))]
    assert accuracy(train, [piece_of(3, 3, 3, last)]) == expected


def test_the_longest_run_that_was_heard_decides_even_against_a_more_frequent_answer():
    train = [TrainingPiece(piece_of(3, 4, 5)), *[TrainingPiece(piece_of(4, 4, 3))] * 5]
    asked = [np.array([False, False, True])]
    assert accuracy(train, [piece_of(3, 4, 5)], asked=asked) == 1
    assert accuracy(train, [piece_of(5, 4, 3)], asked=asked) == 1  # 5 4 was never heard, and after 4 alone 3 came most


@pytest.mark.parametrize(("run", "expected"), [(LONGEST - 1, 1.0), (LONGEST, 0.0)])
def test_nothing_older_than_the_longest_run_counts(run, expected):
    rare, frequent = (piece_of(first, *[3] * run, first) for first in (4, 5))
    train = [TrainingPiece(rare), *[TrainingPiece(frequent)] * 2]
    assert accuracy(train, [rare], asked=[np.arange(len(rare)) == run + 1]) == expected


@pytest.mark.parametrize(("last", "expected"), [(UNKNOWN, 0.5), (4, 1.0)])
def test_a_special_id_is_never_answered(last, expected):
    train = [*[TrainingPiece(piece_of(3, UNKNOWN))] * 3, TrainingPiece(piece_of(3, 4))]
    assert accuracy(train, [piece_of(3, last)]) == expected


def test_a_run_that_only_unknown_values_followed_gives_way_to_a_shorter_one():
    train = [TrainingPiece(piece_of(5, 3, UNKNOWN)), TrainingPiece(piece_of(4, 3, 4))]
    assert accuracy(train, [piece_of(5, 3, 4)], asked=[np.array([False, False, True])]) == 1
