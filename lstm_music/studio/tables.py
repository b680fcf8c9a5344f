"""What the page's engine needs, as one block of bytes: the layout of safetensors, the facts as JSON in its metadata.

Arrays are as small as their values allow. Weights on the grid of `inference.exact` are whole steps of 2^-20: three bytes each, in
planes, the lowest bytes of all first, because gzip finds little in the lower planes and much in the upper one.

The hashes of the n-grams keep their first bits only: `bucket_bits`, which say where to look, and 24 more. No two contexts of the
table share these; a context that is *not* in the table is taken for one that is with a probability of
contexts / 2^(bucket_bits + 24), which is at most `TAKEN_FOR_ANOTHER`. Counts above 255 stand apart.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.guesses import MOST_ODDS, ODDS_STEP
from lstm_music.encoding.ngrams import HASH_BITS, Counts, place_of
from lstm_music.errors import RecipeError
from lstm_music.generation.grammar import Grammar
from lstm_music.inference.chained import ChainedModel
from lstm_music.inference.exact import STEPS, exact_weights
from lstm_music.inference.model import InferenceModel

Arrays = dict[str, npt.NDArray[Any]]

METADATA = "studio"
BUCKET_BITS = range(16, 25)
REST_BITS = 24
TAKEN_FOR_ANOTHER = 2.5e-7
ALIGNMENT = 8  # bytes

MOST_COUNT = 255
_PLANES = 3
_MIDDLE = 1 << (8 * _PLANES - 1)
_TYPES = {
    np.dtype("<i4"): "I32",
    np.dtype("u1"): "U8",
    np.dtype("?"): "BOOL",
    np.dtype("<u2"): "U16",
    np.dtype("<u4"): "U32",
    np.dtype("<f4"): "F32",
}


def pack(arrays: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, Any]) -> bytes:
    """Write arrays and facts in the layout of safetensors; the same ones give the same bytes."""
    entries: dict[str, Any] = {"__metadata__": {METADATA: json.dumps(facts, separators=(",", ":"), sort_keys=True)}}
    blocks, place = [], 0
    ordered = sorted(arrays.items(), key=lambda one: (-one[1].itemsize, one[0]))  # so that each lies on its own size
    for name, array in ordered:
        block = np.ascontiguousarray(array).tobytes()
        entries[name] = {
            "dtype": _TYPES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [place, place + len(block)],
        }
        blocks.append(block)
        place += len(block)
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % ALIGNMENT)
    return b"".join([len(header).to_bytes(8, "little"), header, *blocks])


def engine_tables(
    models: Sequence[InferenceModel],
    weights: Sequence[Mapping[str, npt.NDArray[Any]]],
    grammar: Grammar,
    counts: Counts | None,
) -> tuple[Arrays, dict[str, Any]]:
    """Give the arrays and the facts of the engine: the `models` with their `weights` by name, the rules, and the n-grams.

    Raises RecipeError for models that read windows, and for weights that are too large for three bytes.
    """
    if not all(isinstance(model, ChainedModel) for model in models):
        raise RecipeError(
            "studio: expected models of the architecture 'chained_lstm', because the page keeps no windows; "
            "use another recipe, such as 'default'"
        )
    columns = models[0].columns
    arrays = dict(_of_grammar(grammar))
    facts: dict[str, Any] = {
        "columns": {
            "streams": list(columns.streams),
            "names": list(columns.sizes),
            "sizes": list(columns.sizes.values()),
        },
        "stepsPerQuarter": grammar.steps_per_quarter,
        "ascending": grammar.ascending,
        "models": [_spec_of(model) for model in models],
    }
    for model, own in zip(models, weights, strict=True):
        stream = model.predicts[0]
        arrays |= {f"{stream}/{name}": planes(values) for name, values in own.items()}
    if counts is not None:
        found, facts["bucketBits"] = ngram_arrays(counts)
        arrays |= {f"ngrams/{name}": array for name, array in found.items()}
    return arrays, facts


def planes(weights: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Put weights on the grid, and give the bytes of their steps in planes, uint8 [3, weights]."""
    steps = np.rint(exact_weights(weights).reshape(-1) * STEPS).astype(np.int64) + _MIDDLE
    if len(steps) and (steps.min() < 0 or steps.max() >= 2 * _MIDDLE):
        raise RecipeError(f"studio: expected weights between -{_MIDDLE / STEPS:g} and {_MIDDLE / STEPS:g}")
    return in_planes(steps)


def in_planes(values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Give the three bytes of each value, the lowest bytes of all first: uint8 [3, values]."""
    return np.stack([values >> (8 * plane) & 255 for plane in range(_PLANES)]).astype(np.uint8)


def ngram_arrays(counts: Counts) -> tuple[Arrays, int]:
    """Give the arrays of a table of n-grams, and the number of bits that lead to a bucket. RecipeError for too many contexts."""
    bits = next(
        (
            bits
            for bits in BUCKET_BITS
            if len(counts.contexts) <= TAKEN_FOR_ANOTHER * 2 ** (bits + REST_BITS)
            and _are_distinct(counts.contexts >> (HASH_BITS - bits - REST_BITS))
        ),
        None,
    )
    if bits is None:
        raise RecipeError(f"studio: the models know {len(counts.contexts):,} n-grams, too many for a page")
    rests = (counts.contexts >> (HASH_BITS - bits - REST_BITS)) & ((1 << REST_BITS) - 1)
    how_often = np.asarray(counts.counts)
    arrays = {
        "bucket_lengths": smallest(np.bincount(place_of(counts.contexts, bits), minlength=1 << bits)),
        "rests": in_planes(rests),
        "lengths": smallest(np.diff(counts.starts)),
        "values": smallest(np.asarray(counts.values)),
        "counts": np.minimum(how_often, MOST_COUNT).astype(np.uint8),
        "often": np.flatnonzero(how_often > MOST_COUNT).astype(np.uint32),
        "often_counts": how_often[how_often > MOST_COUNT].astype(np.uint32),
        "odds_from": odds_from(),
    }
    return arrays, bits


def smallest(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give whole numbers that are not negative in the smallest type that holds them, of 8, 16 or 32 bits."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def odds_from() -> npt.NDArray[np.float32]:
    """Give the least float32 ratio whose odds are 1, 2 and so on, as `encoding.guesses.likeliest_of` rounds them.

    So the page needs no logarithm in 32 bits, of which every library has another one.
    """
    low = np.full(MOST_ODDS, np.float32(0.5)).view(np.int32)  # positive floats are in the order of their bits
    high = np.full(MOST_ODDS, np.float32(1e9)).view(np.int32)
    wanted = np.arange(1, MOST_ODDS + 1)
    while (high - low > 1).any():
        middle = low + (high - low) // 2
        is_enough = np.rint(np.log(middle.view(np.float32)) / ODDS_STEP) >= wanted
        low, high = np.where(is_enough, low, middle), np.where(is_enough, middle, high)
    return high.astype(np.int32).view(np.float32)


def _are_distinct(ascending: npt.NDArray[np.int64]) -> bool:
    return bool((ascending[1:] != ascending[:-1]).all())


def _spec_of(model: InferenceModel) -> dict[str, Any]:
    spec = model.spec
    return {
        "stream": model.predicts[0],
        "layers": spec.layers,
        "echoes": spec.echoes,
        "experts": list(spec.experts),
        "controls": list(spec.controls),
    }


def _of_grammar(grammar: Grammar) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    tables = {
        "offset_steps": grammar.offset_steps,
        "duration_steps": grammar.duration_steps,
        "on_grid": grammar.on_grid,
        "notes": grammar.notes,
        "durations": grammar.durations,
        "parts": grammar.parts,
        "notes_of_part": grammar.notes_of_part,
        "durations_of_part": grammar.durations_of_part,
        "pitches": grammar.pitches,
        "shape": grammar.shapes.shape,
        "lowest": grammar.shapes.lowest,
        "ids": grammar.shapes.ids,
    }
    for name, array in tables.items():
        yield f"grammar/{name}", array.astype(np.uint8 if array.dtype == np.bool_ else np.int32)
