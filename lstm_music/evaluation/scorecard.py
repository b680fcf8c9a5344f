"""The score card: the negative log-likelihood of models and baselines on every split, in nats per event.

nll of a stream = all nats of the stream / events      (the offset stream includes the nats of END, which is not an event)
nll_per_event   = the sum of that over the streams
perplexity      = exp(nll)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_music.encoding.splits import VALIDATION
from lstm_music.errors import NotEnoughMusicError
from lstm_music.evaluation.targets import StreamScores

BY_PIECE = "by piece"
RANDOM_WINDOWS = "random windows"
LEAKY = "leaky"

FEWEST_PIECES = 3
"""A validation split of fewer pieces is reported: its scores depend on single pieces."""

EXPECTED_TO_LOSE = ("previous", "ngram_joint")
"""The baselines that trained models should beat, in the sum over the streams."""

StreamsScores = Mapping[str, StreamScores]
"""The scores of each stream, over the same events."""


@dataclass(frozen=True, eq=False, slots=True)
class SplitScores:
    """The scores of one split.

    `lengths` is the number of scored events of each piece. `positions`, int64 [events], is the position of each event in its
    piece. `notes` is the number of notes of the pieces, or None where only some of their events are scored, or notes of other
    parts are left out. `lookup` is the accuracy of the lookup table, by stream. `parts` are, by the name of a part, its events,
    bool [events] each.
    """

    lengths: tuple[int, ...]
    positions: np.ndarray
    notes: int | None
    models: StreamsScores
    baselines: Mapping[str, StreamsScores] = field(default_factory=dict)
    lookup: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)

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
    """Make the card, as JSON: the scores of models and baselines per split, stream and position in the piece.

    `classes` is the number of values in each stream's vocabulary. `window` is the number of events in a training window.
    `protocol` describes the split; it must contain the word "leaky" where the split leaks.

    Raises NotEnoughMusicError for a split without an event to score.
    """
    return {
        "protocol": protocol,
        "window": window,
        "splits": {name: _split(name, split, classes, window) for name, split in splits.items()},
    }


def rows(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the card as a table: one row per split, predictor ("models" or a baseline) and stream ("all" for their sum)."""
    return [
        {"protocol": card["protocol"], "split": name, "predictor": predictor, "events": split["events"], **row}
        for name, split in card["splits"].items()
        for predictor, scores in {"models": split, **split["baselines"]}.items()
        for row in _stream_rows(scores)
    ]


def card_warnings(card: Mapping[str, Any]) -> list[str]:
    """List what makes a card's models doubtful, one sentence each, with what to do; empty where nothing does.

    It reads the validation split: fewer than three pieces, a sum that a simple baseline beats, or a stream that the baseline
    `previous` beats.
    """
    split = card["splits"].get(VALIDATION)
    if split is None:
        return []
    where = f"{VALIDATION}, {LEAKY}" if LEAKY in card["protocol"] else VALIDATION
    return [*_few_pieces(split["pieces"]), *(_worse_in_sum(split, where) or _worse_streams(split, where))]


MORE_TRAINING = "train on more pieces, for more epochs, or with a smaller recipe such as demo"


def _few_pieces(pieces: int) -> list[str]:
    if pieces >= FEWEST_PIECES:
        return []
    counted = "only 1 piece" if pieces == 1 else f"only {pieces} pieces"
    doubt = f"The {VALIDATION} split has {counted}, so its scores and the choice of the best epoch are not reliable"
    return [f"{doubt}: add pieces, or raise split.{VALIDATION} in the recipe"]


def _worse_in_sum(split: Mapping[str, Any], where: str) -> list[str]:
    nll = split["nll_per_event"]
    better = {
        name: split["baselines"][name]["nll_per_event"] for name in EXPECTED_TO_LOSE if name in split["baselines"]
    }
    shown = [f"{name} ({score:.3f})" for name, score in better.items() if score < nll]
    if not shown:
        return []
    baselines = f"baseline{'s' if len(shown) > 1 else ''} {' and '.join(shown)}"
    return [f"The models ({nll:.3f} nats per event on {where}) are worse than the {baselines}: {MORE_TRAINING}"]


def _worse_streams(split: Mapping[str, Any], where: str) -> list[str]:
    previous = split["baselines"].get("previous", {"streams": {}})["streams"]
    return [
        f"The {stream} model ({scores['nll']:.3f} nats per event on {where}) is worse than the baseline previous "
        f"({previous[stream]['nll']:.3f}): {MORE_TRAINING}"
        for stream, scores in split["streams"].items()
        if stream in previous and previous[stream]["nll"] < scores["nll"]
    ]


def _split(name: str, split: SplitScores, classes: Mapping[str, int], window: int) -> dict[str, Any]:
    if not split.events:
        raise NotEnoughMusicError(
            f"split {name}: expected at least one event to score, got none in {len(split.lengths)} pieces; add longer pieces",
        )
    total = sum(scores.total for scores in split.models.values())
    return {
        "pieces": len(split.lengths),
        "events": split.events,
        "notes": split.notes,
        "first_position": int(split.positions.min()),
        "nats_total": total,
        "nll_per_note": total / split.notes if split.notes else None,
        **_scores(split.models, split.events, classes),
        "baselines": {name: _scores(scores, split.events, classes) for name, scores in split.baselines.items()},
        "lookup": dict(split.lookup),
        "positions": _positions(split, window),
        **({"parts": _by_part(split)} if split.parts else {}),
    }


def _by_part(split: SplitScores) -> dict[str, Any]:
    """Give the nats per event of each part that plays, by predictor and stream; END belongs to no part."""

    def means(streams: StreamsScores, is_own: np.ndarray) -> dict[str, float]:
        return {stream: float(scores.nats[is_own].mean()) for stream, scores in streams.items()}

    return {
        part: {
            "events": int(np.count_nonzero(is_own)),
            "models": means(split.models, is_own),
            **{name: means(streams, is_own) for name, streams in split.baselines.items()},
        }
        for part, is_own in split.parts.items()
        if is_own.any()
    }


def _scores(streams: StreamsScores, events: int, classes: Mapping[str, int]) -> dict[str, Any]:
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
    """Group the events by their position in the piece; the nats of END count with the piece's last event."""
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
    """Give the first position of each bin: 0, a quarter of the training window, and its doublings up to `end` (exclusive)."""
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
