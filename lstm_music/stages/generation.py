"""Models → music: seed segments, the loop, and the files that a person opens."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.encoding.splits import TEST, VALIDATION
from lstm_music.encoding.windows import PieceSpan
from lstm_music.errors import NotEnoughMusicError, RejectedInputError, SourceError
from lstm_music.generation.seed_segment import SeedSegment, choose_places, cut_segment, start_in_bar, to_notes
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.score import read_score
from lstm_music.midi.table import from_arrow
from lstm_music.midi.text import printable
from lstm_music.midi.usable import require_music
from lstm_music.midi.writer import write_midi
from lstm_music.models.backend import load_tensorflow
from lstm_music.rendering.piano_roll import piano_roll
from lstm_music.sources.entry import Refused, music_format
from lstm_music.sources.file import read_file
from lstm_music.stages.dataset import Dataset, load_dataset
from lstm_music.stages.events import read_piece
from lstm_music.stages.models import load_model
from lstm_music.stages.notes import iterate_notes, read_pieces
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "generations"
GENERATION_VERSION = 1


@dataclass(frozen=True)
class SeedMidi:
    """A file that a person gave to start from: what it is called, its bytes and format."""

    name: str
    data: bytes
    format: str

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


def read_seed_midi(path: Path) -> SeedMidi:
    """Read the file given by `--seed-midi`; SourceError where there is none, or it is no music by its extension."""
    form = music_format(path.name)
    if form is None:
        raise SourceError(f"{path}: not a music file by its extension; a .mid file would be right")
    read = read_file(path, printable(path.name))
    if isinstance(read, Refused):
        raise SourceError(f"{path}: {read.reason}; the path of a music file would be right")
    return SeedMidi(read.name, read.data, form)


def generation_stage(
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
    return Stage(KIND, GENERATION_VERSION, settings, inputs, libraries, plain_names=True)


def generate(
    store: Store,
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    seed_midi: SeedMidi | None = None,
) -> ArtifactRef:
    """Write `seed_001.mid`, `result_001.mid`, a picture and the settings of each output.

    Raises NotEnoughMusicError where no held-out piece is as long as a seed segment, RejectedInputError for a seed MIDI that
    holds no music, MismatchError for models of other vocabularies.
    """
    stage = generation_stage(dataset_ref, models, spec, random_seed, seed_midi)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    segments = (
        [_segment_of_file(dataset, seed_midi)] * spec.num_outputs
        if seed_midi
        else _held_out_segments(store, dataset, spec, random_seed)
    )
    tokens = _continue(store, dataset, models, spec, random_seed, segments)
    if not all(map(len, tokens)):
        raise NotEnoughMusicError(
            "no offset that the models know leads from the end of the seed segment to a point of the grid; "
            "give another --seed-midi FILE, or train on more music"
        )
    settings = {"models": {name: ref.key for name, ref in models.items()}, **stage.spec}
    with store.write(stage) as writer:
        for number, (segment, new) in enumerate(zip(segments, tokens, strict=True), start=1):
            _write_output(writer, number, dataset, spec, segment, new, settings)
        writer.counts.update({f"events_{number:03d}": len(new) for number, new in enumerate(tokens, start=1)})
    return stage.ref


def describe_generation(store: Store, ref: ArtifactRef, directory: Path | None = None) -> dict[str, Any]:
    """Say which files a generation has, for `--json`: those in `directory` where they were copied to one."""
    artifact = store.open(ref)
    folder = directory or artifact.folder

    def place(name: str) -> str:
        return str(folder / artifact.file(name).name)

    numbers = sorted((key.removeprefix("events_") for key in artifact.counts), key=int)
    return {
        "outputs": [
            {
                "midi": place(f"result_{number}.mid"),
                "seed_midi": place(f"seed_{number}.mid"),
                "picture": place(f"result_{number}.svg"),
                "settings": place(f"result_{number}.json"),
                "events": artifact.counts[f"events_{number}"],
            }
            for number in numbers
        ],
        "directory": str(folder),
    }


def _continue(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    spec: GenerationSpec,
    random_seed: int,
    segments: Sequence[SeedSegment],
) -> list[np.ndarray]:
    """Run the loop from the last event of each segment."""
    load_tensorflow()
    from lstm_music.generation.grammar import make_grammar
    from lstm_music.generation.loop import Seeds, generate_tokens

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
                f"{segments[0].name}: has {len(segments[0].tokens)} events, and the models read a window of "
                f"{model.columns.window}; give a longer --seed-midi, or more --seed-segment-events"
            )
    return generate_tokens(
        loaded,
        make_grammar(dataset.events, dataset.vocabularies),
        spec,
        seeds,
        random_seed,
    )


def _segment_of_file(dataset: Dataset, seed_midi: SeedMidi) -> SeedSegment:
    """Take the whole of a file that a person gave."""
    try:
        form, data = seed_midi.format, seed_midi.data
        piece = read_midi(data) if form == "midi" else read_score(data, form)
        require_music(piece)
    except RejectedInputError as error:
        raise RejectedInputError(f"{seed_midi.name}: {error}; give a file with notes to start from") from error
    if dataset.events.reading != "exact" and form != "midi":
        raise RejectedInputError(f"{seed_midi.name}: is {form}, and these models read MIDI files; give a .mid file")
    events = read_piece(piece, dataset.events, name=seed_midi.name, form=form, raw=lambda: data)
    if not len(events):
        raise RejectedInputError(
            f"{seed_midi.name}: holds no event by the reading of these models; give a longer piece"
        )
    return cut_segment(
        piece, events, dataset.events, dataset.vocabularies, name=seed_midi.name, first=0, length=len(events)
    )


def _held_out_segments(store: Store, dataset: Dataset, spec: GenerationSpec, random_seed: int) -> list[SeedSegment]:
    """Cut segments out of the pieces that nothing was learnt from; with random windows there are none, and any piece will do."""
    spans = sorted({*dataset.spans[VALIDATION], *dataset.spans[TEST]}, key=lambda span: span.piece_id)
    if not spans:
        raise NotEnoughMusicError(
            "no piece is held out to take a seed segment from; give --seed-midi FILE, or more music"
        )
    length = spec.seed_segment_events
    places = choose_places([span.events for span in spans], length, spec.num_outputs, random_seed)
    pieces = _read_pieces(store, dataset, {spans[index] for index, _ in places})
    segments = []
    for index, first in places:
        row, piece = pieces[spans[index].piece_id]
        raw = partial(store.get_blob, row["piece_id"])
        events = read_piece(piece, dataset.events, name=row["name"], form=row["format"], raw=raw)
        segments.append(
            cut_segment(
                piece, events, dataset.events, dataset.vocabularies, name=row["name"], first=first, length=length
            )
        )
    return segments


def _read_pieces(store: Store, dataset: Dataset, spans: set[PieceSpan]) -> dict[str, tuple[dict[str, Any], PieceNotes]]:
    """Give (row of the table of pieces, notes) of some pieces."""
    wanted = {span.piece_id for span in spans}
    rows = {row["piece_id"]: row for row in read_pieces(store, dataset.notes_ref) if row["piece_id"] in wanted}
    return {
        piece_id: (rows[piece_id], from_arrow(table, rows[piece_id]))
        for piece_id, table in iterate_notes(store, dataset.notes_ref)
        if piece_id in wanted
    }


def _write_output(
    writer: Any,
    number: int,
    dataset: Dataset,
    spec: GenerationSpec,
    segment: SeedSegment,
    new: np.ndarray,
    settings: Mapping[str, Any],
) -> None:
    """Write the files of one output; result and seed segment begin within the bar that they begin in."""
    grid = dataset.events.grid
    passed = grid.steps(dataset.vocabularies["offset"].value(int(new[0, 0])))
    onset = segment.last_onset_steps + passed
    seed_start = start_in_bar(segment.onset_steps, segment.position_in_bar_steps, grid)
    start = start_in_bar(onset, (segment.last_position_in_bar_steps + passed) % segment.bar_steps, grid)

    def notes(tokens: np.ndarray, first_onset_steps: int) -> PieceNotes:
        return to_notes(
            tokens, dataset.events, dataset.vocabularies, first_onset_steps=first_onset_steps, segment=segment
        )

    seed = notes(segment.tokens, seed_start)
    result = (
        notes(np.concatenate([segment.tokens, new]), seed_start) if spec.include_seed_segment else notes(new, start)
    )
    writer.file(f"seed_{number:03d}", "mid").write_bytes(write_midi(seed))
    writer.file(f"result_{number:03d}", "mid").write_bytes(write_midi(result))
    picture = piano_roll(
        result,
        f"{segment.name}, continued",
        None if spec.include_seed_segment else seed,
        result_at_quarters=(onset - start - segment.onset_steps + seed_start) // grid.steps_per_quarter,
        bar_quarters=segment.bar_steps / grid.steps_per_quarter,
    )
    writer.file(f"result_{number:03d}", "svg").write_text(picture, encoding="utf-8")
    said = {
        **settings,
        "output": number,
        "events": len(new),
        "seed_segment": {
            "piece": segment.name,
            "first_event": segment.first,
            "events": len(segment.tokens),
            "replaced_values": segment.replaced,
        },
    }
    text = json.dumps(said, indent=1, sort_keys=True)
    writer.file(f"result_{number:03d}", "json").write_text(text + "\n", encoding="utf-8")
