"""Statistics of parts: how many sound, whether they begin together and meet on a pitch, and what each one plays.

All are ratios of counts, and counts of several pieces add up: `PartCounts` of one excerpt give a value for the overlapped area,
those of a whole set describe it. Drums count in the shares of notes and onsets alone: they have no pitch and no length.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.evaluation.part_notes import PITCHES, Ints, PartNotes

Range = tuple[int, int]
"""The lowest and the highest pitch."""

PART_METRICS: Mapping[str, str] = MappingProxyType(
    {
        "sounding_parts": "how many parts sound at once, on average over the time from the first note to the last",
        "onset_synchrony": "share of the onsets of a part that fall together with an onset of another part: 0 to 1",
        "unison_share": "share of the sounding pitches that two parts sound at once, by time: 0 to 1",
        "in_range_share": "share of the notes between the lowest and the highest training note of their part: 0 to 1",
    },
)
"""The keys of `part_statistics` that are one number, and what each measures."""

PART_HISTOGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "sounding_parts_histogram": "share of the time in which so many parts sound",
        "part_histogram": "share of the notes in each part",
    },
)
"""What `part_statistics` gives beside them, each as keys `name[bin]`."""


@dataclass(frozen=True, eq=False, slots=True)
class PartCounts:
    """Counts of some music; those of several pieces add up.

    Int64: `notes`, `onsets` and `together` (onsets that another part has, too) [parts], `pitches` [parts, 128] of pitched
    notes. Times are in quarters, float64: `by_sounding` [parts + 1] in which 0, 1, … parts sound, `pitch_time` of all sounding
    pitches, `unison_time` of those that two parts sound.
    """

    names: tuple[str, ...]
    notes: Ints
    onsets: Ints
    together: Ints
    pitches: Ints
    by_sounding: npt.NDArray[np.float64]
    pitch_time: float
    unison_time: float

    @classmethod
    def of(cls, notes: PartNotes, ticks_per_quarter: int) -> "PartCounts":
        """Count in a piece."""
        parts = len(notes.names)
        moments = np.unique(np.stack([notes.onset, notes.part], axis=1), axis=0)
        _, place, players = np.unique(moments[:, 0], return_inverse=True, return_counts=True)
        pitched = notes.pitched
        pitches = np.zeros((parts, PITCHES), np.int64)
        np.add.at(pitches, (pitched.part, pitched.pitch), 1)
        times = np.unique(np.concatenate([pitched.onset, pitched.end]))
        quarters = np.diff(times) / ticks_per_quarter
        is_sounding = pitched.sounding(times[:-1])
        players_of_pitch = is_sounding.sum(axis=0)
        return cls(
            notes.names,
            np.bincount(notes.part, minlength=parts),
            np.bincount(moments[:, 1], minlength=parts),
            np.bincount(moments[players[place] > 1, 1], minlength=parts),
            pitches,
            np.bincount(is_sounding.any(axis=2).sum(axis=0), quarters, minlength=parts + 1).astype(np.float64),
            float((players_of_pitch > 0).sum(axis=1) @ quarters),
            float((players_of_pitch > 1).sum(axis=1) @ quarters),
        )

    def __add__(self, other: "PartCounts") -> "PartCounts":
        """Add the counts of other music of the same parts."""
        columns = ("notes", "onsets", "together", "pitches", "by_sounding", "pitch_time", "unison_time")
        return PartCounts(self.names, *(getattr(self, name) + getattr(other, name) for name in columns))

    def in_range(self, ranges: Mapping[str, Range]) -> tuple[Ints, Ints]:
        """Count the notes of each part that have a range, and those inside it: int64 [parts] both."""
        known, inside = np.zeros((2, len(self.names)), np.int64)
        for part, name in enumerate(self.names):
            if name in ranges:
                lowest, highest = ranges[name]
                known[part] = self.pitches[part].sum()
                inside[part] = self.pitches[part, lowest : highest + 1].sum()
        return known, inside


def joined(counts: Iterable[PartCounts]) -> PartCounts:
    """Add the counts of all pieces, at least one."""
    return reduce(lambda one, other: one + other, counts)


def part_statistics(counts: PartCounts, ranges: Mapping[str, Range]) -> dict[str, float]:
    """Give a number for each of `PART_METRICS`, NaN for what the music does not have, and the `PART_HISTOGRAMS`.

    `ranges` are those of the training notes, by part; a part without one, such as drums, does not count there.
    """
    known, inside = counts.in_range(ranges)
    time = float(counts.by_sounding.sum())
    return {
        "sounding_parts": _ratio(float(counts.by_sounding @ np.arange(len(counts.by_sounding))), time),
        "onset_synchrony": _ratio(counts.together.sum(), counts.onsets.sum()),
        "unison_share": _ratio(counts.unison_time, counts.pitch_time),
        "in_range_share": _ratio(inside.sum(), known.sum()),
        **{f"sounding_parts_histogram[{n}]": _ratio(one, time) for n, one in enumerate(counts.by_sounding.tolist())},
        **{
            f"part_histogram[{name}]": _ratio(own, counts.notes.sum())
            for name, own in zip(counts.names, counts.notes.tolist(), strict=True)
        },
    }


def describe(counts: PartCounts, ranges: Mapping[str, Range]) -> dict[str, Any]:
    """Describe a set of music for JSON: `PART_METRICS` by name, and `by_part` of each part that plays.

    That is its `share` of the notes, `onset_synchrony`, and for pitches `lowest`, `highest`, `in_range` (a share, None without
    a training range) and `pitches`, the share of its notes at each pitch.
    """
    whole = {name: part_statistics(counts, ranges)[name] for name in PART_METRICS}
    return {
        **{name: value if math.isfinite(value) else None for name, value in whole.items()},
        "by_part": {
            name: _describe_part(counts, part, ranges) for part, name in enumerate(counts.names) if counts.notes[part]
        },
    }


def pitches_in_common(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Give the area that two histograms of pitches share: 1 for equal ones, 0 where no pitch is in both."""
    return math.fsum(min(share, other.get(pitch, 0.0)) for pitch, share in one.items())


def _describe_part(counts: PartCounts, part: int, ranges: Mapping[str, Range]) -> dict[str, Any]:
    pitches = counts.pitches[part]
    heard: Sequence[int] = np.flatnonzero(pitches).tolist()
    known, inside = counts.in_range(ranges)
    found: dict[str, Any] = {
        "share": int(counts.notes[part]) / int(counts.notes.sum()),
        "onset_synchrony": int(counts.together[part]) / int(counts.onsets[part]),
    }
    if heard:
        found |= {
            "lowest": heard[0],
            "highest": heard[-1],
            "in_range": int(inside[part]) / int(known[part]) if known[part] else None,
            "pitches": {str(pitch): int(pitches[pitch]) / int(pitches.sum()) for pitch in heard},
        }
    return found


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan
