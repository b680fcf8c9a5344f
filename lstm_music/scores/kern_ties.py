"""Ties in **kern: within a part, also between its sub-spines, and from one staff to another."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from lstm_music.scores.score import ScoreNote

_Place = tuple[int, Fraction]  # a pitch, and where a note of it ends


def join_ties(notes: Iterable[ScoreNote]) -> list[ScoreNote]:
    """Join each tied note with the note of its pitch that starts where it ends: of its own part, or else of another.

    A tie without a partner changes nothing. The notes come back by part, then by onset.
    """
    joined: list[ScoreNote] = []
    waiting: dict[
        tuple[int, Fraction], list[int]
    ] = {}  # (pitch, end) of notes with an open tie → their indices in `joined`
    for note in sorted(notes, key=lambda note: note.onset):
        index = -1
        if note.tie in ("stop", "continue"):
            index = _take(waiting.get((note.pitch, note.onset), []), joined, note.track)
        if index < 0:
            index = len(joined)
            joined.append(note)
        else:
            joined[index] = replace(joined[index], end=note.end)
        if note.tie in ("start", "continue"):
            waiting.setdefault((note.pitch, note.end), []).append(index)
    return sorted(joined, key=lambda note: (note.track, note.onset))


def _take(indices: list[int], joined: list[ScoreNote], track: int) -> int:
    """Take the index of an open note out of the list: one of the track, or else the first; -1 if there is none."""
    if not indices:
        return -1
    place = next((place for place, index in enumerate(indices) if joined[index].track == track), 0)
    return indices.pop(place)
