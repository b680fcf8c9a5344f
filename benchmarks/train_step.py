"""Measures how many windows per second a training step processes on one thread: the report's, ours and PyTorch's.

Run: python benchmarks/train_step.py [--batch 32 128] [--units 512] [--seconds 4] [--json]

A window is 64 tokens from a vocabulary of 277; the LSTM has 512 units. All train with Adam on the same tokens:

- `report`: the report's model in stock Keras on precomputed one-hot vectors: LSTM → Dropout → Dense(128) → softmax, with one
  target after the last step.
- `ours`: our LSTM, which looks up rows for tokens, with a target at every step and one Dense head; compiled by XLA.
- `ours_last_step`: our LSTM in the report's architecture, with the report's single target.
- `pytorch`: `torch.nn.LSTM` with a target at every step, one linear head and fused Adam; on precomputed one-hot vectors or an
  `Embedding(64)`, whichever is faster.

Each runs in its own process, with one thread, on the CPU. They take turns, so disturbances hit all of them; the best of several
rounds counts. Seconds are CPU seconds. The fraction of the GEMM peak compares the matrix products of a step with one large
float32 product on one thread (TensorFlow's or PyTorch's, whichever is faster). With two batch sizes it takes three minutes of
CPU time. It needs torch, which the project itself does not: `make install-bench`.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from lstm_music.models.backend import load_tensorflow

LENGTH, CLASSES, EMBEDDED = 64, 277, 64
BOTTLENECK, DROPOUT, LEARNING_RATE = 128, 0.25, 1e-3  # the report's
BATCHES = 4  # used in turn, so that the model does not memorise one
ROUNDS = 3
WARM_UP = 2  # steps: the first compiles
LEAST_STEPS = 2  # per measurement, however long a step takes
PRODUCT = 2048  # rows and columns of the large product
PRODUCT_SECONDS = 1.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}

Step = Callable[[int], float]
"""Trains on the batch with a given number; returns the loss, so that the caller waits until the step is done."""
Rates = dict[str, tuple[float, float]]
"""(Rate per CPU second, rate per wall-clock second), by name."""


def report(tokens: np.ndarray, units: int) -> Step:
    """Return a step of `fit` with the report's model."""
    load_tensorflow(threads=1)
    import keras

    vectors = np.eye(CLASSES, dtype=np.float32)[tokens.swapaxes(1, 2)]
    model = keras.Sequential(
        [
            keras.layers.Input((LENGTH, CLASSES)),
            keras.layers.LSTM(units),
            keras.layers.Dropout(DROPOUT),
            keras.layers.Dense(BOTTLENECK),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(LEARNING_RATE), "categorical_crossentropy")
    windows = [(np.ascontiguousarray(batch[:, :-1]), np.ascontiguousarray(batch[:, -1])) for batch in vectors]
    return lambda number: float(model.train_on_batch(*windows[number % BATCHES]))


def ours(tokens: np.ndarray, units: int) -> Step:
    """Return our step with a target at every step of the window."""
    load_tensorflow(threads=1)
    import keras

    return _ours(tokens, units, [keras.layers.Dense(CLASSES)], targets=LENGTH)


def ours_last_step(tokens: np.ndarray, units: int) -> Step:
    """Return our step with the report's layers and its single target."""
    load_tensorflow(threads=1)
    import keras

    dropout = keras.layers.Dropout(DROPOUT, seed=0)
    return _ours(tokens, units, [dropout, keras.layers.Dense(BOTTLENECK), keras.layers.Dense(CLASSES)], targets=1)


def _ours(tokens: np.ndarray, units: int, layers: Sequence[Any], targets: int) -> Step:
    """Return a compiled step, as in `Learner`; the `layers` read the LSTM's output at the last `targets` steps."""
    import keras
    import tensorflow as tf

    from lstm_music.models.lstm import LSTM

    lstm, head = LSTM(CLASSES, units, 0, name="lstm"), keras.Sequential(layers)
    lstm.build()
    head.build((targets, tokens.shape[2], units))
    variables = [*lstm.trainable_variables, *head.trainable_variables]
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(variables)

    @tf.function(jit_compile=True)
    def train(rows: Any, wanted: Any) -> Any:
        zeros = tf.zeros([rows.shape[1], units])
        with tf.GradientTape() as tape:
            logits = head(lstm(rows, (zeros, zeros))[0][-targets:], training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits))
        gradients = tape.gradient(loss, variables)
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
        return loss

    windows = [(batch[:-1, :, None], batch[1:][-targets:]) for batch in tokens.astype(np.int32)]
    return lambda number: float(train(*windows[number % BATCHES]))


def pytorch_one_hot(tokens: np.ndarray, units: int) -> Step:
    """Return PyTorch's step with one-hot vectors."""
    from torch import nn

    return _pytorch(np.eye(CLASSES, dtype=np.float32)[tokens[:, :-1]], tokens, nn.Identity(), CLASSES, units)


def pytorch_embedding(tokens: np.ndarray, units: int) -> Step:
    """Return PyTorch's step with an embedding."""
    from torch import nn

    return _pytorch(tokens[:, :-1], tokens, nn.Embedding(CLASSES, EMBEDDED), EMBEDDED, units)


def _pytorch(inputs: np.ndarray, tokens: np.ndarray, read: Any, width: int, units: int) -> Step:
    """Return a step in which the module `read` turns the inputs into the LSTM's vectors of `width` numbers."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    lstm, head = nn.LSTM(width, units), nn.Linear(units, CLASSES)
    optimizer = torch.optim.Adam(nn.ModuleList([read, lstm, head]).parameters(), LEARNING_RATE, fused=True)
    windows = [
        (torch.from_numpy(np.ascontiguousarray(one)), torch.from_numpy(batch[1:].reshape(-1)))
        for one, batch in zip(inputs, tokens, strict=True)
    ]

    def step(number: int) -> float:
        values, targets = windows[number % BATCHES]
        logits = head(lstm(read(values))[0])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


PEERS = {
    "report": report,
    "ours": ours,
    "ours_last_step": ours_last_step,
    "pytorch_one_hot": pytorch_one_hot,
    "pytorch_embedding": pytorch_embedding,
}


def large_product(name: str) -> Step:
    """Return one large matrix product in the library of a peer."""
    values = np.random.default_rng(0).standard_normal((PRODUCT, PRODUCT), np.float32)
    if name.startswith("pytorch"):
        import torch

        tensor = torch.from_numpy(values)
        return lambda _: float((tensor @ tensor)[0, 0])
    import tensorflow as tf

    constant = tf.constant(values)
    return lambda _: float((constant @ constant)[0, 0])


def gemm_flops(name: str, units: int) -> int:
    """Count the floating-point operations per window of a step's matrix products: 2 per multiplication."""

    def layer(steps: int, inputs: int, outputs: int, products: int = 3) -> int:
        """One product forward, and two for the gradients of the weights and the inputs."""
        return 2 * steps * inputs * outputs * products

    one_hot = layer(LENGTH, CLASSES, 4 * units, products=2)  # one-hot vectors need no gradient
    last_step = layer(1, units, BOTTLENECK) + layer(1, BOTTLENECK, CLASSES)
    every_step = layer(LENGTH, units, CLASSES)
    beside_the_recurrent = {
        "report": one_hot + last_step,
        "ours": every_step,  # looks rows up instead of multiplying
        "ours_last_step": last_step,
        "pytorch_one_hot": one_hot + every_step,
        "pytorch_embedding": layer(LENGTH, EMBEDDED, 4 * units) + every_step,
    }
    return layer(LENGTH, units, 4 * units) + beside_the_recurrent[name]


def rates(step: Step, seconds: float) -> tuple[float, float]:
    """Return the steps per CPU second and per wall-clock second."""
    cpu, clock, done = time.process_time(), time.perf_counter(), 0
    while done < LEAST_STEPS or time.process_time() - cpu < seconds:
        step(done)
        done += 1
    return done / (time.process_time() - cpu), done / (time.perf_counter() - clock)


def serve(pipe: Connection, name: str, batch_sizes: Sequence[int], units: int, seconds: float) -> None:
    """Build one peer's steps; then measure for each batch size received (0: the large product), until `None`."""
    jobs = {}
    for windows in batch_sizes:
        tokens = np.random.default_rng(windows).integers(0, CLASSES, (BATCHES, LENGTH + 1, windows))
        jobs[windows] = PEERS[name](tokens, units), seconds
    jobs[0] = large_product(name), PRODUCT_SECONDS
    for step, _ in jobs.values():
        for number in range(WARM_UP):
            step(number)
    pipe.send("ready")
    for job in iter(pipe.recv, None):
        pipe.send(rates(*jobs[job]))


def measure(batch_sizes: Sequence[int], units: int, seconds: float) -> tuple[dict[int, Rates], float]:
    """Let the peers take turns; return the best windows per second by batch size and peer, and the GEMM peak in FLOP/s."""
    os.environ.update(ONE_THREAD)  # the libraries read it on import, in the child processes
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name in PEERS:
        pipes[name], there = context.Pipe()
        process = context.Process(target=serve, args=(there, name, batch_sizes, units, seconds), daemon=True)
        process.start()
        there.close()  # so that `recv` fails if the process dies
        pipes[name].recv()
    best: dict[int, Rates] = {job: dict.fromkeys(PEERS, (0.0, 0.0)) for job in (0, *batch_sizes)}
    for _ in range(ROUNDS):
        for job, found in best.items():
            for name, pipe in pipes.items():
                pipe.send(job)
                found[name] = max(found[name], pipe.recv())
    for pipe in pipes.values():
        pipe.send(None)
    products = max(cpu for cpu, _ in best.pop(0).values())
    windows = {
        size: {name: (size * cpu, size * clock) for name, (cpu, clock) in found.items()} for size, found in best.items()
    }
    return windows, products * 2 * PRODUCT**3


def summary(windows: Mapping[int, Rates], peak: float, units: int) -> dict[str, Any]:
    """Assemble the result: PyTorch counts with its better input; the main figures are for the first batch size."""
    by_size = {}
    inputs = {}
    for size, found in windows.items():
        inputs[size] = max(("pytorch_embedding", "pytorch_one_hot"), key=found.__getitem__)
        ours_and_the_report = {name: rate for name, rate in found.items() if not name.startswith("pytorch")}
        by_size[size] = {**ours_and_the_report, "pytorch": found[inputs[size]]}
    first = next(iter(by_size))
    cpu = {name: rate for name, (rate, _) in by_size[first].items()}
    flops = {name: gemm_flops(inputs[first] if name == "pytorch" else name, units) for name in cpu}
    return {
        "ours_over_report": round(cpu["ours"] / cpu["report"], 2),
        "ours_over_pytorch": round(cpu["ours"] / cpu["pytorch"], 2),
        "windows_per_second": {name: round(rate, 1) for name, rate in cpu.items()},
        "windows_per_clock_second": {name: round(rate, 1) for name, (_, rate) in by_size[first].items()},
        "fraction_of_gemm_peak": {name: round(rate * flops[name] / peak, 3) for name, rate in cpu.items()},
        "gemm_peak_gflops": round(peak / 1e9, 1),
        "pytorch_input": inputs[first].removeprefix("pytorch_"),
        "batch_sizes": {
            str(size): {name: round(rate, 1) for name, (rate, _) in found.items()} for size, found in by_size.items()
        },
        "best_batch": {name: max(by_size, key=lambda size: by_size[size][name]) for name in cpu},
    }


def describe(result: Mapping[str, Any]) -> None:
    """Print the result as a table."""
    sizes = result["batch_sizes"]
    first = next(iter(sizes))
    print(f"Windows per CPU second by batch size; per wall-clock second, and share of the GEMM peak, at batch {first}:")
    columns = [*sizes, "clock", "of peak", "best batch"]
    print(f"{'':16}" + "".join(f"{column:>12}" for column in columns))
    for name in result["windows_per_second"]:
        print(
            f"{name:16}"
            + "".join(f"{sizes[size][name]:12,.1f}" for size in sizes)
            + f"{result['windows_per_clock_second'][name]:12,.1f}{result['fraction_of_gemm_peak'][name]:12.1%}"
            + f"{result['best_batch'][name]:12}"
        )
    print(
        f"At batch {first} ours is {result['ours_over_report']} times as fast as the report's step and "
        f"{result['ours_over_pytorch']} times as fast as PyTorch's (input: {result['pytorch_input']}). "
        f"The GEMM peak is {result['gemm_peak_gflops']} GFLOP/s."
    )


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[32], help="windows per batch; the first is compared")
    parser.add_argument("--units", type=int, default=512, help="units of the LSTM [default: %(default)s]")
    parser.add_argument("--seconds", type=float, default=4.0, help="CPU seconds per measurement [default: %(default)s]")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        sys.stderr.write("train_step.py needs torch: install it with `make install-bench`\n")
        sys.exit(2)
    windows, peak = measure(arguments.batch, arguments.units, arguments.seconds)
    result = summary(windows, peak, arguments.units)
    if arguments.json:
        print(json.dumps(result))
    else:
        describe(result)


if __name__ == "__main__":
    main()
