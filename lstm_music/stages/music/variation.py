"""A share of the events of a result, note for note, as given music for the loop: the models write the bars between them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.streams import PART, STREAMS, VELOCITY
from lstm_music.encoding.vocabulary import SPECIAL_IDS, steps_of
from lstm_music.errors import NotEnoughMusicError, SourceError
from lstm_music.generation.given import GivenMusic, GivenNotes
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.kept import kept_events
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import GenerationSpec
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.lengths import lengths_of
from lstm_music.store import ArtifactRef, Store

_OFFSET, _NOTE, _DURATION = range(len(STREAMS))


@dataclass(frozen=True)
class Variation:
    """The share of a result's events that stays, above 0: the result is a candidate of the artifact `music`, from 1.

    `name` is that of the result, for sentences.
    """

    name: str
    music: ArtifactRef
    candidate: int
    share: float

    @property
    def spec(self) -> dict[str, Any]:
        """What of it decides the music, beside the artifact."""
        return {"candidate": self.candidate, "share": self.share}


@dataclass(frozen=True, eq=False)
class Varied:
    """A result to vary: its `tokens` int32 [events, streams], as the models of the variation know them."""

    variation: Variation
    tokens: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Kept:
    """The events of a result that stay, after the prompt that it has.

    `is_kept` bool [events] says which stay. The loop counts steps from `base`, a step of the prompt's piece; from there `onsets`
    int64 [events] are those of the result, `closed` bool [steps] says where nothing new begins, `start` is that of the prompt's
    last event, at `position` in a bar of `bar` steps.
    """

    varied: Varied
    is_kept: npt.NDArray[np.bool_]
    base: int
    onsets: npt.NDArray[np.int64]
    durations: npt.NDArray[np.int64]
    closed: npt.NDArray[np.bool_]
    start: int
    position: int
    bar: int

    @property
    def facts(self) -> dict[str, Any]:
        """Say how many of the result's events stay."""
        share = self.varied.variation.share
        return {"variation": share, "kept_events": int(self.is_kept.sum()), "of_events": len(self.is_kept)}


def varied(store: Store, dataset_ref: ArtifactRef, dataset: Dataset, variation: Variation) -> Varied:
    """Read the result. Raises SourceError if these models know other streams than those that made it, or not all its values."""
    music = store.open(variation.music)
    counts = music.facts["events"]
    stop = sum(counts[: variation.candidate])
    tokens = np.load(music.file("tokens"), allow_pickle=False)[stop - counts[variation.candidate - 1] : stop]
    tokens = tokens[:, : len(dataset.vocabularies)].astype(np.int32)
    if music.inputs[0] == dataset_ref:
        return Varied(variation, tokens)
    of_result = load_dataset(store, music.inputs[0])
    unlike = f"--variation: {variation.name} was made by other models than these"
    if of_result.streams != dataset.streams or of_result.events != dataset.events:
        raise SourceError(f"{unlike}, with another encoding of notes; give --like without it")
    found = np.empty_like(tokens)
    for column, (stream, vocabulary) in enumerate(dataset.vocabularies.items()):
        found[:, column] = vocabulary.encode(
            [of_result.vocabularies[stream].value(token) for token in tokens[:, column].tolist()]
        )
    if unknown := int((found < SPECIAL_IDS).any(1).sum()):
        raise SourceError(f"{unlike}, which know no {unknown:,} of its {len(found):,} events; give --like without it")
    return Varied(variation, found)


def kept_after(dataset: Dataset, varied: Varied, segment: Prompt, spec: GenerationSpec) -> Kept:
    """Choose the events that stay after the prompt that the result has."""
    offsets, durations = (
        steps_of(dataset.vocabularies[stream], dataset.events.grid)[varied.tokens[:, column]].astype(np.int64)
        for column, stream in ((_OFFSET, "offset"), (_DURATION, "duration"))
    )
    bar, last = segment.bar_steps, segment.last_onset_steps + segment.rest_steps
    start = last % dataset.events.grid.steps_per_quarter
    onsets = np.cumsum(offsets) + start
    barline = int(onsets[0]) - (segment.last_position_in_bar_steps + int(offsets[0])) % bar  # may lie before the base
    end = int((onsets + durations).max())
    if spec.has_length:
        end = max(end, barline + int(lengths_of(dataset, spec, [segment])[0]))
    is_kept, closed = kept_events(onsets - barline, bar, end - barline, varied.variation.share)
    before = np.ones(max(barline, 0), np.bool_)  # nothing new begins before the first bar
    closed = np.concatenate([before, closed[max(-barline, 0) :]])
    position = segment.last_position_in_bar_steps
    return Kept(varied, is_kept, last - start, onsets, durations, closed, start, position, bar)


def kept_music(dataset: Dataset, grammar: Grammar, kept: Kept) -> GivenMusic:
    """Draw up the rules for the loop. Raises NotEnoughMusicError for an event that no offset leads to."""
    of_kept = kept.varied.tokens[kept.is_kept].astype(np.int64)
    columns = {stream: of_kept[:, column] for column, stream in enumerate(dataset.vocabularies)}
    none = np.full(len(of_kept), -1)
    positions = (kept.position + np.arange(len(kept.closed)) - kept.start) % kept.bar
    given = GivenNotes(
        onsets=kept.onsets[kept.is_kept],
        parts=columns.get(PART, none),
        notes=columns["note"],
        durations=columns["duration"],
        velocities=columns.get(VELOCITY, none),
        steps=kept.durations[kept.is_kept],
        end=len(kept.closed) - 1,
        positions=positions,
        rests=kept.bar - positions,
    )
    rules = GivenMusic.of(grammar, given, "beside", kept.closed, kept.start)
    if rules.unreachable() is not None:
        raise NotEnoughMusicError(
            f"--variation: no offset that the models know leads to a kept event of {kept.varied.variation.name}; give "
            "another share"
        )
    return rules
