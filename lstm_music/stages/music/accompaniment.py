"""Given music → what the loop has to hold, and the settings that the given music decides."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_music.encoding.bars import bars_of, places_in
from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.events import PieceEvents
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.places import bar_steps
from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.errors import NotEnoughMusicError, RecipeError, RejectedInputError
from lstm_music.generation.given import GivenMusic, GivenNotes
from lstm_music.generation.grammar import Grammar, training_range
from lstm_music.generation.plan import PLANNED, Planned
from lstm_music.generation.prompt import Prompt, average_tempo, nothing_before, signature_after
from lstm_music.generation.spec import NONE, GenerationSpec
from lstm_music.generation.steering import STEERING, Steering
from lstm_music.midi.general_midi import DRUMS
from lstm_music.midi.notes import TimeSignature
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.given_events import given_events, require_known, require_single_notes
from lstm_music.stages.music.melody import GivenPart, Melody, given_part

BEST_OF = 8
"""Candidates for each result, unless a recipe asks for more: how well the models find their way to the given notes differs."""

GIVEN_SETTINGS: dict[str, Any] = {
    "prompt": NONE,
    "composer": "",
    "include_prompt": False,
    **{name: getattr(Steering(), name) for name in STEERING if name != "pitch_range"},
    **{name: getattr(Planned(), name) for name in PLANNED},
}
"""Settings that the given music decides."""


def accompanying(recipe: Recipe) -> Recipe:
    """Give a recipe without the settings that given music decides, and with several candidates for each result."""
    spec = recipe.generation
    own = {**GIVEN_SETTINGS, "best_of": max(spec.best_of, BEST_OF)}
    return recipe.model_copy(update={"generation": spec.model_copy(update=own)})


@dataclass(frozen=True, eq=False)
class Accompanied:
    """Given music as these models read it: `events` are the given notes, sorted as the models sort them, `end` is in steps.

    `segment` is the prompt of no events, with the signatures, the tempo and the bars of the given music. `learnt` are the
    lowest and the highest pitch of the training pieces. `grid` is that of the models.
    """

    part: GivenPart
    melody: Melody
    events: PieceEvents
    notes: GivenNotes
    segment: Prompt
    learnt: tuple[int, int]
    grid: Grid

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user."""
        return [*self.part.warnings, *(f"{self.melody.file.name}: {said}" for said in self._doubts())]

    def rules(self, dataset: Dataset, grammar: Grammar, spec: GenerationSpec) -> GivenMusic:
        """Draw up the rules of given music.

        Raises NotEnoughMusicError for a note that no offset leads to, RecipeError for settings that leave nobody to accompany it.
        """
        own = grammar
        if grammar.has_parts:
            parts = grammar.parts.copy()
            parts[self.notes.parts] = False
            own = replace(grammar, parts=parts)
            values, called = dataset.vocabularies[PART].values, self.part.name
            if not parts.any():
                raise RecipeError(
                    f"--instruments: expected another part than the given {called}, got {spec.instruments!r}"
                )
            if spec.add_drums and values.index(DRUMS) + SPECIAL_IDS in self.notes.parts:
                raise RecipeError("--add-drums: the given part is the drums; leave it out")
        rules = GivenMusic.of(own, self.notes, self.part.side)
        missing = rules.unreachable()
        if missing is not None:
            place = self.events.bar[int(np.searchsorted(self.notes.onsets, missing))]
            raise NotEnoughMusicError(
                f"{self.melody.file.name}: no offset that the models know leads to the given note in bar {place}; give another "
                "melody, or train on more music"
            )
        return rules

    def _doubts(self) -> Iterator[str]:
        merged, notes, (low, high) = self.events.merged, self.part.piece.notes, self.learnt
        if merged:
            yield f"{merged:,} {'note is' if merged == 1 else 'notes are'} left out: the same note begins there, too"
        if moved := self._moved():
            points = " or ".join(f"1/{divisor}" for divisor in self.grid.divisors)
            verbs = ("begins", "is") if moved == 1 else ("begin", "are")
            yield (
                f"{moved:,} of {len(notes):,} given notes {verbs[0]} off the grid of these models, and {verbs[1]} moved to the "
                f"nearest multiple of {points} of a quarter note"
            )
        pitches = notes["pitch"][~notes["is_drum"]]
        if outside := int(np.count_nonzero((pitches < low) | (pitches > high))):
            yield (
                f"{outside:,} of {len(pitches):,} given notes lie outside of those of the training pieces, {PITCH_NAMES[low]} "
                f"to {PITCH_NAMES[high]}, so the models do not know what goes with them; transpose the melody"
            )

    def _moved(self) -> int:
        """Count the given notes that do not begin on the grid."""
        onsets, ticks_per_quarter = self.part.piece.notes["onset_ticks"], self.part.piece.ticks_per_quarter
        on_grid = self.grid.onsets(onsets, ticks_per_quarter)
        return int(
            np.count_nonzero(on_grid * ticks_per_quarter != onsets.astype(np.int64) * self.grid.steps_per_quarter)
        )


def accompanied(dataset: Dataset, melody: Melody) -> Accompanied:
    """Read given music.

    Raises RejectedInputError for a file without music that these models can read, SourceError for a part that it does not have,
    RecipeError for models that know chords and no single notes.
    """
    require_single_notes(dataset, "accompany")
    part, grid = given_part(dataset, melody), dataset.events.grid
    read = given_events(dataset, part.piece)
    if not len(read):
        raise RejectedInputError(
            f"{melody.file.name}: these models read no note of the given part; give another --part"
        )
    require_known(dataset, melody.file.name, read, "transpose the melody")
    events = read.events
    end = int((events.onset_steps + events.duration_steps).max())
    bars = bars_of(part.whole, grid)
    steps = np.arange(end + 1)
    _, positions = places_in(bars, steps)
    begins = np.flatnonzero(np.diff(positions) <= 0) + 1
    segment = _segment(dataset, part, int(positions[0]))
    until = np.append(begins, end + 1)[np.searchsorted(begins, steps, side="right")]
    notes = GivenNotes(
        onsets=events.onset_steps,
        parts=read.parts,
        notes=read.notes,
        durations=read.durations,
        velocities=read.velocities,
        steps=events.duration_steps,
        end=end,
        positions=positions,
        rests=until - steps,
    )
    learnt = training_range(dataset.vocabularies["note"], dataset.events.encoding) or (0, 127)
    return Accompanied(part, melody, events, notes, segment, learnt, grid)


def _segment(dataset: Dataset, part: GivenPart, position: int) -> Prompt:
    """Return the prompt of no events before given music; `position` is where in its bar the music begins, in steps."""
    whole, grid = part.whole, dataset.events.grid
    numerator, denominator = signature_after(whole, int(part.piece.notes["onset_ticks"].max()), grid)
    keys = whole.key_signatures[:1]
    return replace(
        nothing_before(dataset.tokens.shape[1], grid),
        position_in_bar_steps=position,
        last_position_in_bar_steps=position,
        bar_steps=bar_steps(numerator, denominator, grid),
        time_signature=TimeSignature(0, numerator, denominator),
        key_signature=replace(keys[0], tick=0) if keys else None,
        velocity=round(float(part.piece.notes["velocity"].mean())),
        microseconds_per_quarter=average_tempo(whole),
    )
