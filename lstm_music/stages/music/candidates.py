"""Models → music: seed segments, the loop, and a MIDI file of each try."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_music.errors import NotEnoughMusicError
from lstm_music.generation.prompt import start_in_bar, to_notes
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.models.backend import load_tensorflow
from lstm_music.rendering.piano_roll import piano_roll
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.prompts import Origin, SeedMidi, seed_segments
from lstm_music.stages.training.trained import load_model
from lstm_music.store import ArtifactRef, Stage, Store

if TYPE_CHECKING:
    from lstm_music.generation.loop import Made

KIND = "music"
MUSIC_VERSION = 2


def music_stage(
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    seed_midi: SeedMidi | None = None,
) -> Stage:
    """What these models make with these settings."""
    settings = {
        **spec.model_dump(mode="json"),
        "random_seed": random_seed,
        "seed_midi": {"name": seed_midi.name, "sha256": seed_midi.sha256} if seed_midi else None,
    }
    inputs = (dataset_ref, *models.values())
    reader = ("music21",) if seed_midi and seed_midi.format != "midi" else ()
    libraries = ("tensorflow", "keras", "numpy", *reader)
    return Stage(KIND, MUSIC_VERSION, settings, inputs, libraries)


def make_music(
    store: Store,
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    seed_midi: SeedMidi | None = None,
) -> ArtifactRef:
    """Write `seed_N.mid` and `result_N.mid` of each try, what is known of it, `result_N.json`, and the new events' tokens.

    Raises NotEnoughMusicError where no held-out piece is as long as a seed segment, RejectedInputError for a seed MIDI that
    holds no music, SourceError for a piece or composer that there is not, MismatchError for models of other vocabularies.
    """
    stage = music_stage(dataset_ref, models, spec, random_seed, seed_midi)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    origins = seed_segments(store, dataset, spec, random_seed, seed_midi)
    made = go_on(store, dataset, models, spec, random_seed, origins)
    if not all(len(one.tokens) for one in made):
        raise NotEnoughMusicError(
            "no offset that the models know leads from the end of the seed segment to a point of the grid; "
            "give another --seed-midi FILE, or train on more music"
        )
    with store.write(stage) as writer:
        for number, (origin, one) in enumerate(zip(origins, made, strict=True), start=1):
            _write_try(writer, number, dataset, spec, origin, one)
        np.save(writer.file("tokens", "npy"), np.concatenate([one.tokens for one in made]))
        writer.facts["events"] = [len(one.tokens) for one in made]
        writer.counts.update(tries=len(made), events=sum(len(one.tokens) for one in made))
    return stage.ref


@dataclass(frozen=True, eq=False)
class Try:
    """One piece of music that was made: its files, what is known of it, and the tokens of its events, [events, columns]."""

    number: int
    midi: bytes
    seed_midi: bytes | None
    facts: Mapping[str, Any]
    tokens: np.ndarray


def read_music(store: Store, ref: ArtifactRef) -> list[Try]:
    """Read what was made, in the order of the tries."""
    artifact = store.open(ref)
    counts = artifact.facts["events"]
    parts = np.split(np.load(artifact.file("tokens"), allow_pickle=False), np.cumsum(counts)[:-1])
    tries = []
    for number, tokens in enumerate(parts, start=1):
        facts = json.loads(artifact.file(f"result_{number:03d}.json").read_bytes())
        midi = artifact.file(f"result_{number:03d}.mid").read_bytes()
        seed = artifact.file(f"seed_{number:03d}.mid").read_bytes() if facts["seed_segment"]["events"] else None
        tries.append(Try(number, midi, seed, facts, tokens))
    return tries


def picture(made: Try) -> str:
    """Draw a try as a piano roll, after its seed segment where it has one."""
    seed = made.facts["seed_segment"]
    return piano_roll(
        replace(read_midi(made.midi), notes=new_notes(made)),
        f"{seed['piece']}, continued" if made.seed_midi else "From the start of a piece",
        read_midi(made.seed_midi) if made.seed_midi else None,
        result_at_quarters=result_at_quarters(made),
        bar_quarters=made.facts["bar_quarters"],
    )


def new_notes(made: Try) -> np.ndarray:
    """Give the notes of a result that are not its seed segment's; those come first, as events are in the order of notes."""
    notes = read_midi(made.midi).notes
    if made.seed_midi is None or not made.facts["includes_seed_segment"]:
        return notes
    return notes[len(read_midi(made.seed_midi).notes) :]


def result_at_quarters(made: Try) -> int:
    """Say where the time of a result's file begins in that of its seed segment, in quarters; 0 where it has none of its own."""
    has_own_time = made.seed_midi is not None and not made.facts["includes_seed_segment"]
    return int(made.facts["begins_at_quarters"]) if has_own_time else 0


def go_on(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    origins: Sequence[Origin],
) -> "list[Made]":
    """Run the loop from the last event of each segment; nothing is written. Raises NotEnoughMusicError for too short a window."""
    load_tensorflow()
    from lstm_music.generation.grammar import make_grammar
    from lstm_music.generation.loop import Seeds, generate_tokens

    segments = [origin.segment for origin in origins]

    def column(name: str) -> np.ndarray:
        return np.array([getattr(segment, name) for segment in segments], np.int32)

    seeds = Seeds(
        tokens=np.stack([segment.tokens for segment in segments], axis=1),
        before=column("before"),
        onsets=column("last_onset_steps"),
        positions=column("last_position_in_bar_steps"),
        bars=column("bar_steps"),
    )
    loaded = [load_model(store, ref, dataset) for ref in models.values()]
    for model in loaded:
        if model.spec.is_windowed and len(segments[0].tokens) < model.columns.window:
            raise NotEnoughMusicError(
                f"{segments[0].name or 'the start of a piece'}: has {len(segments[0].tokens)} events, and the models read a "
                f"window of {model.columns.window}; give a longer --seed-midi, or more --seed-segment-events"
            )
    grammar = make_grammar(dataset.events, dataset.vocabularies, spec.max_quarters)
    return generate_tokens(loaded, grammar, spec, seeds, random_seed)


def _write_try(writer: Any, number: int, dataset: Dataset, spec: GenerationSpec, origin: Origin, made: "Made") -> None:
    """Write the files of one try; result and seed segment begin within the bar that they begin in."""
    segment, grid = origin.segment, dataset.events.grid
    passed = grid.steps(dataset.vocabularies["offset"].value(int(made.tokens[0, 0])))
    onset = segment.last_onset_steps + passed
    seed_start = start_in_bar(segment.onset_steps, segment.position_in_bar_steps, grid)
    start = start_in_bar(onset, (segment.last_position_in_bar_steps + passed) % segment.bar_steps, grid)

    def write(name: str, tokens: np.ndarray, first_onset_steps: int) -> None:
        notes = to_notes(
            tokens, dataset.events, dataset.vocabularies, first_onset_steps=first_onset_steps, segment=segment
        )
        writer.file(f"{name}_{number:03d}", "mid").write_bytes(write_midi(notes))

    if len(segment.tokens):
        write("seed", segment.tokens, seed_start)
    if spec.include_seed_segment and len(segment.tokens):
        write("result", np.concatenate([segment.tokens, made.tokens]), seed_start)
    else:
        write("result", made.tokens, start)
    said = {
        "events": len(made.tokens),
        "nats_per_event": round(float(made.nats.mean()), 4),
        "loops_left": made.loops_left,
        "first_position_steps": (segment.last_position_in_bar_steps + passed) % segment.bar_steps,
        "microseconds_per_quarter": segment.microseconds_per_quarter,
        "bar_quarters": segment.bar_steps / grid.steps_per_quarter,
        "begins_at_quarters": (onset - start - segment.onset_steps + seed_start) // grid.steps_per_quarter,
        "includes_seed_segment": spec.include_seed_segment,
        "seed_segment": {
            "piece": segment.name,
            "first_event": segment.first,
            "bars": list(segment.bars),
            "events": len(segment.tokens),
            "replaced_values": segment.replaced,
            "side": origin.side,
            "composer": origin.composer,
            "source": origin.source,
            "licence": origin.licence,
        },
    }
    text = json.dumps(said, indent=1, sort_keys=True)
    writer.file(f"result_{number:03d}", "json").write_text(text + "\n", encoding="utf-8")
