"""Given music → what the loop has to hold, and the settings that the given music decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.bars import bars_of, places_in
from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.events import PieceEvents, encode
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.places import bar_steps
from lstm_music.encoding.streams import PART, VELOCITY
from lstm_music.encoding.velocities import level_texts
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN, Vocabulary
from lstm_music.errors import NotEnoughMusicError, RecipeError, RejectedInputError
from lstm_music.generation.grammar import training_range
from lstm_music.generation.prompt import Prompt, average_tempo, nothing_before, signature_after
from lstm_music.generation.spec import NONE, GenerationSpec
from lstm_music.generation.steering import STEERING, Steering
from lstm_music.midi.general_midi import DRUMS
from lstm_music.midi.notes import TimeSignature
from lstm_music.models.backend import load_tensorflow
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.melody import GivenPart, Melody, given_part
from lstm_music.stages.music.prompt_files import of_known_parts

if TYPE_CHECKING:
    from lstm_music.generation.given import GivenMusic, GivenNotes
    from lstm_music.generation.grammar import Grammar

BEST_OF = 8
"""Candidates for each result, unless a recipe asks for more: how well the models find their way to the given notes differs."""

SHOWN = 3  # notes that a sentence names

GIVEN_SETTINGS: dict[str, Any] = {
    "prompt": NONE,
    "composer": "",
    "include_prompt": False,
    **{name: getattr(Steering(), name) for name in STEERING if name != "pitch_range"},
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
    notes: "GivenNotes"
    segment: Prompt
    learnt: tuple[int, int]
    grid: Grid

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user."""
        return [*self.part.warnings, *(f"{self.melody.file.name}: {said}" for said in self._doubts())]

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
    if dataset.events.chords != "per_note" or dataset.events.reading != "exact":
        raise RecipeError(
            "accompany: needs models of single notes, and these know chords as one value; use a recipe with events.chords = "
            "'per_note', such as default or choir"
        )
    part, grid = given_part(dataset, melody), dataset.events.grid
    events = encode(part.piece, of_known_parts(dataset))
    ids = {stream: vocabulary.encode(texts) for stream, vocabulary, texts in _texts(dataset, events)}
    _require_known(dataset, melody, events, ids["note"])
    none = np.full(len(events), -1)
    order = np.lexsort([ids["note"], ids.get(PART, none), events.onset_steps])
    events = _sorted(events, order)
    end = int((events.onset_steps + events.duration_steps).max())
    bars = bars_of(part.whole, grid)
    steps = np.arange(end + 1)
    _, positions = places_in(bars, steps)
    begins = np.flatnonzero(np.diff(positions) <= 0) + 1
    segment = _segment(dataset, part, int(positions[0]))
    until = np.append(begins, end + 1)[np.searchsorted(begins, steps, side="right")]
    load_tensorflow()  # which the rules of given music are made of
    from lstm_music.generation.given import GivenNotes

    notes = GivenNotes(
        onsets=events.onset_steps,
        parts=ids.get(PART, none)[order],
        notes=ids["note"][order],
        durations=ids["duration"][order],
        velocities=ids.get(VELOCITY, none)[order],
        steps=events.duration_steps,
        end=end,
        positions=positions,
        rests=until - steps,
    )
    learnt = training_range(dataset.vocabularies["note"], dataset.events.encoding) or (0, 127)
    return Accompanied(part, melody, events, notes, segment, learnt, grid)


def given_music(dataset: Dataset, grammar: "Grammar", given: Accompanied, spec: GenerationSpec) -> "GivenMusic":
    """Draw up the rules of given music.

    Raises NotEnoughMusicError for a note that no offset leads to, RecipeError for settings that leave nobody to accompany it.
    """
    from lstm_music.generation.given import GivenMusic

    own = grammar
    if grammar.has_parts:
        parts = grammar.parts.copy()
        parts[given.notes.parts] = False
        own = replace(grammar, parts=parts)
        values, called = dataset.vocabularies[PART].values, given.part.name
        if not parts.any():
            raise RecipeError(f"--instruments: expected another part than the given {called}, got {spec.instruments!r}")
        if spec.add_drums and values.index(DRUMS) + SPECIAL_IDS in given.notes.parts:
            raise RecipeError("--add-drums: the given part is the drums; leave it out")
    rules = GivenMusic.of(own, given.notes, given.part.side)
    missing = rules.unreachable()
    if missing is not None:
        place = given.events.bar[int(np.searchsorted(given.notes.onsets, missing))]
        raise NotEnoughMusicError(
            f"{given.melody.file.name}: no offset that the models know leads to the given note in bar {place}; give another "
            "melody, or train on more music"
        )
    return rules


def _texts(dataset: Dataset, events: PieceEvents) -> Iterator[tuple[str, Vocabulary, Sequence[str]]]:
    """Yield the values of given events, stream by stream, and the vocabulary of each; a duration is the nearest known one."""
    known = dataset.vocabularies
    durations = [dataset.events.grid.text(steps) for steps in events.duration_steps.tolist()]
    nearest = {text: known["duration"].value(known["duration"].nearest(text)) for text in {*durations}}
    yield "note", known["note"], events.note
    yield "duration", known["duration"], [nearest[text] for text in durations]
    if PART in known:
        yield PART, known[PART], events.part or ()
    if VELOCITY in known:
        levels = level_texts(events.velocity)
        yield VELOCITY, known[VELOCITY], [known[VELOCITY].value(known[VELOCITY].nearest(level)) for level in levels]


def _require_known(dataset: Dataset, melody: Melody, events: PieceEvents, notes: npt.NDArray[np.int64]) -> None:
    """Raise RejectedInputError for notes that the models do not know, and for none at all."""
    if not len(events):
        raise RejectedInputError(
            f"{melody.file.name}: these models read no note of the given part; give another --part"
        )
    unknown = [text for text, note in zip(events.note, notes.tolist(), strict=True) if note == UNKNOWN]
    if unknown:
        shown = ", ".join(list(dict.fromkeys(unknown))[:SHOWN])
        span = [PITCH_NAMES.index(note) for note in dataset.vocabularies["note"].values if note in PITCH_NAMES]
        known = f"{PITCH_NAMES[min(span)]} to {PITCH_NAMES[max(span)]}" if span else "drums only"
        raise RejectedInputError(
            f"{melody.file.name}: {len(unknown):,} of {len(notes):,} given notes are none that these models know ({shown}); they "
            f"know {known}; transpose the melody, or give another --recipe"
        )


def _sorted(events: PieceEvents, order: npt.NDArray[np.int64]) -> PieceEvents:
    columns = ("onset_steps", "offset_steps", "duration_steps", "bar", "position_in_bar_steps", "velocity", "track")
    arrays: dict[str, Any] = {name: getattr(events, name)[order] for name in columns}
    part = None if events.part is None else [events.part[place] for place in order]
    return replace(events, note=[events.note[place] for place in order], part=part, **arrays)


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
