"""TensorFlow comes silently, with one thread for an operation, or as somebody else has started it."""

import subprocess
import sys

STARTED_BEFORE = """
from lstm_music.models.backend import _silent_stderr, load_tensorflow
with _silent_stderr():
    import tensorflow as tf
    tf.ones(3) + 1
load_tensorflow()
assert float(tf.reduce_sum(tf.ones(3))) == 3
"""


def test_a_tensorflow_that_has_begun_to_compute_is_taken_as_it_is():
    command = [sys.executable, "-W", "error", "-c", STARTED_BEFORE]
    ended = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_one_thread_computes(tensorflow):
    import tensorflow as tf

    assert tf.config.threading.get_intra_op_parallelism_threads() == 1
    assert tf.config.threading.get_inter_op_parallelism_threads() == 2
