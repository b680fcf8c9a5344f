"""The classifier that tries to tell two sets of excerpts apart."""

import numpy as np
import pytest

from lstm_music.evaluation.two_sample import Table, accuracy, deal, tells

PIECES, EACH, WORDS = 24, 4, 80


def excerpts(random_seed: int, piece_spread: float = 0.5) -> tuple[list[dict[str, float]], list[str]]:
    """Make excerpts of pieces that differ from each other: shares of `WORDS` patterns, and the piece of each."""
    rng = np.random.default_rng(random_seed)
    shares, pieces = [], []
    for piece in range(PIECES):
        usual = np.exp(piece_spread * rng.normal(size=WORDS))
        for _ in range(EACH):
            counts = rng.multinomial(500, usual / usual.sum())
            shares.append({f"melody: {word}": count / 500 for word, count in enumerate(counts.tolist()) if count})
            pieces.append(str(piece))
    return shares, pieces


def test_a_planted_difference_is_found_and_named():
    shares, pieces = excerpts(1)
    is_first = np.arange(len(shares)) % 2 == 0
    for one, planted in zip(shares, is_first, strict=True):
        one.update({"melody: 7": 0.03, "melody: 8": 0.001} if planted else {"melody: 7": 0.005, "melody: 8": 0.02})
    table = Table.of(shares)
    found = accuracy(table, is_first, pieces, 1)
    assert found.low > 0.7
    assert found.low < found.value < found.high <= 1
    more, less = sorted(tells(table, is_first, 2), key=lambda tell: -tell.weight)
    assert (more.name, more.first, more.second) == ("melody: 7", pytest.approx(0.03), pytest.approx(0.005))
    assert (less.name, less.first, less.second) == ("melody: 8", pytest.approx(0.001), pytest.approx(0.02))
    assert more.weight > 0 > less.weight
    assert tells(table, ~is_first, 1)[0].weight == pytest.approx(-tells(table, is_first, 1)[0].weight)


def test_two_samples_of_one_source_are_told_apart_by_chance_only():
    found = []
    for random_seed in range(12):
        shares, pieces = excerpts(random_seed)
        between = np.array([int(piece) < PIECES // 2 for piece in pieces])
        within = np.arange(len(shares)) % 2 == 0
        found += [accuracy(Table.of(shares), is_first, pieces, 1, rounds=1) for is_first in (within, between)]
    assert np.mean([one.value for one in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([one.low < 0.5 < one.high for one in found]) >= 0.85


def test_a_piece_that_is_known_by_itself_gives_nothing_away():
    """Without folds by piece the classifier would know each piece again, and with it its set."""
    shares, pieces = excerpts(4, piece_spread=2)
    by_piece = np.random.default_rng(1).permutation(PIECES)[np.array(pieces, int)] % 2 == 0
    assert accuracy(Table.of(shares), by_piece, pieces, 1).low < 0.5
    each_alone = [str(number) for number in range(len(shares))]
    assert accuracy(Table.of(shares), by_piece, each_alone, 1).low > 0.9


def test_folds_never_share_a_piece_and_hold_about_as_many_of_each_set():
    rng = np.random.default_rng(5)
    for _ in range(50):
        count = int(rng.integers(2, 40))
        pieces = np.concatenate([np.arange(count), rng.integers(0, count, 60)])
        is_first = rng.random(len(pieces)) < 0.5
        folds = deal(is_first, pieces, rng)
        assert len(set(folds.tolist())) == min(5, count)
        for piece in range(count):
            assert len(set(folds[pieces == piece].tolist())) == 1
    balanced = deal(np.arange(80) < 40, np.arange(80), rng)
    assert np.bincount(balanced[:40]).tolist() == np.bincount(balanced[40:]).tolist() == [8] * 5


def test_the_interval_is_that_of_the_pieces_and_never_empty():
    shares = [{"melody: a": 1.0} if number % 2 else {"melody: b": 1.0} for number in range(40)]
    is_first = np.arange(40) % 2 == 0
    many = accuracy(Table.of(shares), is_first, [str(number // 2) for number in range(40)], 1)
    few = accuracy(Table.of(shares), is_first, [str(number // 10) for number in range(40)], 1)
    assert many.value == few.value == 1
    assert few.low < many.low < 1
    assert many.low == pytest.approx(20 / (20 + 1.959964**2))  # Wilson's for 20 of 20


def test_rare_patterns_and_constant_ones_do_not_count():
    shares = [{"rhythm: always": 1.0, **({"rhythm: once": 0.5} if not number else {})} for number in range(20)]
    table = Table.of(shares)
    assert table.names == ("rhythm: always",)
    assert accuracy(table, np.arange(20) % 2 == 0, [str(one // 2) for one in range(20)], 1).value == 0.5


def test_the_same_excerpts_give_the_same_accuracy():
    shares, pieces = excerpts(6)
    is_first = np.arange(len(shares)) % 2 == 0
    assert accuracy(Table.of(shares), is_first, pieces, 3) == accuracy(Table.of(shares), is_first, pieces, 3)


def test_one_piece_cannot_be_cross_validated():
    with pytest.raises(ValueError, match="expected excerpts of two pieces or more, got 1"):
        accuracy(Table.of([{"melody: a": 1.0}] * 8), np.arange(8) < 4, ["only"] * 8, 1)
