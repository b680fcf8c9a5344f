"""Versions: found however they were changed, among others, by an index that gives what comparing all pairs gives."""

import itertools

import numpy as np
import pytest

from lstm_music.encoding import versions
from lstm_music.encoding.versions import Contours, Link, families, find_links, share_of_versions
from lstm_music.midi import loops


@pytest.fixture(params=["numpy", "loops"], autouse=True, scope="module")
def way(request):
    """Both ways of comparing pieces; the loops are interpreted here unless they were compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "DIGEST", int(request.param == "loops"))
        yield


def tune(number, length=90):
    """A random melody that moves mostly by step, as intervals."""
    return np.random.default_rng(number).choice(
        np.arange(-7, 8, dtype=np.int8), length, p=np.array([1, 1, 2, 2, 4, 6, 8, 4, 8, 6, 4, 2, 2, 1, 1]) / 52
    )


def without_notes(intervals, share, number=0):
    """Remove this share of the notes."""
    pitches = np.cumsum([60, *intervals])
    kept = np.random.default_rng(number).random(len(pitches)) >= share
    return np.diff(pitches[kept]).astype(np.int8)


def linked(tmp_path, contours):
    return list(find_links(Contours.write(tmp_path / "contours", contours), tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        lambda piece: piece.copy(),
        lambda piece: without_notes(piece, 0.08),
        lambda piece: piece[: len(piece) // 2],
        lambda piece: np.concatenate([tune(piece[:5] + 100, 40), piece, tune(piece[5:10] + 100, 40)]),
        lambda piece: np.concatenate([piece[60:], piece[:60]]),
    ],
    ids=["copy", "8 % of the notes removed", "first half", "inside a longer piece", "parts in another order"],
)
def test_a_version_is_found_among_others_and_nothing_else(tmp_path, change):
    pieces = [tune(number) for number in range(60)]
    links = linked(tmp_path, [*pieces, *(change(piece) for piece in pieces[:20])])
    assert {(link.first, link.second) for link in links} == {(number, 60 + number) for number in range(20)}


def test_the_index_finds_what_comparing_all_pairs_finds(tmp_path):
    pieces = [without_notes(tune(number % 12), 0.03 * (number // 12), number) for number in range(48)]
    wanted = [
        Link(first, second, share)
        for (first, one), (second, other) in itertools.combinations(enumerate(pieces), 2)
        if (share := share_of_versions(one, other))
    ]
    assert len(wanted) > 24
    assert linked(tmp_path, pieces) == wanted


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_the_size_of_the_parts_changes_nothing(tmp_path, monkeypatch, chunk):
    pieces = [without_notes(tune(number % 5), 0.02 * (number // 5), number) for number in range(20)]
    wanted = linked(tmp_path, pieces)
    monkeypatch.setattr(versions, "_CHUNK", chunk)
    assert linked(tmp_path, pieces) == wanted != []


def test_a_family_of_many_versions_holds_together(tmp_path):
    pieces = [without_notes(tune(number % 2), 0.03, number) for number in range(80)]
    assert families(80, linked(tmp_path, pieces)).tolist() == [0, 1] * 40


def test_a_longer_piece_needs_a_larger_share():
    short = tune(1, 60)
    half = np.concatenate([short[:26], tune(2, 34)])  # 21 of 55 runs: 38 %
    assert share_of_versions(short, half) == pytest.approx(21 / 55)
    assert share_of_versions(short, np.concatenate([half, tune(3, 400)])) == 0


def test_a_few_common_runs_make_no_version():
    phrase = tune(1, 12)  # 7 runs
    assert share_of_versions(phrase, phrase) == 0
    assert share_of_versions(tune(1, 13), tune(1, 13)) == 1


@pytest.mark.parametrize("pieces", [[], [[]], [[], []], [[1, 2], [1, 2]]])
def test_pieces_without_runs_have_no_versions(tmp_path, pieces):
    assert linked(tmp_path, [np.array(piece, np.int8) for piece in pieces]) == []


def test_links_join_families_under_their_lowest_number():
    links = [Link(4, 5, 1.0), Link(1, 3, 1.0), Link(3, 4, 1.0)]
    assert families(7, links).tolist() == [0, 1, 2, 1, 1, 1, 6]
