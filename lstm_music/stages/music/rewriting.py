"""Bars of a file of the user's to write anew → what the models read before them, what stays, and where new notes may lie."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.bars import bars_of, places_in
from lstm_music.encoding.grid import Grid, Steps
from lstm_music.encoding.parts import LEFT_OUT
from lstm_music.encoding.places import bar_steps
from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import SPECIAL_IDS, steps_of
from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.generation.gap import Gap
from lstm_music.generation.prompt import Prompt, average_tempo, cut_segment, nothing_before, signature_after
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import read_bars
from lstm_music.midi.notes import PieceNotes, TimeSignature
from lstm_music.midi.titles import piece_title
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.accompaniment import GIVEN_SETTINGS
from lstm_music.stages.music.given_events import GivenEvents, given_events, require_known, require_single_notes
from lstm_music.stages.music.lengths import likely_events
from lstm_music.stages.music.melody import Melody, by_parts, choose_part, side_of
from lstm_music.stages.music.prompt_files import file_warnings, of_known_parts, read_music_of
from lstm_music.stages.music.prompts import Origin

if TYPE_CHECKING:
    from lstm_music.generation.ending import Ending
    from lstm_music.generation.gap_rules import GapMusic
    from lstm_music.generation.given import GivenNotes
    from lstm_music.generation.grammar import Grammar

CANDIDATES = 64
"""Candidates for each result, unless a recipe asks for more."""

BEFORE = 1024
"""The most events before the gap that the models read."""

BEHIND = 32
"""The most events behind the gap by which new bars are judged."""


@dataclass(frozen=True)
class Rewrite(Melody):
    """A music file, and which of its bars are written anew: `bars` such as `9-12`, of one `part`, or "" for all parts."""

    bars: str = ""
    verb: ClassVar[str] = "rewrite"

    @property
    def spec(self) -> dict[str, Any]:
        """What of it decides the music."""
        return {**super().spec, "bars": self.bars}

    @property
    def words(self) -> str:
        """Say what is rewritten."""
        return f"rewrites {self.where} of {self.file.name}"

    @property
    def length(self) -> str:
        """Say what results have: `with new bars 9-12`."""
        return f"with new {self.where}"

    @property
    def options(self) -> dict[str, str]:
        """The options of the command that says what of the file is taken."""
        return {"bars": self.bars, **super().options}

    @property
    def where(self) -> str:
        """Name the bars and the part: `bars 9-12, part tenor`."""
        first, last = read_bars(self.bars)
        bars = f"bar {first}" if first == last else f"bars {first}-{last}"
        return bars + (f", part {self.part}" if self.part else "")


@dataclass(frozen=True, eq=False)
class Rewritten:
    """A file with a gap, as these models read it.

    `replaced` bool [notes] says which notes of the `whole` file are written anew: those in the gap of all that `is_chosen`.
    `parts` may play in the gap. What stays is in `given`, from the gap's start on, and `replayed` has the replaced notes too. New
    notes lie on a `side` of the `neighbours`. `segment` is what comes before the gap. `positions` and `rests` int64 [steps] say
    of each step where in its bar it lies, and how far the next bar is.
    """

    melody: Rewrite
    whole: PieceNotes
    replaced: npt.NDArray[np.bool_]
    is_chosen: npt.NDArray[np.bool_]
    parts: tuple[str, ...]
    gap: Gap
    segment: Prompt
    given: GivenEvents
    replayed: GivenEvents
    neighbours: GivenEvents
    side: Any
    positions: Steps
    rests: Steps
    warnings: tuple[str, ...]

    @property
    def title(self) -> str:
        """The title of the file."""
        return piece_title(self.melody.file.name, self.whole)

    @property
    def origin(self) -> Origin:
        """Where results come from: from no piece that the models know; with sentences for the user."""
        return Origin(self.segment, warnings=self.warnings)

    @property
    def has_more(self) -> bool:
        """Whether any music comes behind the gap."""
        return bool((self.given.events.onset_steps >= self.gap.stop).any())

    def room(self, dataset: Dataset) -> int:
        """Return more events than new music in the gap has in nearly all cases, and those that are given."""
        in_gap = likely_events(dataset, np.array([self.gap.stop - self.gap.start]))
        return in_gap + max(len(self.given), len(self.replayed))

    def ending(self, outputs: int) -> "Ending | None":
        """Let the loop say how likely the end of the piece is after each event, where no music comes behind the gap."""
        from lstm_music.generation.ending import NEVER, Ending

        if self.has_more:
            return None
        return Ending(np.full(outputs, NEVER, np.int32), np.zeros(outputs, np.int32))

    def rows(self, events: GivenEvents) -> Steps:
        """Give events as int64 [events, (onset, part, note, duration, velocity)]."""
        columns = (events.events.onset_steps, events.parts, events.notes, events.durations, events.velocities)
        return np.stack(columns, 1).astype(np.int64)

    def rules(self, dataset: Dataset, grammar: "Grammar", spec: GenerationSpec) -> "GapMusic":
        """Draw up the rules of the gap for the candidates of these settings, and one output more."""
        from lstm_music.generation.gap_rules import GapMusic

        own = grammar
        if grammar.has_parts:
            values = dataset.vocabularies[PART].values
            own = replace(grammar, parts=grammar.parts & np.isin([*[""] * SPECIAL_IDS, *values], self.parts))
        return GapMusic.around(
            own,
            self.gap,
            self._notes(self.given),
            self._notes(self.neighbours),
            self.side,
            outputs=spec.candidates + 1,
            scripts=spec.num_outputs + 1,
            events=self.room(dataset),
        )

    def _notes(self, events: GivenEvents) -> "GivenNotes":
        from lstm_music.generation.given import GivenNotes

        end = int(self.given.events.onset_steps.max(initial=0)) + 1 if self.has_more else self.gap.stop
        return GivenNotes(
            onsets=events.events.onset_steps,
            parts=events.parts,
            notes=events.notes,
            durations=events.durations,
            velocities=events.velocities,
            steps=events.events.duration_steps,
            end=end,
            positions=self.positions[: end + 1],
            rests=self.rests[: end + 1],
        )


def rewriting(recipe: Recipe) -> Recipe:
    """Give a recipe without the settings that the file decides, and with many candidates for each result."""
    spec = recipe.generation
    own = {**GIVEN_SETTINGS, "best_of": max(spec.best_of, CANDIDATES)}
    return recipe.model_copy(update={"generation": spec.model_copy(update=own)})


def read_gap(dataset: Dataset, melody: Rewrite, spec: GenerationSpec, behind: int = BEHIND) -> Rewritten:
    """Read a file, and find the bars in it; `behind` is how many events behind them are given.

    Raises RejectedInputError for a file without music that these models can read, SourceError for bars or a part that it does not
    have, RecipeError for models that know chords and no single notes.
    """
    require_single_notes(dataset, "rewrite")
    name, grid, known = melody.file.name, dataset.events.grid, of_known_parts(dataset)
    whole = read_music_of(dataset, melody.file, "to rewrite bars of")
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
        neighbours=kept if melody.part and is_piano else kept.chosen(np.zeros(len(kept), np.bool_)),
        side=_side(whole, chosen, melody) if melody.part and is_piano else "beside",
        positions=places.positions,
        rests=places.rests,
        warnings=tuple(file_warnings(whole, name, known)),
    )


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
