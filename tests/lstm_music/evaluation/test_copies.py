"""Copies, against a search that candidates every run of every piece at every transposition."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from chorale_pieces import four_chorales
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_music.encoding.chords import CHORD_ENCODINGS
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import encode
from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.errors import MismatchError
from lstm_music.evaluation import copies
from lstm_music.evaluation.copies import PITCH, CopyIndex, EventReader, Shared, build, chord_columns
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

SPEC = EventSpec()
CHORDS = {
    "per_note": ("C4", "C#4", "D4", "C5"),
    "pitch_set": ("C4", "D4", "C4.E4", "D4.F#4", "C4.E4.G4", "C0.E8", "C#0.F8"),
    # Symmetric: 0.6 and 1.7 by 6 semitones, 0.3.6.9 by 3, 0.4.8 and 1.5.9 by 4; "0" is a class of octaves.
    "normal_order": ("C4", "D4", "D5", "0", "2", "0.4.7", "7.11.2", "0.6", "1.7", "0.3.6.9", "0.4.8", "1.5.9"),
}


@cache
def shifts(chords: str, trained: str, heard: str) -> frozenset[int]:
    """The semitones that make one chord the other."""
    encoding = CHORD_ENCODINGS[chords]
    return frozenset(by for by in range(-127, 128) if encoding.transposed(trained, by, 0, 127) == heard)


def shared_events(chords: str, heard: list[tuple], trained: list[tuple]) -> int:
    """How many events of two pieces are the same music from their beginning on."""
    length, left = 0, frozenset(range(-127, 128))
    for (offset, chord, duration), (its_offset, its_chord, its_duration) in zip(heard, trained, strict=False):
        by = shifts(chords, its_chord, chord)
        left = by & left
        if (offset, duration) != (its_offset, its_duration) or not left:
            break
        length += 1
        if chords == "normal_order":  # the rule holds from each event to the next
            left = by
    return length


def longest_by_trying(chords: str, heard: list[tuple], pieces: list[list[tuple]]) -> tuple[int, int, int, int] | None:
    runs = [
        (shared_events(chords, heard[start:], piece[place:]), start, number, place)
        for start in range(len(heard))
        for number, piece in enumerate(pieces)
        for place in range(len(piece))
    ]
    best = min(runs, key=lambda run: (-run[0], *run[1:]), default=(0,))
    return best if best[0] else None


def events_of(pieces: list[list[tuple]]) -> list[np.ndarray]:
    """Pieces of (offset, chord text, duration) as arrays [events, 5]."""
    texts = [chord for piece in pieces for _, chord, _ in piece]
    columns = iter(chord_columns(texts).tolist())
    rows = [
        [(offset, pitch, duration, *rest) for offset, _, duration in piece for pitch, *rest in [next(columns)]]
        for piece in pieces
    ]
    return [np.array(piece, np.int32).reshape(-1, 5) for piece in rows]


@st.composite
def music(draw, chords: str):
    """A few pieces over a small alphabet, and a sequence that may hold a stretch of one of them, perhaps transposed."""
    event = st.tuples(st.integers(0, 1), st.sampled_from(CHORDS[chords]), st.integers(1, 2))
    pieces = draw(st.lists(st.lists(event, max_size=25), max_size=4))
    heard = draw(st.lists(event, max_size=8))
    if pieces and draw(st.booleans()):
        piece = draw(st.sampled_from(pieces))
        first, by = draw(st.integers(0, len(piece))), draw(st.sampled_from([0, -1, 4, 12]))
        moved = [
            (offset, CHORD_ENCODINGS[chords].transposed(chord, by, 0, 127), length) for offset, chord, length in piece
        ]
        if all(chord is not None for _, chord, _ in moved):
            heard = heard[:4] + moved[first:] + heard[4:]
    return pieces, heard


@pytest.mark.parametrize("chords", CHORDS)
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_longest_run_is_the_one_that_trying_finds(chords, data):
    pieces, heard = data.draw(music(chords))
    *trained, sequence = events_of([*pieces, heard])
    shared = build(trained).longest(sequence)
    expected = longest_by_trying(chords, heard, pieces)
    if expected is None:
        assert shared is None
    else:
        assert (shared.length_events, shared.start_in_sequence, shared.piece, shared.start_in_piece) == expected
        first, its_first = heard[shared.start_in_sequence], pieces[shared.piece][shared.start_in_piece]
        assert shared.transposition_semitones in shifts(chords, its_first[1], first[1])


def test_every_encoding_is_tried():
    assert CHORDS.keys() == CHORD_ENCODINGS.keys()


def melody(seed: int, length: int = 40) -> np.ndarray:
    """Draw single notes, [events, 3], that hardly repeat."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, 24, length), rng.integers(40, 90, length), rng.integers(1, 24, length)], axis=1)


def moved(events: np.ndarray, semitones: int) -> np.ndarray:
    events = events.copy()
    events[:, PITCH] += semitones
    return events


PIECES = [melody(seed) for seed in range(4)]
INDEX = build(PIECES)


@pytest.mark.parametrize("number", range(len(PIECES)))
@pytest.mark.parametrize("semitones", [0, -7, 12])
def test_a_whole_piece_is_found_wherever_it_was_moved(number, semitones):
    assert INDEX.longest(moved(PIECES[number], semitones)) == Shared(40, 0, number, 0, semitones)


def test_a_run_lies_within_one_piece():
    over_the_border = np.concatenate([PIECES[0][-12:], PIECES[1][:13]])
    assert INDEX.longest(over_the_border) == Shared(13, 12, 1, 0, 0)


def test_a_run_is_of_one_transposition():
    broken = np.concatenate([moved(PIECES[2][:10], 1), moved(PIECES[2][10:21], 2)])
    assert INDEX.longest(broken) == Shared(11, 10, 2, 10, 2)


@pytest.mark.parametrize("column", [0, 2])
def test_another_offset_or_duration_ends_a_run_even_at_its_first_event(column):
    changed = PIECES[3][5:20].copy()
    changed[[0, -1], column] += 100
    assert INDEX.longest(changed) == Shared(13, 1, 3, 6, 0)


def test_what_goes_before_and_comes_after_a_run_does_not_count():
    strange = np.array([[900, 5, 900]])
    assert INDEX.longest(np.concatenate([strange, PIECES[1][8:16], strange])) == Shared(8, 1, 1, 8, 0)


def test_single_notes_need_no_shape():
    with_shapes = np.pad(PIECES[0], [(0, 0), (0, 2)])
    assert build([with_shapes]).longest(PIECES[0]) == build([PIECES[0]]).longest(with_shapes)


def test_an_unknown_value_matches_nothing_not_even_itself():
    unknown = PIECES[0].copy()
    unknown[[15, 20], [0, 2]] = -1
    index = build([unknown, PIECES[1]])
    assert index.longest(unknown) == Shared(19, 21, 0, 21, 0)
    assert index.longest(unknown[:18]) == Shared(15, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("pieces", "sequence"),
    [
        ([], PIECES[0]),
        ([PIECES[0][:0]], PIECES[0]),
        (PIECES, PIECES[0][:0]),
        (PIECES, np.array([[99, 60, 99]])),
        (PIECES, np.array([[-1, -1, -1]])),
    ],
)
def test_where_no_event_is_shared_there_is_no_run(pieces, sequence):
    assert build(pieces).longest(sequence) is None


def test_empty_pieces_have_numbers_too():
    empty = PIECES[0][:0]
    index = build([empty, PIECES[0], empty, empty, PIECES[1], empty])
    assert index.longest(PIECES[0]).piece == 1
    assert index.longest(PIECES[1]).piece == 4


def test_an_index_answers_alike_from_files_that_are_mapped(tmp_path):
    for name, array in INDEX.arrays().items():
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
    mapped = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in tmp_path.glob("*.npy")}
    index = CopyIndex.from_arrays(mapped)
    assert isinstance(index.suffixes, np.memmap)
    for start, piece in product(range(3), PIECES):
        assert index.longest(moved(piece[start:], 2)) == INDEX.longest(moved(piece[start:], 2))
    again = build(PIECES).arrays()
    assert {name: array.tobytes() for name, array in again.items()} == {
        name: array.tobytes() for name, array in mapped.items()
    }


def test_an_index_with_an_array_missing_is_refused():
    arrays = INDEX.arrays()
    del arrays["suffixes"]
    with pytest.raises(MismatchError, match=r"\['suffixes'\] are missing"):
        CopyIndex.from_arrays(arrays)


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 4)])
def test_events_of_another_shape_are_refused(shape):
    with pytest.raises(MismatchError, match="were given"):
        INDEX.longest(np.zeros(shape, np.int32))


@pytest.mark.parametrize("times", [1, 2])
def test_a_copied_piece_is_followed_once_and_not_from_each_of_its_events(times, monkeypatch):
    looked_up, first = [], copies._Search._first

    def counting(search, value, depth):
        looked_up.append(len(value))
        return first(search, value, depth)

    monkeypatch.setattr(copies._Search, "_first", counting)
    piece = melody(9, 1_000)
    assert build([piece] * times).longest(piece) == Shared(1_000, 0, 0, 0, 0)
    assert sum(looked_up) < 20 * len(piece)


def test_chords_with_one_shape_have_one_number():
    columns = chord_columns(["C4.E4", "D4.F#4", "C4", "0.4", "0", "0.3.6.9"])
    shape, period = columns[:, 1], columns[:, 2]
    assert shape[0] == shape[1]
    assert len(set(shape.tolist())) == 5
    assert columns[:, 0].tolist() == [60, 62, 60, 0, 0, 0]
    assert period.tolist() == [0, 0, 0, 12, 12, 3]


def test_what_is_no_chord_is_refused():
    with pytest.raises(MismatchError, match="H4"):
        chord_columns(["C4", "H4"])


def test_tokens_of_a_training_piece_are_found_where_it_is(made):
    dataset = made.dataset
    reader = EventReader.of(dataset.vocabularies, dataset.events.grid)
    spans = dataset.spans["train"]
    index = build([reader.read(dataset.tokens[span.start : span.stop]) for span in spans])
    tokens = np.array(dataset.tokens[spans[2].start + 7 : spans[2].stop], np.int64)
    up = list(made.recipe.windows.shifts).index(2)
    tokens[:, 1] = dataset.transposition(made.recipe.windows)[up][tokens[:, 1]]
    assert index.longest(reader.read(tokens)) == Shared(len(tokens), 0, 2, 7, 2)
    for column in range(3):
        broken = tokens.copy()
        broken[20, column] = UNKNOWN
        assert index.longest(reader.read(broken)) == Shared(len(tokens) - 21, 21, 2, 28, 2)


def test_tokens_are_read_as_steps_and_pitches(made):
    dataset = made.dataset
    span = dataset.spans["train"][0]
    piece = read_midi((made.folder / name_of(made, span.piece_id)).read_bytes())
    events = encode(piece, dataset.events)
    read = EventReader.of(dataset.vocabularies, dataset.events.grid).read(dataset.tokens[span.start : span.stop])
    assert read.dtype == np.int32
    assert read[:, 0].tolist() == events.offset_steps.tolist()
    assert read[:, 1].tolist() == piece.notes["pitch"].tolist()
    assert read[:, 2].tolist() == events.duration_steps.tolist()
    assert not read[:, 3:].any()


def name_of(made, piece_id):
    from lstm_music.stages.data.notes import read_pieces

    (name,) = (row["name"] for row in read_pieces(made.store, made.prepared.notes) if row["piece_id"] == piece_id)
    return name


@pytest.fixture(scope="module")
def chorales():
    return four_chorales()


def columns_of(piece, spec=SPEC):
    events = encode(piece, spec)
    pitch, shape, period = chord_columns(events.note).T
    return np.stack([events.offset_steps, pitch, events.duration_steps, shape, period], axis=1)


def test_a_chorale_written_a_third_higher_and_read_back_is_found(chorales):
    index = build([columns_of(piece) for piece in chorales])
    for number, piece in enumerate(chorales):
        notes = piece.notes.copy()
        notes["pitch"] += 4
        heard = columns_of(read_midi(write_midi(replace(piece, notes=notes))))
        assert index.longest(heard) == Shared(len(heard), 0, number, 0, 4)


def test_chorales_share_less_with_each_other_than_with_themselves(chorales):
    events = [columns_of(piece) for piece in chorales]
    for number, heard in enumerate(events):
        shared = build(events[:number] + events[number + 1 :]).longest(heard)
        assert 1 <= shared.length_events < len(heard) / 4


def test_of_real_excerpts_the_longest_run_is_the_one_that_trying_finds(chorales):
    pieces = []
    for piece in chorales:
        events = encode(piece, SPEC)
        steps = events.offset_steps.tolist(), events.duration_steps.tolist()
        pieces.append(list(zip(steps[0], events.note, steps[1], strict=True))[:60])
    *trained, heard = events_of(pieces)
    shared = build(trained).longest(heard)
    expected = longest_by_trying("per_note", pieces[-1], pieces[:-1])
    assert (shared.length_events, shared.start_in_sequence, shared.piece, shared.start_in_piece) == expected
