"""The part of each note: names as musicians mean them, alphabets, what is merged, and events that read back as they were."""

from dataclasses import replace

import numpy as np
import pytest
from band_music import BAND, band_piece
from pydantic import ValidationError

from lstm_music.encoding.echoes import NO_HEIGHT, NOTE, PART_COLUMN, echo_columns, echo_tokens, heights
from lstm_music.encoding.event_spec import EVENTS_SCHEMA, EventSpec
from lstm_music.encoding.events import decode, encode, to_arrow
from lstm_music.encoding.parts import nearest_part, player_of, spelled
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.streams import ALL_STREAMS, chain_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, fit, transposition_table
from lstm_music.midi.general_midi import DRUMS, FAMILIES, PROGRAMS
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

FAMILY = EventSpec(parts="families", quarter_length_divisors=(4,))
PROGRAM = EventSpec(parts="programs", quarter_length_divisors=(4,), drum_durations="as_written")
NAMED = EventSpec(parts="names", part_names=("violin 1", "violin 2", "bass"), other_parts="leave_out")


def notes_by_part(piece: PieceNotes) -> list[tuple[int, int, int, int, bool]]:
    """Onset, pitch, duration, program, drum."""
    names = ("onset_ticks", "pitch", "duration_ticks", "program", "is_drum")
    scale = 480 / piece.ticks_per_quarter
    return sorted(
        (round(onset * scale), pitch, round(duration * scale), program, is_drum)
        for onset, pitch, duration, program, is_drum in zip(
            *(piece.notes[name].tolist() for name in names), strict=True
        )
    )


def decoded(events, spec):
    return decode(events.note, events.offset_steps, events.duration_steps, events.velocity, spec, part=events.part)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Violin I", "violin 1"),
        ("1st Violin", "violin 1"),
        ("Violino II.", "violin 2"),
        ("Violoncello.", "cello"),
        ("Tenor", "tenor"),
        ("Basso", "bass"),
        ("I", "i"),
        ("Horn in F", "horn in f"),
        ("", ""),
    ],
)
def test_names_are_spelled_as_musicians_mean_them(name, wanted):
    assert spelled(name) == wanted


def test_a_recipe_without_parts_says_nothing_of_them():
    assert EventSpec().model_dump() == {
        "reading": "exact",
        "chords": "per_note",
        "quarter_length_divisors": (8, 6),
    }
    assert EventSpec().events_schema == EVENTS_SCHEMA
    assert EventSpec.model_validate(NAMED.model_dump()) == NAMED


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"parts": "names"}, "expected the names of the parts"),
        ({"parts": "names", "part_names": ["Violin I"]}, "expected 'violin 1', as parts are spelled here"),
        ({"parts": "families", "part_names": ["violins"]}, "expected names of General MIDI's families, or 'drums'"),
        ({"parts": "families", "chords": "pitch_set"}, "expected reading 'exact' and chords 'per_note'"),
        ({"parts": "programs", "part_names": ["violin", "violin"]}, "expected each name once"),
        ({"part_names": ["piano"]}, "part_names: needs parts = "),
        ({"drum_durations": "as_written"}, "drum_durations: needs parts = "),
    ],
)
def test_what_cannot_be_parts_is_refused(changes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        EventSpec(**changes)


@pytest.mark.parametrize("number", range(5))
def test_notes_are_the_same_after_events_and_a_file_with_program_and_drums(number):
    piece = band_piece(number)
    events = encode(piece, PROGRAM)
    read = read_midi(write_midi(decoded(events, PROGRAM)))
    assert events.merged == events.drums == events.left_out == 0
    assert notes_by_part(read) == notes_by_part(piece)
    again = encode(read, PROGRAM)
    assert (again.note, again.part) == (events.note, events.part)
    assert np.array_equal(again.onset_steps, events.onset_steps)


def test_events_of_one_onset_are_in_the_order_of_parts_then_of_pitches():
    events = encode(band_piece(1), FAMILY)
    order = [*FAMILIES, DRUMS]
    pitches = FAMILY.encoding.pitches
    keys = [
        (onset, order.index(part), *pitches(note))
        for onset, part, note in zip(events.onset_steps.tolist(), events.part, events.note, strict=True)
    ]
    assert keys == sorted(set(keys))
    assert {part for part in events.part if part == DRUMS} == {DRUMS}
    assert all(note.startswith("drum") == (part == DRUMS) for note, part in zip(events.note, events.part, strict=True))
    is_hit = np.array([part == DRUMS for part in events.part])
    assert set(events.duration_steps[is_hit].tolist()) == {FAMILY.grid.shortest}


def test_two_tracks_of_one_name_are_two_parts_and_others_are_left_out_and_counted():
    piece = band_piece(2)
    alike = replace(piece, track_names=("", "Piano", "Violin", "Violin", "Contrabass", "Drums"))
    events = encode(alike, NAMED)
    by_name = encode(piece, NAMED)
    assert set(events.part) == {"violin 1", "violin 2"}
    assert len(events) + events.merged + events.drums + events.left_out == len(piece.notes)
    assert [part for part in by_name.part if part != "bass"] == events.part
    assert by_name.left_out == np.count_nonzero(piece.notes["track"] == 1)


def named(*names, listed=("violin 1", "violin 2", "bass", "drums")):
    """Give the parts of five tracks with these names, in a recipe that leaves out all others."""
    spec = EventSpec(parts="names", part_names=listed, other_parts="leave_out")
    piece = replace(band_piece(2), track_names=("", *names))
    found = spec.part_reader.read(piece)
    tracks = range(1, len(names) + 1)
    return [
        {spec.part_alphabet[part] if part >= 0 else "" for part in found[piece.notes["track"] == one]} for one in tracks
    ]


def test_a_numbered_track_is_no_part_of_another_number():
    assert named("Violin 3", "Violin I", "Violin II", "Basso", "Kit") == [
        *({""}, {"violin 1"}, {"violin 2"}, {"bass"}, {"drums"})
    ]


def test_a_pitched_track_that_is_called_drums_is_no_drum():
    assert named("Drums", "Violin", "Violin", "Fl\u0075\u0302te", "Kit")[0] == {""}
    assert spelled("Flu\u0302te") == spelled("Fl\u00fbte") == "fl\u00fbte"


def test_overlapping_notes_belong_to_the_part_of_their_track():
    assert named("Violin", "Violin", "Violin, overlapping notes", "Bass", "Drums") == [
        *({"violin 1"}, {"violin 2"}, {"violin 2"}, {"bass"}, {"drums"})
    ]


def test_what_no_part_is_for_goes_to_the_most_similar_one():
    spec = EventSpec(parts="programs", part_names=("violin", "electric bass (finger)", "drums"))
    events = encode(band_piece(3), spec)
    assert set(events.part) == {"violin", "electric bass (finger)", "drums"}
    assert not events.left_out
    assert nearest_part("viola", ("acoustic grand piano", "cello", "drums")) == "cello"
    assert nearest_part("strings", ("piano", "ensemble", "drums")) == "ensemble"
    assert [name for name, _, _ in spec.part_reader.replaced(band_piece(3))] == ["acoustic grand piano", "viola"]


def test_a_track_whose_name_is_no_part_goes_by_the_program_of_each_note():
    piece = replace(band_piece(2), track_names=("", "MIDI 01", "Violin", "Vn 2", "Bass", "Drums"))
    notes = piece.notes.copy()
    first = np.flatnonzero(notes["track"] == 1)
    notes["program"][first] = np.where(np.arange(len(first)) % 2, 43, 40)
    spec = EventSpec(parts="names", part_names=("violin", "contrabass", "drums"))
    found = spec.part_reader.read(replace(piece, notes=notes))
    assert [spec.part_alphabet[part] for part in found[first]] == [
        ("violin", "contrabass")[at % 2] for at in range(len(first))
    ]
    notes["program"][notes["track"] == 2] = 33  # a name that is a part says more than a program
    assert set(spec.part_reader.read(replace(piece, notes=notes))[notes["track"] == 2]) == {0}


def test_every_part_has_a_player_of_its_own_family():
    for number, family in enumerate(FAMILIES):
        assert player_of("families", family).program // 8 == number
    assert [player_of("programs", name).program for name in PROGRAMS] == [*range(128)]
    assert [player_of("names", name).program for name in ("violin 2", "cello", "soprano")] == [40, 42, 52]
    assert player_of("names", DRUMS).is_drum


def tokens_of(events, spec, vocabularies):
    columns = {
        "offset": [spec.grid.text(step) for step in events.offset_steps.tolist()],
        "note": events.note,
        "duration": [spec.grid.text(step) for step in events.duration_steps.tolist()],
        "part": events.part,
    }
    return np.stack([vocabularies[stream].encode(columns[stream]) for stream in ALL_STREAMS[:4]], axis=1)


@pytest.fixture(scope="module")
def band():
    """Vocabularies of some pieces, and the tokens of one that repeats itself, [events, streams]."""
    spec, found = FAMILY, [encode(band_piece(number), FAMILY) for number in range(3)]
    counts = {
        "offset": {spec.grid.text(step): 1 for events in found for step in events.offset_steps.tolist()},
        "note": {note: 1 for events in found for note in events.note},
        "duration": {spec.grid.text(step): 1 for events in found for step in events.duration_steps.tolist()},
        "part": {part: 1 for events in found for part in events.part},
    }
    vocabularies = {
        stream: fit(stream, counts[stream], spec.encoding, spec.grid, range(-6, 6), spec.part_alphabet)
        for stream in ALL_STREAMS[:4]
    }
    return vocabularies, np.concatenate([tokens_of(found[0], spec, vocabularies)] * 2)


def test_echoes_find_the_same_parts_in_any_key_and_drums_stay(band):
    vocabularies, tokens = band
    shapes, half = shapes_of(vocabularies["note"]), len(tokens) // 2
    table = transposition_table(vocabularies["note"], FAMILY.encoding, range(-3, 4))
    higher = tokens.copy()
    higher[half:, NOTE] = table[6][tokens[half:, NOTE]]

    names = echo_columns(ALL_STREAMS[:4])
    found = echo_tokens(higher, shapes)

    melody = {stream: names.index(f"melody_echo_{stream}") for stream in ALL_STREAMS[:4]}
    settled = np.arange(half + 8, len(tokens) - 1)  # the run is known after a few events
    for stream, column in zip(ALL_STREAMS[:4], range(4), strict=True):
        same = found[settled, melody[stream]] == higher[settled + 1, column]
        assert same.mean() > 0.9, stream
    is_drum = np.array([value.startswith("drum") for value in vocabularies["note"].values])
    drums = is_drum[higher[half:, NOTE] - SPECIAL_IDS]
    assert np.array_equal(higher[half:, NOTE][drums], tokens[half:, NOTE][drums])
    assert (higher[half:, NOTE][~drums] == tokens[half:, NOTE][~drums] + 3).all()


def test_intervals_are_counted_from_the_last_pitch(band):
    vocabularies, tokens = band
    shapes = shapes_of(vocabularies["note"])
    found = heights(tokens, shapes, np.arange(len(tokens)) == 0)
    latest = NO_HEIGHT
    for token, height in zip(tokens, found.tolist(), strict=True):
        if shapes.is_pitched[token[NOTE]]:
            latest = int(shapes.lowest[token[NOTE]])
        assert height == latest
    drums = SPECIAL_IDS + vocabularies["part"].values.index(DRUMS)
    assert (shapes.is_pitched[tokens[:, NOTE]] == (tokens[:, PART_COLUMN] != drums)).all()


def test_the_part_is_predicted_before_the_note_and_the_velocity_last():
    assert chain_of(ALL_STREAMS) == ("offset", "part", "note", "duration", "velocity")
    assert chain_of(ALL_STREAMS[:3]) == ALL_STREAMS[:3]


def test_a_table_of_events_names_the_part():
    events = encode(band_piece(4), FAMILY)
    table = to_arrow(["a"], [len(events)], events, FAMILY)
    assert table.column("part").to_pylist() == events.part
    assert {player.name for player in BAND} >= {"Drums"}
