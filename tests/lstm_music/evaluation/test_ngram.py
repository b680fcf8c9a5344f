import numpy as np
import pytest
from token_music import NOTE, SIZES, TRANSPOSITION, dictionary_distribution, random_piece, random_training

from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.evaluation.contexts import LONGEST_LAG, Element, History, Training, TrainingPiece
from lstm_music.evaluation.ngram import Chain, Level, Ngram, grow, mix, mixture_weights, occurrences, predict
from lstm_music.evaluation.smoothing import Bottom, Smoothing, tune_bottom
from lstm_music.evaluation.targets import most_probable

BOTTOM = Bottom(0.1, Smoothing(0.5, 1.0))
LONG = Chain(
    BOTTOM,
    (
        Level((Element(1, 2),), Smoothing(0.5, 1.0)),
        Level((Element(1, 0), Element(1, 1)), Smoothing(0.0, 0.3)),
        Level((Element(2, 0),), Smoothing(0.75, 3.0)),
    ),
)
OTHER = Chain(BOTTOM, (Level((Element(1, 1),), Smoothing(0.25, 0.1)), Level((Element(2, 1),), Smoothing(0.0, 10.0))))
MODELS = {"bottom": ((Chain(BOTTOM),), (1.0,)), "chain": ((LONG,), (1.0,)), "mixture": ((LONG, OTHER), (0.3, 0.7))}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_prediction_is_that_of_a_dictionary(stream, name):
    rng = np.random.default_rng(7)
    pieces = random_training(rng, (40, 30, 20))
    heard = random_piece(rng, 30)
    heard[4] = UNKNOWN
    with_end = stream == 0
    chains, weights = MODELS[name]
    training = Training.of(pieces, TRANSPOSITION, SIZES, note=NOTE, with_end=with_end)
    history = History.of([heard], 3, with_end=with_end)
    prediction = predict(Ngram(stream, chains, weights), training, history, with_end=with_end)

    truth = history.at(Element(0, stream))
    for place, token in enumerate(truth):
        parts = [dictionary_distribution(pieces, stream, chain, heard, place, with_end=with_end) for chain in chains]
        expected = np.array(weights) @ np.array(parts)
        assert expected.sum() == pytest.approx(1)
        assert prediction.probability[place] == pytest.approx(expected[token])
        assert expected[prediction.guesses[place]] == pytest.approx(expected[most_probable(expected)])


def test_guesses_do_not_depend_on_how_many_are_laid_out_at_once(monkeypatch):
    rng = np.random.default_rng(8)
    training = Training.of(random_training(rng, (60,)), TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    history = History.of([random_piece(rng, 20)], 3, with_end=False)
    whole = predict(Ngram(1, (OTHER,), (1.0,)), training, history, with_end=False).guesses
    monkeypatch.setattr("lstm_music.evaluation.ngram.CELLS_AT_ONCE", 3 * SIZES[1])
    assert predict(Ngram(1, (OTHER,), (1.0,)), training, history, with_end=False).guesses.tolist() == whole.tolist()


def cycle(length: int) -> np.ndarray:
    """Durations that only a context of two tokens tells: 3 3 4 3 3 4; the other streams stand still."""
    tokens = np.full((length, 3), SPECIAL_IDS)
    tokens[2::3, 2] += 1
    return tokens


def own(used):
    return [Element(len(used) + 1, 2)]


def test_a_chain_grows_as_long_as_the_music_asks_for():
    training = Training.of([TrainingPiece(cycle(90))], TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    history = History.of([cycle(60)], 3, with_end=False)
    grown = grow(training, history, 2, BOTTOM, own, with_end=False)
    added = [element for level in grown.chain.levels[:2] for element in level.added]
    assert added == [Element(1, 2), Element(2, 2)]
    prediction = predict(mix(2, [grown]), training, history, with_end=False)
    assert prediction.probability == pytest.approx(grown.probability)
    assert (prediction.guesses[2:] == history.at(Element(0, 2))[2:]).all()
    assert -np.log(prediction.probability[2:]).mean() < 0.05


def test_a_chain_takes_the_token_that_helps():
    rng = np.random.default_rng(9)
    tokens = random_piece(rng, 400)
    tokens[1:, 2] = np.minimum(tokens[:-1, 0], SIZES[2] - 1)
    training = Training.of([TrainingPiece(tokens[:300])], TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    grown = grow(
        training,
        History.of([tokens[300:]], 3, with_end=False),
        2,
        BOTTOM,
        lambda used: [element for element in (Element(1, 2), Element(1, 1), Element(1, 0)) if element not in used],
        with_end=False,
    )
    assert grown.chain.levels[0].added == (Element(1, 0),)


def test_an_element_that_brings_nothing_alone_is_added_with_the_next():
    # The duration is the sum of two bits, the offsets of the two events before: one of them alone says nothing.
    pieces = [
        np.array([[3 + first, 3, 3], [3 + second, 3, 4], [UNKNOWN, 3, 3 + (first ^ second)]])
        for first in (0, 1)
        for second in (0, 1)
    ]
    training = Training.of(
        [TrainingPiece(piece) for piece in pieces * 20], TRANSPOSITION, SIZES, note=NOTE, with_end=False
    )
    history = History.of(pieces, 3, with_end=False)
    third = History(history.tokens, history.places[2::3], history.piece[2::3])
    bottom = tune_bottom(occurrences(training, 2), third.at(Element(0, 2)), with_end=False)
    grown = grow(training, third, 2, bottom, lambda used: [Element(2 - len(used), 0)][: 2 - len(used)], with_end=False)
    assert grown.chain.levels[-1].added == (Element(2, 0), Element(1, 0))
    assert -np.log(grown.probability).mean() < 0.05


def test_a_chain_ends_where_training_has_no_such_context():
    training = Training.of([TrainingPiece(cycle(9))], TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    strange = np.full((5, 3), UNKNOWN)
    grown = grow(training, History.of([strange], 3, with_end=False), 2, BOTTOM, own, with_end=False)
    assert sum(len(level.added) for level in grown.chain.levels) <= LONGEST_LAG
    assert (grown.probability > 0).all()


def test_without_validation_nothing_grows():
    training = Training.of([TrainingPiece(cycle(9))], TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    grown = grow(training, History.of([], 3, with_end=False), 2, BOTTOM, own, with_end=False)
    assert grown.chain.levels == ()
    assert mix(2, [grown, grown]).weights == (0.5, 0.5)


def test_mixture_weights_find_the_best_component_and_keep_the_other():
    weights = mixture_weights(np.array([[0.9] * 50, [0.1] * 50]))
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > 0.95
    assert weights[1] > 0


def test_occurrences_are_counted_over_the_transpositions_for_notes_alone():
    pieces = [TrainingPiece(cycle(9), (-1, 0, 1))]
    training = Training.of(pieces, TRANSPOSITION, SIZES, note=NOTE, with_end=False)
    assert occurrences(training, 2).tolist() == [0, 0, 0, 6, 3]
    assert occurrences(training, 1).tolist() == [0, 0, 0, 18, 9, 0, 0, 0, 0]
