"""Models → score card: the scores of the models and the baselines on the held-out pieces."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.encoding.places import PLACES
from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.encoding.streams import PART, chain_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import Targets, Tokens
from lstm_music.evaluation.baselines import Baselines, score_baselines
from lstm_music.evaluation.contexts import History, Training, TrainingPiece
from lstm_music.evaluation.fine_tuned import Kept, verdict_on, what_is_kept
from lstm_music.evaluation.lookup import lookup_accuracy
from lstm_music.evaluation.scorecard import (
    BY_PIECE,
    LEAKY,
    RANDOM_WINDOWS,
    SplitScores,
    card_warnings,
    rows,
    score_card,
)
from lstm_music.evaluation.targets import StreamScores, score
from lstm_music.models.backend import load_tensorflow
from lstm_music.parquet import write_table
from lstm_music.recipe import Recipe
from lstm_music.stages.current import kept_form
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.training.piece_scores import held_out_events
from lstm_music.stages.training.trained import load_model
from lstm_music.store import Artifact, ArtifactRef, Stage, Store

KIND = "scorecard"
SCORECARD_VERSION = 3


@dataclass(frozen=True)
class Trained:
    """Models by their names, and the dataset that they were trained on."""

    dataset: ArtifactRef
    models: Mapping[str, ArtifactRef]


Beside = Mapping[str, Trained]
"""Other models that are scored beside those of a card, on the same pieces: what the card calls them → these models."""

NONE_BESIDE: Beside = MappingProxyType({})


def scorecard_stage(
    recipe: Recipe, dataset_ref: ArtifactRef, models: Mapping[str, ArtifactRef], beside: Beside = NONE_BESIDE
) -> Stage:
    """Give the stage that scores the models of a recipe on the dataset that they were trained on, and others beside them."""
    spec = {
        "models": list(models),
        "window": recipe.windows.length,
        "first": recipe.first_target,
        "shifts": list(recipe.windows.shifts),
    }
    if beside:
        spec["beside"] = [[name, list(one.models)] for name, one in beside.items()]
    others = [ref for one in beside.values() for ref in (one.dataset, *one.models.values())]
    inputs = (dataset_ref, *models.values(), *others)
    return Stage(KIND, SCORECARD_VERSION, spec, inputs, ("tensorflow", "keras", "numpy", "pyarrow"))


def evaluate(
    store: Store,
    recipe: Recipe,
    dataset_ref: ArtifactRef,
    models: Mapping[str, ArtifactRef],
    beside: Beside = NONE_BESIDE,
) -> ArtifactRef:
    """Score the models and the baselines on validation and test, and write the card as JSON and as a table.

    The models `beside` them are scored on the same pieces, among the baselines. Raises MismatchError for models of other
    vocabularies.
    """
    stage = scorecard_stage(recipe, dataset_ref, models, beside)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    targets = {split: dataset.targets(split, recipe.first_target) for split in (VALIDATION, TEST)}
    targets = {split: found for split, found in targets.items() if found.spans}
    streams = recipe.model.predicted
    model_scores = score_models(store, dataset, models, dataset.tokens, targets)
    baselines = _baselines(dataset, recipe, targets)
    others = {name: _scores_beside(store, one, dataset, recipe, [*targets]) for name, one in beside.items()}
    lookup = _lookup(dataset, recipe, targets)
    splits = {
        split: SplitScores(
            lengths=found.lengths,
            positions=found.positions,
            notes=None if recipe.first_target or PART in dataset.streams else _notes(store, dataset, found),
            models=model_scores[split],
            baselines={**baselines.scores[split], **{name: found[split] for name, found in others.items()}},
            lookup=lookup[split],
            parts=_parts(dataset, found),
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
        writer.provenance.update(recipe=kept_form(recipe))  # for `repair`
        writer.facts.update(
            protocol=protocol,
            nll_per_event={split: card["splits"][split]["nll_per_event"] for split in targets},
        )
    return stage.ref


def protocol_of(dataset: Dataset) -> str:
    """Describe how a dataset was split; every score on a leaky split is shown with this text."""
    name = RANDOM_WINDOWS if dataset.is_split_by_event else BY_PIECE
    return f"{name}, {LEAKY}" if dataset.is_leaky else name


def read_card(store: Store, ref: ArtifactRef) -> dict[str, Any]:
    """Read a score card, with what follows from the scores: its `warnings`, and the `verdict` on a fine-tuning."""
    card: dict[str, Any] = json.loads(store.open(ref).file("card.json").read_text(encoding="utf-8"))
    verdict = verdict_on(card)
    if verdict and (kept := what_is_kept(_kept_of_starts(store, ref))):
        verdict = f"{verdict}. {kept}"
    return {**card, "warnings": card_warnings(card), **({"verdict": verdict} if verdict else {})}


def _kept_of_starts(store: Store, ref: ArtifactRef) -> dict[str, Kept]:
    """Give what the models of a card keep of their starts, by their names, as far as they are there."""
    artifacts = {name: store.open(model) for name, model in models_of_card(store, ref).items() if store.has(model)}
    return {
        name: Kept(artifact.counts["best_epoch"], artifact.facts.get("start_share", 0.0))
        for name, artifact in artifacts.items()
    }


def models_of_card(store: Store, ref: ArtifactRef) -> dict[str, ArtifactRef]:
    """Give the models that a score card is about, by their names."""
    artifact = store.open(ref)
    names = artifact.manifest["spec"]["models"]
    return dict(zip(names, artifact.inputs[1 : 1 + len(names)], strict=True))


def beside_of_card(artifact: Artifact) -> dict[str, Trained]:
    """Give the other models that a score card has, by what it calls them."""
    spec, found = artifact.manifest["spec"], {}
    inputs = iter(artifact.inputs[1 + len(spec["models"]) :])
    for name, models in spec.get("beside", []):
        dataset = next(inputs)
        found[name] = Trained(dataset, {model: next(inputs) for model in models})
    return found


def score_models(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    tokens: Tokens,
    targets: Mapping[str, Targets],
) -> dict[str, dict[str, StreamScores]]:
    """Score the models of a dataset on some events, by split and stream; `tokens` are in the vocabularies of the dataset."""
    load_tensorflow()
    from lstm_music.models.scoring import make_scorer

    found: dict[str, dict[str, StreamScores]] = {split: {} for split in targets}
    for ref in models.values():
        scorer = make_scorer(load_model(store, ref, dataset), tokens)
        for split, scored in targets.items():
            for stream, predicted in scorer(scored).items():
                found[split][stream] = score(
                    tokens[scored.places, dataset.streams.index(stream)],
                    predicted.log_probabilities,
                    predicted.guesses,
                    log_unknown=dataset.log_unknown[stream],
                    end_log_probabilities=predicted.end_log_probabilities,
                )
    return found


def _scores_beside(
    store: Store, other: Trained, fresh: Dataset, recipe: Recipe, splits: Sequence[str]
) -> dict[str, dict[str, StreamScores]]:
    """Score other models on the held-out pieces of `fresh`, by split and stream, in their own vocabularies."""
    dataset, found = load_dataset(store, other.dataset), dict[str, dict[str, StreamScores]]()
    for split in splits:
        tokens, targets = held_out_events(store, dataset, fresh, split, recipe.first_target)
        found |= score_models(store, dataset, other.models, tokens, {split: targets})
    return found


def _parts(dataset: Dataset, targets: Targets) -> dict[str, np.ndarray]:
    """Mark the events of each part, bool [events], if there are parts; those of unknown parts are in none."""
    if PART not in dataset.streams:
        return {}
    tokens = dataset.tokens[targets.places, dataset.streams.index(PART)]
    values = dataset.vocabularies[PART].values
    return {part: tokens == token for token, part in enumerate(values, start=SPECIAL_IDS)}


def _notes(store: Store, dataset: Dataset, targets: Targets) -> int:
    """Count the pitched notes of the scored pieces."""
    rows = read_pieces(store, dataset.notes_ref, ("piece_id", "notes", "drum_notes"))
    notes = {row["piece_id"]: row["notes"] - row["drum_notes"] for row in rows}
    return sum(notes[span.piece_id] for span in targets.spans)


def _pieces(dataset: Dataset, targets: Targets) -> list[np.ndarray]:
    """Give what the baselines read: the streams in the order of the chain, and the places of the events of each piece."""
    streams = dataset.streams
    if chain_of(streams) == streams:  # views of the memory map, no copies
        return [dataset.tokens[span.start : span.stop, : len(streams) + len(PLACES)] for span in targets.spans]
    order = [*(streams.index(stream) for stream in chain_of(streams)), *range(len(streams), len(streams) + len(PLACES))]
    return [dataset.tokens[span.start : span.stop, : len(order)][:, order] for span in targets.spans]


def _chosen(targets: Targets) -> list[np.ndarray]:
    """Mark the events of each piece that are targets, bool [events] each."""
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
    all_targets = {TRAIN: train, **targets}
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
        chain_of(dataset.streams),
        dataset.log_unknown,
        PLACES,
        chosen={split: _chosen(found) for split, found in all_targets.items()} if recipe.first_target else None,
        predicted=recipe.model.predicted,
    )


def _lookup(dataset: Dataset, recipe: Recipe, targets: Mapping[str, Targets]) -> dict[str, dict[str, float]]:
    """Give the accuracy of the lookup table by split and stream, for the report's architectures, whose claim it tests."""
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
