"""TensorFlow, loaded on demand and without its log lines."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

THREADS = 2
"""The number of computing threads. It is fixed, not that of the machine: more threads add numbers in another order."""


def load_tensorflow(threads: int = THREADS) -> None:
    """Import TensorFlow (6 CPU seconds, 640 MiB the first time), silent and deterministic.

    A training uses one thread, so that three trainings can run side by side. `threads` counts only before the first
    operation of the process and is ignored after it. So training and generation in one process, outside of the commands and
    flows, give other last bits.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _silent_stderr():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        with suppress(RuntimeError):  # TensorFlow has begun to compute
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            # 1 would run the loop over time on one core, whatever the other number is (measured).
            tf.config.threading.set_inter_op_parallelism_threads(2)
        tf.config.experimental.enable_op_determinism()
        for device in tf.config.list_physical_devices("GPU"):
            with suppress(RuntimeError):  # as TensorFlow would, one process would take all of its memory
                tf.config.experimental.set_memory_growth(device, True)


def has_gpu() -> bool:
    """Whether TensorFlow has a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors: by XLA on a CPU; on a GPU as a graph, because XLA cannot use cuDNN.

    Without AutoGraph, so loops and conditions are TensorFlow's own: AutoGraph reads the source from the disk again, and would
    run other code where the project is upgraded while a worker runs.
    """
    import tensorflow as tf

    graph: Callable[..., Any] = tf.function(function, autograph=False, jit_compile=not has_gpu())
    return graph


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard what C++ code writes to file descriptor 2: its first lines ignore every log level."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
