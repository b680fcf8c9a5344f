"""What `lstm-music inspect` says of pieces: places, numbers, parts, keys, differences."""

import json
from fractions import Fraction

import numpy as np
import pytest

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import encode
from lstm_music.errors import SourceError
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, PieceNotes, TimeSignature
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data import inspection_json
from lstm_music.stages.data.inspection import (
    PartSummary,
    differences,
    inspect,
    inspect_bytes,
    keys_of,
    summarise_parts,
)
from lstm_music.stages.data.inspection_json import json_of, number

KERN = (
    b"**kern\t**kern\n*Icello\t*Iflt\n*M3/4\t*M3/4\n*k[f#]\t*k[f#]\n*e:\t*e:\n"
    b"4E\t6ee\n.\t12dd\n=1\t=1\n2.EE\t2.b\n==\t==\n*-\t*-\n"
)


def piece(rows, **changes):
    """Build a piece with 12 ticks per quarter; rows are (onset, duration, pitch), then what differs: track, program, drum."""
    notes = np.zeros(len(rows), NOTE_DTYPE)
    for index, (onset, duration, pitch, *more) in enumerate(rows):
        track, program, is_drum = [*more, *(0, 0, False)[len(more) :]]
        notes[index] = (track, 9 if is_drum else 0, program, is_drum, pitch, 80, onset, duration)
    return PieceNotes(12, notes, **changes)


def to_json(inspection, **others):
    """Read the JSON of an inspection back."""
    return json.loads("".join(json_of(inspection, others)))


def test_a_score_has_its_notes_with_bars_and_exact_quarters():
    found = to_json(inspect_bytes([("a waltz.krn", KERN)]))
    assert found["rejected"] == []
    (waltz,) = found["pieces"]
    assert (waltz["name"], waltz["warnings"]) == ("a waltz.krn", [])
    rows = [tuple(note.values()) for note in waltz["notes"]]
    assert list(waltz["notes"][0]) == [
        "onset",
        "pitch",
        "duration",
        "program",
        "is_drum",
        "part",
        "bar",
        "position_in_bar",
    ]
    assert rows == [
        (0, 52, 1, 42, False, 1, 0, 2),
        (0, 76, "2/3", 73, False, 0, 0, 2),
        ("2/3", 74, "1/3", 73, False, 0, 0, "8/3"),
        (1, 40, 3, 42, False, 1, 1, 0),
        (1, 71, 3, 73, False, 0, 1, 0),
    ]


def test_json_comes_in_parts_and_is_that_of_the_whole(monkeypatch):
    files = [("a.krn", KERN), ("b.mid", write_midi(piece([(5 * at, 5, 60) for at in range(10)]))), ("c.txt", b"")]
    whole = to_json(inspect_bytes(files), svg=["a.svg"])
    monkeypatch.setattr(inspection_json, "NOTES_AT_ONCE", 3)
    parts = list(json_of(inspect_bytes(files), {"svg": ["a.svg"]}))
    assert len(parts) > 10
    assert "".join(parts) == json.dumps(whole)
    assert list(whole) == ["pieces", "rejected", "svg"]
    assert [len(one["notes"]) for one in whole["pieces"]] == [5, 10]
    assert to_json(inspect_bytes([])) == {"pieces": [], "rejected": []}


def test_what_cannot_be_read_is_named_with_its_reason():
    found = inspect_bytes([("a.mid", b"MThd"), ("b.txt", b"x"), ("c.krn", b"**kern\n4r\n"), ("d.krn", KERN)])
    assert [one.name for one in found.pieces] == ["d.krn"]
    assert [(one.name, one.reason) for one in found.rejected][1:] == [
        ("b.txt", "is no music file by its extension"),
        ("c.krn", "holds no notes"),
    ]
    assert found.rejected[0].name == "a.mid"


def test_a_piece_of_drums_is_shown_with_a_warning():
    drums = piece([(0, 12, 36, 0, 0, True)], track_names=("kit",))
    found = to_json(inspect_bytes([("drums.mid", write_midi(drums))]))
    assert found["pieces"][0]["notes"][0]["is_drum"] is True
    assert found["pieces"][0]["warnings"] == [
        "holds only drums (1 note on channel 10), so prepare rejects it, unless the recipe has drums, as ensemble has"
    ]


def test_files_folders_and_zips_are_read_but_nothing_is_downloaded(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "one.krn").write_bytes(KERN)
    (tmp_path / "music" / "two.mid").write_bytes(write_midi(piece([(0, 12, 60)])))
    (tmp_path / "music" / "notes.txt").write_bytes(b"no music")
    found = inspect([str(tmp_path / "music"), str(tmp_path / "music" / "one.krn")])
    assert [one.name for one in found.pieces] == ["one.krn", "two.mid", "one.krn"]
    with pytest.raises(SourceError, match="inspect: expected music that needs no download"):
        inspect(["kaggle"])
    with pytest.raises(SourceError, match="not found"):
        inspect([str(tmp_path / "absent.mid")])


@pytest.mark.parametrize(
    ("value", "expected"),
    [("3", 3), ("1/2", 0.5), ("-3/8", -0.375), ("4/3", "4/3"), ("1/10", "1/10"), ("0", 0)],
)
def test_a_number_is_exact_or_a_fraction_in_text(value, expected):
    found = number(Fraction(value))
    assert (found, type(found)) == (expected, type(expected))
    assert Fraction(found) == Fraction(value)


def test_places_in_bars_are_those_of_the_events():
    changes = (TimeSignature(0, 1, 4), TimeSignature(30, 3, 4))
    read = piece([(onset, 1, 60) for onset in (0, 11, 12, 29, 30, 66)], time_signatures=changes)
    (found,) = to_json(inspect_bytes([("a.mid", write_midi(read))]))["pieces"]
    events = encode(read, EventSpec(quarter_length_divisors=(12,)))
    assert [note["bar"] for note in found["notes"]] == events.bar.tolist() == [1, 1, 2, 3, 4, 5]
    places = [float(Fraction(note["position_in_bar"])) for note in found["notes"]]
    assert places == (events.position_in_bar_steps / 12).tolist()


def test_parts_keys_and_ranges():
    music = piece(
        [(0, 12, 60, 0, 5), (12, 12, 64, 0, 7), (0, 12, 36, 2, 0, True), (24, 12, 38, 2, 0, True)],
        track_names=("lead",),
        key_signatures=(KeySignature(0, 1, is_minor=False),),
    )
    assert summarise_parts(music) == [
        PartSummary(0, "lead", (5, 7), 2, 0, 60, 64),
        PartSummary(2, "", (), 2, 2, None, None),
    ]
    written, _ = keys_of(music)
    assert written == KeySignature(0, 1, is_minor=False)
    assert keys_of(piece([(0, 12, 60)]))[0] is None


def test_differences_are_sorted_by_kind():
    first = piece([(0, 12, 60), (0, 12, 60), (12, 12, 62), (24, 6, 64), (36, 6, 65)])
    second = PieceNotes(24, piece([(0, 24, 60), (24, 24, 62), (48, 24, 64), (96, 24, 67)]).notes)
    found = differences(first, second)
    assert found.same == 2
    assert found.only_first == (((0, 60, False), 1), ((3, 65, False), Fraction(1, 2)))
    assert found.only_second == (((4, 67, False), 1),)
    assert found.lengths == (((2, 64, False), Fraction(1, 2), 1),)
    assert differences(first, first).same == 5


def test_each_tune_of_a_book_is_a_piece(tmp_path):
    (tmp_path / "book.abc").write_text("X:1\nT:One\nK:C\nCDEF|\n\nX:2\nT:Two\nK:C\nGABc|\n")
    found = inspect([str(tmp_path)])
    assert [one.name for one in found.pieces] == ["book.abc/1 One.abc", "book.abc/2 Two.abc"]


def test_midi_is_known_by_its_bytes():
    notes = write_midi(piece([(0, 12, 60)]))
    assert [one.name for one in inspect_bytes([("song", notes)]).pieces] == ["song"]
