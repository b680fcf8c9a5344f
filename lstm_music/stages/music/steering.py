"""What is asked of new music → the prompts that fit it, moved to its key and with its meter, tempo and velocity."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from lstm_music.encoding.chords import content
from lstm_music.encoding.parts import without_drums
from lstm_music.encoding.places import bar_steps
from lstm_music.encoding.streams import PART, STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import PieceSpan
from lstm_music.errors import RecipeError, SourceError
from lstm_music.generation.grammar import training_range
from lstm_music.generation.prompt import Prompt, meters_of
from lstm_music.generation.spec import WITHOUT_PARTS, GenerationSpec
from lstm_music.generation.steering import note_name, read_key, read_meter, read_register
from lstm_music.generation.transposing import pitches_of, shift_between, transposed
from lstm_music.midi.general_midi import DRUMS
from lstm_music.midi.key import key_name, key_of
from lstm_music.midi.notes import KeySignature, TimeSignature
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.data.notes import read_some_pieces
from lstm_music.stages.music.part_measures import training_ranges
from lstm_music.store import Store

MINUTE = 60_000_000
"""In microseconds."""

SIXTEENTHS = 4
"""In a quarter."""

_OFFSET, _NOTE, _DURATION = (STREAMS.index(stream) for stream in ("offset", "note", "duration"))


def require_possible(dataset: Dataset, spec: GenerationSpec) -> None:
    """Raise RecipeError for settings of parts where the models know none, and for drums where they know no drums."""
    parts = dataset.vocabularies[PART].values if PART in dataset.vocabularies else ()
    if spec.avoid_parallels and not parts:
        raise RecipeError(_of_option(WITHOUT_PARTS))
    if spec.add_drums and DRUMS not in parts:
        raise RecipeError(_of_option(without_drums(parts)))


def _of_option(sentence: str) -> str:
    """Spell the setting that a sentence begins with as the command line does, as all sentences about music in the making."""
    setting, _, said = sentence.partition(": ")
    return f"--{setting.replace('_', '-')}: {said}"


def pitch_range(dataset: Dataset, spec: GenerationSpec) -> tuple[int, int]:
    """Return the lowest and the highest pitch that new notes may have. Raises RecipeError if there is none."""
    learnt = None if spec.any_pitch else training_range(dataset.vocabularies["note"], dataset.events.encoding)
    lowest, highest = learnt or (0, 127)
    if not spec.pitch_range:
        return lowest, highest
    low, high = read_register(spec.pitch_range)
    if low > highest or high < lowest:
        raise RecipeError(
            f"--pitch-range: expected notes of the training pieces, which lie in {note_name(lowest)}-{note_name(highest)}, got "
            f"{spec.pitch_range!r}; give another, or --any-pitch"
        )
    return max(low, lowest), min(high, highest)


def finest_steps(dataset: Dataset, spec: GenerationSpec) -> int:
    """Return the steps of which the times of new notes are multiples. Raises RecipeError for models that know no sixteenths."""
    if not spec.in_sixteenths:
        return 1
    grid = dataset.events.grid
    steps, beside = divmod(grid.steps_per_quarter, SIXTEENTHS)
    durations = dataset.vocabularies["duration"].values
    if (
        beside
        or not grid.on_grid(np.arange(SIXTEENTHS) * steps).all()
        or all(grid.steps(one) % steps for one in durations)
    ):
        raise RecipeError(
            "in sixteenths: these models know no sixteenths; use a recipe with a 4 or 8 in events.quarter_length_divisors"
        )
    return steps


def parts_outside(dataset: Dataset, spec: GenerationSpec, playing: Sequence[str]) -> list[str]:
    """Say which of the parts that may play have no note in the range that is asked for, in a sentence for the user, or none."""
    if not spec.pitch_range or spec.any_pitch:
        return []
    low, high = read_register(spec.pitch_range)
    ranges = training_ranges(dataset)
    outside = [part for part in playing if part in ranges and (ranges[part][0] > high or ranges[part][1] < low)]
    if not outside:
        return []
    notes = ", ".join(f"{part} {note_name(ranges[part][0])} to {note_name(ranges[part][1])}" for part in outside)
    said = f"{spec.pitch_range} has no note of some parts, which do not play ({notes})"
    return [f"--pitch-range: {said}; give a wider range, or --any-pitch"]


def in_meter(store: Store, dataset: Dataset, spans: Sequence[PieceSpan], meter: str) -> list[PieceSpan]:
    """Return the pieces that are in a meter from beginning to end. Raises SourceError, with the meters there are, if none is."""
    if not meter:
        return list(spans)
    rows = read_some_pieces(store, dataset.notes_ref, {span.piece_id for span in spans})
    grid = dataset.events.grid
    found: Counter[tuple[int, int]] = Counter()
    kept = []
    for span in spans:
        row = rows[span.piece_id]
        signatures = [TimeSignature(**signature) for signature in row["time_signatures"]]
        quarters = float(dataset.offset_quarters[dataset.tokens[span.start : span.stop, _OFFSET]].sum())
        end = int(quarters * row["ticks_per_quarter"]) + 1
        meters = meters_of(signatures, row["ticks_per_quarter"], end, grid)
        if len(meters) == 1:
            found.update(meters)
            kept += [span] if meters == {read_meter(meter)} else []
    if not kept:
        known = ", ".join(f"{top}/{bottom} ({count})" for (top, bottom), count in found.most_common())
        raise SourceError(f"--meter: expected the meter of a held-out piece ({known or 'none has one'}), got {meter!r}")
    return kept


def fits_key(dataset: Dataset, spec: GenerationSpec) -> Callable[[PieceSpan, int], bool]:
    """Say of a place, a piece and an event of it, whether its music is major or minor as the key that is asked for."""
    if not spec.key:
        return lambda _span, _first: True
    wanted, lengths = read_key(spec.key), _PitchClasses(dataset)

    def fits(span: PieceSpan, first: int) -> bool:
        start = span.start + first
        own = lengths.key(dataset.tokens[start : start + spec.prompt_events])
        return own is not None and own.is_minor == wanted.is_minor

    return fits


class _PitchClasses:
    """How long each pitch class lasts in tokens, and the key that follows from it."""

    def __init__(self, dataset: Dataset) -> None:
        notes, grid = dataset.vocabularies["note"].values, dataset.events.grid
        self._classes = np.zeros((SPECIAL_IDS + len(notes), 12))
        for row, value in enumerate(notes, start=SPECIAL_IDS):
            self._classes[row, list(content(value)[1])] = 1
        durations = dataset.vocabularies["duration"].values
        self._steps = np.array([0] * SPECIAL_IDS + [grid.steps(value) for value in durations])

    def key(self, tokens: np.ndarray) -> KeySignature | None:
        """Estimate the key; None if there are only drums."""
        lasts = self._steps[tokens[:, _DURATION]] @ self._classes[tokens[:, _NOTE]]
        return key_of(lasts) if lasts.any() else None


def steered(
    dataset: Dataset, spec: GenerationSpec, segment: Prompt, *, is_own_choice: bool
) -> tuple[Prompt, int, list[str]]:
    """Give a prompt the meter, key, tempo and velocity that are asked for.

    Returns it, by how many semitones it was moved, and sentences for the user. Raises SourceError for a prompt in another meter
    that the user chose (`is_own_choice`); those that are chosen here are in the meter. Raises RecipeError for a meter whose bars
    are not on the grid, and for music that is shorter than a bar.
    """
    grid, moved = dataset.events.grid, 0
    warnings: list[str] = []
    if spec.meter:
        segment = _in_meter(segment, spec.meter, dataset, is_own_choice=is_own_choice)
    if spec.key:
        segment, moved, warnings = _in_key(dataset, spec, segment, is_own_choice=is_own_choice)
    if spec.tempo:
        segment = replace(segment, microseconds_per_quarter=round(MINUTE / spec.tempo))
    if spec.velocity:
        segment = replace(segment, velocity=spec.velocity)
    if spec.seconds:
        _require_a_bar(spec.seconds, segment, grid.steps_per_quarter)
    if spec.pitch_range and len(segment.tokens):
        pitches, (low, high) = pitches_of(segment, dataset.vocabularies["note"]), read_register(spec.pitch_range)
        outside = int(np.count_nonzero((pitches < low) | (pitches > high)))
        if outside:
            own = f"{segment.name}: {outside} of {len(pitches)} notes of the prompt"
            notes = own if is_own_choice else "notes of some prompts"  # one sentence for all of them
            warnings.append(f"{notes} lie outside of {spec.pitch_range}, which holds for new notes")
    return segment, moved, warnings


def holds_a_bar(dataset: Dataset, spec: GenerationSpec, segment: Prompt) -> bool:
    """Say whether the seconds of music that are asked for, if they are, hold a bar after a prompt, at the tempo asked for."""
    own = replace(segment, microseconds_per_quarter=round(MINUTE / spec.tempo)) if spec.tempo else segment
    return spec.seconds == 0 or spec.seconds >= _seconds_of_a_bar(own, dataset.events.grid.steps_per_quarter)


def _seconds_of_a_bar(segment: Prompt, steps_per_quarter: int) -> float:
    return segment.bar_steps / steps_per_quarter * segment.microseconds_per_quarter / 1e6


def _require_a_bar(seconds: float, segment: Prompt, steps_per_quarter: int) -> None:
    bar = _seconds_of_a_bar(segment, steps_per_quarter)
    if seconds < bar:
        meter = f"{segment.time_signature.numerator}/{segment.time_signature.denominator}"
        tempo = MINUTE / segment.microseconds_per_quarter
        raise RecipeError(
            f"--seconds: expected at least {math.ceil(bar * 100) / 100:g}, which is a bar of {meter} after "
            f"{segment.name or 'no prompt'}, at {tempo:.4g} quarter notes a minute, got {seconds:g}; give more, or a "
            "faster --tempo"
        )


def _in_meter(segment: Prompt, meter: str, dataset: Dataset, *, is_own_choice: bool) -> Prompt:
    numerator, denominator = read_meter(meter)
    steps = dataset.events.grid.steps_per_quarter
    if 4 * numerator * steps % denominator:
        raise RecipeError(
            f"--meter: expected bars of whole steps of the models' grid, which are 1/{steps} of a quarter note, got {meter!r}; "
            "give another meter"
        )
    own = (segment.time_signature.numerator, segment.time_signature.denominator)
    if is_own_choice and len(segment.tokens) and own != (numerator, denominator):
        raise SourceError(
            f"--meter: expected {own[0]}/{own[1]}, in which {segment.name} is there, got {meter!r}; leave it out, or give "
            "another prompt"
        )
    bar = bar_steps(numerator, denominator, dataset.events.grid)
    return replace(
        segment,
        time_signature=TimeSignature(0, numerator, denominator),
        bar_steps=bar,
        last_position_in_bar_steps=segment.last_position_in_bar_steps % bar,
    )


def _in_key(
    dataset: Dataset, spec: GenerationSpec, segment: Prompt, *, is_own_choice: bool
) -> tuple[Prompt, int, list[str]]:
    wanted, own = read_key(spec.key), _PitchClasses(dataset).key(segment.tokens)
    if own is None:
        return segment, 0, [f"{segment.name}: --key moves nothing here, because drums have no key"]
    pitches = pitches_of(segment, dataset.vocabularies["note"])
    semitones = shift_between(own.sharps, wanted.sharps, pitches, pitch_range(dataset, spec))
    moved = transposed(segment, semitones, dataset.events, dataset.vocabularies, dataset.knowledge)
    warnings = []
    if own.is_minor != wanted.is_minor:
        warnings.append(
            f"{segment.name}: the prompt sounds like {key_name(own.sharps, is_minor=own.is_minor)}, so it has the notes of "
            f"{spec.key} and still sounds {'minor' if own.is_minor else 'major'}"
        )
    if replaced := moved.replaced - segment.replaced:
        kind = "notes" if dataset.events.chords == "per_note" else "chords"
        own_prompt = f"{segment.name}: {replaced} of {len(segment.tokens)} {kind} of the prompt"
        which = own_prompt if is_own_choice else f"{kind} of some prompts"  # one sentence for all of them
        warnings.append(f"{which} are not known to the models in {spec.key}; the nearest known ones stand for them")
    return replace(moved, key_signature=KeySignature(0, wanted.sharps, wanted.is_minor)), semitones, warnings
