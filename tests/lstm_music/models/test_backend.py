"""TensorFlow comes silently, with as many threads as were asked for, or as somebody else has started it."""

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


THREADS = """
from lstm_music.models.backend import load_tensorflow
for asked in ({}, {"threads": 1}):
    load_tensorflow(**asked)
    import tensorflow as tf
    print(tf.config.threading.get_intra_op_parallelism_threads(), tf.config.threading.get_inter_op_parallelism_threads())
"""


def test_as_many_threads_compute_on_every_machine():
    ended = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, check=True, text=True)
    assert ended.stdout.splitlines() == ["2 2", "1 2"]
