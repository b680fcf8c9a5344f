"""Models → music card: generated pieces against held-out music in the same places, and held-out music against itself."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_music.encoding.chords import drum_key
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.splits import VALIDATION
from lstm_music.encoding.streams import PART, heard
from lstm_music.errors import NotEnoughMusicError
from lstm_music.evaluation.music_card import FEWEST_PIECES, Sample, music_card
from lstm_music.evaluation.note_ngrams import NoteList
from lstm_music.generation.loop import Made
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import RANDOM, GenerationSpec
from lstm_music.generation.steering import STEERING
from lstm_music.npy import save_array
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.candidates import go_on
from lstm_music.stages.music.copies import copies_stage, event_reader, index_copies, load_index
from lstm_music.stages.music.measures import Excerpt, measure, notes_of
from lstm_music.stages.music.part_measures import describe_parts, has_parts, parts_key
from lstm_music.stages.music.prompts import Origin
from lstm_music.stages.music.segments import Start, cut
from lstm_music.stages.training.scorecard import protocol_of
from lstm_music.store import ArtifactRef, Stage, Store

if TYPE_CHECKING:
    from lstm_music.encoding.windows import PieceSpan
KIND = "quality"
QUALITY_VERSION = 2

NUM_OUTPUTS = 64
FEWEST_EXCERPTS = 8
FEWEST_EVENTS = 16
"""Shorter excerpts are too short for patterns."""

NOT_MEASURED = (
    *("min_events", "prompt", "include_prompt", "composer", "best_of", "instrument"),
    *(name for name in STEERING if name != "pitch_range"),
)
"""Settings without a part: prompts lie before the held-out excerpts, every piece has the full length, none is chosen, and
none is played."""


@dataclass(frozen=True, eq=False, slots=True)
class _Pair:
    """What was generated after a prompt, and what follows it in its piece: the same number of events."""

    place: Start
    generated: Excerpt
    held_out: Excerpt


def quality_stage(
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    split: str = VALIDATION,
) -> Stage:
    """The music card of these models with these settings: `spec.num_outputs` pieces of exactly `spec.num_events` events."""
    settings = {name: value for name, value in spec.model_dump(mode="json").items() if name not in NOT_MEASURED}
    in_order = [models[name] for name in sorted(models)]  # whoever names them, the artifact is one
    inputs = (dataset_ref, *in_order, copies_stage(dataset_ref).ref)
    libraries = ("numpy", "scipy")
    asked = parts_key({**settings, "random_seed": random_seed, "split": split}, is_in_parts=PART in models)
    return Stage(KIND, QUALITY_VERSION, asked, inputs, libraries)


def measure_quality(
    store: Store,
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    split: str = VALIDATION,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> ArtifactRef:
    """Generate pieces, compare them with the held-out music of a split, and write `card.json` and the tokens of the pieces.

    `on_stage` gets the name of each stage when it begins. Raises NotEnoughMusicError where the split has too few pieces of the
    length, MismatchError for models of other vocabularies.
    """
    stage = quality_stage(dataset_ref, models, spec, random_seed, split)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    if dataset.is_bundled:
        raise NotEnoughMusicError(
            "these models came in a bundle, without held-out music to compare with; the score card that came with them says how "
            "they were scored"
        )
    events = excerpt_events([span.events for span in dataset.spans[split]], spec)
    places = choose_excerpts(dataset.spans[split], spec.prompt_events, events, spec.num_outputs, random_seed)
    _require_enough(places, split, spec.prompt_events, events)
    on_stage(f"Loading the models and generating {len(places)} pieces of {events} events")
    pairs = _pairs(store, dataset, models, spec, random_seed, split, places, events)
    _require_enough([pair.place for pair in pairs], split, spec.prompt_events, events)
    on_stage("Searching for copies")
    index_copies(store, dataset_ref)
    generated, held_out = _samples(store, dataset, pairs)
    card = {
        "split": split,
        "protocol": protocol_of(dataset),
        "events": events,
        "asked": {"excerpts": spec.num_outputs, "events": spec.num_events},
        "settings": stage.spec,
        **music_card(generated, held_out, random_seed, on_stage),
        **_parts(dataset, pairs),
    }
    with store.write(stage) as writer:
        text = json.dumps(card, indent=1, allow_nan=False)
        writer.file("card", "json").write_text(text + "\n", encoding="utf-8")
        save_array(writer.file("tokens", "npy"), np.stack([pair.generated.tokens for pair in pairs]))
        writer.facts.update(split=split, accuracy=card["classifier"]["accuracy"], floor=card["classifier"]["floor"])
        writer.counts.update(excerpts=len(pairs), pieces=card["pieces"], events=events)
    return stage.ref


def read_quality(store: Store, ref: ArtifactRef) -> dict[str, Any]:
    """Read a music card, with its `warnings`."""
    card: dict[str, Any] = json.loads(store.open(ref).file("card.json").read_text(encoding="utf-8"))
    return {**card, "warnings": _warnings(card)}


def excerpt_events(piece_events: Sequence[int], spec: GenerationSpec) -> int:
    """Give the length of the excerpts: `num_events`, or less where a quarter of the pieces is too short for it and a prompt."""
    usual = int(np.quantile(piece_events, 0.25)) if piece_events else 0
    return min(spec.num_events, max(usual - spec.prompt_events, 0))


def choose_excerpts(
    spans: "Sequence[PieceSpan]", prompt_events: int, events: int, count: int, random_seed: int
) -> list[Start]:
    """Choose where prompts begin, each with an excerpt after it; no two overlap.

    First comes one from each piece that is long enough, then a second from each, and so on. Excerpts of fewer than
    `FEWEST_EVENTS` events are none.
    """
    rng = np.random.default_rng([random_seed, 5])
    length = prompt_events + events
    places = []
    for span in sorted(spans, key=lambda span: span.piece_id):
        fit = span.events // length if events >= FEWEST_EVENTS else 0
        if fit:
            first = int(rng.integers(span.events - fit * length + 1))
            parts = enumerate(rng.permutation(fit).tolist())
            places += [(turn, rng.random(), span.piece_id, first + part * length) for turn, part in parts]
    return [(piece, first) for _, _, piece, first in sorted(places)[:count]]


def note_list(dataset: Dataset, tokens: np.ndarray) -> NoteList:
    """Give the pitched notes of an excerpt with their places in the bar, which the tokens hold even where the metre changes."""
    grid = dataset.events.grid
    values = {
        stream: [dataset.vocabularies[stream].value(token) for token in tokens[:, column].tolist()]
        for column, stream in enumerate(heard(dataset.streams))
    }
    pitches = [() if drum_key(text) is not None else dataset.events.encoding.pitches(text) for text in values["note"]]
    sizes = [len(group) for group in pitches]
    step, quarter = (tokens[:, len(dataset.streams) + column].astype(np.int64) for column in range(len(PLACES)))
    onsets = np.cumsum([0, *(grid.steps(value) for value in values["offset"][1:])])
    return NoteList.of(
        np.repeat(onsets, sizes),
        np.repeat(quarter * grid.steps_per_quarter + step, sizes),
        [pitch for group in pitches for pitch in group],
        np.repeat([max(grid.steps(value), grid.shortest) for value in values["duration"]], sizes),
        grid.steps_per_quarter,
    )


def _require_enough(places: Sequence[Start], split: str, prompt_events: int, events: int) -> None:
    pieces = len({piece for piece, _ in places})
    if len(places) < FEWEST_EXCERPTS or pieces < FEWEST_PIECES:
        raise NotEnoughMusicError(
            f"the {split} split has {len(places)} excerpts from {pieces} pieces, each of {max(events, FEWEST_EVENTS)} events "
            f"after a prompt of {prompt_events}, and the comparison needs {FEWEST_EXCERPTS} from {FEWEST_PIECES}; "
            "train on more music, or give smaller --num-events and --prompt-events"
        )


def _full_length(spec: GenerationSpec, events: int) -> GenerationSpec:
    """Give settings that make pieces of exactly so many events, as the held-out excerpts have."""
    own = {"num_events": events, "min_events": events, "bars": 0, "seconds": 0.0}
    return spec.model_copy(update={**own, "prompt": RANDOM, "include_prompt": False, "composer": "", "best_of": 1})


def _pairs(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    split: str,
    places: Sequence[Start],
    events: int,
) -> list[_Pair]:
    """Continue the prompts; a piece that had to end early, because no offset leads back to the grid, is left out."""
    prompts = cut(store, dataset, places, spec.prompt_events)
    after = {place: (place[0], place[1] + spec.prompt_events) for place in places}
    held_out = cut(store, dataset, after.values(), events)
    places = [place for place in places if place in prompts and after[place] in held_out]
    origins = [Origin(prompts[place], split) for place in places]
    made = go_on(store, dataset, models, _full_length(spec, events), random_seed, origins)
    return [
        _Pair(place, _excerpt(dataset, prompts[place], one), Excerpt.of(held_out[after[place]]))
        for place, one in zip(places, made, strict=True)
        if len(one.tokens) == events
    ]


def _excerpt(dataset: Dataset, prompt: Prompt, made: Made) -> Excerpt:
    passed = dataset.events.grid.steps(dataset.vocabularies["offset"].value(int(made.tokens[0, 0])))
    return Excerpt(made.tokens, (prompt.last_position_in_bar_steps + passed) % prompt.bar_steps, prompt.bar_steps)


def _samples(store: Store, dataset: Dataset, pairs: Sequence[_Pair]) -> tuple[list[Sample], list[Sample]]:
    """Measure the generated and the held-out excerpt of each pair."""
    index, reader = load_index(store, copies_stage(dataset.ref).ref), event_reader(dataset)

    def sample(pair: _Pair, excerpt: Excerpt) -> Sample:
        measured = measure(dataset, index, reader, excerpt)
        return Sample(
            piece=pair.place[0],
            notes=note_list(dataset, excerpt.tokens),
            bar_steps=excerpt.bar_steps,
            statistics=measured.statistics,
            most_repeats=measured.repeats["bar"],
            loops=measured.repeats["loops"],
            longest_copy=measured.longest_copy or 0,
        )

    return [sample(pair, pair.generated) for pair in pairs], [sample(pair, pair.held_out) for pair in pairs]


def _parts(dataset: Dataset, pairs: Sequence[_Pair]) -> dict[str, Any]:
    """Describe the parts of both sides; nothing without parts."""
    if not has_parts(dataset):
        return {}
    sides = {"generated": [pair.generated for pair in pairs], "held_out": [pair.held_out for pair in pairs]}
    return {
        "parts": {
            name: describe_parts(dataset, [notes_of(dataset, one) for one in excerpts])
            for name, excerpts in sides.items()
        }
    }


def _warnings(card: Mapping[str, Any]) -> list[str]:
    asked, warnings = card["asked"], []
    if card["excerpts"] < asked["excerpts"]:
        warnings.append(
            f"The {card['split']} split has only {card['excerpts']} excerpts, of {card['pieces']} pieces, "
            f"so {card['excerpts']} pieces are compared and not {asked['excerpts']}"
        )
    if card["events"] < asked["events"]:
        warnings.append(
            f"The excerpts have {card['events']} events and not {asked['events']}: a quarter of the pieces is too short for more"
        )
    return warnings
