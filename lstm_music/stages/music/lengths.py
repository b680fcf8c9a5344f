"""How long new music is: where each output ends, in steps, and the events that it takes to get there."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from lstm_music.encoding.splits import TRAIN
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.windows import PieceSpan
from lstm_music.errors import NotEnoughMusicError
from lstm_music.generation.ending import NEVER, Ending, ended_well, held_in_notes
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.loop import Made
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.notes import PieceNotes
from lstm_music.stages.data.dataset import Dataset

MOST_EVENTS = 200_000
"""No piece has more."""

MEASURED_PIECES = 200
"""So many training pieces say how dense music is."""

DENSITY = "density"
"""The fact of the dataset of a bundle that holds the usual density."""

_DENSE = 0.95  # of the pieces are less dense
_ROOM = 64  # events
_OFFSET = STREAMS.index("offset")


def ends_with_a_bar(dataset: Dataset, span: PieceSpan, stop: int) -> bool:
    """Say whether a bar begins with event `stop` of a piece, so that the events before it end with a bar."""
    if stop >= span.events:
        return False
    event = dataset.tokens[span.start + stop]
    places = event[len(dataset.streams) : len(dataset.streams) + 2]
    return not places.any() and bool(dataset.offset_quarters[event[_OFFSET]])


def ending_of(
    dataset: Dataset, spec: GenerationSpec, segments: Sequence[Prompt], ends_bar: Sequence[bool]
) -> Ending | None:
    """Say where each output ends, and when it begins; None if nothing of it is asked for.

    Music after a prompt that ends with a bar (`ends_bar`) begins with the next one.
    """
    if not spec.has_length and not any(ends_bar):
        return None
    waits = [
        segment.bar_steps - segment.last_position_in_bar_steps if waits else 0
        for segment, waits in zip(segments, ends_bar, strict=True)
    ]
    lengths = lengths_of(dataset, spec, segments) if spec.has_length else np.full(len(segments), NEVER)
    latest = [
        wait + segment.bar_steps if spec.in_sixteenths else NEVER for wait, segment in zip(waits, segments, strict=True)
    ]
    return Ending(lengths.astype(np.int32), np.array(waits, np.int32), np.array(latest, np.int32))


def require_begun(ending: Ending | None, grammar: Grammar, made: Sequence[Made]) -> None:
    """Raise NotEnoughMusicError if an output begins before or after the bar in which it has to."""
    if ending is None:
        return
    for wait, latest, one in zip(ending.waits.tolist(), ending.latest.tolist(), made, strict=True):
        if latest != NEVER and len(one.tokens) and not wait <= grammar.offset_steps[one.tokens[0, 0]] < latest:
            raise NotEnoughMusicError(
                "no offset that the models know leads from the last note of the prompt into the bar after it; give another "
                "prompt, or train on more music"
            )


def lengths_of(dataset: Dataset, spec: GenerationSpec, segments: Sequence[Prompt]) -> np.ndarray:
    """Return the steps from the barline before each output to its end, int64 [outputs]."""
    steps_per_quarter = dataset.events.grid.steps_per_quarter
    if spec.bars:
        return np.array([spec.bars * segment.bar_steps for segment in segments])
    quarter = np.array([segment.microseconds_per_quarter for segment in segments]) / 1e6
    return np.floor(spec.seconds / quarter * steps_per_quarter + 1e-6).astype(np.int64)


def likely_events(dataset: Dataset, lengths: np.ndarray) -> int:
    """Return more events than music of these lengths, in steps, has in nearly all training pieces."""
    quarters = int(lengths.max()) / dataset.events.grid.steps_per_quarter
    return int(quarters * usual_density(dataset)) + _ROOM


def usual_density(dataset: Dataset) -> float:
    """Return how many events begin in a quarter, on average, in the dense ones of the training pieces."""
    if dataset.is_bundled:
        return float(dataset.artifact.facts[DENSITY])
    densities = [1.0]
    for span in dataset.spans[TRAIN][:MEASURED_PIECES]:
        quarters = float(dataset.offset_quarters[dataset.tokens[span.start : span.stop, _OFFSET]].sum())
        densities.append(span.events / max(quarters, 1.0))
    return float(np.quantile(densities, _DENSE))


def until_all_end(make: Callable[[GenerationSpec], list[Made]], spec: GenerationSpec, events: int) -> list[Made]:
    """Make music with room for so many events, and with more where a piece needs it: what there was stays the same."""
    while True:
        made = make(spec.model_copy(update={"num_events": events, "min_events": events}))
        if all(len(one.tokens) < events for one in made) or events >= MOST_EVENTS:
            return made
        events = min(2 * events, MOST_EVENTS)


def ended(grammar: Grammar, one: Made, segment: Prompt, length: int, drums: int | None = None) -> Made:
    """Cut an output in its last bar, and hold its last notes until the end, `length` steps after the barline before it.

    `drums` is the part that plays in every bar, where drums are asked for.
    """
    if not len(one.tokens):
        return one
    passed = int(grammar.offset_steps[one.tokens[0, 0]])
    tokens = ended_well(
        one.tokens,
        one.end_nats,
        grammar,
        first_position_steps=(segment.last_position_in_bar_steps + passed) % segment.bar_steps,
        length=length,
        bar=segment.bar_steps,
        drums=drums,
    )
    return replace(one, tokens=tokens, nats=one.nats[: len(tokens)])


def begin_in_bar(
    dataset: Dataset, segment: Prompt, tokens: np.ndarray, prompt_start: int, start: int
) -> tuple[int, int]:
    """Return where a prompt and the new events, tokens [events, columns], begin in files of their own, so that bars lie as made.

    A note that would be off the grid there would be moved; then they begin at `prompt_start` and `start`, as other music does.
    """
    grid, offsets = dataset.events.grid, dataset.vocabularies["offset"]
    passed = [grid.steps(offsets.value(token)) for token in tokens[:, _OFFSET].tolist()]
    position = (segment.last_position_in_bar_steps + passed[0]) % segment.bar_steps
    onsets = np.cumsum([0, *passed[1:]])
    before = (position - (segment.last_onset_steps + passed[0] - segment.onset_steps)) % segment.bar_steps
    within = [grid.steps(offsets.value(token)) for token in segment.tokens[1:, _OFFSET].tolist()]
    of_prompt = np.cumsum([0, *within])
    return (
        before if grid.on_grid(before + of_prompt).all() else prompt_start,
        position if grid.on_grid(position + onsets).all() else start,
    )


def held_to_the_end(
    dataset: Dataset, spec: GenerationSpec, segment: Prompt, notes: PieceNotes, begins: int, position: int
) -> PieceNotes:
    """Hold the last notes of a file until its end.

    The new music begins `begins` steps after the file, and `position` steps after the barline of its bar 1.
    """
    length = int(lengths_of(dataset, spec, [segment])[0])
    ticks, steps = notes.ticks_per_quarter, dataset.events.grid.steps_per_quarter
    begin, end = begins * ticks // steps, (begins - position + length) * ticks // steps
    return replace(notes, notes=held_in_notes(notes.notes, begin, end, spec.max_quarters * ticks))
