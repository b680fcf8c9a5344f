import io
import math
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from chorale_pieces import excerpt, excerpts, first_bar_quarters

from lstm_music.evaluation.overlapped_area import Overlap, compare, shuffled_pieces
from lstm_music.evaluation.statistics import HISTOGRAMS, METRICS, piece_histograms, piece_statistics
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes
from lstm_music.midi.reader import read_midi

COLLECTION_NOTES = 512


def measured(pieces):
    return [piece_statistics(one, bar_quarters=first_bar_quarters(one)) | piece_histograms(one) for one in pieces]


def shared_metrics(*comparisons):
    """The metrics that have an area in all of the comparisons."""
    return [name for name in comparisons[0] if all(one[name].area is not None for one in comparisons)]


def mean_area(overlaps, metrics):
    return math.fsum(overlaps[name].area for name in metrics) / len(metrics)


def values(numbers, name="metric"):
    return [{name: float(number)} for number in numbers]


def density(distances, places):
    """Sum a Gaussian a distance, of Scott's bandwidth."""
    bandwidth = np.std(distances, ddof=1) * len(distances) ** (-1 / 5)
    scaled = (places[:, None] - np.array(distances)[None]) / bandwidth
    return np.exp(-(scaled**2) / 2).mean(axis=1) / (bandwidth * math.sqrt(2 * math.pi))


def area_and_kl(reference, other):
    """The two numbers from their definitions, on a fine even grid."""
    intra = [abs(a - b) for i, a in enumerate(reference) for j, b in enumerate(reference) if i != j]
    inter = [abs(a - b) for a in reference for b in other]
    reach = max(intra + inter)
    places = np.linspace(-reach, 2 * reach, 20_001)
    step = places[1] - places[0]
    p, q = density(intra, places), density(inter, places)
    is_mass = p > 1e-30
    return np.minimum(p, q).sum() * step, (p[is_mass] * np.log(p[is_mass] / q[is_mass])).sum() * step


@pytest.mark.parametrize("moved", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("stretched", [0.5, 1.0, 2.0])
def test_area_and_divergence_are_those_of_the_definitions(moved, stretched):
    rng = np.random.default_rng(0)
    reference, other = rng.normal(size=20), moved + stretched * rng.normal(size=30)

    found = compare(values(reference), values(other))["metric"]

    area, kl = area_and_kl(reference, other)
    assert found.area == pytest.approx(area, abs=1e-3)
    assert found.kl == pytest.approx(kl, abs=1e-3)


def test_units_make_no_difference():
    rng = np.random.default_rng(1)
    reference, other = rng.normal(size=20), 1 + rng.normal(size=20)

    once = compare(values(reference), values(other))["metric"]
    thousandfold = compare(values(1000 * reference + 7), values(1000 * other + 7))["metric"]

    assert thousandfold.area == pytest.approx(once.area)
    assert thousandfold.kl == pytest.approx(once.kl)


def test_sets_of_one_kind_overlap_and_sets_far_apart_do_not():
    rng = np.random.default_rng(2)
    reference, alike, apart = rng.normal(size=60), rng.normal(size=60), 500 + rng.normal(size=60)

    near = compare(values(reference), values(alike))["metric"]
    far = compare(values(reference), values(apart))["metric"]

    assert near.area > 0.95
    assert near.kl < 0.05
    assert far.area < 1e-6
    assert 1000 < far.kl < math.inf


def test_a_histogram_is_one_vector_of_euclidean_distance():
    rng = np.random.default_rng(3)
    angles = rng.normal(size=(2, 25))
    lengths = [1.0, 2.0]
    on_a_line = [values(length * row) for length, row in zip(lengths, angles, strict=True)]
    turned = [
        [{"h[a]": 0.6 * piece["metric"], "h[b]": 0.8 * piece["metric"]} for piece in pieces] for pieces in on_a_line
    ]

    assert list(compare(*turned)) == ["h"]
    expected, found = compare(*on_a_line)["metric"], compare(*turned)["h"]
    assert (found.area, found.kl) == pytest.approx((expected.area, expected.kl))


def test_real_music_overlaps_with_itself_more_than_when_shuffled():
    """The reference is every other chorale: the rest of them is the ceiling, the same shuffled the floor."""
    reference, training = excerpts()[::2], excerpts()[1::2]
    held_out = measured(reference)

    with_itself = compare(held_out, held_out)
    ceiling = compare(held_out, measured(training))
    floor = compare(held_out, measured(shuffled_pieces(training, 0)))

    metrics = shared_metrics(with_itself, ceiling, floor)
    areas = [mean_area(one, metrics) for one in (with_itself, ceiling, floor)]
    assert set(metrics) >= {*METRICS, *HISTOGRAMS} - {"empty_beat_rate", "empty_measure_rate"}
    assert areas[0] > 0.9
    assert areas[1] > 0.8
    assert areas[2] < areas[1] - 0.2


def test_the_same_sets_give_the_same_numbers():
    pieces = measured(excerpts()[:12])

    assert compare(pieces[:6], pieces[6:]) == compare(pieces[:6], pieces[6:])


def test_pieces_without_a_value_are_left_out_and_counted():
    rng = np.random.default_rng(4)
    reference, other = values(rng.normal(size=9)), values(rng.normal(size=8))
    expected = compare(reference, other)["metric"]

    found = compare([*reference, {"metric": math.nan}, {}], [{"metric": math.inf}, *other])["metric"]

    assert (found.area, found.kl) == (expected.area, expected.kl)
    assert (found.reference_pieces, found.other_pieces) == (9, 8)


@pytest.mark.parametrize(
    ("reference", "other", "reason"),
    [
        ([1], [1, 2], "needs two pieces"),
        ([1, 2, 4], [], "needs two pieces"),
        ([1, 2, 4], [math.nan], "needs two pieces"),
        ([5, 5, 5], [1, 2, 4], "from each other are equal"),
        ([5, 5, 5], [6, 6], "from each other are equal"),
        ([1, 3], [2, 4, 9], "from each other are equal"),
        ([0.1 + 0.2, 0.3, 0.3], [1, 2, 4], "from each other are equal"),
    ],
)
def test_where_there_is_no_density_there_is_no_number(reference, other, reason):
    found = compare(values(reference), values(other))["metric"]

    assert (found.area, found.kl) == (None, None)
    assert reason in found.reason


def test_distances_to_the_other_set_that_are_all_equal_have_no_density():
    reference = [{"h[a]": math.cos(angle), "h[b]": math.sin(angle)} for angle in (0.0, 1.0, 3.0)]

    found = compare(reference, [{"h[a]": 0.0, "h[b]": 0.0}])["h"]

    assert found.area is None
    assert "from the other set are equal" in found.reason


def test_sets_in_which_all_is_equal_are_the_same():
    found = compare(values([12, 12, 12]), values([12, 12]))["metric"]

    assert found == Overlap(1.0, 0.0, 3, 2)


def test_nothing_against_nothing_is_nothing():
    assert compare([], []) == {}


def with_drums(piece):
    """Half of the piece's notes, by turns, as drums."""
    notes = piece.notes.copy()
    notes["is_drum"][::2] = True
    return PieceNotes(piece.ticks_per_quarter, notes, time_signatures=piece.time_signatures)


def test_the_random_seed_decides_how_music_is_shuffled():
    pieces = excerpts()[:4]

    once, again, else_ = (np.concatenate([one.notes for one in shuffled_pieces(pieces, seed)]) for seed in (1, 1, 2))
    assert (once == again).all()
    assert (once != else_).any()


def in_quarters(field, pieces):
    """One field of all notes; what is in ticks, in quarter lengths (exact: their ticks are powers of two)."""
    scales = [piece.ticks_per_quarter if field.endswith("ticks") else 1 for piece in pieces]
    return [value / scale for piece, scale in zip(pieces, scales, strict=True) for value in piece.notes[field].tolist()]


def steps(pieces):
    """The quarter lengths from each note to the next of its piece, of all pieces, ascending."""
    return sorted(b - a for piece in pieces for a, b in pairwise(in_quarters("onset_ticks", [piece])))


def test_dealing_anew_keeps_what_the_set_has_and_how_many_notes_each_piece_has():
    pieces = [*excerpts()[:5], excerpt(excerpts()[5], 30, 50)]

    dealt = shuffled_pieces(pieces, 0)

    assert [len(piece.notes) for piece in dealt] == [len(piece.notes) for piece in pieces]
    for field in ("pitch", "duration_ticks"):
        assert sorted(in_quarters(field, dealt)) == sorted(in_quarters(field, pieces))
    assert steps(dealt) == steps(pieces)
    for piece, one in zip(pieces, dealt, strict=True):
        assert in_quarters("onset_ticks", [one])[0] == in_quarters("onset_ticks", [piece])[0]
        assert not np.array_equal(np.sort(one.notes["pitch"]), np.sort(piece.notes["pitch"]))
        assert first_bar_quarters(one) == first_bar_quarters(piece)


def test_dealing_anew_brings_pieces_to_one_measure_of_time():
    notes = np.zeros(2, NOTE_DTYPE)
    notes["velocity"], notes["pitch"], notes["duration_ticks"], notes["onset_ticks"] = 80, 60, 24, [0, 48]
    fine = notes.copy()
    fine["duration_ticks"], fine["onset_ticks"] = 480, [480, 1440]

    dealt = shuffled_pieces([PieceNotes(24, notes), PieceNotes(480, fine)], 0)

    assert {piece.ticks_per_quarter for piece in dealt} == {480}
    assert [piece.notes["onset_ticks"].tolist() for piece in dealt] == [[0, 960], [480, 1440]]
    assert all((piece.notes["duration_ticks"] == 480).all() for piece in dealt)


def test_dealing_anew_leaves_drums_out_and_bears_pieces_without_notes():
    drums_alone = with_drums(excerpts()[0])
    drums_alone.notes["is_drum"] = True

    dealt = shuffled_pieces([drums_alone, with_drums(excerpts()[1])], 0)

    assert [len(piece.notes) for piece in dealt] == [0, len(excerpts()[1].notes) // 2]
    assert shuffled_pieces([], 0) == []


@pytest.mark.corpus
def test_real_piano_pieces_overlap_with_others_and_less_with_the_same_shuffled(collection_zip):
    with zipfile.ZipFile(io.BytesIO(collection_zip.read_bytes())) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".mid"))[::3]
        pieces = [read_midi(archive.read(name)) for name in names]
    parts = [excerpt(piece, 0, COLLECTION_NOTES) for piece in pieces if len(piece.notes) >= COLLECTION_NOTES]
    held_out, training = measured(parts[::2]), parts[1::2]

    ceiling = compare(held_out, measured(training))
    floor = compare(held_out, measured(shuffled_pieces(training, 0)))

    metrics = shared_metrics(ceiling, floor)
    assert len(metrics) > 12
    assert mean_area(ceiling, metrics) > 0.85
    assert mean_area(floor, metrics) < 0.75


def test_densities_are_those_of_scipy():
    from scipy.stats import gaussian_kde

    from lstm_music.evaluation.overlapped_area import _bandwidth, _log_density

    distances, places = np.random.default_rng(0).gamma(2, 3, 40), np.linspace(-50, 90, 200)
    wanted = gaussian_kde(distances)

    variance = _bandwidth(distances)

    assert variance == pytest.approx(float(wanted.covariance[0, 0]))
    assert _log_density(distances, variance, places) == pytest.approx(wanted.logpdf(places))
