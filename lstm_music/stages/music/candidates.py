"""Models → music: prompts, the loop, and a MIDI file per candidate."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_music.encoding.streams import PART
from lstm_music.errors import NotEnoughMusicError
from lstm_music.generation.loop import Made, generate_tokens
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.notes import sorted_notes
from lstm_music.midi.parts import parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.titles import person_name
from lstm_music.npy import save_array
from lstm_music.rendering.piano_roll import piano_roll
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.accompaniment import Accompanied, accompanied
from lstm_music.stages.music.candidate_files import (
    title_after,
    title_rewritten,
    title_with,
    write_candidate,
    write_rewritten,
)
from lstm_music.stages.music.gap_reading import read_gap
from lstm_music.stages.music.gap_search import Found, search
from lstm_music.stages.music.lengths import (
    ended,
    ending_of,
    lengths_of,
    likely_events,
    require_begun,
    until_all_end,
)
from lstm_music.stages.music.melody import Melody
from lstm_music.stages.music.plans import asked_of_bars
from lstm_music.stages.music.prompt_files import EXTENSIONS, PromptMidi
from lstm_music.stages.music.prompts import Origin, choose_prompts
from lstm_music.stages.music.ready import make_ready, playing_parts
from lstm_music.stages.music.rewriting import Rewrite, Rewritten
from lstm_music.stages.music.steering import parts_outside
from lstm_music.stages.music.variation import Kept, Variation, kept_after, kept_music, varied
from lstm_music.store import ArtifactRef, Stage, Store

if TYPE_CHECKING:
    from lstm_music.stages.music.rewritten_result import NewBars

SEEDS = 2**32
"""How many random seeds there are: further runs have those beyond."""

KIND = "music"
MUSIC_VERSION = 4


def music_stage(
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    prompt_midi: PromptMidi | None = None,
    melody: Melody | None = None,
    variation: Variation | None = None,
) -> Stage:
    """The candidates that these models make with these settings, whichever instrument plays them."""
    settings = {
        **spec.model_dump(mode="json", exclude={"instrument"}),
        "random_seed": random_seed,
        "prompt_midi": prompt_midi.spec if prompt_midi else None,
        **({"melody": melody.spec} if melody else {}),
        **({"variation": variation.spec} if variation else {}),
    }
    inputs = (dataset_ref, *models.values(), *([variation.music] if variation else []))
    return Stage(KIND, MUSIC_VERSION, settings, inputs, ("numpy",))


def make_music(
    store: Store,
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    prompt_midi: PromptMidi | None = None,
    melody: Melody | None = None,
    variation: Variation | None = None,
) -> ArtifactRef:
    """Write `prompt_N.mid`, `result_N.mid` and `result_N.json` of each candidate, and the tokens of the new events.

    Results around a `melody` have its notes among their tokens, a `variation` those of the result that it keeps. A file of the
    user's is written, too, as `file`, so that more like a result can be made without it.

    The fact `warnings` lists what was left out of a prompt MIDI. Raises NotEnoughMusicError if no held-out piece is long enough
    for a prompt, RejectedInputError for a prompt MIDI without music, SourceError for an unknown piece or composer, MismatchError
    for models of other vocabularies.
    """
    stage = music_stage(dataset_ref, models, spec, random_seed, prompt_midi, melody, variation)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    bars: list[NewBars] = []
    given, kept = None, None
    if isinstance(melody, Rewrite):
        bars = new_bars(store, dataset, models, spec, random_seed, read_gap(dataset, melody, spec)).results
        origins, made = [bars[0].read.origin] * len(bars), [one.made for one in bars]
    else:
        given = accompanied(dataset, melody) if melody else None
        if given is None:
            origins = choose_prompts(store, dataset, spec, random_seed, prompt_midi)
        else:
            origins = [Origin(given.segment, warnings=tuple(given.warnings))] * spec.candidates
        if variation is not None:
            kept = kept_after(dataset, varied(store, dataset_ref, dataset, variation), origins[0].segment, spec)
        made = go_on(store, dataset, models, spec, random_seed, origins, given, kept)
    if not all(len(one.tokens) for one in made):
        raise NotEnoughMusicError(
            "no offset that the models know leads from the end of the prompt to a point of the grid; "
            "give another --prompt-midi FILE, or train on more music"
        )
    with store.write(stage) as writer:
        for number, (origin, one) in enumerate(zip(origins, made, strict=True), start=1):
            if bars:
                write_rewritten(writer, number, dataset, spec, origin, bars[number - 1])
            else:
                write_candidate(writer, number, dataset, spec, origin, one, given, kept)
        if file := melody.file if melody else prompt_midi:
            writer.file("file", EXTENSIONS[file.format]).write_bytes(file.data)
            writer.facts["file_format"] = file.format
        save_array(writer.file("tokens", "npy"), np.concatenate([one.tokens for one in made]))
        writer.facts["events"] = [len(one.tokens) for one in made]
        writer.facts["warnings"] = [
            *dict.fromkeys(warning for origin in origins for warning in origin.warnings),
            *_silent_parts(dataset, spec),
        ]
        writer.counts.update(candidates=len(made), events=sum(len(one.tokens) for one in made))
    return stage.ref


@dataclass(frozen=True, eq=False)
class Candidate:
    """One generated piece: its MIDI files, its facts (`result_N.json`), and the tokens of its new events, [events, columns]."""

    number: int
    midi: bytes
    prompt_midi: bytes | None
    facts: Mapping[str, Any]
    tokens: np.ndarray

    @property
    def title(self) -> str:
        """The title of the result: after the piece of its prompt, or with that of the user's music."""
        if "rewritten" in self.facts:
            return title_rewritten(self.facts["rewritten"])
        if "given" in self.facts:
            return title_with(self.facts["given"]["title"])
        return title_after(self.facts["prompt"]["title"])

    @property
    def composer_line(self) -> str:
        """The line above the sheet music that tells who made it: this program, after a composer if one is known."""
        composer = person_name(self.facts["prompt"]["composer"])
        return f"lstm-music, after {composer}" if composer else "lstm-music"

    @property
    def has_prompt_inside(self) -> bool:
        """Whether the result begins with its prompt."""
        return self.prompt_midi is not None and bool(self.facts["includes_prompt"])


def read_music(store: Store, ref: ArtifactRef) -> list[Candidate]:
    """Read the candidates, in their order."""
    artifact = store.open(ref)
    counts = artifact.facts["events"]
    parts = np.split(np.load(artifact.file("tokens"), allow_pickle=False), np.cumsum(counts)[:-1])
    candidates = []
    for number, tokens in enumerate(parts, start=1):
        facts = json.loads(artifact.file(f"result_{number:03d}.json").read_bytes())
        midi = artifact.file(f"result_{number:03d}.mid").read_bytes()
        prompt = artifact.file(f"prompt_{number:03d}.mid").read_bytes() if facts["prompt"]["events"] else None
        candidates.append(Candidate(number, midi, prompt, facts, tokens))
    return candidates


def picture(made: Candidate) -> str:
    """Draw a candidate as a piano roll, after its prompt where it has one."""
    return piano_roll(
        replace(read_midi(made.midi), notes=new_notes(made)),
        made.title,
        read_midi(made.prompt_midi) if made.prompt_midi else None,
        result_at_quarters=result_at_quarters(made),
        bar_quarters=made.facts["bar_quarters"],
    )


def new_notes(made: Candidate) -> np.ndarray:
    """Return the notes of a result without its prompt's; those come first, by onset, part and pitch."""
    piece = read_midi(made.midi)
    if made.prompt_midi is None or not made.has_prompt_inside:
        return piece.notes
    notes = piece.notes
    if "parts" in made.facts:
        order = [part["name"] for part in made.facts["parts"]]
        parts, of_note = parts_of(piece)
        place = np.array([order.index(part.name) for part in parts])[of_note]
        notes = notes[np.lexsort([notes["pitch"], place, notes["onset_ticks"]])]
    return sorted_notes(notes[len(read_midi(made.prompt_midi).notes) :])


def result_at_quarters(made: Candidate) -> int:
    """Return where the time of a result's file begins in that of its prompt, in quarters; 0 if both files begin together."""
    has_own_time = made.prompt_midi is not None and not made.has_prompt_inside
    return int(made.facts["begins_at_quarters"]) if has_own_time else 0


def go_on(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    origins: Sequence[Origin],
    given: Accompanied | None = None,
    kept: Kept | None = None,
) -> list[Made]:
    """Run the loop from the last event of each segment, or around given music, and write nothing.

    With events `kept` of a result, all segments are the prompt of that result.

    Music of a given length has as many events as it needs, and its last notes sound until the end. Raises NotEnoughMusicError for
    prompts that are shorter than the window of the models, RecipeError for settings of parts where there are none.
    """
    segments = [origin.segment for origin in origins]
    ready = make_ready(store, dataset, models, spec, segments)
    grammar, drums = ready.grammar, ready.drums
    prompts = replace(ready.prompts, onsets=ready.prompts.onsets - (kept.base if kept else 0))
    ending = ending_of(dataset, spec, segments, [origin.ends_bar for origin in origins])
    rules = None if given is None else given.rules(dataset, grammar, spec)
    if kept is not None:
        rules, ending = kept_music(dataset, grammar, kept), None
    lengths = lengths_of(dataset, spec, segments) if spec.has_length else None
    asked = asked_of_bars(dataset, spec, prompts.bars, lengths)

    def make(settings: GenerationSpec) -> list[Made]:
        own = grammar if rules is None else rules.grammar
        return generate_tokens(
            ready.models, own, settings, prompts, random_seed, ready.guesser, drums, ending, rules, asked
        )

    if rules is not None:
        room = likely_events(dataset, np.array([rules.end])) + len(rules.rows)
        return until_all_end(make, spec, room)
    if lengths is None:
        return make(spec)
    made = until_all_end(make, spec, likely_events(dataset, lengths))
    require_begun(ending, grammar, made)
    return [
        ended(grammar, one, segment, length, drums.part if drums else None)
        for one, segment, length in zip(made, segments, lengths.tolist(), strict=True)
    ]


def new_bars(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    read: Rewritten,
) -> Found:
    """Write a gap anew, `spec.candidates` times in each run, and keep `spec.num_outputs`.

    Raises NotEnoughMusicError if the models find no way to what follows, or too little is before the gap for their window.
    """
    ready = make_ready(store, dataset, models, spec, [read.segment] * (spec.candidates + 1))
    rules, room = read.rules(dataset, ready.grammar, spec), read.room(dataset)
    settings = spec.model_copy(update={"num_events": room, "min_events": room})
    ending = read.ending(spec.candidates + 1)

    def made(number: int) -> list[Made]:
        seed = random_seed + number * SEEDS
        return generate_tokens(
            ready.models, rules.grammar, settings, ready.prompts, seed, ready.guesser, ending=ending, given=rules
        )

    return search(dataset, read, rules, made, spec.num_outputs)


def _silent_parts(dataset: Dataset, spec: GenerationSpec) -> list[str]:
    """Say which parts cannot play in the range that is asked for."""
    if PART not in dataset.vocabularies:
        return []
    return parts_outside(dataset, spec, playing_parts(dataset, spec) or dataset.vocabularies[PART].values)
