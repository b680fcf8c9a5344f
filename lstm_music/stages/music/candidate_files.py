"""A candidate → its MIDI files and what is said of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lstm_music.encoding.parts import player_of
from lstm_music.encoding.streams import PART
from lstm_music.generation.loop import Made
from lstm_music.generation.prompt import start_in_bar, to_notes
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import read_bars
from lstm_music.midi.key import estimate_key
from lstm_music.midi.notes import KeySignature, PieceNotes, Tempo, TimeSignature
from lstm_music.midi.parts import parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.titles import piece_title
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.hands import in_two_tracks
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.accompanied_result import facts as given_facts
from lstm_music.stages.music.accompanied_result import with_given, with_pickup
from lstm_music.stages.music.accompaniment import Accompanied
from lstm_music.stages.music.lengths import begin_in_bar, held_to_the_end
from lstm_music.stages.music.prompts import Origin
from lstm_music.stages.music.rewritten_result import NewBars, with_new_bars
from lstm_music.stages.music.variation import Kept


def title_after(piece: str) -> str:
    """Make the title of a result of the title of the piece that it goes on from; "" stands for no piece."""
    return f"After {piece}" if piece else "A new piece"


def title_rewritten(facts: Mapping[str, Any]) -> str:
    """Make the title of a result in which bars were rewritten, of the facts about that."""
    first, last = read_bars(facts["bars"])
    bars = f"bar {first}" if first == last else f"bars {first} to {last}"
    return f"{facts['title']}, {bars} rewritten"


def title_with(piece: str) -> str:
    """Make a title of a result of the title of the given music in it."""
    return f"{piece}, accompanied"


@dataclass(frozen=True, eq=False)
class _Pieces:
    """The notes of a result, with its title, and those of its prompt, if it has one.

    The result begins at `position` steps in its bar. Its file begins so many quarters after that of the prompt.
    """

    result: PieceNotes
    title: str
    position: int
    prompt: PieceNotes | None = None
    begins_at_quarters: int = 0


def write_candidate(
    writer: Any,
    number: int,
    dataset: Dataset,
    spec: GenerationSpec,
    origin: Origin,
    made: Made,
    given: Accompanied | None = None,
    kept: Kept | None = None,
) -> None:
    """Write the files of one candidate; result and prompt begin as far into a bar as they did in their piece."""
    segment = origin.segment
    pieces = _after_prompt(dataset, spec, origin, made) if given is None else _around(dataset, given, made)
    key = segment.key_signature or estimate_key(pieces.result)

    def write(name: str, notes: PieceNotes, title: str) -> None:
        piece = replace(notes, key_signatures=notes.key_signatures or (key,))
        if dataset.events.parts == "none" and given is None:
            piece = in_two_tracks(piece, title)
        else:
            piece = replace(piece, track_names=(title, *piece.track_names[1:]))
        writer.file(f"{name}_{number:03d}", "mid").write_bytes(write_midi(piece))

    if pieces.prompt is not None:
        write("prompt", pieces.prompt, segment.title)
    write("result", pieces.result, pieces.title)
    facts = _facts(dataset, spec, origin, made, pieces, key)
    if given is not None:
        facts["given"] = given_facts(dataset, given, made)
    if kept is not None:
        facts["like"] = kept.facts
    _write_facts(writer, number, facts)


def write_rewritten(
    writer: Any, number: int, dataset: Dataset, spec: GenerationSpec, origin: Origin, bars: NewBars
) -> None:
    """Write the files of a piece with new bars: all else is as it was in the user's file."""
    notes = with_new_bars(dataset, bars)
    meters = tuple(with_pickup(notes)) or (TimeSignature(0, 4, 4),)  # what a MIDI file means that names none
    midi = write_midi(replace(notes, tempos=tuple(notes.tempos) or (Tempo(0, 500_000),), time_signatures=meters))
    writer.file(f"result_{number:03d}", "mid").write_bytes(midi)
    before = origin.segment
    origin = replace(origin, segment=replace(before, name="", title="", first=0, tokens=before.tokens[:0]))
    key = before.key_signature or estimate_key(notes)
    pieces = _Pieces(notes, bars.read.title, int(bars.read.positions[bars.onsets[0]]))
    facts = _facts(dataset, spec, origin, bars.made, pieces, key) | {"rewritten": dict(bars.facts)}
    if dataset.events.parts != "none":
        facts["parts"] = [asdict(part) for part in parts_of(read_midi(midi))[0]]
    _write_facts(writer, number, facts)


def _write_facts(writer: Any, number: int, facts: Mapping[str, Any]) -> None:
    text = json.dumps(facts, indent=1, sort_keys=True)
    writer.file(f"result_{number:03d}", "json").write_text(text + "\n", encoding="utf-8")


def _after_prompt(dataset: Dataset, spec: GenerationSpec, origin: Origin, made: Made) -> _Pieces:
    segment, grid = origin.segment, dataset.events.grid
    passed = grid.steps(dataset.vocabularies["offset"].value(int(made.tokens[0, 0])))
    onset = segment.last_onset_steps + segment.rest_steps + passed
    position = (segment.last_position_in_bar_steps + passed) % segment.bar_steps
    prompt_start = start_in_bar(segment.onset_steps, segment.position_in_bar_steps, grid)
    start = start_in_bar(onset, position, grid)
    if spec.has_length:
        prompt_start, start = begin_in_bar(dataset, segment, made.tokens, prompt_start, start)

    def notes_of(tokens: np.ndarray, first_onset_steps: int, rest_before: int = 0) -> PieceNotes:
        return to_notes(
            tokens,
            dataset.events,
            dataset.vocabularies,
            first_onset_steps=first_onset_steps,
            segment=segment,
            rest_before=rest_before,
        )

    prompt = notes_of(segment.tokens, prompt_start) if len(segment.tokens) else None
    is_inside = spec.include_prompt and prompt is not None
    result = (
        notes_of(np.concatenate([segment.tokens, made.tokens]), prompt_start, len(segment.tokens))
        if is_inside
        else notes_of(made.tokens, start)
    )
    if spec.has_length:
        begins = prompt_start + onset - segment.onset_steps if is_inside else start
        result = held_to_the_end(dataset, spec, segment, result, begins, position)
    begins_at_quarters = (onset - start - segment.onset_steps + prompt_start) // grid.steps_per_quarter
    return _Pieces(result, title_after(segment.title), position, prompt, begins_at_quarters)


def _around(dataset: Dataset, given: Accompanied, made: Made) -> _Pieces:
    """Give a result around given music; it begins with the time of that music."""
    onset = dataset.events.grid.steps(dataset.vocabularies["offset"].value(int(made.tokens[0, 0])))
    title = title_with(piece_title(given.melody.file.name, given.part.whole))
    return _Pieces(with_given(dataset, given, made), title, int(given.notes.positions[onset]))


def _facts(
    dataset: Dataset, spec: GenerationSpec, origin: Origin, made: Made, pieces: _Pieces, key: KeySignature
) -> dict[str, Any]:
    segment = origin.segment
    facts: dict[str, Any] = {
        "events": len(made.tokens),
        "nats_per_event": round(float(made.nats.mean()), 4),
        "loops_left": made.loops_left,
        "first_position_steps": pieces.position,
        "microseconds_per_quarter": segment.microseconds_per_quarter,
        "bar_quarters": segment.bar_steps / dataset.events.grid.steps_per_quarter,
        "begins_at_quarters": pieces.begins_at_quarters,
        "includes_prompt": spec.include_prompt,
        "key": {"sharps": key.sharps, "is_minor": key.is_minor},
        "prompt": {
            "piece": segment.name,
            "title": segment.title,
            "first_event": segment.first,
            "bars": list(segment.bars),
            "events": len(segment.tokens),
            "replaced_values": segment.replaced,
            "split": origin.split,
            "composer": origin.composer,
            "source": origin.source,
            "licence": origin.licence,
        },
    }
    if spec.key:
        facts["prompt"]["moved_semitones"] = origin.moved
    if dataset.events.parts != "none":
        heard = {part for piece in filter(None, (pieces.prompt, pieces.result)) for part in parts_of(piece)[0]}
        players = [player_of(dataset.events.parts, value) for value in dataset.events.part_alphabet]
        facts["parts"] = [asdict(part) for part in players if part in heard]
        values = dataset.vocabularies[PART]
        plays = {values.value(token) for token in made.tokens[:, dataset.streams.index(PART)].tolist()}
        facts["new_parts"] = [value for value in dataset.events.part_alphabet if value in plays]
    return facts
