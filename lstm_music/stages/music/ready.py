"""Models and settings made ready for the loop: the models loaded, the grammar drawn up, the prompts side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_music.encoding.parts import named_parts
from lstm_music.encoding.streams import PART
from lstm_music.errors import NotEnoughMusicError, RecipeError
from lstm_music.generation.drums import DrumsInEveryBar
from lstm_music.generation.grammar import Grammar, make_grammar
from lstm_music.generation.guess import Guesser
from lstm_music.generation.loop import Prompts
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import GenerationSpec
from lstm_music.inference.model import InferenceModel
from lstm_music.midi.general_midi import DRUMS
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.steering import finest_steps, pitch_range, require_possible
from lstm_music.stages.training.trained import load_inference_model
from lstm_music.store import ArtifactRef, Store


@dataclass(frozen=True, eq=False)
class Ready:
    """What the loop needs."""

    models: Sequence[InferenceModel]
    grammar: Grammar
    prompts: Prompts
    guesser: Guesser | None
    drums: DrumsInEveryBar | None


def make_ready(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    segments: Sequence[Prompt],
) -> Ready:
    """Load the models, and make the grammar and the prompts."""
    require_possible(dataset, spec)
    register = pitch_range(dataset, spec) if spec.pitch_range else (0, 127)

    def column(name: str) -> np.ndarray:
        return np.array([getattr(segment, name) for segment in segments], np.int32)

    prompts = Prompts(
        tokens=np.stack([segment.tokens for segment in segments], axis=1),
        before=column("before"),
        onsets=column("last_onset_steps") + column("rest_steps"),
        positions=column("last_position_in_bar_steps"),
        bars=column("bar_steps"),
    )
    loaded = [load_inference_model(store, ref, dataset) for ref in models.values()]
    more = "bars in --prompt-bars" if spec.prompt_bars else "--prompt-events"
    for model in loaded:
        if model.spec.is_windowed and len(segments[0].tokens) < model.columns.window:
            raise NotEnoughMusicError(
                f"{segments[0].name or 'the start of a piece'}: has {len(segments[0].tokens)} events, and the models read a "
                f"window of {model.columns.window}; give a longer --prompt-midi, or more {more}"
            )
    grammar = make_grammar(
        dataset.events,
        dataset.vocabularies,
        spec.max_quarters,
        any_pitch=spec.any_pitch,
        played=dataset.notes_of_parts,
        instruments=playing_parts(dataset, spec),
        pitch_range=register,
        finest_steps=finest_steps(dataset, spec),
    )
    drums = DrumsInEveryBar.of(dataset.vocabularies, grammar.offset_steps) if spec.add_drums else None
    if spec.pitch_range and not (grammar.parts.any() if grammar.has_parts else grammar.notes.any()):
        raise RecipeError(f"--pitch-range: expected a range with a note that may be played, got {spec.pitch_range!r}")
    table = dataset.knowledge.table
    guesser = None if table is None else Guesser(table, grammar.shapes, dataset.sizes)
    return Ready(loaded, grammar, prompts, guesser, drums)


def playing_parts(dataset: Dataset, spec: GenerationSpec) -> tuple[str, ...]:
    """Give the parts that may play; raise RecipeError for one that the models do not know."""
    known = dataset.vocabularies[PART].values if PART in dataset.vocabularies else ()
    named = named_parts(spec.instruments, dataset.events.parts, known, "--instruments")
    return (*named, DRUMS) if named and spec.add_drums else named
