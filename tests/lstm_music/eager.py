"""TensorFlow without compiling, which is faster for the little that a test computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest


@contextmanager
def eagerly() -> Iterator[None]:
    """Run what TensorFlow would compile step by step, but for the loop over time: all models share the graph of that."""
    from lstm_music.models import faults, learner, lstm, scoring

    with pytest.MonkeyPatch.context() as patch:
        for module in (faults, learner, scoring):
            patch.setattr(module, "compiled", lambda function: function)
        patch.setattr(lstm, "lstm_sequence", _loop_over_time())
        yield


@cache
def _loop_over_time() -> Any:
    """Give the loop as a graph, which is made once for inputs of a shape: step by step it takes 3 ms a step."""
    import tensorflow as tf

    from lstm_music.models.lstm import lstm_sequence

    return tf.function(lstm_sequence, autograph=False)
