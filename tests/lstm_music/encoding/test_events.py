"""Notes → events → notes, for every chord encoding and through the bytes of a MIDI file."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lstm_music.encoding.chords import CHORD_ENCODINGS, PITCH_NAMES
from lstm_music.encoding.event_spec import EVENTS_SCHEMA, EventSpec
from lstm_music.encoding.events import decode, encode, encode_all, to_arrow
from lstm_music.errors import MismatchError
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, Tempo, TimeSignature, sorted_notes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

every_encoding = pytest.mark.parametrize("chords", CHORD_ENCODINGS)
exact_encodings = pytest.mark.parametrize("chords", ["per_note", "pitch_set"])
COLUMNS = ("onset_steps", "offset_steps", "duration_steps", "bar", "position_in_bar_steps", "velocity")


@st.composite
def pieces(draw):
    """Pieces with tracks, drums, and many notes that share a grid point."""
    ticks_per_quarter = draw(st.sampled_from([1, 96, 480, 1000]))
    note = st.tuples(
        st.integers(0, 2),
        st.integers(0, 15),
        st.integers(0, 127),
        st.booleans(),
        st.integers(55, 65) | st.integers(0, 127),
        st.integers(1, 127),
        st.integers(0, 3 * ticks_per_quarter),
        st.integers(0, 2 * ticks_per_quarter),
    )
    notes = np.array(draw(st.lists(note, max_size=30)), dtype=NOTE_DTYPE)
    return PieceNotes(ticks_per_quarter, sorted_notes(notes))


@st.composite
def specs(draw, chords):
    divisors = draw(st.sampled_from([(8, 6), (4, 3), (1,), (5,)]))
    return EventSpec(chords=chords, quarter_length_divisors=divisors)


def merged_on_grid(piece, grid):
    """(onset, pitch) → (duration, velocity) in steps, the slow way."""
    longest: dict[tuple[int, int], tuple[int, int]] = {}
    for note in piece.notes.tolist():
        *_, is_drum, pitch, velocity, onset, duration = note
        if not is_drum:
            place = (int(grid.onsets([onset], piece.ticks_per_quarter)[0]), pitch)
            length = int(grid.durations([duration], piece.ticks_per_quarter)[0])
            longest[place] = max(longest.get(place, (0, 0)), (length, velocity))
    return longest


def triples(notes, ticks_per_step):
    """The multiset of (onset, duration, pitch) of notes, in steps."""
    return Counter(
        zip(
            (notes["onset_ticks"] // ticks_per_step).tolist(),
            (notes["duration_ticks"] // ticks_per_step).tolist(),
            notes["pitch"].tolist(),
            strict=True,
        ),
    )


def decoded(events, spec, **how):
    return decode(events.note, events.offset_steps, events.duration_steps, events.velocity, spec, **how)


def assert_same_events(one, other):
    assert one.note == other.note
    for column in COLUMNS:
        first, second = getattr(one, column), getattr(other, column)
        assert first.tolist() == second.tolist(), column
        assert first.dtype == second.dtype


@every_encoding
@settings(deadline=None)
@given(data=st.data(), piece=pieces())
def test_every_note_is_in_an_event_or_counted(chords, data, piece):
    spec = data.draw(specs(chords))
    events = encode(piece, spec)
    expected = merged_on_grid(piece, spec.grid)
    assert events.drums == piece.notes["is_drum"].sum()
    assert len(expected) + events.merged + events.drums == len(piece.notes)
    groups: dict[tuple[int, ...], dict[int, int]] = {}
    for (onset, pitch), (duration, velocity) in expected.items():
        key = (onset, pitch) if chords == "per_note" else (onset, duration)
        groups.setdefault(key, {})[pitch] = velocity
    order = sorted(groups, key=lambda key: (key[0], min(groups[key])))
    assert events.note == [spec.encoding.text(sorted(groups[key])) for key in order]
    assert events.onset_steps.tolist() == [key[0] for key in order]
    assert events.velocity.tolist() == [max(groups[key].values()) for key in order]
    assert events.duration_steps.tolist() == [expected[key[0], min(groups[key])][0] for key in order]
    assert np.cumsum(events.offset_steps).tolist() == events.onset_steps.tolist()


@every_encoding
@settings(deadline=None)
@given(data=st.data(), several=st.lists(pieces(), min_size=1, max_size=4))
def test_several_pieces_are_encoded_as_each_of_them(chords, data, several):
    spec = data.draw(specs(chords))
    events, counts = encode_all(several, spec)
    each = [encode(piece, spec) for piece in several]
    assert counts.tolist() == [len(one) for one in each]
    assert events.note == [note for one in each for note in one.note]
    for column in (*COLUMNS, "track"):
        assert getattr(events, column).tolist() == [value for one in each for value in getattr(one, column).tolist()]
    assert (events.merged, events.drums) == (sum(one.merged for one in each), sum(one.drums for one in each))
    names = [f"piece {number}" for number in range(len(several))]
    tables = [to_arrow([name], [len(one)], one, spec) for name, one in zip(names, each, strict=True)]
    assert to_arrow(names, counts, events, spec).equals(pa.concat_tables(tables).combine_chunks())


@exact_encodings
@settings(deadline=None)
@given(data=st.data(), piece=pieces())
def test_notes_on_the_grid_survive_a_midi_file(chords, data, piece):
    spec = data.draw(specs(chords))
    grid = spec.grid
    events = encode(piece, spec)
    back = read_midi(write_midi(decoded(events, spec)))
    expected = merged_on_grid(piece, grid)
    assert back.ticks_per_quarter == grid.ticks_per_quarter
    assert triples(back.notes, grid.ticks_per_quarter // grid.steps_per_quarter) == Counter(
        (onset, duration, pitch) for (onset, pitch), (duration, _) in expected.items()
    )
    assert_same_events(encode(back, spec), events)


@settings(deadline=None)
@given(data=st.data(), piece=pieces())
def test_onsets_durations_and_pitch_classes_survive_a_midi_file_in_normal_order(data, piece):
    spec = data.draw(specs("normal_order"))
    grid = spec.grid
    back = read_midi(write_midi(decoded(encode(piece, spec), spec)))
    assert {
        (onset, duration, pitch % 12)
        for onset, duration, pitch in triples(back.notes, grid.ticks_per_quarter // grid.steps_per_quarter)
    } == {(onset, duration, pitch % 12) for (onset, pitch), (duration, _) in merged_on_grid(piece, grid).items()}


@settings(deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from([0, 3, 4, 6, 24, 25 + 2, 240]), st.integers(0, 127)),
        st.tuples(st.sampled_from([3, 4, 24, 96 + 18]), st.integers(1, 127)),
    ),
    st.sampled_from([(3, 4), (6, 8), (4, 4)]),
)
def test_canonical_events_survive_decoding_and_encoding(rows, signature):
    spec = EventSpec()
    places = sorted(rows)
    note = [PITCH_NAMES[pitch] for _, pitch in places]
    onsets = np.array([onset for onset, _ in places], dtype=np.int64)
    durations = [rows[place][0] for place in places]
    velocities = [rows[place][1] for place in places]
    piece = decode(
        note,
        np.diff(onsets, prepend=0),
        durations,
        velocities,
        spec,
        time_signatures=[TimeSignature(0, *signature)],
    )
    events = encode(piece, spec)
    assert events.note == note
    assert events.onset_steps.tolist() == onsets.tolist()
    assert events.duration_steps.tolist() == durations
    assert events.velocity.tolist() == velocities
    bar_steps = 24 * 4 * signature[0] // signature[1]
    assert ((events.bar - 1) * bar_steps + events.position_in_bar_steps).tolist() == onsets.tolist()


@every_encoding
def test_of_notes_with_one_onset_and_pitch_the_longest_stays(make_piece, chords):
    piece = make_piece([(0, 240, 60), (3, 480, 60), (0, 10, 60), (480, 480, 60)])
    events = encode(piece, EventSpec(chords=chords))
    assert (events.note, events.duration_steps.tolist(), events.merged) == (["C4", "C4"], [24, 24], 2)


def test_a_note_between_two_grid_points_moves(make_piece):
    events = encode(make_piece([(100, 200, 60), (480 + 155, 30, 62)]), EventSpec())
    assert events.onset_steps.tolist() == [4, 24 + 8]
    assert events.offset_steps.tolist() == [4, 28]
    assert events.duration_steps.tolist() == [9, 3]


def test_a_chord_has_the_velocity_of_its_loudest_and_the_track_of_its_lowest_note():
    rows = [(2, 0, 0, False, 60, 50, 0, 480), (1, 0, 0, False, 64, 90, 0, 480), (0, 0, 0, False, 67, 70, 0, 240)]
    piece = PieceNotes(480, sorted_notes(np.array(rows, dtype=NOTE_DTYPE)))
    events = encode(piece, EventSpec(chords="pitch_set"))
    assert events.note == ["C4.E4", "G4"]
    assert events.velocity.tolist() == [90, 70]
    assert events.track.tolist() == [2, 0]
    assert (events.velocity.dtype, events.track.dtype, events.bar.dtype) == (np.uint8, np.int16, np.int32)


@every_encoding
def test_a_piece_of_drums_has_no_events(chords):
    rows = [(0, 9, 0, True, 35, 90, 0, 120)]
    events = encode(PieceNotes(480, np.array(rows, dtype=NOTE_DTYPE)), EventSpec(chords=chords))
    assert (len(events), events.drums, events.merged) == (0, 1, 0)
    assert to_arrow(["x"], [0], events, EventSpec(chords=chords)).num_rows == 0
    assert len(decoded(events, EventSpec(chords=chords)).notes) == 0


def test_the_events_table_has_the_reports_columns_and_positions(make_piece):
    spec = EventSpec(chords="pitch_set")
    piece = make_piece(
        [(160, 640, 60), (160, 640, 64), (960, 480, 59), (3 * 480, 60, 61)],
        signatures=[TimeSignature(0, 2, 4)],
    )
    table = to_arrow(["3fa"], [len(encode(piece, spec))], encode(piece, spec), spec)
    assert table.schema == EVENTS_SCHEMA
    assert table.to_pydict() == {
        "piece_id": ["3fa"] * 3,
        "index": [0, 1, 2],
        "note": ["C4.E4", "B3", "C#4"],
        "offset": ["1/3", "5/3", "1"],
        "duration": ["4/3", "1", "1/8"],
        "offset_quarters": [1 / 3, 5 / 3, 1.0],
        "duration_quarters": [4 / 3, 1.0, 0.125],
        "onset": [1 / 3, 2.0, 3.0],
        "bar": [1, 2, 2],
        "position_in_bar": [1 / 3, 0.0, 1.0],
        "velocity": [80, 80, 80],
        "track": [0, 0, 0],
    }


@settings(deadline=None)
@given(piece=pieces())
def test_the_events_table_holds_exact_fractions(piece):
    spec = EventSpec()
    events = encode(piece, spec)
    table = to_arrow(["x"], [len(events)], events, spec).to_pydict()
    assert [spec.grid.steps(text) for text in table["offset"]] == events.offset_steps.tolist()
    assert [Fraction(text) * 24 for text in table["duration"]] == events.duration_steps.tolist()


def test_decoding_accepts_one_velocity_tempos_and_signatures():
    tempos = [Tempo(0, 600_000)]
    piece = decode(["C4.E4", "G4"], [24, 12], [24, 6], 99, EventSpec(chords="pitch_set"), tempos=tempos)
    assert piece.tempos == (Tempo(0, 600_000),)
    assert piece.notes["velocity"].tolist() == [99, 99, 99]
    assert piece.notes["onset_ticks"].tolist() == [480, 480, 720]
    assert piece.notes["duration_ticks"].tolist() == [480, 480, 120]


@pytest.mark.parametrize(("divisors", "shortest"), [((4, 3), 120), ((8, 6), 60), ((1,), 480)])
def test_an_event_of_zero_steps_gets_the_shortest_duration(divisors, shortest):
    spec = EventSpec(reading="music21-5", chords="normal_order", quarter_length_divisors=divisors)
    quarter = spec.grid.steps_per_quarter
    piece = decode(["0.4", "G4"], [0, quarter], [0, quarter], 80, spec)
    assert piece.notes["onset_ticks"].tolist() == [0, 0, 480]
    assert piece.notes["duration_ticks"].tolist() == [shortest, shortest, 480]


def test_decoding_rejects_a_note_of_another_encoding():
    with pytest.raises(MismatchError, match=r"expected a pitch such as 'C#4', got '0\.4\.7'"):
        decode(["0.4.7"], [0], [24], 80, EventSpec())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"chords": "arpeggio"}, "per_note"),
        ({"quarter_length_divisors": ()}, "expected one or more whole numbers above 0"),
        ({"quarter_length_divisors": (0,)}, "expected one or more whole numbers above 0"),
        ({"divisors": (8, 6)}, "Extra inputs are not permitted"),
        ({"reading": "music21"}, "'exact' or 'music21-5'"),
        ({"reading": "music21-5"}, "chords: expected 'normal_order' with reading 'music21-5', got 'per_note'"),
        ({"reading": "music21-5", "chords": "pitch_set"}, "'normal_order' with reading 'music21-5', got 'pitch_set'"),
    ],
)
def test_an_invalid_spec_is_rejected(values, message):
    with pytest.raises(ValidationError, match=message):
        EventSpec.model_validate(values)
