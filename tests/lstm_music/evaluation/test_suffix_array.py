"""Suffix arrays, against sorting the suffixes themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.errors import LstmMusicError
from lstm_music.evaluation.suffix_array import MOST_SYMBOLS, suffix_array


def sorted_suffixes(text: list[int]) -> list[int]:
    return sorted(range(len(text)), key=lambda start: text[start:])


@given(st.lists(st.integers(0, 2), max_size=60), st.integers(1, 4))
def test_suffixes_are_in_the_order_of_a_dictionary(text, times):
    text = text * times
    suffixes = suffix_array(np.array(text, np.int32))
    assert suffixes.dtype == np.int32
    assert suffixes.tolist() == sorted_suffixes(text)


@pytest.mark.parametrize("text", [[], [7], [0] * 100, list(range(50)), [1, 0] * 40])
def test_of_a_text_without_surprises(text):
    assert suffix_array(np.array(text, np.int32)).tolist() == sorted_suffixes(text)


def test_a_text_too_long_for_its_numbers_is_refused():
    endless = np.broadcast_to(np.int32(0), MOST_SYMBOLS + 1)  # takes no memory
    with pytest.raises(LstmMusicError, match="2147483648 symbols"):
        suffix_array(endless)
