import math
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from chorale_pieces import excerpts, first_bar_quarters

from lstm_music.evaluation.statistics import (
    HISTOGRAMS,
    METRICS,
    NOTE_LENGTHS,
    PITCH_CLASSES,
    STEPS_PER_QUARTER,
    piece_histograms,
    piece_statistics,
)
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, sorted_notes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

TICKS = 480
MAJOR = {0, 2, 4, 5, 7, 9, 11}
MINOR = {0, 2, 3, 5, 7, 8, 10}


def piece_of(*rows, ticks_per_quarter=TICKS, program=0, is_drum=False):
    """A piece of rows (onset, duration, pitch) in quarter lengths."""
    notes = np.zeros(len(rows), NOTE_DTYPE)
    notes["velocity"], notes["program"], notes["is_drum"] = 80, program, is_drum
    for note, (onset, duration, pitch) in zip(notes, rows, strict=True):
        note["onset_ticks"] = int(onset * ticks_per_quarter)
        note["duration_ticks"] = int(duration * ticks_per_quarter)
        note["pitch"] = pitch
    return PieceNotes(ticks_per_quarter, sorted_notes(notes))


def entropy(values):
    counts = Counter(values)
    return -sum(count / len(values) * math.log2(count / len(values)) for count in counts.values())


def by_definition(piece, bar):
    """All metrics from their definitions, note by note in exact quarter lengths; no arrays, no MusPy."""
    step = Fraction(1, STEPS_PER_QUARTER)
    rows = sorted(
        (Fraction(int(note["onset_ticks"]), piece.ticks_per_quarter), int(note["pitch"]), int(note["duration_ticks"]))
        for note in piece.notes
    )
    notes = [(onset, pitch, onset + Fraction(ticks, piece.ticks_per_quarter)) for onset, pitch, ticks in rows]
    pitches = [pitch for _, pitch, _ in notes]
    length = max(end for _, _, end in notes)
    times = [number * step for number in range(int(length / step))]
    sounding = [len({pitch for onset, pitch, end in notes if onset <= time < end}) for time in times]
    beats, bars = math.ceil(length), math.ceil(length / bar)
    rhythm = [{onset - number * bar for onset, _, _ in notes if onset // bar == number} for number in range(bars)]
    onsets = sorted({onset for onset, _, _ in notes})
    scales = [{(root + degree) % 12 for degree in mode} for mode in (MAJOR, MINOR) for root in range(12)]

    def is_silent(start, end):
        return not any(count for time, count in zip(times, sounding, strict=True) if start <= time < end)

    return {
        "pitch_class_entropy": entropy([pitch % 12 for pitch in pitches]),
        "pitch_entropy": entropy(pitches),
        "scale_consistency": max(sum(pitch % 12 in scale for pitch in pitches) for scale in scales) / len(pitches),
        "groove_consistency": 1
        - sum(len(first ^ second) for first, second in pairwise(rhythm)) / (float(bar / step) * (bars - 1)),
        "polyphony": sum(sounding) / sum(count > 0 for count in sounding),
        "polyphony_rate": sum(count >= 2 for count in sounding) / len(times),
        "empty_beat_rate": sum(is_silent(beat, beat + 1) for beat in range(beats)) / beats,
        "empty_measure_rate": sum(is_silent(number * bar, (number + 1) * bar) for number in range(bars)) / bars,
        "pitch_range": max(pitches) - min(pitches),
        "n_pitches_used": len(set(pitches)),
        "n_pitch_classes_used": len({pitch % 12 for pitch in pitches}),
        "notes_per_bar": len(notes) / bars,
        "pitch_interval": sum(abs(b - a) for a, b in pairwise(pitches)) / (len(pitches) - 1),
        "inter_onset_interval": float((onsets[-1] - onsets[0]) / (len(onsets) - 1)),
        "note_length": float(sum(end - onset for onset, _, end in notes) / len(notes)),
    }


@pytest.mark.parametrize("number", range(0, 30, 5))
def test_the_statistics_of_real_music_are_those_of_the_definitions(number):
    piece = excerpts()[number]
    bar = Fraction(first_bar_quarters(piece))

    assert piece_statistics(piece, bar_quarters=float(bar)) == pytest.approx(
        by_definition(piece, bar), rel=1e-9, abs=1e-12
    )


def test_the_statistics_of_music_with_silence_are_those_of_the_definitions():
    """Beats of silence, an empty bar in 3/4, an end on a bar line, a chord of two and one of three."""
    piece = piece_of((0, 1, 60), (1, 1, 64), (1, 1, 67), (6, 2, 59), (6, 2, 62), (7, 2, 65), (9, 3, 72))

    found = piece_statistics(piece, bar_quarters=3)

    assert found == pytest.approx(by_definition(piece, Fraction(3)))
    assert found["empty_beat_rate"] == pytest.approx(4 / 12)
    assert found["empty_measure_rate"] == pytest.approx(1 / 4)
    assert found["polyphony_rate"] == pytest.approx(3 / 12)


def test_the_statistics_are_those_of_the_table():
    found = piece_statistics(excerpts()[0], bar_quarters=4)

    assert list(found) == list(METRICS)
    assert all(type(value) is float for value in found.values())


def test_a_piece_that_ends_on_a_bar_line_has_no_further_bar_and_no_further_beat():
    """MusPy alone would count a fifth beat and a second bar, and so a groove."""
    found = piece_statistics(piece_of((0, 1, 60), (3, 1, 62)), bar_quarters=4)

    assert found["notes_per_bar"] == 2
    assert found["empty_beat_rate"] == pytest.approx(2 / 4)
    assert math.isnan(found["groove_consistency"])


def test_a_file_s_ticks_make_no_difference():
    rows = [(Fraction(number, 6), Fraction(1, 3), 60 + number % 7) for number in range(40)]

    coarse, fine = (piece_of(*rows, ticks_per_quarter=ticks) for ticks in (24, 960))

    assert piece_statistics(coarse, bar_quarters=3) == piece_statistics(fine, bar_quarters=3)
    assert piece_histograms(coarse) == piece_histograms(fine)


def test_notes_that_are_played_a_little_early_or_late_are_moved_to_the_step():
    exact = piece_of((0, 1, 60), (1, 1, 62), (3, 2, 64))
    played = exact.notes.copy()
    played["onset_ticks"] += [3, -5, 4]
    played["duration_ticks"] += [-6, 8, -4]

    found = piece_statistics(PieceNotes(TICKS, sorted_notes(played)), bar_quarters=2)

    assert found == piece_statistics(exact, bar_quarters=2)


def test_a_piece_written_as_midi_and_read_has_the_same_statistics():
    for piece in excerpts()[:3]:
        again = read_midi(write_midi(piece))

        assert piece_statistics(again, bar_quarters=2) == piece_statistics(piece, bar_quarters=2)
        assert first_bar_quarters(again) == first_bar_quarters(piece)


def test_instruments_make_no_difference():
    rows = [(0, 1, 60), (0, 1, 64), (1, 2, 62), (2, 1, 67)]
    piece = piece_of(*rows)
    several = piece.notes.copy()
    several["program"] = [0, 40, 0, 73]

    found = piece_statistics(PieceNotes(TICKS, several), bar_quarters=1)

    assert found == piece_statistics(piece, bar_quarters=1)


def test_drums_are_left_out():
    piece = excerpts()[0]
    drums = piece_of(
        *((number, Fraction(1, 4), 36) for number in range(400)),
        is_drum=True,
        ticks_per_quarter=piece.ticks_per_quarter,
    )
    both = PieceNotes(piece.ticks_per_quarter, sorted_notes(np.concatenate([piece.notes, drums.notes])))

    assert piece_statistics(both, bar_quarters=4) == piece_statistics(piece, bar_quarters=4)
    assert piece_histograms(both) == piece_histograms(piece)


@pytest.mark.parametrize("piece", [piece_of(), piece_of((0, 1, 36), is_drum=True)], ids=["nothing", "drums"])
def test_of_a_piece_without_pitched_notes_nothing_can_be_said(piece):
    found = piece_statistics(piece, bar_quarters=4) | piece_histograms(piece)

    assert len(found) == len(METRICS) + len(PITCH_CLASSES) + len(NOTE_LENGTHS)
    assert all(math.isnan(value) for value in found.values())


def test_one_note_has_no_interval_and_no_groove():
    found = piece_statistics(piece_of((0, 1, 60)), bar_quarters=4)

    unknown = {name for name, value in found.items() if math.isnan(value)}
    assert unknown == {"groove_consistency", "pitch_interval", "inter_onset_interval"}
    assert math.copysign(1, found["pitch_entropy"]) == 1  # 0.0, never the -0.0 of a sum


def test_a_bar_shorter_than_a_step_is_refused():
    with pytest.raises(ValueError, match="bar_quarters: expected at least 1/24, got 0"):
        piece_statistics(excerpts()[0], bar_quarters=0)


def test_a_histogram_counts_pitch_classes():
    found = piece_histograms(piece_of((0, 1, 60), (1, 1, 72), (2, 1, 61), (3, 1, 71)))

    shares = {name: found[f"pitch_class_histogram[{name}]"] for name in PITCH_CLASSES}
    assert shares == dict.fromkeys(PITCH_CLASSES, 0) | {"C": 1 / 2, "C#": 1 / 4, "B": 1 / 4}


@pytest.mark.parametrize("name", NOTE_LENGTHS)
def test_a_histogram_counts_each_note_value(name):
    found = piece_histograms(piece_of((0, Fraction(name), 60), (1, Fraction(name), 60)))

    assert {key for key, share in found.items() if share == 1} == {
        "pitch_class_histogram[C]",
        f"note_length_histogram[{name}]",
    }


def test_very_long_and_very_short_notes_count_as_the_outermost_values():
    found = piece_histograms(piece_of((0, 50, 60), (0, 0, 62)))

    assert found["note_length_histogram[4]"] == found["note_length_histogram[1/4]"] == 1 / 2


def test_histograms_of_real_music_sum_to_one():
    found = piece_histograms(excerpts()[0])

    for name in HISTOGRAMS:
        assert sum(share for key, share in found.items() if key.startswith(f"{name}[")) == pytest.approx(1)


def by_muspy(piece, bar_steps):
    """MusPy's metrics of a piece, a track a program; notes end a step earlier where it takes the end as a sounding step."""
    import muspy
    from muspy import metrics

    def music(less):
        tracks = []
        for program in np.unique(piece.notes["program"]).tolist():
            own = piece.notes[piece.notes["program"] == program]
            ticks = piece.ticks_per_quarter // STEPS_PER_QUARTER
            rows = [
                (note["onset_ticks"] // ticks, note["pitch"], note["duration_ticks"] // ticks - less) for note in own
            ]
            notes = [muspy.Note(*map(int, row)) for row in rows]
            tracks.append(muspy.Track(program=program, is_drum=False, notes=notes))
        return muspy.Music(resolution=STEPS_PER_QUARTER, tracks=tracks)

    whole, until_last_step = music(0), music(1)
    return {
        **{
            name: getattr(metrics, name)(whole)
            for name in ("pitch_class_entropy", "pitch_entropy", "scale_consistency")
        },
        **{name: getattr(metrics, name)(whole) for name in ("polyphony", "pitch_range", "n_pitches_used")},
        "n_pitch_classes_used": metrics.n_pitch_classes_used(whole),
        "polyphony_rate": metrics.polyphony_rate(whole, threshold=1),
        "groove_consistency": metrics.groove_consistency(until_last_step, bar_steps),
        "empty_beat_rate": metrics.empty_beat_rate(until_last_step),
        "empty_measure_rate": metrics.empty_measure_rate(until_last_step, bar_steps),
    }


def test_metrics_that_muspy_has_are_those_of_muspy():
    rng = np.random.default_rng(3)
    rows = [
        (Fraction(int(onset), 24), Fraction(int(lasts), 24), int(pitch))
        for onset, lasts, pitch in zip(
            np.cumsum(rng.integers(0, 60, 300)), rng.integers(1, 40, 300), rng.integers(30, 90, 300), strict=True
        )
    ]
    piece = piece_of(*rows)
    notes = piece.notes.copy()
    notes["program"] = rng.choice([0, 40], len(notes))
    piece = PieceNotes(TICKS, notes)

    found = piece_statistics(piece, bar_quarters=3)

    wanted = by_muspy(piece, 3 * STEPS_PER_QUARTER)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    assert 0 < found["empty_beat_rate"] < 1
