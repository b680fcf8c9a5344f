import numpy as np
import pytest

from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.evaluation.targets import FIRST_VALUE, most_probable, score


def test_a_known_value_costs_its_negative_log_probability():
    scores = score(np.array([5, 6]), np.log([0.5, 0.25]), np.array([5, 5]), log_unknown=9.0)
    assert scores.nats == pytest.approx([np.log(2), np.log(4)])
    assert scores.correct.tolist() == [True, False]
    assert len(scores.end_nats) == 0


def test_an_unknown_value_costs_more_by_the_values_it_may_be_and_is_never_guessed():
    scores = score(np.array([UNKNOWN]), np.log([0.5]), np.array([UNKNOWN]), log_unknown=np.log(10))
    assert scores.nats == pytest.approx([np.log(20)])
    assert not scores.correct.any()


def test_the_end_of_a_piece_is_counted_in_nats_alone():
    scores = score(np.array([5]), np.log([0.5]), np.array([5]), log_unknown=0.0, end_log_probabilities=np.log([0.125]))
    assert scores.total == pytest.approx(np.log(16))
    assert len(scores.correct) == 1


def test_score_leaves_its_input_alone():
    log_probabilities = np.log([0.5])
    score(np.array([UNKNOWN]), log_probabilities, np.array([5]), log_unknown=3.0)
    assert log_probabilities == pytest.approx(np.log([0.5]))


def test_the_most_probable_value_is_never_a_special_id():
    probabilities = np.array([[0.9, 0.8, 0.7, 0.1, 0.3, 0.3], [0, 0, 1, 0, 0, 0]])
    assert most_probable(probabilities).tolist() == [FIRST_VALUE + 1, FIRST_VALUE]
