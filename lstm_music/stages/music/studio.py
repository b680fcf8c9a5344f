"""Promoted models → the composing page: the tables of its engine, its prompts and sounds, and facts about them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import drum_key
from lstm_music.encoding.harmony import ROOTS, read_chords
from lstm_music.encoding.parts import player_of
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import PART, VELOCITY
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.errors import NotEnoughMusicError
from lstm_music.generation.grammar import Grammar, training_range
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import NONE, PER_STREAM, GenerationSpec
from lstm_music.inference.model import InferenceModel
from lstm_music.inference.weights import read_weights
from lstm_music.midi.general_midi import PROGRAMS
from lstm_music.midi.text import printable
from lstm_music.midi.titles import person_name, place_in_piece
from lstm_music.recipe import Recipe
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.control_ranges import control_ranges
from lstm_music.stages.music.prompts import Origin, choose_prompts
from lstm_music.stages.music.ready import make_ready
from lstm_music.stages.training.trained import load_inference_model
from lstm_music.store import Store
from lstm_music.studio.page import Studio
from lstm_music.studio.sounds import Instrument, sound_arrays
from lstm_music.studio.tables import engine_tables, pack

PROMPTS = 8
"""So many places of held-out pieces can be chosen, if there are as many."""
INSTRUMENTS = (0, 19, 24, 48, 73)
"""The programs that music without parts can be played by."""

PROGRESSIONS = (
    "C | G | Am | F",
    "Am | F | C | G",
    "Dm7 | G7 | Cmaj7 | Cmaj7",
    "C | C | C | C | F | F | C | C | G7 | F | C | G7",
)
"""Chords to choose from, a bar each."""

MINUTE = 60e6  # microseconds


def make_studio(store: Store, recipe: Recipe, current: Promoted, soundfont: Path | None, name: str = "") -> Studio:
    """Collect what the page of the promoted models holds, which are called `name`, or as their recipe is.

    Raises RecipeError for models that it cannot run.
    """
    dataset = load_dataset(store, current.dataset)
    refs = current.models.values()
    models = [load_inference_model(store, ref, dataset) for ref in refs]
    weights = [read_weights(store.open(ref).file("model")) for ref in refs]
    return studio_of(store, dataset, recipe, models, weights, soundfont, name)


def studio_of(
    store: Store,
    dataset: Dataset,
    recipe: Recipe,
    models: Sequence[InferenceModel],
    weights: Sequence[Mapping[str, npt.NDArray[Any]]],
    soundfont: Path | None,
    name: str = "",
) -> Studio:
    """Collect what the page of some models of a dataset holds; `weights` are theirs by name. They are called `name`."""
    spec = recipe.generation.for_streams(dataset.streams)
    origins = _prompts(store, dataset, spec, recipe.random_seed)
    grammar = make_ready(store, dataset, {}, spec, [origins[-1].segment]).grammar
    arrays, engine = engine_tables(models, weights, grammar, dataset.knowledge.table)
    tables, instruments = pack(arrays, engine), _instruments(dataset)
    called = printable(name or recipe.name)
    facts = {
        "model": called,
        "models": hashlib.sha256(tables).hexdigest(),
        "sizes": engine["columns"]["sizes"],
        "settings": settings_json(spec, dataset.streams),
        "controls": list(dataset.knowledge.controls),
        "ranges": control_ranges(dataset),
        "range": training_range(dataset.vocabularies["note"], dataset.events.encoding) or (0, 127),
        "keys": [f"{tonic} {mode}" for mode in ("major", "minor") for tonic in ROOTS],
        "progressions": _progressions(dataset),
        "prompts": [_prompt_json(origin, len(dataset.streams) + len(PLACES)) for origin in origins],
        "instruments": [{"name": printable(one.name), "key": one.key} for one in instruments],
        **sounding_json(dataset, grammar),
    }
    drums = sorted({key for key in facts["drumKeys"] if key >= 0})
    sounds = pack(sound_arrays(instruments, drums, soundfont), {})
    return Studio(f"Studio: music by {called}", facts, tables, sounds)


def settings_json(spec: GenerationSpec, streams: Sequence[str]) -> dict[str, Any]:
    """Give the settings as the engine reads them."""
    return {
        "sampling": {stream: {name: spec.of_stream(name, stream) for name in PER_STREAM} for stream in streams},
        "maxRepeats": spec.max_repeats,
        "minEvents": spec.min_events,
        "avoidParallels": spec.avoid_parallels,
    }


def prompt_json(segment: Prompt, columns: int) -> dict[str, Any]:
    """Give a prompt as the engine reads it: the first `columns` of its events, which are streams and places."""
    return {
        "events": segment.tokens[:, :columns].tolist(),
        "before": segment.before.tolist(),
        "onset": segment.last_onset_steps + segment.rest_steps,
        "position": segment.last_position_in_bar_steps,
        "barSteps": segment.bar_steps,
    }


def _prompts(store: Store, dataset: Dataset, spec: GenerationSpec, random_seed: int) -> list[Origin]:
    """Choose good places of held-out pieces, as many as there are, and no music at the end.

    They are those of music of a given length, of which it is known whether they end with a bar.
    """

    def chosen(**changes: Any) -> list[Origin]:
        return choose_prompts(store, dataset, spec.model_copy(update=changes), random_seed, None)

    try:
        found = chosen(num_outputs=PROMPTS, best_of=1, bars=1)
    except NotEnoughMusicError:
        found = []
    places = {(one.segment.name, one.segment.first): one for one in found}
    return [*places.values(), *chosen(prompt=NONE, num_outputs=1, best_of=1, key="", composer="")]


def _prompt_json(origin: Origin, columns: int) -> dict[str, Any]:
    segment = origin.segment
    title, *bars = place_in_piece(segment.title, *segment.bars)
    return {
        **prompt_json(segment, columns),
        "rest": segment.rest_steps,
        "title": printable(title),
        "composer": printable(person_name(origin.composer)),
        "bars": bars,
        "tempo": round(MINUTE / segment.microseconds_per_quarter, 1),
        "signature": [segment.time_signature.numerator, segment.time_signature.denominator],
        "fifths": segment.key_signature.sharps if segment.key_signature else 0,
        "velocity": segment.velocity,
        "endsBar": origin.ends_bar,
    }


def _progressions(dataset: Dataset) -> list[dict[str, Any]]:
    """Give chords to choose from, for models that were taught them: the ids of each bar."""
    if "chord" not in dataset.knowledge.controls:
        return []
    return [
        {"name": text, "chord": [[1 + chord.number for chord in bar] for bar in read_chords(text)]}
        for text in PROGRESSIONS
    ]


def sounding_json(dataset: Dataset, grammar: Grammar) -> dict[str, Any]:
    """Say what ids sound like: the pitches of each note id, its drum key or -1, the velocity of each id, and the parts."""
    notes = dataset.vocabularies["note"]
    drums = [drum_key(value) for value in notes.values]
    parts = dataset.vocabularies[PART].values if PART in dataset.vocabularies else ()
    levels = dataset.vocabularies[VELOCITY].values if VELOCITY in dataset.vocabularies else ()
    nothing: list[Any] = [[]] * SPECIAL_IDS
    return {
        "streams": list(dataset.streams),
        "stepsPerQuarter": grammar.steps_per_quarter,
        "points": np.flatnonzero(dataset.events.grid.on_grid(np.arange(grammar.steps_per_quarter))).tolist(),
        "offsetSteps": grammar.offset_steps.tolist(),
        "durationSteps": grammar.duration_steps.tolist(),
        "pitches": nothing
        + [
            [] if drum is not None else list(dataset.events.encoding.pitches(value))
            for drum, value in zip(drums, notes.values, strict=True)
        ],
        "drumKeys": [-1] * SPECIAL_IDS + [-1 if drum is None else drum for drum in drums],
        "velocities": [0] * SPECIAL_IDS + [int(value) for value in levels] if levels else [],
        "parts": [
            {"name": printable(one.name), "program": one.program, "isDrum": one.is_drum}
            for one in (player_of(dataset.events.parts, value) for value in parts)
        ],
    }


def _instruments(dataset: Dataset) -> list[Instrument]:
    """Give what plays: each of the parts, or instruments to choose from."""
    if PART not in dataset.vocabularies:
        return [Instrument(PROGRAMS[program].capitalize(), program) for program in INSTRUMENTS]
    players = [player_of(dataset.events.parts, value) for value in dataset.vocabularies[PART].values]
    return [
        Instrument(player.name, 0 if player.is_drum else player.program, is_drum=player.is_drum) for player in players
    ]
