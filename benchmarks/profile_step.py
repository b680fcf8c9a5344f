"""Measures where the time of a training step goes: for the recipe's models, part by part, on one thread.

Run: python benchmarks/profile_step.py [--recipe default] [--storage storage] [--model note] [--batch 8 16 32]
         [--checkout FOLDER ...] [--rounds 5] [--json]

It opens the recipe's latest prepared dataset in `--storage`. Without one it draws random tokens, with as many values of each
stream as 296 piano pieces have. The recipe must be one of chained models.

A part is compiled alone, by XLA, as the whole step is, so the parts need not add up to the step:

- `batch`: reads the tokens of a batch, transposes and hides some, and draws the random bytes of dropout. It runs before the
  step, in the same thread.
- `rows`: the sum of the kernel's rows of all fields, and its gradient.
- `forward`: the LSTM over time. `lstm`: the same with its gradient, that of the recurrent kernel included.
- `recurrent`: of `lstm`, the one large product that gives the gradient of the recurrent kernel.
- `head`: dropout, the dense layer, the loss, and their gradients.
- `optimiser`: Adam with its clipping.
- `step`: what a training does for each batch, `batch` included.

A figure is the CPU milliseconds of the fastest of several rounds, in which all parts and batch sizes take turns. GFLOP/s are
those of the three matrix products of `lstm`; beside them stands the speed of one large product. With `--checkout` other working
copies of this repository are measured in the same rounds, each in a process of its own, and the ratios are printed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from lstm_music.encoding.echoes import echo_sizes
from lstm_music.encoding.places import place_sizes
from lstm_music.encoding.splits import TRAIN
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import Batch, PieceSpan, Tokens, batches, epoch_windows, hide
from lstm_music.errors import LstmMusicError
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.columns import Columns
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.prepare import last_prepared
from lstm_music.stages.training.trained import columns_of
from lstm_music.store import Store

SIZES = {"offset": 77, "note": 131, "duration": 112, "velocity": 35}  # of the streams in 296 piano pieces
PIECES, PIECE_EVENTS = 64, 2000  # of random tokens
PARTS = ("batch", "rows", "forward", "lstm", "recurrent", "head", "optimiser", "step")
PRODUCT = "product"
PRODUCT_ROWS = 1536
WARM_UP = 2  # calls: the first compiles
SECONDS = 0.5  # of CPU, for each part in each round

Times = dict[tuple[int, str], float]
"""CPU milliseconds, by batch size and part."""


@dataclass(frozen=True, eq=False)
class Music:
    """What is trained on, as `lstm_music.models.training_data.TrainingData` has it."""

    tokens: Tokens
    spans: Sequence[PieceSpan]
    columns: Columns
    transposition: np.ndarray


def of_storage(storage: str, recipe: Recipe) -> Music:
    """Open the training pieces of a recipe's latest dataset."""
    store = Store(storage)
    dataset = load_dataset(store, last_prepared(store, recipe.name).dataset)
    spans = dataset.targets(TRAIN, recipe.first_target).spans
    return Music(dataset.tokens, spans, columns_of(dataset, recipe.windows), dataset.transposition(recipe.windows))


def drawn(recipe: Recipe) -> Music:
    """Draw random tokens for a recipe; a transposition leaves them as they are."""
    streams = recipe.model.streams
    of_streams = {stream: SIZES[stream] for stream in streams}
    sizes = {**of_streams, **place_sizes(recipe.events.grid), **echo_sizes(of_streams)}
    rng = np.random.default_rng(0)
    events = PIECES * PIECE_EVENTS
    tokens = np.stack([rng.integers(SPECIAL_IDS, size, events) for size in sizes.values()], 1).astype(np.uint16)
    spans = [PieceSpan(str(start), start, start + PIECE_EVENTS) for start in range(0, events, PIECE_EVENTS)]
    quarters = np.zeros(sizes["offset"], np.float32)
    same = np.tile(np.arange(sizes["note"]), (len(recipe.windows.shifts), 1))
    return Music(tokens, spans, Columns(streams, sizes, quarters, recipe.windows.length), same)


def read_batches(music: Music, recipe: Recipe, size: int) -> Iterator[Batch]:
    """Read epoch after epoch, without end."""
    epoch = 0
    while True:
        yield from batches(
            music.tokens,
            music.spans,
            epoch_windows(music.spans, recipe.windows.length, recipe.random_seed, epoch),
            length=recipe.windows.length,
            batch_size=size,
            note_columns=music.columns.note_columns,
            transposition=music.transposition,
            first_shift=recipe.windows.transpose_from,
        )
        epoch += 1


def parts(music: Music, recipe: Recipe, name: str, size: int) -> dict[str, Callable[[], Any]]:
    """Build each part of a model's step for one batch size; a call runs it to its end."""
    from lstm_music.models.architectures import build_model
    from lstm_music.models.learner import Learner

    model: Any = build_model(recipe.model, name, music.columns, recipe.random_seed)
    learner = Learner(model, recipe.training)
    source, rng = read_batches(music, recipe, size), np.random.default_rng(recipe.random_seed)

    def make_batch() -> tuple[Batch, np.ndarray, np.ndarray]:
        batch, streams = next(source), len(music.columns.streams)
        for tokens in (batch.previous, batch.current):
            tokens[..., :streams] = hide(tokens[..., :streams], recipe.model.hidden_inputs, rng)
        shape = model.drop_shape(*batch.mask.shape) if recipe.model.dropout else (0,)
        return batch, model.rows(batch.previous, batch.current), rng.integers(0, 256, shape, np.uint8)

    return {
        "batch": make_batch,
        **_compiled_parts(model, learner.optimizer, *make_batch(), rng),
        "step": lambda: learner.step(next(source), recipe.training.learning_rate, rng),
    }


def _compiled_parts(
    model: Any, optimizer: Any, batch: Batch, rows: np.ndarray, drops: np.ndarray, rng: np.random.Generator
) -> dict[str, Callable[[], Any]]:
    """Compile the parts that compute with tensors, for the first layer and the head."""
    import tensorflow as tf

    from lstm_music.models.backend import compiled
    from lstm_music.models.chained import dropped

    layer, units, (steps, size) = model.stack[0], model.spec.units, batch.mask.shape

    def values(*shape: int) -> Any:
        return tf.constant(rng.standard_normal(shape, np.float32))

    def rows_part(rows: Any, factors: Any) -> Any:
        with tf.GradientTape() as tape:
            gates = layer.gates(rows)
        gradients = tape.gradient(gates, [layer.cell.kernel, layer.cell.bias], factors)
        return gates, [tf.convert_to_tensor(gradient) for gradient in gradients]

    def forward_part(gates: Any) -> Any:
        zeros = tf.zeros([size, units])
        return layer.run(gates, (zeros, zeros))[0]

    def lstm_part(gates: Any, factors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(gates)
            outputs = forward_part(gates)
        return outputs, tape.gradient(outputs, [gates, layer.cell.recurrent_kernel], factors)

    def head_part(outputs: Any, drops: Any, targets: Any, mask: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            kept = dropped(outputs, drops[-1], model.spec.dropout) if model.spec.dropout else outputs
            loss = tf.reduce_mean(model.costs(model.head(kept), targets) * mask)
        return loss, tape.gradient(loss, [outputs, *model.head.trainable_variables])

    def optimiser_part(*gradients: Any) -> None:
        optimizer.apply(list(gradients), model.trainable_variables)

    wide, narrow = values(steps, size, 4 * units), values(steps, size, units)
    gradients = [values(*variable.shape) * 1e-3 for variable in model.trainable_variables]
    product = values(PRODUCT_ROWS, PRODUCT_ROWS)
    work: dict[str, tuple[Callable[..., Any], list[Any]]] = {
        "rows": (rows_part, [tf.constant(rows), wide]),
        "forward": (forward_part, [wide]),
        "lstm": (lstm_part, [wide, narrow]),
        "recurrent": (partial(tf.matmul, transpose_a=True), [_flat(narrow), _flat(wide)]),
        "head": (head_part, [narrow, tf.constant(drops), tf.constant(model.targets(batch)), model.mask(batch)]),
        "optimiser": (optimiser_part, gradients),
        PRODUCT: (tf.matmul, [product, product]),
    }
    return {part: partial(compiled(function), *inputs) for part, (function, inputs) in work.items()}


def _flat(values: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(values, [-1, values.shape[-1]])


def milliseconds(call: Callable[[], Any], seconds: float) -> float:
    """Give the CPU milliseconds of a call, from as many as take `seconds`."""
    begun, calls = time.process_time(), 0
    while calls < 2 or time.process_time() - begun < seconds:
        call()
        calls += 1
    return (time.process_time() - begun) / calls * 1e3


def serve(arguments: argparse.Namespace) -> None:
    """Be the process of one checkout: build everything, and then measure what each line of stdin names."""
    load_tensorflow(threads=1)
    recipe = load_recipe(arguments.recipe).of_model(arguments.model)
    music = of_storage(arguments.storage, recipe) if arguments.storage else drawn(recipe)
    calls = {size: parts(music, recipe, arguments.model, size) for size in arguments.batch}
    for call in (call for of_size in calls.values() for call in of_size.values()):
        for _ in range(WARM_UP):
            call()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        size, part = line.split()
        sys.stdout.write(f"{milliseconds(calls[int(size)][part], SECONDS)}\n")
        sys.stdout.flush()


def _answer(process: subprocess.Popen[str]) -> str:
    answers: IO[str] | None = process.stdout
    assert answers is not None
    line = answers.readline()
    if not line:
        sys.exit("profile_step.py: a measuring process ended early; its message stands above")
    return line


def measure(checkouts: Sequence[Path], sizes: Sequence[int], rounds: int) -> list[Times]:
    """Measure every part in a process of each checkout, in turns; give the least of each."""
    command = [sys.executable, __file__, *sys.argv[1:], "--serve"]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    start = partial(subprocess.Popen, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    processes = [start(env={**variables, "PYTHONPATH": str(checkout.resolve())}) for checkout in checkouts]
    for process in processes:
        _answer(process)
    found: list[Times] = [{} for _ in checkouts]
    for key in [(size, part) for _ in range(rounds) for size in sizes for part in (*PARTS, PRODUCT)]:
        for times, process in zip(found, processes, strict=True):
            assert process.stdin is not None
            process.stdin.write(f"{key[0]} {key[1]}\n")
            process.stdin.flush()
            times[key] = min(times.get(key, float("inf")), float(_answer(process)))
    for process in processes:
        process.communicate()
    return found


def table(times: Times, sizes: Sequence[int], recipe: Recipe) -> str:
    """Draw a row for each batch size: milliseconds by part, by window, and the speed of the products."""
    lines = [f"{'batch':>6}" + "".join(f"{part:>11}" for part in PARTS) + "   a window   GFLOP/s   large product"]
    units, length = recipe.model.units, recipe.windows.length
    for size in sizes:
        speed = 3 * 2 * length * size * units * 4 * units / times[size, "lstm"] / 1e6
        peak = 2 * PRODUCT_ROWS**3 / times[size, PRODUCT] / 1e6
        figures = "".join(f"{times[size, part]:11.2f}" for part in PARTS)
        lines.append(f"{size:6}{figures}{times[size, 'step'] / size:11.2f}{speed:10.1f}{peak:16.1f}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="default", help="name or file [default: %(default)s]")
    parser.add_argument("--storage", help="with the recipe's prepared dataset [default: random tokens]")
    parser.add_argument("--model", default="note", help="which of the recipe's models [default: %(default)s]")
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 16, 32], help="windows of a batch")
    parser.add_argument("--checkout", type=Path, nargs="*", default=[], help="other working copies to compare with")
    parser.add_argument("--rounds", type=int, default=5, help="[default: %(default)s]")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        recipe = load_recipe(arguments.recipe)
        if recipe.model.is_windowed or arguments.model not in recipe.model.models:
            sys.exit(
                f"--recipe, --model: expected a model of a chained recipe, got {arguments.model!r} of {recipe.name!r}"
            )
        if arguments.serve:
            serve(arguments)
            return
        checkouts = [Path(__file__).parents[1], *arguments.checkout]
        found = measure(checkouts, arguments.batch, arguments.rounds)
    except LstmMusicError as error:
        sys.exit(str(error))
    describe(found, checkouts, recipe, arguments)


def describe(found: Sequence[Times], checkouts: Sequence[Path], recipe: Recipe, arguments: argparse.Namespace) -> None:
    """Print a table for each checkout, and the times of the others as multiples of the first one's."""
    if arguments.json:  # by batch size, then by part
        sizes, names = arguments.batch, (*PARTS, PRODUCT)
        print(
            json.dumps(
                [{size: {part: round(times[size, part], 3) for part in names} for size in sizes} for times in found]
            )
        )
        return
    print(
        f"CPU milliseconds of the {arguments.model} model of {recipe.name!r}, {recipe.windows.length} events a window"
    )
    for checkout, times in zip(checkouts, found, strict=True):
        print(f"\n{checkout.resolve()}\n{table(times, arguments.batch, recipe)}")
    for checkout, times in zip(checkouts[1:], found[1:], strict=True):
        print(f"\n{checkout.resolve()}, as a multiple of the first checkout")
        print(f"{'batch':>6}" + "".join(f"{part:>11}" for part in PARTS))
        for size in arguments.batch:
            print(f"{size:6}" + "".join(f"{times[size, part] / found[0][size, part]:11.2f}" for part in PARTS))


if __name__ == "__main__":
    main()
