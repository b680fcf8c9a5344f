"""Models → music: prompts, the loop, and a MIDI file of each candidate."""

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
from lstm_music.stages.music.prompts import Origin, PromptMidi, choose_prompts
from lstm_music.stages.training.trained import load_model
from lstm_music.store import ArtifactRef, Stage, Store

if TYPE_CHECKING:
    from lstm_music.generation.loop import Made

KIND = "music"
MUSIC_VERSION = 3


def music_stage(
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    prompt_midi: PromptMidi | None = None,
) -> Stage:
    """What these models make with these settings."""
    settings = {
        **spec.model_dump(mode="json"),
        "random_seed": random_seed,
        "prompt_midi": {"name": prompt_midi.name, "sha256": prompt_midi.sha256} if prompt_midi else None,
    }
    inputs = (dataset_ref, *models.values())
    reader = ("music21",) if prompt_midi and prompt_midi.format != "midi" else ()
    libraries = ("tensorflow", "keras", "numpy", *reader)
    return Stage(KIND, MUSIC_VERSION, settings, inputs, libraries)


def make_music(
    store: Store,
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    prompt_midi: PromptMidi | None = None,
) -> ArtifactRef:
    """Write `prompt_N.mid`, `result_N.mid` and `result_N.json` of each candidate, and the tokens of the new events.

    Raises NotEnoughMusicError where no held-out piece is long enough for a prompt, RejectedInputError for a prompt MIDI that
    holds no music, SourceError for a piece or composer that there is not, MismatchError for models of other vocabularies.
    """
    stage = music_stage(dataset_ref, models, spec, random_seed, prompt_midi)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    origins = choose_prompts(store, dataset, spec, random_seed, prompt_midi)
    made = go_on(store, dataset, models, spec, random_seed, origins)
    if not all(len(one.tokens) for one in made):
        raise NotEnoughMusicError(
            "no offset that the models know leads from the end of the prompt to a point of the grid; "
            "give another --prompt-midi FILE, or train on more music"
        )
    with store.write(stage) as writer:
        for number, (origin, one) in enumerate(zip(origins, made, strict=True), start=1):
            _write_candidate(writer, number, dataset, spec, origin, one)
        np.save(writer.file("tokens", "npy"), np.concatenate([one.tokens for one in made]))
        writer.facts["events"] = [len(one.tokens) for one in made]
        writer.counts.update(candidates=len(made), events=sum(len(one.tokens) for one in made))
    return stage.ref


@dataclass(frozen=True, eq=False)
class Candidate:
    """One piece of music that was made: its files, what is known of it, and the tokens of its events, [events, columns]."""

    number: int
    midi: bytes
    prompt_midi: bytes | None
    facts: Mapping[str, Any]
    tokens: np.ndarray


def read_music(store: Store, ref: ArtifactRef) -> list[Candidate]:
    """Read what was made, in the order of the candidates."""
    artifact = store.open(ref)
    counts = artifact.facts["events"]
    parts = np.split(np.load(artifact.file("tokens"), allow_pickle=False), np.cumsum(counts)[:-1])
    candidates = []
    for number, tokens in enumerate(parts, start=1):
        facts = json.loads(artifact.file(f"result_{number:03d}.json").read_bytes())
        midi = artifact.file(f"result_{number:03d}.mid").read_bytes()
        seed = artifact.file(f"prompt_{number:03d}.mid").read_bytes() if facts["prompt"]["events"] else None
        candidates.append(Candidate(number, midi, seed, facts, tokens))
    return candidates


def picture(made: Candidate) -> str:
    """Draw a candidate as a piano roll, after its prompt where it has one."""
    seed = made.facts["prompt"]
    return piano_roll(
        replace(read_midi(made.midi), notes=new_notes(made)),
        f"{seed['piece']}, continued" if made.prompt_midi else "From the start of a piece",
        read_midi(made.prompt_midi) if made.prompt_midi else None,
        result_at_quarters=result_at_quarters(made),
        bar_quarters=made.facts["bar_quarters"],
    )


def new_notes(made: Candidate) -> np.ndarray:
    """Give the notes of a result that are not its prompt's; those come first, as events are in the order of notes."""
    notes = read_midi(made.midi).notes
    if made.prompt_midi is None or not made.facts["includes_prompt"]:
        return notes
    return notes[len(read_midi(made.prompt_midi).notes) :]


def result_at_quarters(made: Candidate) -> int:
    """Say where the time of a result's file begins in that of its prompt, in quarters; 0 where it has none of its own."""
    has_own_time = made.prompt_midi is not None and not made.facts["includes_prompt"]
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
    from lstm_music.generation.loop import Prompts, generate_tokens

    segments = [origin.segment for origin in origins]

    def column(name: str) -> np.ndarray:
        return np.array([getattr(segment, name) for segment in segments], np.int32)

    prompts = Prompts(
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
                f"window of {model.columns.window}; give a longer --prompt-midi, or more --prompt-events"
            )
    grammar = make_grammar(dataset.events, dataset.vocabularies, spec.max_quarters)
    return generate_tokens(loaded, grammar, spec, prompts, random_seed)


def _write_candidate(
    writer: Any, number: int, dataset: Dataset, spec: GenerationSpec, origin: Origin, made: "Made"
) -> None:
    """Write the files of one candidate; result and prompt begin within the bar that they begin in."""
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
        write("prompt", segment.tokens, seed_start)
    if spec.include_prompt and len(segment.tokens):
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
        "includes_prompt": spec.include_prompt,
        "prompt": {
            "piece": segment.name,
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
    text = json.dumps(said, indent=1, sort_keys=True)
    writer.file(f"result_{number:03d}", "json").write_text(text + "\n", encoding="utf-8")
