"""A file of the user's and the bars to rewrite → where the gap lies, what the models read before it, and what stays."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.bars import bars_of, places_in
from lstm_music.encoding.grid import MAX_TICKS_PER_QUARTER, Grid, Steps
from lstm_music.encoding.parts import LEFT_OUT
from lstm_music.encoding.places import bar_steps
from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import SPECIAL_IDS, steps_of
from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.generation.gap import Gap
from lstm_music.generation.prompt import Prompt, average_tempo, cut_segment, nothing_before, signature_after
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import read_bars
from lstm_music.midi.notes import Bar, PieceNotes, TimeSignature
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.given_events import GivenEvents, given_events, require_known, require_single_notes
from lstm_music.stages.music.melody import by_parts, choose_part, side_of
from lstm_music.stages.music.prompt_files import file_warnings, of_known_parts, read_music_of
from lstm_music.stages.music.rewriting import BEHIND, Rewrite, Rewritten

BEFORE = 1024
"""The most events before the gap that the models read."""


def read_gap(dataset: Dataset, melody: Rewrite, spec: GenerationSpec, behind: int = BEHIND) -> Rewritten:
    """Read a file, and find the bars in it; `behind` is how many events behind them are given.

    Raises RejectedInputError for a file without music that these models can read, SourceError for bars or a part that it does not
    have, RecipeError for models that know chords and no single notes.
    """
    require_single_notes(dataset, "rewrite")
    name, grid, known = melody.file.name, dataset.events.grid, of_known_parts(dataset)
    whole = _in_finer_ticks(read_music_of(dataset, melody.file, "to rewrite bars of"), grid.steps_per_quarter)
    read = given_events(dataset, whole)
    if not len(read):
        raise RejectedInputError(f"{name}: these models read no note in it; give another file")
    onsets, ends = _steps_of_notes(whole, dataset)
    places = _Places.of(whole, grid, int(ends.max()))
    start, stop = places.of_bars(melody)
    chosen, of_note = _chosen(dataset, whole, melody)
    replaced = chosen & (onsets >= start) & (onsets < stop)
    kept = given_events(dataset, by_parts(replace(whole, notes=whole.notes[~replaced]), whole, known))
    if not len(kept):
        raise SourceError(
            f"--bars: {melody.bars} is all that the models read of {name}, so nothing stays; give fewer bars, or use generate"
        )
    before = int(np.count_nonzero(read.events.onset_steps < start))
    last = int(read.events.onset_steps[before - 1]) if before else 0
    reach = _offsets(dataset, spec)
    gap = Gap(_near(last, start, stop, reach, grid), start, stop, max(stop, int(ends[replaced].max(initial=stop))))
    given = _readable(kept.chosen(kept.events.onset_steps >= start), gap, reach, behind)
    require_known(dataset, name, given, "choose other bars")
    later = given.chosen(given.events.onset_steps >= stop)
    in_gap = (read.events.onset_steps >= start) & (read.events.onset_steps < stop)
    replayed = read.chosen(in_gap).joined(later)
    is_piano = PART not in dataset.vocabularies
    is_other = ~chosen if is_piano else np.zeros(len(chosen), np.bool_)
    other = given_events(dataset, replace(whole, notes=whole.notes[is_other]))  # the other hand
    return Rewritten(
        melody=melody,
        whole=whole,
        replaced=replaced,
        is_chosen=chosen,
        parts=() if is_piano else tuple(known.part_alphabet[part] for part in np.unique(of_note[chosen])),
        gap=gap,
        segment=_segment(dataset, whole, melody, read, before, gap, places),
        given=given,
        replayed=replayed,
        neighbours=other,
        side=_side(whole, chosen, melody) if len(other) else "beside",
        positions=places.positions,
        rests=places.rests,
        warnings=tuple(file_warnings(whole, name, known)),
    )


def _in_finer_ticks(whole: PieceNotes, steps_per_quarter: int) -> PieceNotes:
    """Write the same times in finer ticks, so that each step of the grid is a whole number of them, if MIDI can hold that."""
    ticks = math.lcm(whole.ticks_per_quarter, steps_per_quarter)
    factor = ticks // whole.ticks_per_quarter
    if factor == 1 or ticks > MAX_TICKS_PER_QUARTER:
        return whole
    notes = whole.notes.copy()
    for name in ("onset_ticks", "duration_ticks"):
        notes[name] *= factor
    changes = ("tempos", "time_signatures", "key_signatures", "pedal")
    moved: dict[str, Any] = {
        name: tuple(replace(one, tick=one.tick * factor) for one in getattr(whole, name)) for name in changes
    }
    bars = tuple(
        Bar(bar.tick * factor, bar.number, bar.begins_at_ticks * factor, bar.nominal_ticks * factor)
        for bar in whole.bars
    )
    return replace(whole, ticks_per_quarter=ticks, notes=notes, bars=bars, **moved)


@dataclass(frozen=True, eq=False)
class _Places:
    """The bars of a file, whose music ends at step `end`: of each step the number of its bar, and where in it the step lies.

    `rests` are the steps to the next bar.
    """

    end: int
    numbers: Steps
    positions: Steps
    rests: Steps

    @classmethod
    def of(cls, whole: PieceNotes, grid: Grid, end: int) -> "_Places":
        """Number the bars until the end of the last one that has music."""
        bars = bars_of(whole, grid)
        longest = max(int(bar.length) for bar in bars)
        numbers, positions = places_in(bars, np.arange(end + 2 * longest + 2))
        begins = np.flatnonzero((np.diff(positions) <= 0) | (np.diff(numbers) != 0)) + 1
        later = begins[begins >= end]
        if len(later):
            stop = int(later[0])
        else:  # the last bar of a score has no other behind it
            last = int(np.searchsorted(numbers == numbers[-1], True))
            stop = max(end, last + int(bars[-1].length) - int(positions[last]))
        steps, begins = np.arange(stop + 1), begins[begins < stop]
        until = np.append(begins, stop)[np.searchsorted(begins, steps, side="right")]
        return cls(stop, numbers[: stop + 1], positions[: stop + 1], np.maximum(until - steps, 1))

    def of_bars(self, melody: Rewrite) -> tuple[int, int]:
        """Return the steps at which the bars begin and end. Raises SourceError for bars that the file does not have."""
        first, last = read_bars(melody.bars)
        numbers = self.numbers[: self.end]
        inside = (numbers >= first) & (numbers <= last)
        if first < numbers.min() or last > numbers.max() or not inside.any():
            raise SourceError(
                f"--bars: expected bars of {melody.file.name}, which has {numbers.min()} to {numbers.max()}, got {melody.bars!r}"
            )
        start = int(inside.argmax())
        return start, start + int(np.append(inside[start:], False).argmin())


def _steps_of_notes(whole: PieceNotes, dataset: Dataset) -> tuple[Steps, Steps]:
    """Return where each note of a file begins and ends, in steps."""
    grid, ticks = dataset.events.grid, whole.ticks_per_quarter
    onsets = grid.onsets(whole.notes["onset_ticks"], ticks)
    return onsets, onsets + grid.durations(whole.notes["duration_ticks"], ticks)


def _chosen(
    dataset: Dataset, whole: PieceNotes, melody: Rewrite
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Say which notes are of the part that is rewritten, bool [notes], and the part of each note."""
    reader = of_known_parts(dataset).part_reader
    of_note = np.where(whole.notes["is_drum"], LEFT_OUT, 0) if reader is None else reader.read(whole)
    return (choose_part(dataset, whole, melody)[0] if melody.part else of_note != LEFT_OUT), of_note


def _offsets(dataset: Dataset, spec: GenerationSpec) -> Steps:
    """Return the offsets that may follow, in steps, ascending."""
    grid = dataset.events.grid
    steps = np.unique(steps_of(dataset.vocabularies["offset"], grid)[SPECIAL_IDS:]).astype(np.int64)
    return steps[steps <= spec.max_quarters * grid.steps_per_quarter]


def _near(last: int, start: int, stop: int, reach: Steps, grid: Grid) -> int:
    """Return from where the models come: the onset of the last event, or after a long rest a later one in its phase.

    From there some offset leads into the gap.
    """
    while last < start and not np.any((last + reach >= start) & (last + reach < stop) & grid.on_grid(last + reach)):
        last += grid.steps_per_quarter
    return last


def _readable(given: GivenEvents, gap: Gap, reach: Steps, most: int) -> GivenEvents:
    """Leave out what is behind the first event that the models cannot read, or behind enough events."""
    onsets, known = given.events.onset_steps, given.is_known
    behind = np.flatnonzero(onsets >= gap.stop)
    if not len(behind):
        return given
    places = np.append(np.arange(gap.start, gap.stop), gap.begin)
    is_reached = bool(np.isin(int(onsets[behind[0]]) - places, reach).any())
    count = 0
    for index in behind[:most].tolist() if is_reached else ():
        step = int(onsets[index] - onsets[index - 1]) if count else 0
        if not known[index] or step not in reach:
            break
        count += 1
    return given.chosen(np.arange(len(given)) < behind[0] + count)


def _segment(
    dataset: Dataset, whole: PieceNotes, melody: Rewrite, read: GivenEvents, before: int, gap: Gap, places: _Places
) -> Prompt:
    """Take what comes before a gap: the `before` first events, or the last of these."""
    grid, length = dataset.events.grid, min(before, BEFORE)
    if length:
        segment = cut_segment(
            whole,
            read.events,
            dataset.events,
            dataset.vocabularies,
            name=melody.file.name,
            first=before - length,
            length=length,
            knowledge=dataset.knowledge,
        )
    else:
        segment = nothing_before(dataset.tokens.shape[1], grid)
    tick = gap.start * whole.ticks_per_quarter // grid.steps_per_quarter
    numerator, denominator = signature_after(whole, tick, grid)
    keys = [key for key in whole.key_signatures if key.tick <= tick] or list(whole.key_signatures[:1])
    return replace(
        segment,
        last_onset_steps=gap.begin,
        last_position_in_bar_steps=int(places.positions[gap.begin]),
        bar_steps=bar_steps(numerator, denominator, grid),
        time_signature=TimeSignature(0, numerator, denominator),
        key_signature=replace(keys[-1], tick=0) if keys else None,
        microseconds_per_quarter=average_tempo(whole),
    )


def _side(whole: PieceNotes, chosen: npt.NDArray[np.bool_], melody: Rewrite) -> str:
    """Say on which side of the notes that stay new ones lie."""
    return "above" if side_of(whole, chosen, melody.part) == "below" else "below"
