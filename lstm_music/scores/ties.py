"""Tied notes → one note each, over bar lines, voices, staves and the parts of one keyboard."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

from lstm_music.scores.score import ScoreNote


@dataclass(frozen=True, slots=True)
class TiedNote:
    """A note, and who plays it: the closest match is tied to it where several could be.

    `goes_on` is where the note that it is tied to starts, its end in most cases. `family` are parts that share an
    instrument, `part` is a part, `voice` a voice of it.
    """

    note: ScoreNote
    goes_on: Fraction
    family: int
    part: int
    voice: str


def join_tied(notes: Iterable[TiedNote]) -> list[ScoreNote]:
    """Join each tied note with the one of the same pitch that starts where it goes on. Return the notes by onset.

    A partner is looked for in the voice, then in the part, then in the family. A tie without one changes nothing.
    """
    by_onset = sorted(notes, key=lambda tied: tied.note.onset)
    joined: list[ScoreNote] = []
    open_ties: dict[
        tuple[int, Fraction, int], list[tuple[TiedNote, int]]
    ] = {}  # (pitch, place, family) → index in `joined`
    for _, group in groupby(by_onset, key=lambda tied: tied.note.onset):
        together = list(group)
        places = _partners(together, open_ties)
        for index, tied in enumerate(together):
            place = places.get(index)
            if place is None:
                place = len(joined)
                joined.append(tied.note)
            else:
                joined[place] = replace(joined[place], end=max(tied.note.end, joined[place].end))
            if tied.note.tie in ("start", "continue"):
                open_ties.setdefault((tied.note.pitch, tied.goes_on, tied.family), []).append((tied, place))
    return joined


def _partners(
    together: Sequence[TiedNote], open_ties: dict[tuple[int, Fraction, int], list[tuple[TiedNote, int]]]
) -> dict[int, int]:
    """Return for notes that start together, by index, the joined note that each goes on with. Uses up the open ties."""
    found: dict[int, int] = {}
    waiting = [index for index, tied in enumerate(together) if tied.note.tie in ("stop", "continue")]
    for closeness in (_same_voice, _same_part, _same_family):
        for index in waiting:
            tied = together[index]
            candidates = open_ties.get((tied.note.pitch, tied.note.onset, tied.family), [])
            if index in found or not candidates:
                continue
            match = next((candidate for candidate in candidates if closeness(candidate[0], tied)), None)
            if match is not None:
                candidates.remove(match)
                found[index] = match[1]
    return found


def _same_voice(one: TiedNote, other: TiedNote) -> bool:
    return (one.part, one.voice) == (other.part, other.voice)


def _same_part(one: TiedNote, other: TiedNote) -> bool:
    return one.part == other.part


def _same_family(one: TiedNote, other: TiedNote) -> bool:
    return one.family == other.family
