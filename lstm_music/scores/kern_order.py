"""The order in which the sections of a `**kern` score are played: by its expansion list, or else by its repeat signs."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from lstm_music.errors import RejectedInputError
from lstm_music.midi.smf import ReadLimits
from lstm_music.scores.score import Measure, Score, ScoreNote

MOST_NOTES = 200_000  # of a score, as it is read; they take some seconds
MOST_BARS = 65_536
MOST_CHANGES = 65_536  # of tempos, signatures and sections
_Change = tuple[Any, ...]  # (position, values …)
Span = tuple[Fraction, Fraction]  # the start and the end of a passage, in quarters of the written score

_EXPANSION = re.compile(r"\*>\[([^\]]*)\]")
_EXPANSION_WITHOUT_REPEATS = re.compile(r"\*>norep\[([^\]]*)\]")
_LABEL = re.compile(r"\*>([^\[\]]+)$")
_ENDING = re.compile(r"(.*\D)\d{1,3}$")
_LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True)
class Barline:
    """A bar line. `is_numbered` is one that begins a bar with a number."""

    time: Fraction
    is_numbered: bool
    ends_repeat: bool
    begins_repeat: bool


def read_barline(token: str, time: Fraction) -> Barline:
    """Read a bar line, such as `=12`, `=:|!`, `=!|:` or `=5:|!|:`."""
    return Barline(
        time,
        is_numbered=any(character.isdigit() for character in token),
        ends_repeat=":|" in token or ":!" in token,
        begins_repeat="|:" in token or "!:" in token,
    )


def expansion_list(token: str) -> list[str] | None:
    """Read `*>[A,A1,A,A2]`, the sections in the order in which they are played; None for anything else."""
    found = _EXPANSION.match(token)
    return [label.strip() for label in found[1].split(",")] if found else None


def expansion_without_repeats(token: str) -> list[str] | None:
    """Read `*>norep[A,A2]`, the sections in the order of who leaves out repeats; None for anything else."""
    found = _EXPANSION_WITHOUT_REPEATS.match(token)
    return [label.strip() for label in found[1].split(",")] if found else None


def without_repeats(expansion: Sequence[str]) -> list[str]:
    """Leave the repeats out of an expansion list: `A,A1,A,A2,B,B` becomes `A,A2,B`.

    Each section stays once, and of the endings of a passage the last. Endings are sections that have the same letters and
    different numbers, such as A1 and A2, and come after the same section.
    """
    once = list(dict.fromkeys(expansion))
    before: dict[str, set[str]] = {}
    for earlier, label in zip(["", *expansion], expansion, strict=False):
        before.setdefault(label, set()).add(earlier)
    letters = {label: found[1] for label in once if (found := _ENDING.match(label))}
    last: dict[tuple[str, str], str] = {}  # (letters, the section before) → the last of these endings
    left_out: set[str] = set()
    for label, own in letters.items():
        for earlier in before[label]:
            if letters.get(earlier) != own and (own, earlier) in last:
                left_out.add(last[own, earlier])
            last[own, earlier] = label
    return [label for label in once if label not in left_out]


def section_label(token: str) -> str | None:
    """Read `*>A`, the start of a section; None for anything else."""
    found = _LABEL.match(token)
    return found[1] if found else None


def played_spans(
    sections: Sequence[tuple[Fraction, str]],
    expansion: Sequence[str] | None,
    barlines: Sequence[Barline],
    end: Fraction,
) -> list[Span]:
    """Return the passages of the written score in the order in which they are played.

    `sections` are (start, label). Without an expansion list whose labels are all there, each passage before a sign that ends
    a repeat is played twice.
    """
    return spans_of(sections, expansion, end) or _by_repeat_signs(barlines, end)


def spans_of(sections: Sequence[tuple[Fraction, str]], expansion: Sequence[str] | None, end: Fraction) -> list[Span]:
    """Return the passages that an expansion list names, in its order; none if a label is not there."""
    starts = [start for start, _ in sections]
    spans: dict[str, Span] = {}
    for (start, label), following in zip(sections, [*starts[1:], end][: len(starts)], strict=True):
        spans.setdefault(label, (start, following))
    if expansion and all(label in spans for label in expansion):
        before = [(Fraction(0), starts[0])] if starts[0] else []
        return [*before, *(spans[label] for label in expansion)]
    return []


def _by_repeat_signs(barlines: Sequence[Barline], end: Fraction) -> list[Span]:
    spans = []
    begun = Fraction(0)
    for barline in barlines:
        if barline.ends_repeat and barline.time > begun:
            spans += [(begun, barline.time)] * 2
            begun = barline.time
        elif barline.begins_repeat and barline.time > begun:
            spans.append((begun, barline.time))
            begun = barline.time
    return [*spans, (begun, end)] if begun < end else spans


def unrolled(score: Score, spans: Sequence[Span]) -> Score:
    """Return the score with its passages in the order of `spans`. Its notes are not joined by ties yet.

    Raises RejectedInputError if the result is longer than a piece may be.
    """
    notes: list[ScoreNote] = []
    measures: list[Measure] = []
    written = sorted(score.notes, key=lambda note: note.onset)
    onsets = [note.onset for note in written]
    starts = [measure.start for measure in score.measures]
    if len(spans) > MOST_BARS:
        raise RejectedInputError(f"has too many sections as played: expected at most {MOST_BARS:,}, got {len(spans):,}")
    shifts = _shifts(spans)
    for (start, end), shift in zip(spans, shifts, strict=True):
        passage = written[bisect_left(onsets, start) : bisect_left(onsets, end)]
        _check("notes", len(notes) + len(passage), MOST_NOTES)
        notes += [replace(note, onset=note.onset + shift, end=note.end + shift) for note in passage]
        bars = score.measures[bisect_left(starts, start) : bisect_left(starts, end)]
        _check("bars", len(measures) + len(bars), MOST_BARS)
        measures += [replace(bar, start=bar.start + shift) for bar in bars]
    return replace(
        score,
        notes=tuple(notes),
        measures=tuple(measures),
        tempos=_moved(score.tempos, spans, shifts),
        time_signatures=_moved(score.time_signatures, spans, shifts),
        key_signatures=_moved(score.key_signatures, spans, shifts),
    )


def _check(what: str, number: int, most: int) -> None:
    if number > most:
        raise RejectedInputError(f"has too many {what} as played: expected at most {most:,}, got more")


def _shifts(spans: Sequence[Span]) -> list[Fraction]:
    """Return how much later each passage is played than it is written."""
    shifts, now = [], Fraction(0)
    for start, end in spans:
        shifts.append(now - start)
        now += end - start
    if now > _LIMITS.max_quarters:
        raise RejectedInputError(
            f"too long as played: expected at most {_LIMITS.max_quarters:,} quarter notes, got {int(now):,}"
        )
    return shifts


def _moved(changes: Sequence[_Change], spans: Sequence[Span], shifts: Sequence[Fraction]) -> tuple[_Change, ...]:
    """Move changes (position, values …) with their passages; a passage begins with what is in force there, if that is new."""
    places = [change[0] for change in changes]
    moved: list[_Change] = []
    visited = 0
    for (start, end), shift in zip(spans, shifts, strict=True):
        first = bisect_right(places, start)
        last = bisect_left(places, end)
        visited += max(last - first, 0)
        _check("tempos and signatures", visited, MOST_CHANGES)
        within = changes[max(first - 1, 0) : last]
        for change in within:
            if not moved or moved[-1][1:] != change[1:]:
                moved.append((max(change[0], start) + shift, *change[1:]))
    return tuple(moved)
