"""TensorFlow, loaded on demand and without its noise."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def load_tensorflow(threads: int | None = None) -> None:
    """Import TensorFlow (6 CPU seconds, 640 MiB the first time), silent and deterministic.

    `threads` is how many threads one operation may use; it only counts before the first operation of the process.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _silent_stderr():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        if threads is not None and not tf.config.threading.get_intra_op_parallelism_threads():
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            # One would serialise the loop over time onto one core whatever the other number is (measured).
            tf.config.threading.set_inter_op_parallelism_threads(2)
        tf.config.experimental.enable_op_determinism()
        tf.config.list_physical_devices()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send what C++ code writes to file descriptor 2 nowhere: its first lines ignore every log level."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
