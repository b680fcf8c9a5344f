"""Statistics of parts, in music of a few bars whose values were counted by hand."""

import math

import numpy as np
import pytest
from voices import NAMES, QUARTER, line, voices

from lstm_music.evaluation.part_notes import PartNotes
from lstm_music.evaluation.part_statistics import (
    PART_METRICS,
    PartCounts,
    describe,
    joined,
    part_statistics,
    pitches_in_common,
)
from lstm_music.evaluation.part_table import part_tables
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes
from lstm_music.midi.parts import Part, in_parts
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

RANGES = {"soprano": (60, 72), "alto": (55, 67)}


def counts(*lines, **more) -> PartCounts:
    return PartCounts.of(voices(*lines, **more), QUARTER)


def measured(*lines, **more) -> dict[str, float]:
    return part_statistics(counts(*lines, **more), RANGES)


def test_sounding_parts_are_weighted_by_time():
    found = measured([(60, 1), (62, 3)], [(None, 3), (55, 1)])
    assert found["sounding_parts"] == pytest.approx((3 * 1 + 1 * 2) / 4)
    assert [found[f"sounding_parts_histogram[{number}]"] for number in range(3)] == [0, 0.75, 0.25]
    assert measured([(60, 1), (None, 2), (60, 1)])["sounding_parts"] == 0.5  # silence counts


def test_onsets_fall_together_with_those_of_another_part_and_drums_count():
    upper, lower = line(60, 62, 64, 65), [(55, 2), (57, 1.5), (59, 0.5)]
    assert measured(upper, lower)["onset_synchrony"] == pytest.approx((2 + 2) / (4 + 3))
    assert measured(upper)["onset_synchrony"] == 0
    found = counts(upper, lower, drums=[(36, 1), (None, 2.5), (38, 0.5)])
    assert found.together.tolist() == [2, 3, 2]
    assert describe(found, RANGES)["by_part"]["drums"] == {"share": 2 / 9, "onset_synchrony": 1}


def test_a_chord_of_one_part_is_one_onset():
    at, end, is_drum = np.zeros(3, np.int64), np.full(3, QUARTER), np.zeros(3, np.bool_)
    chord = PartNotes(NAMES[:2], at, end, np.array([60, 64, 55]), np.array([0, 0, 1]), is_drum)
    found = PartCounts.of(chord, QUARTER)
    assert found.onsets.tolist() == found.together.tolist() == [1, 1]
    assert found.notes.tolist() == [2, 1]


def test_unisons_are_the_share_of_sounding_pitches_that_two_parts_sound():
    found = measured(line(60, 64), line(60, 60))
    assert found["unison_share"] == pytest.approx(1 / 3)  # one pitch for a quarter, then two
    assert measured(line(60, 62))["unison_share"] == 0


def test_notes_count_inside_the_range_of_their_own_part():
    found = counts(line(59, 60, 72, 73), line(55, 67, 68, 54), line(1, 1, 1, 1))
    assert part_statistics(found, RANGES)["in_range_share"] == 0.5
    by_part = describe(found, RANGES)["by_part"]
    assert (by_part["alto"]["lowest"], by_part["alto"]["highest"], by_part["alto"]["in_range"]) == (54, 68, 0.5)
    assert by_part["tenor"]["in_range"] is None
    assert by_part["tenor"]["pitches"] == {"1": 1.0}
    assert found.names == NAMES[:3]


def test_counts_of_pieces_add_up_to_those_of_both_one_after_the_other():
    one, other = (line(60, 62), line(55, None)), (line(62, 62), line(None, 62))
    both = counts(*(first + second for first, second in zip(one, other, strict=True)))
    assert part_statistics(joined([counts(*one), counts(*other)]), RANGES) == part_statistics(both, RANGES)
    assert describe(joined([counts(*one), counts(*other)]), RANGES) == describe(both, RANGES)


def test_what_the_music_does_not_have_is_nan_and_none_in_json():
    drums = voices(line(None), drums=line(36))
    found = part_statistics(PartCounts.of(drums, QUARTER), RANGES)
    assert math.isnan(found["sounding_parts"])
    assert math.isnan(found["in_range_share"])
    assert describe(PartCounts.of(drums, QUARTER), RANGES)["unison_share"] is None
    assert set(PART_METRICS) < set(found)


def test_the_parts_of_a_file_are_found_by_the_names_of_its_tracks():
    players = (Part("Flute", 73), Part("Drums", is_drum=True))
    own = voices([(60, 1), (60, 1)], drums=line(36, 38))
    rows = np.zeros(len(own.onset), NOTE_DTYPE)
    rows["velocity"], rows["pitch"], rows["onset_ticks"], rows["duration_ticks"] = 80, own.pitch, own.onset, QUARTER
    read = read_midi(write_midi(in_parts(PieceNotes(QUARTER, rows), players, own.part, "A title")))
    found = PartNotes.of(read, {"Cello": "cello", "Drums": "drums", "Flute": "flute"})
    assert found.names == ("cello", "drums", "flute")
    assert sorted(zip(found.part.tolist(), found.pitch.tolist(), strict=True)) == [(1, 36), (1, 38), (2, 60), (2, 60)]
    assert found.pitched.pitch.tolist() == [60, 60]
    with pytest.raises(KeyError, match="Flute"):
        PartNotes.of(read, {"Drums": "drums"})


def test_tables_name_each_part_and_put_held_out_music_beside():
    sides = {
        "generated": describe(counts(line(60, 64), line(55, 55)), RANGES),
        "held_out": describe(counts(line(60, 60), line(55, 57), drums=line(36, 36)), RANGES),
    }
    for side in sides.values():
        side["voice_leading"] = {"chords": 2, "crossings": 0.0, "parallel_fifths": 50.0}
    between, by_part = part_tables(sides)
    assert ("parallel fifths per 100 chords", "50.00", "50.00") in between.rows
    assert all(len(row) == len(table.columns) for table in (between, by_part) for row in table.rows)
    soprano, alto, drums = by_part.rows
    assert soprano[:4] == ("soprano", "50.0% (33.3%)", "100.0% (100.0%)", "C4 to E4 (C4 to C4)")
    assert soprano[-1] == alto[-1] == "50.0%"
    assert drums == ("drums", "0.0% (33.3%)", "(100.0%)", "", "", "")
    assert pitches_in_common({"60": 1.0}, {"61": 1.0}) == 0
