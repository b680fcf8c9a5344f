"""TensorFlow without compiling, which is faster for the little that a test computes."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def eagerly() -> Iterator[None]:
    """Run what TensorFlow would compile step by step."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)
