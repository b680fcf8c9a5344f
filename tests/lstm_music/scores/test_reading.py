"""Batches of scores in a child process that can hang or die."""

import os
import time
from base64 import b64encode

import pytest

from lstm_music.errors import ChildError, RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, PieceNotes, TimeSignature
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
DIE, HANG = (b64encode(text).decode() for text in (b"die", b"hang"))


def moody_child(request, send):
    """Replace music21's child: the text of a score decides what happens to the process."""
    for index, item in enumerate(request["scores"]):
        send({"started": index, "at_seconds": time.monotonic()})
        if item["data"] == DIE:
            os._exit(3)
        if item["data"] == HANG:
            time.sleep(request["timeout_seconds"])
            os._exit(1)
        send({"index": index, "piece": PIECE})


def stillborn_child(request, send):
    os._exit(3)


def use_child(monkeypatch, child):
    monkeypatch.setattr(score, "_CHILD", f"{__name__}:{child.__name__}")


def test_only_the_scores_that_hang_or_kill_the_child_are_rejected(monkeypatch):
    use_child(monkeypatch, moody_child)
    texts = ["a", "die", "b", "hang", "c", "die"]
    outcomes = dict(read_scores([(f"{n} {t}", "abc", t.encode()) for n, t in enumerate(texts)], timeout_seconds=0.3))
    assert list(outcomes) == ["0 a", "1 die", "2 b", "3 hang", "4 c", "5 die"]
    assert [isinstance(outcome, PieceNotes) for outcome in outcomes.values()] == [True, False, True, False, True, False]
    assert str(outcomes["3 hang"]) == "music21 did not read the score within 0.3 seconds"
    assert str(outcomes["5 die"]).startswith("music21 crashed on the score (")


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


def test_a_score_that_is_not_text_is_rejected():
    with pytest.raises(RejectedInputError, match="is not text"):
        read_score(b"\xff", "musicxml")


def test_music21_reads_the_rest_of_a_batch_after_a_score_hangs():
    endless = b"X:1\nM:4/4\nK:C\n" + b"C" * 300_000
    batch = [("tune", "abc", ABC), ("endless", "abc", endless), ("no score", "kern", b"?"), ("again", "abc", ABC)]
    outcomes = dict(read_scores(batch, timeout_seconds=3))
    tune = outcomes["tune"]
    assert tune.ticks_per_quarter == 1
    assert tune.notes["pitch"].tolist() == [71, 73, 74, 76]
    assert tune.notes["duration_ticks"].tolist() == [1, 1, 1, 3]
    assert tune.time_signatures == (TimeSignature(0, 3, 4),)
    assert tune.key_signatures == (KeySignature(0, 2, is_minor=True),)
    assert str(outcomes["endless"]) == "music21 did not read the score within 3 seconds"
    assert "has no **kern spine" in str(outcomes["no score"])
    assert outcomes["again"].notes.tolist() == tune.notes.tolist()
