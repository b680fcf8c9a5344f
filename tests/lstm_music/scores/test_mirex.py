"""The JSON of the MIREX task: what is read, what is written, and one sentence for everything else."""

import json
from dataclasses import replace

import pytest

from lstm_music.errors import MismatchError, RejectedInputError
from lstm_music.scores.mirex import BEGINS, ENDS, read_mirex, write_mirex

ROWS = [(12, 72, 4), (16, 60, 64), (16, 64, 16), (79, 127, 1)]


def prompt(*rows, **others):
    notes = [dict(zip(("start", "pitch", "duration"), row, strict=True)) for row in rows]
    return json.dumps({"prompt": notes, **others}).encode()


def rows_of(piece):
    return [tuple(map(int, (note["onset_ticks"], note["pitch"], note["duration_ticks"]))) for note in piece.notes]


def test_the_notes_and_the_bars_of_a_prompt_are_read():
    piece = read_mirex(prompt(*ROWS, generation=[]))
    assert rows_of(piece) == [(start - 12, pitch, length) for start, pitch, length in ROWS]
    assert piece.ticks_per_quarter == 4
    bars = [(bar.number, bar.tick, bar.begins_at_ticks) for bar in piece.bars]
    assert bars == [(0, 0, 12), (1, 4, 0), (2, 20, 0), (3, 36, 0), (4, 52, 0)]


def test_a_prompt_without_a_pickup_begins_with_bar_1():
    piece = read_mirex(prompt((20, 60, 4)))
    assert rows_of(piece) == [(4, 60, 4)]
    assert [(bar.number, bar.tick) for bar in piece.bars] == [(1, 0), (2, 16), (3, 32), (4, 48)]


def test_notes_are_written_from_step_80_on():
    written = write_mirex(read_mirex(prompt(*ROWS)))
    notes = json.loads(written)["generation"]
    assert [tuple(note.values()) for note in notes] == [
        (start - 12 + BEGINS, pitch, length) for start, pitch, length in ROWS
    ]


@pytest.mark.parametrize(
    ("change", "value"), [("onset_ticks", -1), ("duration_ticks", ENDS - BEGINS + 1), ("duration_ticks", 0)]
)
def test_notes_outside_of_the_twelve_bars_are_not_written(change, value):
    piece = read_mirex(prompt((0, 60, 4)))
    piece.notes[change] = value
    with pytest.raises(MismatchError, match="12 bars"):
        write_mirex(piece)


def test_notes_beside_sixteenths_are_not_written():
    with pytest.raises(MismatchError, match="sixteenths"):
        write_mirex(replace(read_mirex(prompt((0, 60, 1))), ticks_per_quarter=6))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"MThd", r"^is no JSON \(line 1: .*\); expected \{\"prompt\""),
        (b"\xff\xfe\x00", "^is no JSON"),
        (b"[" * 100_000, "^is no JSON"),
        (b"[]", '^expected {"prompt"'),
        (b'{"notes": []}', "got the keys 'notes'$"),
        (b'{"prompt": {}}', "^prompt: expected a list of one or more notes, got {}$"),
        (b'{"prompt": []}', r"got \[\]$"),
        (b'{"prompt": [3]}', r"^prompt\[0\]: expected a note with start, pitch, duration and nothing else, got 3$"),
        (b'{"prompt": [{"start": 1, "pitch": 2}]}', r"^prompt\[0\]: expected a note with"),
        (prompt((16, 60, 4), (16, 200, 4)), r"^prompt\[1\]\.pitch: expected a whole number from 0 to 127, got 200$"),
        (prompt((1.5, 60, 4)), r"^prompt\[0\]\.start: expected a whole number from 0 to 79, got 1\.5$"),
        (prompt((True, 60, 4)), "got true$"),
        (prompt((float("nan"), 60, 4)), "got NaN$"),
        (prompt(("1", 60, 4)), 'got "1"$'),
        (prompt((-1, 60, 4)), "from 0 to 79, got -1$"),
        (prompt((80, 60, 4)), r"from 0 to 79 \(the four bars end there\), got 80$"),
        (prompt((0, 60, 0)), r"^prompt\[0\]\.duration: expected a whole number from 1 to 272, got 0$"),
        (prompt((79, 60, 200)), r"^prompt\[0\]: sounds until step 279, and the piece ends at 272$"),
    ],
    ids=range(18),
)
def test_anything_else_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(RejectedInputError, match=sentence) as error:
        read_mirex(data)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200
