"""The scores of some models on held-out pieces: of their own dataset, or of newer events in their own vocabularies."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lstm_music.encoding.splits import VALIDATION
from lstm_music.encoding.windows import PieceSpan, Targets, Tokens
from lstm_music.models.backend import load_tensorflow
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.training.trained import load_model
from lstm_music.store import ArtifactRef, Store


def nats_of_pieces(
    store: Store, dataset: Dataset, models: Mapping[str, ArtifactRef], fresh: Dataset, first: int
) -> np.ndarray:
    """Score the models of `dataset` on the validation pieces of `fresh`, float64 [pieces]; each piece's ends count.

    `first` is the position in a piece of the first event that is scored. The pieces are those of `fresh.targets`, in that order.
    """
    load_tensorflow()
    from lstm_music.models.scoring import EVENTS_AT_ONCE, make_scorer, piece_nats

    tokens, targets = held_out_events(store, dataset, fresh, VALIDATION, first)
    nats = np.zeros(len(targets.spans))
    for ref in models.values():
        scorer, done = make_scorer(load_model(store, ref, dataset), tokens), 0
        for part in targets.parts(EVENTS_AT_ONCE):  # so that memory does not grow with the number of pieces
            for stream, predicted in scorer(part).items():
                wanted = tokens[part.places, dataset.streams.index(stream)]
                nats[done : done + len(part.spans)] += piece_nats(
                    predicted, wanted, dataset.log_unknown[stream], part.lengths
                )
            done += len(part.spans)
    return nats


def held_out_events(store: Store, dataset: Dataset, fresh: Dataset, split: str, first: int) -> tuple[Tokens, Targets]:
    """Give the events of a split of `fresh` in the vocabularies of `dataset`, without the other events."""
    if dataset.ref == fresh.ref:
        return dataset.tokens, dataset.targets(split, first)
    spans = fresh.spans[split]
    wanted = {span.piece_id for span in spans}
    parts = (
        columns.tokens(dataset.vocabularies, dataset.events.grid, dataset.knowledge)[columns.rows_of(wanted)].astype(
            np.uint32
        )
        for columns in iterate_columns(store, fresh.events_ref, dataset.streams)
    )
    return np.concatenate(list(parts)), Targets.of(_moved_together(spans), first)


def _moved_together(spans: tuple[PieceSpan, ...]) -> list[PieceSpan]:
    """Give the spans as they are in an array that has only their events, in the order of the table."""
    moved, start = [], 0
    for span in spans:
        moved.append(replace(span, start=start, stop=start + span.events))
        start += span.events
    return moved
