"""Models → score card: what they and the baselines cost on the held-out pieces."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.encoding.places import PLACES
from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.windows import PieceSpan, Tokens
from lstm_music.evaluation.baselines import score_baselines
from lstm_music.evaluation.contexts import TrainingPiece
from lstm_music.evaluation.scorecard import BY_PIECE, SplitScores, rows, score_card
from lstm_music.evaluation.targets import StreamScores, score
from lstm_music.models.backend import load_tensorflow
from lstm_music.parquet import write_table
from lstm_music.recipe import Recipe
from lstm_music.stages.dataset import Dataset, load_dataset
from lstm_music.stages.models import load_model
from lstm_music.stages.notes import read_pieces
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "scorecard"
SCORECARD_VERSION = 2


def scorecard_stage(recipe: Recipe, dataset_ref: ArtifactRef, models: Mapping[str, ArtifactRef]) -> Stage:
    """The score card of three models on the dataset that they were trained on."""
    spec = {"window": recipe.windows.length, "shifts": list(recipe.windows.shifts)}
    inputs = (dataset_ref, *(models[stream] for stream in STREAMS))
    return Stage(KIND, SCORECARD_VERSION, spec, inputs, ("tensorflow", "keras", "numpy", "pyarrow"))


def evaluate(store: Store, recipe: Recipe, dataset_ref: ArtifactRef, models: Mapping[str, ArtifactRef]) -> ArtifactRef:
    """Score the models on validation and test, beside the baselines, and write the card as JSON and as a table.

    Raises MismatchError for models of other vocabularies.
    """
    stage = scorecard_stage(recipe, dataset_ref, models)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    sides = [side for side in (VALIDATION, TEST) if dataset.spans[side]]
    model_scores = score_models(store, dataset, models, dataset.tokens, {side: dataset.spans[side] for side in sides})
    baselines = _baselines(dataset, recipe, sides)
    notes = {row["piece_id"]: row["notes"] - row["drum_notes"] for row in read_pieces(store, dataset.notes_ref)}
    splits = {
        side: SplitScores(
            lengths=tuple(span.events for span in dataset.spans[side]),
            notes=sum(notes[span.piece_id] for span in dataset.spans[side]),
            models=model_scores[side],
            baselines=baselines.scores[side],
        )
        for side in sides
    }
    classes = {stream: len(dataset.vocabularies[stream].values) for stream in STREAMS}
    protocol = f"{BY_PIECE}, leaky" if dataset.is_leaky else BY_PIECE
    card = score_card(splits, classes, window=recipe.windows.length, protocol=protocol)
    with store.write(stage) as writer:
        text = json.dumps({**card, "baseline_choices": baselines.choices}, indent=1)
        writer.file("card", "json").write_text(text + "\n", encoding="utf-8")
        write_table(writer.file("card", "parquet"), pa.Table.from_pylist(rows(card)))
        writer.facts.update(
            protocol=protocol, nll_per_event={side: card["splits"][side]["nll_per_event"] for side in sides}
        )
    return stage.ref


def read_card(store: Store, ref: ArtifactRef) -> dict[str, Any]:
    """Read a score card."""
    card: dict[str, Any] = json.loads(store.open(ref).file("card.json").read_text(encoding="utf-8"))
    return card


def score_models(
    store: Store,
    dataset: Dataset,
    models: Mapping[str, ArtifactRef],
    tokens: Tokens,
    spans: Mapping[str, Sequence[PieceSpan]],
) -> dict[str, dict[str, StreamScores]]:
    """Score three models of a dataset on some pieces, by side and stream; `tokens` are in the vocabularies of the dataset."""
    load_tensorflow()
    from lstm_music.models.scoring import make_scorer

    found: dict[str, dict[str, StreamScores]] = {side: {} for side in spans}
    for column, stream in enumerate(STREAMS):
        scorer = make_scorer(load_model(store, models[stream], dataset), tokens)
        for side, pieces in spans.items():
            scores = scorer(pieces)
            found[side][stream] = score(
                np.concatenate([tokens[span.start : span.stop, column] for span in pieces]),
                np.concatenate([piece.log_probabilities[:-1] for piece in scores]),
                np.concatenate([piece.guesses[:-1] for piece in scores]),
                log_unknown=dataset.log_unknown[stream],
                end_log_probabilities=(
                    np.array([piece.log_probabilities[-1] for piece in scores]) if column == 0 else None
                ),
            )
    return found


def _baselines(dataset: Dataset, recipe: Recipe, sides: Sequence[str]) -> Any:
    def tokens(spans: Sequence[PieceSpan]) -> list[np.ndarray]:
        return [dataset.tokens[span.start : span.stop] for span in spans]

    shifts = [tuple(range(span.lowest_shift, span.highest_shift + 1)) for span in dataset.spans[TRAIN]]
    table = dataset.transposition(recipe.windows)
    return score_baselines(
        [TrainingPiece(piece, allowed) for piece, allowed in zip(tokens(dataset.spans[TRAIN]), shifts, strict=True)],
        tokens(dataset.spans[VALIDATION]),
        {side: tokens(dataset.spans[side]) for side in sides},
        dict(zip(recipe.windows.shifts, table, strict=True)),
        dataset.sizes,
        STREAMS,
        dataset.log_unknown,
        PLACES,
    )
