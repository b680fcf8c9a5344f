"""The score card: what the models and the baselines cost on every split, in nats per event.

nll of a stream = all nats of the stream / events      (the offset stream: with those of END, which is not an event)
nll_per_event   = the sum of that over the streams
perplexity      = exp(nll)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_music.errors import NotEnoughMusicError
from lstm_music.evaluation.targets import StreamScores

BY_PIECE = "by piece"
RANDOM_WINDOWS = "random windows"

StreamsScores = Mapping[str, StreamScores]
"""The scores of each stream, over the same events."""


@dataclass(frozen=True, eq=False, slots=True)
class SplitScores:
    """The scores of one split.

    `lengths` is the number of scored events of each piece, `positions`, int64 [events], where in its piece each stands, and
    `notes` the number of notes of the pieces; None where not all of their events are scored. `lookup` is the accuracy of
    a table without learning, by stream.
    """

    lengths: tuple[int, ...]
    positions: np.ndarray
    notes: int | None
    models: StreamsScores
    baselines: Mapping[str, StreamsScores] = field(default_factory=dict)
    lookup: Mapping[str, float] = field(default_factory=dict)

    @property
    def events(self) -> int:
        """The number of scored events."""
        return sum(self.lengths)


def score_card(
    splits: Mapping[str, SplitScores],
    classes: Mapping[str, int],
    *,
    window: int,
    protocol: str = BY_PIECE,
) -> dict[str, Any]:
    """Make the card, as JSON: what a split's models and baselines cost, per event, stream and position in the piece.

    `classes` is the number of values in each stream's vocabulary, `window` the number of events that the models were trained
    on at once. `protocol` says how the pieces were split; a split that leaks must have that word here.

    Raises NotEnoughMusicError for a split without an event to score.
    """
    return {
        "protocol": protocol,
        "window": window,
        "splits": {name: _split(name, split, classes, window) for name, split in splits.items()},
    }


def rows(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lay the card out as a table: a row for each split, predictor ("models" or a baseline) and stream ("all" for their sum)."""
    return [
        {"protocol": card["protocol"], "split": name, "predictor": predictor, "events": split["events"], **row}
        for name, split in card["splits"].items()
        for predictor, scores in {"models": split, **split["baselines"]}.items()
        for row in _stream_rows(scores)
    ]


def _split(name: str, split: SplitScores, classes: Mapping[str, int], window: int) -> dict[str, Any]:
    if not split.events:
        raise NotEnoughMusicError(
            f"split {name}: no event to score in {len(split.lengths)} pieces, where at least one is needed",
        )
    total = sum(scores.total for scores in split.models.values())
    return {
        "pieces": len(split.lengths),
        "events": split.events,
        "notes": split.notes,
        "first_position": int(split.positions.min()),
        "nats_total": total,
        "nll_per_note": total / split.notes if split.notes else None,
        **_costs(split.models, split.events, classes),
        "baselines": {name: _costs(scores, split.events, classes) for name, scores in split.baselines.items()},
        "lookup": dict(split.lookup),
        "positions": _positions(split, window),
    }


def _costs(streams: StreamsScores, events: int, classes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "nll_per_event": sum(scores.total for scores in streams.values()) / events,
        "streams": {stream: _stream(scores, events, classes[stream]) for stream, scores in streams.items()},
    }


def _stream(scores: StreamScores, events: int, classes: int) -> dict[str, Any]:
    nll = scores.total / events
    return {
        "nll": nll,
        "perplexity": float(np.exp(nll)),
        "accuracy": float(scores.correct.mean()),
        "classes": classes,
    }


def _positions(split: SplitScores, window: int) -> list[dict[str, Any]]:
    """Cut the events into bins by their position in the piece; the nats of END are those of the piece's last event."""
    positions = split.positions
    edges = _edges(window, int(positions.max()) + 1)
    bins = np.searchsorted(edges, positions, side="right") - 1
    events = np.bincount(bins, minlength=len(edges))
    models = _nats_by_bin(split.models, split.lengths, bins, len(edges))
    baselines = {
        name: _nats_by_bin(scores, split.lengths, bins, len(edges)) for name, scores in split.baselines.items()
    }
    return [
        {
            "from": start,
            "to": edges[number + 1] if number + 1 < len(edges) else None,
            "events": int(events[number]),
            "nll_per_event": float(models[number] / events[number]),
            "baselines": {name: float(nats[number] / events[number]) for name, nats in baselines.items()},
        }
        for number, start in enumerate(edges)
        if events[number]
    ]


def _edges(window: int, end: int) -> list[int]:
    """Say where the bins begin: at 0, then at a quarter of the training window, and at each doubling up to `end` (exclusive)."""
    edges = [0]
    start = max(1, window // 4)
    while start < end:
        edges.append(start)
        start *= 2
    return edges


def _nats_by_bin(streams: StreamsScores, lengths: Sequence[int], bins: np.ndarray, number: int) -> np.ndarray:
    last = np.cumsum(lengths) - 1
    nats = np.zeros(number)
    for scores in streams.values():
        nats += np.bincount(bins, scores.nats, minlength=number)
        if len(scores.end_nats):
            nats += np.bincount(bins[last], scores.end_nats, minlength=number)
    return nats


def _stream_rows(scores: Mapping[str, Any]) -> list[dict[str, Any]]:
    whole = {"stream": "all", "nll": scores["nll_per_event"], "perplexity": None, "accuracy": None, "classes": None}
    return [whole, *({"stream": stream, **values} for stream, values in scores["streams"].items())]
