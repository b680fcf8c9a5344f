"""Sampling: temperature, top-k and top-p do what they say, and nothing forbidden is ever chosen."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lstm_music.generation.sampling import Sampling, sample

IDS = 12
LARGEST_CHANCE = np.float32(1 - 2**-24)  # of numpy's float32 uniforms


def sample_one(logits, chances, allowed=None, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0):
    """Sample for one row of logits and many chances."""
    shape = (len(chances), len(logits))
    allowed = np.ones(len(logits), bool) if allowed is None else allowed
    return sample(
        np.broadcast_to(np.float64(logits), shape),
        np.broadcast_to(allowed, shape),
        np.float32(chances),
        Sampling(temperature, top_k, top_p, min_p),
    )


def softmax(logits, temperature=1.0):
    weights = np.exp((logits - np.max(logits)) / temperature)
    return weights / weights.sum()


@pytest.fixture(scope="module")
def logits():
    return np.random.default_rng(1).permutation(np.linspace(-3, 2, IDS))


EVEN = (np.arange(20_000) + 0.5) / 20_000  # as many chances in each part of 0 to 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_ids_are_as_frequent_as_their_probabilities(logits, temperature):
    found = np.bincount(sample_one(logits, EVEN, temperature=temperature), minlength=IDS) / len(EVEN)
    np.testing.assert_allclose(found, softmax(logits, temperature), atol=2e-4)


def test_probabilities_are_shared_among_what_is_allowed(logits):
    allowed = np.arange(IDS) % 3 == 1
    found = np.bincount(sample_one(logits, EVEN, allowed), minlength=IDS) / len(EVEN)
    wanted = np.zeros(IDS)
    wanted[allowed] = softmax(logits[allowed])
    np.testing.assert_allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize("top_k", [1, 3, IDS, IDS + 5])
def test_top_k_keeps_the_likeliest(logits, top_k):
    found = np.bincount(sample_one(logits, EVEN, top_k=top_k), minlength=IDS) / len(EVEN)
    kept = np.argsort(-logits)[:top_k]
    wanted = np.zeros(IDS)
    wanted[kept] = softmax(logits[kept])
    np.testing.assert_allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize("top_p", [0.01, 0.5, 0.9, 1.0])
def test_top_p_keeps_the_fewest_that_have_the_share(logits, top_p):
    probabilities = softmax(logits)
    order = np.argsort(-probabilities)
    count = int(np.searchsorted(np.cumsum(probabilities[order]), top_p - 1e-6)) + 1
    kept = order[:count]
    assert set(sample_one(logits, EVEN, top_p=top_p).tolist()) == set(kept.tolist())


def test_top_p_is_of_what_top_k_left():
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    assert set(sample_one(logits, EVEN, top_k=2, top_p=0.5).tolist()) == {0}  # 0.4 of 0.7 is more than half
    assert set(sample_one(logits, EVEN, top_k=2, top_p=0.6).tolist()) == {0, 1}


@pytest.mark.parametrize("min_p", [0.05, 0.3, 0.9])
def test_min_p_keeps_what_is_not_much_less_likely_than_the_likeliest(logits, min_p):
    shares = softmax(logits, 0.8)
    kept = np.flatnonzero(shares >= min_p * shares.max())
    assert set(sample_one(logits, EVEN, temperature=0.8, min_p=min_p).tolist()) == set(kept.tolist())


def test_temperature_zero_takes_the_likeliest_that_is_allowed(logits):
    allowed = np.ones(IDS, bool)
    allowed[np.argmax(logits)] = False
    assert set(sample_one(logits, EVEN[:50], allowed, temperature=0).tolist()) == {int(np.argsort(-logits)[1])}


def test_a_temperature_close_to_zero_is_nearly_that(logits):
    for temperature in (1e-3, 1e-12, 1e-40):
        assert set(sample_one(logits, [0, 0.5, LARGEST_CHANCE], temperature=temperature).tolist()) == {
            np.argmax(logits)
        }


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-4, 4), min_size=1, max_size=20),  # few distinct values: many are equally likely
    st.sampled_from([0.3, 1.0, 5.0]),
    st.integers(0, 22),
    st.sampled_from([0.05, 0.5, 0.9, 0.98, 1.0]),
    st.sampled_from([0.0, 0.01, 0.3]),
)
def test_what_is_kept_is_what_sorting_would_keep(logits, temperature, top_k, top_p, min_p):
    """Each id that is kept is the answer to the chance in the middle of its share; of equally likely ones all are kept."""
    weights = softmax(np.float64(logits), temperature)

    def keep(amounts, enough):
        above = (np.where(weights[None] > weights[:, None] * (1 + 1e-9), amounts[None], 0)).sum(1)
        return np.where(above < enough, weights, 0)

    if top_k:
        weights = keep(np.ones(len(weights)), top_k)
    borders = np.cumsum(np.sort(weights)[::-1]) / weights.sum()
    assume(np.abs(borders - top_p).min() > 1e-5 or top_p == 1)  # a rounding error decides there
    weights = keep(weights, top_p * weights.sum())
    weights[weights < min_p * weights.max() * (1 - 1e-6)] = 0
    middles = (np.cumsum(weights) - weights / 2) / weights.sum()
    wanted = np.flatnonzero(weights / weights.sum() > 1e-5)
    found = sample_one(logits, middles[wanted], None, temperature, top_k, top_p, min_p)
    assert found.tolist() == wanted.tolist()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 50, width=32), st.booleans()), min_size=1, max_size=20),
    st.sampled_from([0, 1e-6, 0.3, 1.0, 100.0]),
    st.integers(0, 25),
    st.sampled_from([1e-6, 0.3, 0.98, 1.0]),
)
def test_what_is_forbidden_is_never_chosen(ids, temperature, top_k, top_p):
    logits, allowed = map(np.array, zip(*ids, strict=True))
    chances = np.array([0, 1e-7, 0.5, 0.999, LARGEST_CHANCE], np.float32)
    found = sample_one(logits, chances, allowed, temperature, top_k, top_p)
    assert allowed[found].all() if allowed.any() else (found == 0).all()
