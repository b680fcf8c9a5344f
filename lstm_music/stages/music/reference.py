"""The reference for generated music: excerpts of held-out pieces, of training pieces and of shuffled ones, measured alike.

Statistics depend on the length of the music, so all excerpts have the same number of events, about as many as a result.
Held-out music is the reference. Training music compared with it is the ceiling for any generator, shuffled music is the floor.
"""

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.encoding.windows import PieceSpan
from lstm_music.evaluation.overlapped_area import compare, shuffled_pieces
from lstm_music.generation.prompt import Prompt, to_notes
from lstm_music.midi.writer import write_midi
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.copies import event_reader, load_index
from lstm_music.stages.music.measures import Excerpt, Measured, measure, notes_of, statistics_of
from lstm_music.stages.music.part_measures import describe_parts, has_parts, parts_key
from lstm_music.stages.music.segments import cut
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "reference"
REFERENCE_VERSION = 1

MOST_EXCERPTS = 64
"""Per split: enough for stable figures, few enough to measure in seconds."""

RANDOM_SEED = 1
"""Chooses the excerpts: always the same ones, so that generations are comparable."""

STEPS_IN_AN_OCTAVE = 4
"""So many lengths of a reference, where the music decides them, lie between one and its double."""

LENGTHS = "reference_events"
"""The fact of the dataset of a bundle that lists of which lengths it has references, in events."""

BOUNDS = ("training", "shuffled")
"""The ceiling and the floor."""


@dataclass(frozen=True)
class Reference:
    """The measures and names of held-out excerpts of `events` events.

    `areas` has, for each of `BOUNDS`, the overlapped area of each metric with held-out music; None if it is undefined. `parts` is
    what `describe_parts` says of the held-out excerpts; None without parts.
    """

    events: int
    names: Sequence[str]
    held_out: Sequence[Measured]
    areas: Mapping[str, Mapping[str, float | None]]
    parts: Mapping[str, Any] | None = None

    @property
    def statistics(self) -> list[dict[str, float]]:
        """The statistics of each held-out excerpt."""
        return [one.statistics for one in self.held_out]

    @property
    def longest_copy(self) -> int | None:
        """The longest run of events that a held-out excerpt shares with a training piece; None if there is no excerpt."""
        return max((one.longest_copy or 0 for one in self.held_out), default=None)


def reference_stage(
    dataset_ref: ArtifactRef, copies_ref: ArtifactRef, num_events: int, *, is_in_parts: bool = False
) -> Stage:
    """The stage of the reference of a dataset, with parts or without, for music of `num_events` events."""
    spec = parts_key({"num_events": num_events}, is_in_parts=is_in_parts)
    libraries = ("numpy",)
    return Stage(KIND, REFERENCE_VERSION, spec, (dataset_ref, copies_ref), libraries)


def usual_events(events: Sequence[int]) -> int:
    """Give the median length of some music, in events, to a tenth: so that music of about this length has one reference."""
    median = max(float(np.median(events)), 1.0)
    return round(2 ** (round(math.log2(median) * STEPS_IN_AN_OCTAVE) / STEPS_IN_AN_OCTAVE))


def measure_reference(store: Store, dataset_ref: ArtifactRef, copies_ref: ArtifactRef, num_events: int) -> ArtifactRef:
    """Cut excerpts and measure them; they are shorter than `num_events` where half of the held-out pieces are."""
    dataset = load_dataset(store, dataset_ref)
    stage = reference_stage(dataset_ref, copies_ref, num_events, is_in_parts=has_parts(dataset))
    if store.has(stage.ref):
        return stage.ref
    if dataset.is_bundled:
        _take_nearest(store, stage, dataset, num_events)
        return stage.ref
    index, reader = load_index(store, copies_ref), event_reader(dataset)
    events = excerpt_events(dataset, num_events)
    segments = _segments(store, dataset, _held_out(dataset), events)
    training = _segments(store, dataset, dataset.spans[TRAIN], events)

    measured = [measure(dataset, index, reader, Excerpt.of(one)) for one in segments]
    bounds = _bounds(dataset, [Excerpt.of(one) for one in training])
    statistics = [one.statistics for one in measured]
    found: dict[str, Any] = {
        "events": events,
        "names": [one.name for one in segments],
        "held_out": [one.to_json() for one in measured],
        "areas": {
            name: {metric: one.area for metric, one in compare(statistics, bound).items()}
            for name, bound in bounds.items()
        },
    }
    if has_parts(dataset):
        found["parts"] = describe_parts(dataset, [notes_of(dataset, Excerpt.of(one)) for one in segments])
    with store.write(stage) as writer:
        writer.file("reference", "json").write_text(
            json.dumps(found, sort_keys=True, allow_nan=False), encoding="utf-8"
        )
        for number, segment in enumerate(segments, start=1):
            writer.file(f"held_out_{number:03d}", "mid").write_bytes(_midi(dataset, segment))
        writer.counts.update(held_out=len(segments), training=len(training), events=events)
    return stage.ref


def _held_out(dataset: Dataset) -> list[PieceSpan]:
    """Give the held-out pieces, or the training pieces if there are none."""
    held_out = sorted({*dataset.spans[VALIDATION], *dataset.spans[TEST]}, key=lambda span: span.piece_id)
    return held_out or list(dataset.spans[TRAIN])


def excerpt_events(dataset: Dataset, num_events: int) -> int:
    """Give how long the excerpts for results of `num_events` are: shorter ones where half of the held-out pieces are."""
    return max(min(num_events, int(np.median([span.events for span in _held_out(dataset)]))), 1)


def _take_nearest(store: Store, stage: Stage, dataset: Dataset, num_events: int) -> None:
    """Take, of the references that came with a dataset, the one of the length nearest to `num_events`."""
    lengths: list[int] = dataset.artifact.facts[LENGTHS]
    nearest = min(lengths, key=lambda events: abs(math.log(events / max(num_events, 1))))
    mark = bundled_name(nearest)
    with store.write(stage) as writer:
        for key, entry in sorted(dataset.artifact.manifest["files"].items()):
            if entry["name"].startswith(mark):
                name, extension = entry["name"].removeprefix(mark), key.removeprefix(f"{entry['name']}.")
                shutil.copyfile(dataset.artifact.file(key), writer.file(name, extension))
        writer.counts.update(events=nearest)


def bundled_name(events: int) -> str:
    """Give what the names of a reference begin with among the files of the dataset of a bundle."""
    return f"reference_{events:06d}_"


def _midi(dataset: Dataset, segment: Prompt) -> bytes:
    first = segment.position_in_bar_steps
    notes = to_notes(segment.tokens, dataset.events, dataset.vocabularies, first_onset_steps=first, segment=segment)
    return write_midi(notes, programs_at_start=False)  # as in every artifact of this version: equal keys, equal bytes


def read_reference(store: Store, ref: ArtifactRef) -> Reference:
    """Read a reference."""
    found = json.loads(store.open(ref).file("reference").read_bytes())
    return Reference(
        found["events"],
        found["names"],
        [Measured.from_json(one) for one in found["held_out"]],
        found["areas"],
        found.get("parts"),
    )


def mean_areas(found: Mapping[str, float | None], reference: Reference) -> list[float | None]:
    """Average the areas of the results, the ceiling and the floor over the metrics that all three have."""
    columns = [found, *(reference.areas[name] for name in BOUNDS)]
    shared = [metric for metric in found if all(column.get(metric) is not None for column in columns)]
    values = [[column[metric] or 0.0 for metric in shared] for column in columns]
    return [math.fsum(areas) / len(areas) if areas else None for areas in values]


def areas(held_out: Sequence[Mapping[str, float]], other: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    """Give the overlapped area of each metric; None if it is undefined."""
    return {metric: one.area for metric, one in compare(held_out, other).items()}


def _bounds(dataset: Dataset, excerpts: Sequence[Excerpt]) -> dict[str, list[dict[str, float]]]:
    """Give the statistics of training excerpts, and of the same excerpts shuffled."""
    pieces = [notes_of(dataset, one) for one in excerpts]
    bars = [one.bar_steps / dataset.events.grid.steps_per_quarter for one in excerpts]
    return {
        name: [statistics_of(dataset, piece, bar) for piece, bar in zip(notes, bars, strict=True)]
        for name, notes in zip(BOUNDS, (pieces, shuffled_pieces(pieces, RANDOM_SEED)), strict=True)
    }


def _segments(store: Store, dataset: Dataset, spans: Sequence[PieceSpan], events: int) -> list[Prompt]:
    """Cut excerpts that do not overlap: one from each piece that is long enough, then a second from each, and so on."""
    rng = np.random.default_rng(RANDOM_SEED)
    places = []
    for span in spans:
        fit = span.events // events
        if fit:
            first = int(rng.integers(span.events - fit * events + 1))
            parts = enumerate(rng.permutation(fit).tolist())
            places += [(turn, rng.random(), span, first + part * events) for turn, part in parts]
    chosen = [(span.piece_id, first) for _, _, span, first in sorted(places, key=lambda one: one[:2])[:MOST_EXCERPTS]]
    found = cut(store, dataset, chosen, events)
    return [found[place] for place in chosen if place in found]
