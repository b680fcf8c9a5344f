"""Models → score card: what they and the baselines cost on the held-out pieces."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.encoding.places import PLACES
from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.encoding.windows import Targets, Tokens
from lstm_music.evaluation.baselines import Baselines, score_baselines
from lstm_music.evaluation.contexts import History, Training, TrainingPiece
from lstm_music.evaluation.lookup import lookup_accuracy
from lstm_music.evaluation.scorecard import BY_PIECE, RANDOM_WINDOWS, SplitScores, rows, score_card
from lstm_music.evaluation.targets import StreamScores, score
from lstm_music.models.backend import load_tensorflow
from lstm_music.parquet import write_table
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.training.trained import load_model
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "scorecard"
SCORECARD_VERSION = 3


def scorecard_stage(recipe: Recipe, dataset_ref: ArtifactRef, models: Mapping[str, ArtifactRef]) -> Stage:
    """The score card of the models of a recipe on the dataset that they were trained on."""
    spec = {
        "models": list(models),
        "window": recipe.windows.length,
        "first": recipe.first_target,
        "shifts": list(recipe.windows.shifts),
    }
    return Stage(
        KIND, SCORECARD_VERSION, spec, (dataset_ref, *models.values()), ("tensorflow", "keras", "numpy", "pyarrow")
    )


def evaluate(store: Store, recipe: Recipe, dataset_ref: ArtifactRef, models: Mapping[str, ArtifactRef]) -> ArtifactRef:
    """Score the models on validation and test, beside the baselines, and write the card as JSON and as a table.

    Raises MismatchError for models of other vocabularies.
    """
    stage = scorecard_stage(recipe, dataset_ref, models)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    targets = {split: dataset.targets(split, recipe.first_target) for split in (VALIDATION, TEST)}
    targets = {split: found for split, found in targets.items() if found.spans}
    streams = recipe.model.predicted
    model_scores = score_models(store, dataset, models, dataset.tokens, targets)
    baselines = _baselines(dataset, recipe, targets)
    lookup = _lookup(dataset, recipe, targets)
    splits = {
        split: SplitScores(
            lengths=found.lengths,
            positions=found.positions,
            notes=None if recipe.first_target else _notes(store, dataset, found),
            models=model_scores[split],
            baselines=baselines.scores[split],
            lookup=lookup[split],
        )
        for split, found in targets.items()
    }
    classes = {stream: len(dataset.vocabularies[stream].values) for stream in streams}
    protocol = protocol_of(dataset)
    card = score_card(splits, classes, window=recipe.windows.length, protocol=protocol)
    with store.write(stage) as writer:
        text = json.dumps({**card, "baseline_choices": baselines.choices}, indent=1)
        writer.file("card", "json").write_text(text + "\n", encoding="utf-8")
        write_table(writer.file("card", "parquet"), pa.Table.from_pylist(rows(card)))
        writer.facts.update(
            protocol=protocol,
            nll_per_event={split: card["splits"][split]["nll_per_event"] for split in targets},
        )
    return stage.ref


def protocol_of(dataset: Dataset) -> str:
    """Say how a dataset was split, with the word that every number on it has to stand with where it leaks."""
    name = RANDOM_WINDOWS if dataset.is_split_by_event else BY_PIECE
    return f"{name}, leaky" if dataset.is_leaky else name


def read_card(store: Store, ref: ArtifactRef) -> dict[str, Any]:
    """Read a score card."""
    card: dict[str, Any] = json.loads(store.open(ref).file("card.json").read_text(encoding="utf-8"))
    return card


def score_models(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    tokens: Tokens,
    targets: Mapping[str, Targets],
) -> dict[str, dict[str, StreamScores]]:
    """Score the models of a dataset on some events, by side and stream; `tokens` are in the vocabularies of the dataset."""
    load_tensorflow()
    from lstm_music.models.scoring import make_scorer

    found: dict[str, dict[str, StreamScores]] = {split: {} for split in targets}
    for ref in models.values():
        scorer = make_scorer(load_model(store, ref, dataset), tokens)
        for split, asked in targets.items():
            for stream, said in scorer(asked).items():
                found[split][stream] = score(
                    tokens[asked.places, dataset.streams.index(stream)],
                    said.log_probabilities,
                    said.guesses,
                    log_unknown=dataset.log_unknown[stream],
                    end_log_probabilities=said.end_log_probabilities,
                )
    return found


def _notes(store: Store, dataset: Dataset, targets: Targets) -> int:
    """Count the pitched notes of the pieces that are scored."""
    rows = read_pieces(store, dataset.notes_ref, ("piece_id", "notes", "drum_notes"))
    notes = {row["piece_id"]: row["notes"] - row["drum_notes"] for row in rows}
    return sum(notes[span.piece_id] for span in targets.spans)


def _pieces(dataset: Dataset, targets: Targets) -> list[np.ndarray]:
    """The streams and the places of the events of each piece: what the baselines read."""
    return [dataset.tokens[span.start : span.stop, : len(dataset.streams) + len(PLACES)] for span in targets.spans]


def _chosen(targets: Targets) -> list[np.ndarray]:
    """Which events of each piece are targets, bool [events] each."""
    borders = np.cumsum([0, *targets.lengths])
    chosen = []
    for span, begin, end in zip(targets.spans, borders[:-1], borders[1:], strict=True):
        marks = np.zeros(span.events, np.bool_)
        marks[targets.places[begin:end] - span.start] = True
        chosen.append(marks)
    return chosen


def _baselines(dataset: Dataset, recipe: Recipe, targets: Mapping[str, Targets]) -> Baselines:
    train = dataset.targets(TRAIN)
    validation = targets[VALIDATION]
    asked = {TRAIN: train, **targets}
    table = dataset.transposition(recipe.windows)
    return score_baselines(
        [
            TrainingPiece(piece, tuple(range(span.lowest_shift, span.highest_shift + 1)))
            for piece, span in zip(_pieces(dataset, train), train.spans, strict=True)
        ],
        _pieces(dataset, validation),
        {split: _pieces(dataset, found) for split, found in targets.items()},
        dict(zip(recipe.windows.shifts, table, strict=True)),
        {name: dataset.sizes[name] for name in (*dataset.streams, *PLACES)},
        dataset.streams,
        dataset.log_unknown,
        PLACES,
        chosen={split: _chosen(found) for split, found in asked.items()} if recipe.first_target else None,
        predicted=recipe.model.predicted,
    )


def _lookup(dataset: Dataset, recipe: Recipe, targets: Mapping[str, Targets]) -> dict[str, dict[str, float]]:
    """The accuracy of the lookup table, by side and stream: for the report's architectures, whose claim it tests."""
    if not recipe.model.is_windowed:
        return {split: {} for split in targets}
    sizes = tuple(dataset.sizes[stream] for stream in dataset.streams)

    def history(found: Targets) -> History:
        pieces = [piece[:, : len(dataset.streams)] for piece in _pieces(dataset, found)]
        return History.of(pieces, len(dataset.streams), with_end=False, chosen=_chosen(found))

    train = dataset.targets(TRAIN)
    pieces = [TrainingPiece(piece[:, : len(dataset.streams)]) for piece in _pieces(dataset, train)]
    notes = dataset.streams.index("note")
    as_written = {0: np.arange(sizes[notes])}
    training = Training.of(pieces, as_written, sizes, note=notes, with_end=False, chosen=_chosen(train))
    return {
        split: {
            stream: lookup_accuracy(training, history(found), dataset.streams.index(stream))
            for stream in recipe.model.predicted
        }
        for split, found in targets.items()
    }
