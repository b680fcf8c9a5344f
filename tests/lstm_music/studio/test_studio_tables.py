"""What the page's engine reads: the layout of safetensors, weights in planes, and n-grams by the first bits of their hashes."""

import json

import numpy as np
import pytest

from lstm_music.encoding.guesses import ODDS_STEP
from lstm_music.encoding.ngrams import Counts
from lstm_music.errors import RecipeError
from lstm_music.inference.exact import STEPS
from lstm_music.studio.tables import ngram_arrays, odds_from, pack, planes, smallest


def unpacked(data: bytes) -> tuple[dict[str, np.ndarray], dict]:
    length = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + length])
    facts = json.loads(entries.pop("__metadata__")["studio"])
    kinds = {"I32": np.int32, "U8": np.uint8, "BOOL": np.bool_, "U16": np.uint16, "U32": np.uint32, "F32": np.float32}
    arrays = {}
    for name, entry in entries.items():
        start, stop = entry["data_offsets"]
        assert (8 + length + start) % np.dtype(kinds[entry["dtype"]]).itemsize == 0
        found = np.frombuffer(data[8 + length + start : 8 + length + stop], kinds[entry["dtype"]])
        arrays[name] = found.reshape(entry["shape"])
    return arrays, facts


def test_arrays_and_facts_come_back_each_at_a_multiple_of_its_size():
    arrays = {
        "bytes": np.arange(5, dtype=np.uint8),
        "table": np.arange(6, dtype=np.int32).reshape(2, 3),
        "short": np.array([1, 65535], np.uint16),
        "none": np.zeros(0, np.float32),
    }
    data = pack(arrays, {"name": "é<", "list": [1, 2]})
    found, facts = unpacked(data)
    assert facts == {"name": "é<", "list": [1, 2]}
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    assert pack(dict(reversed(arrays.items())), {"list": [1, 2], "name": "é<"}) == data


def test_weights_are_steps_of_the_grid_in_three_planes():
    weights = np.array([[0.0, 1 / STEPS, -1 / STEPS], [7.999, -8.0, 0.1]], np.float32)
    low, middle, high = planes(weights).astype(np.int64)
    steps = low + (middle << 8) + (high << 16) - (1 << 23)
    assert np.array_equal(steps, np.rint(weights.reshape(-1).astype(np.float64) * STEPS))


@pytest.mark.parametrize("value", [8.0, -8.1, 100.0])
def test_weights_beyond_three_bytes_are_refused(value):
    with pytest.raises(RecipeError, match="expected weights between -8 and 8"):
        planes(np.array([0.5, value]))


def test_a_context_is_found_by_its_bucket_and_24_more_bits():
    rng = np.random.default_rng(1)
    contexts = np.unique(rng.integers(-(2**63), 2**63 - 1, 3000))
    starts = np.arange(len(contexts) + 1)
    arrays, bits = ngram_arrays(Counts(contexts, starts, starts[1:].astype(np.int32), starts[1:].astype(np.int32)))
    assert bits == 16
    low, middle, high = arrays["rests"].astype(np.int64)
    rests = low + (middle << 8) + (high << 16)
    firsts = np.append(0, np.cumsum(arrays["bucket_lengths"], dtype=np.int64))
    for number in (0, 1, 1500, len(contexts) - 1):
        place = int(contexts[number]) + 2**63
        bucket, rest = place >> 48, place >> 24 & 0xFFFFFF
        inside = rests[firsts[bucket] : firsts[bucket + 1]].tolist()
        assert firsts[bucket] + inside.index(rest) == number


def test_contexts_that_begin_alike_get_more_bits():
    contexts = np.array([5 << 20, (5 << 20) + (1 << 19), 1 << 60], np.int64)
    counts = Counts(contexts, np.arange(4), np.ones(3, np.int32), np.ones(3, np.int32))
    assert ngram_arrays(counts)[1] == 21


def test_contexts_that_no_number_of_bits_tells_apart_are_refused():
    counts = Counts(np.array([5, 6], np.int64), np.arange(3), np.ones(2, np.int32), np.ones(2, np.int32))
    with pytest.raises(RecipeError, match="the models know 2 n-grams, too many for a page"):
        ngram_arrays(counts)


def test_counts_above_a_byte_stand_apart():
    counts = np.array([1, 255, 256, 100_000], np.int32)
    table = Counts(np.arange(4) << 60, np.arange(5), np.ones(4, np.int32), counts)
    arrays, _ = ngram_arrays(table)
    assert arrays["counts"].tolist() == [1, 255, 255, 255]
    assert [arrays["often"].tolist(), arrays["often_counts"].tolist()] == [[2, 3], [256, 100_000]]


def test_odds_begin_at_the_least_ratio_that_is_rounded_to_them():
    ratios = odds_from()
    assert (np.diff(ratios) > 0).all()

    def odds(values: np.ndarray) -> list[float]:
        return np.rint(np.log(values) / ODDS_STEP).tolist()

    assert odds(ratios) == list(range(1, 128))
    assert odds(np.nextafter(ratios, np.float32(0))) == list(range(127))


def test_numbers_take_the_smallest_type():
    assert [smallest(np.array([1, most])).dtype.itemsize for most in (255, 256, 65535, 65536)] == [1, 2, 2, 4]
    assert smallest(np.zeros(0, np.int64)).dtype == np.uint8
