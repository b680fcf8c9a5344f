"""Batches of scores in a child process that can hang or die."""

import os
import sys
import time
from base64 import b64encode

import pytest

from lstm_music.errors import ChildError, ReadLimitError, RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, PieceNotes, TimeSignature
from lstm_music.scores import child as score_child
from lstm_music.scores import reading as score
from lstm_music.scores.reading import read_score, read_scores

ABC = b"X:1\nM:3/4\nL:1/4\nK:Bm\nB c d|e3|\n"
PIECE = {
    "ticks_per_quarter": 2,
    "notes": {name: [1, 1] for name in NOTE_DTYPE.names} | {"pitch": [62, 60]},
    "tempos": [[0, 500_000]],
    "time_signatures": [],
    "key_signatures": [],
    "track_names": ["Melody"],
    "bars": [],
    "warnings": [],
}
DIE, HANG, WAIT, GROW = (b64encode(text).decode() for text in (b"die", b"hang", b"wait", b"grow"))
ONCE = b64encode(b"once").decode()


def moody_child(request, send):
    """Replace the child that reads: the text of a score decides what happens to the process."""
    alone = len(request["scores"]) == 1
    for index, item in enumerate(request["scores"]):
        send({"started": index})
        data = item["data"]
        with score_child._limited(request["cpu_seconds"], request["clock_seconds"]):
            if data == DIE:
                os._exit(3)
            while data == HANG or (data == ONCE and not alone):
                pass
            if data == WAIT:
                time.sleep(600)
        send({"index": index, **({"reason": "too big", "is_limit": True} if data == GROW else {"piece": PIECE})})


def child_without_music21(request, send):
    sys.modules["music21"] = None  # importing it fails
    score_child.read_batch(request, send)


def stillborn_child(request, send):
    os._exit(3)


def use_child(monkeypatch, child):
    monkeypatch.setattr(score, "_CHILD", f"{__name__}:{child.__name__}")


def test_only_the_scores_that_hang_or_kill_the_child_are_rejected(monkeypatch):
    use_child(monkeypatch, moody_child)
    texts = ["a", "die", "b", "hang", "c", "grow", "wait", "die"]
    outcomes = dict(read_scores([(f"{n} {t}", "abc", t.encode()) for n, t in enumerate(texts)], cpu_seconds=0.2))
    assert list(outcomes) == ["0 a", "1 die", "2 b", "3 hang", "4 c", "5 grow", "6 wait", "7 die"]
    assert [name for name, outcome in outcomes.items() if isinstance(outcome, PieceNotes)] == ["0 a", "2 b", "4 c"]
    assert str(outcomes["7 die"]).startswith("ends the program that reads it (")
    assert type(outcomes["7 die"]) is RejectedInputError
    reasons = {name: str(outcome) for name, outcome in outcomes.items() if isinstance(outcome, ReadLimitError)}
    assert reasons == {
        "3 hang": "takes more than 0.2 seconds of CPU time to read",
        "5 grow": "too big",
        "6 wait": "takes more than 2 seconds to read",
    }


def test_a_score_that_meets_a_limit_is_read_once_more_alone(monkeypatch):
    use_child(monkeypatch, moody_child)
    outcomes = dict(read_scores([(name, "abc", name.encode()) for name in ("a", "once", "b")], cpu_seconds=0.2))
    assert [isinstance(outcome, PieceNotes) for outcome in outcomes.values()] == [True] * 3


def test_time_that_other_programs_take_does_not_count(monkeypatch):
    use_child(monkeypatch, moody_child)
    monkeypatch.setattr(score, "_LEAST_SHARE_OF_A_CORE", 1e-6)
    with pytest.raises(ReadLimitError, match=r"takes more than 0\.1 seconds of CPU time"):  # not of the clock
        read_score(b"hang", "abc", cpu_seconds=0.1)


def test_the_notes_of_a_score_are_sorted(monkeypatch):
    use_child(monkeypatch, moody_child)
    piece = read_score(b"a", "abc")
    assert piece.notes["pitch"].tolist() == [60, 62]
    assert piece.notes["is_drum"].all()
    assert piece.tempos[0].microseconds_per_quarter == 500_000
    assert piece.track_names == ("Melody",)


def test_a_child_that_cannot_start_is_an_error_not_a_rejection(monkeypatch):
    use_child(monkeypatch, stillborn_child)
    with pytest.raises(ChildError):
        read_score(b"a", "abc")


def test_a_batch_of_musicxml_needs_no_music21(monkeypatch):
    use_child(monkeypatch, child_without_music21)
    text = b"<score-partwise><part><measure><note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note>"
    assert len(read_score(text + b"</measure></part></score-partwise>", "musicxml").notes) == 1


def test_a_score_that_is_not_text_is_rejected():
    with pytest.raises(RejectedInputError, match="is not text"):
        read_score(b"\xff", "musicxml")


def test_each_score_of_a_batch_has_its_own_outcome():
    endless = b"X:1\nM:4/4\nK:C\n" + b"C" * 300_000
    batch = [("tune", "abc", ABC), ("endless", "abc", endless), ("no score", "kern", b"?"), ("again", "abc", ABC)]
    outcomes = dict(read_scores(batch, cpu_seconds=10))
    tune = outcomes["tune"]
    assert tune.ticks_per_quarter == 1
    assert tune.notes["pitch"].tolist() == [71, 73, 74, 76]
    assert tune.notes["duration_ticks"].tolist() == [1, 1, 1, 3]
    assert tune.time_signatures == (TimeSignature(0, 3, 4),)
    assert tune.key_signatures == (KeySignature(0, 2, is_minor=True),)
    assert str(outcomes["endless"]).startswith("too long: expected at most 65,536 quarter notes")
    assert "has no **kern spine" in str(outcomes["no score"])
    assert outcomes["again"].notes.tolist() == tune.notes.tolist()
