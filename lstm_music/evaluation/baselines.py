"""The baselines that every model is compared with, over the same targets by the same rules.

- `majority`: how often each token occurs in the training pieces;
- `previous`: the same token again, or else the majority;
- `ngram`: a context of the stream's own previous tokens;
- `ngram_joint`: contexts of what the chain of models knows: all streams of the previous events, the streams of this event
  that come before it in the chain, and the places of both in their bars. One chain of contexts starts with each token of a
  stream next to the target, one more is that of `ngram`, and all are mixed: on the 296 piano pieces the mixture is 0.2 nats per
  event better than the best of its chains.

The n-grams are counted over the transpositions that the recipe trains on. All their choices are tuned on validation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_music.encoding.splits import TRAIN, VALIDATION
from lstm_music.encoding.vocabulary import NOTE_STREAM, START
from lstm_music.evaluation.contexts import LONGEST_LAG, Element, History, Training, TrainingPiece
from lstm_music.evaluation.ngram import Frontier, Ngram, Prediction, grow, mix, mixture_weights, occurrences, predict
from lstm_music.evaluation.smoothing import Smoothing, bottom_distribution, tune_bottom
from lstm_music.evaluation.targets import FIRST_VALUE, StreamScores, most_probable, score

BASELINES = ("majority", "previous", "ngram", "ngram_joint")

OFFSET_STREAM = "offset"
"""The stream whose vocabulary holds the end of a piece."""


@dataclass(frozen=True, slots=True)
class Baselines:
    """The scores, `scores[split][baseline][stream]`, and the tuned choices, `choices[baseline][stream]` (JSON)."""

    scores: dict[str, dict[str, dict[str, StreamScores]]]
    choices: dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The baselines of one stream after tuning on validation."""

    majority: np.ndarray  # float64 [ids]
    repeat: float  # weight of the previous token
    ngram: Ngram
    ngram_joint: Ngram


def score_baselines(
    train: Sequence[TrainingPiece],
    validation: Sequence[np.ndarray],
    held_out: Mapping[str, Sequence[np.ndarray]],
    transposition: Mapping[int, np.ndarray],
    sizes: Mapping[str, int],
    streams: tuple[str, ...],
    log_unknown: Mapping[str, float],
    places: tuple[str, ...] = (),
    chosen: Mapping[str, Sequence[np.ndarray]] | None = None,
    predicted: tuple[str, ...] | None = None,
) -> Baselines:
    """Tune the baselines on `validation` and score them on every split of `held_out`.

    Pieces are token ids [events, columns]: the columns of `streams` in the order of the chain, and behind them those of `places`,
    which are not predicted and are known with the first stream; `ngram_joint` may use them as the models do.
    `transposition` maps each shift that a training piece names to its table note id → note id; `sizes` is the number of ids
    of each stream, `log_unknown` the logarithm of the number of values that its UNKNOWN stands for. The offset stream has one
    more target per piece, END.

    Where only some events are targets, `chosen` marks them: bool [events] for each piece of TRAIN, VALIDATION and every split,
    by name; then END is no target. `predicted` are the streams to score, by default all.
    """
    chosen = chosen or {}
    choices: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in BASELINES}
    scores: dict[str, dict[str, dict[str, StreamScores]]] = {
        split: {name: {} for name in BASELINES} for split in held_out
    }
    columns = (*streams, *places)
    ids = tuple(sizes[column] for column in columns)
    note = streams.index(NOTE_STREAM)
    as_written = [TrainingPiece(piece.tokens) for piece in train]
    for stream in predicted or streams:
        number = streams.index(stream)
        with_end = stream == OFFSET_STREAM and not chosen
        options: dict[str, Any] = {"note": note, "with_end": with_end, "chosen": chosen.get(TRAIN)}
        training = Training.of(train, transposition, ids, **options)
        plain = Training.of(as_written, {0: np.arange(ids[note])}, ids, **options)
        known = History.of(validation, len(ids), with_end=with_end, chosen=chosen.get(VALIDATION))
        found = _choose(training, plain, known, number, len(streams), with_end=with_end)
        for name, choice in _describe(found, columns).items():
            choices[name][stream] = choice
        for split, pieces in held_out.items():
            history = History.of(pieces, len(ids), with_end=with_end, chosen=chosen.get(split))
            for name, prediction in _predict(found, training, history, with_end=with_end).items():
                scores[split][name][stream] = _scored(
                    prediction, history, number, log_unknown[stream], with_end=with_end
                )
    return Baselines(scores, choices)


def own_frontier(stream: int) -> Frontier:
    """Let a context grow backwards through its own stream."""
    return lambda used: [Element(lag, stream) for lag in [len(used) + 1] if lag <= LONGEST_LAG]


def joint_frontier(stream: int, streams: int, first: Element, columns: int | None = None) -> Frontier:
    """Let a context grow from `first` by what the chain knows of the same event, and backwards through each stream.

    The columns from `streams` to `columns` (exclusive) are places: those of the event before are known, and with the first stream
    those of the same event.
    """
    places = range(streams, columns or streams)
    known = [Element(0, column) for column in (*range(stream), *(places if stream else ()))]
    known += [Element(1, place) for place in places]

    def frontier(used: Sequence[Element]) -> list[Element]:
        if not used:
            return [first]
        fresh = [element for element in known if element not in used]
        lags = [1 + sum(element.lag > 0 and element.column == other for element in used) for other in range(streams)]
        return fresh + [Element(lag, other) for other, lag in enumerate(lags) if lag <= LONGEST_LAG]

    return frontier


def joint_frontiers(stream: int, streams: int, columns: int | None = None) -> list[Frontier]:
    """List where the further chains of `ngram_joint` may grow: from each token of a stream next to the target."""
    nearest = [Element(0, earlier) for earlier in range(stream)] + [Element(1, other) for other in range(streams)]
    return [joint_frontier(stream, streams, first, columns) for first in nearest]


def previous(majority: np.ndarray, history: History, stream: int, repeat: float) -> Prediction:
    """Mix the previous token, with weight `repeat`, and the `majority` distribution, which stands alone at the first token."""
    token, before = history.at(Element(0, stream)), history.at(Element(1, stream))
    weight = np.where(before == START, 0.0, repeat)
    commonest = most_probable(majority)
    repeated = weight + (1 - weight) * majority[before]
    again = (before >= FIRST_VALUE) & (repeated >= (1 - weight) * majority[commonest])
    return Prediction(weight * (token == before) + (1 - weight) * majority[token], np.where(again, before, commonest))


def repeat_weight(majority: np.ndarray, history: History, stream: int) -> float:
    """Find the weight of the previous token that predicts `history` best; never 0 or 1."""
    token, before = history.at(Element(0, stream)), history.at(Element(1, stream))
    known = before != START
    return float(mixture_weights(np.array([token == before, majority[token]])[:, known])[0])


def _choose(
    training: Training, plain: Training, validation: History, stream: int, streams: int, *, with_end: bool
) -> _Chosen:
    targets = validation.at(Element(0, stream))
    as_written, transposed = occurrences(plain, stream), occurrences(training, stream)
    commonest = tune_bottom(as_written, targets, with_end=with_end)
    majority = bottom_distribution(as_written, commonest, with_end=with_end)
    bottom = tune_bottom(transposed, targets, with_end=with_end)
    frontiers = [own_frontier(stream), *joint_frontiers(stream, streams, len(training.sizes))]
    grown = [grow(training, validation, stream, bottom, frontier, with_end=with_end) for frontier in frontiers]
    return _Chosen(
        majority=majority,
        repeat=repeat_weight(majority, validation, stream),
        ngram=mix(stream, grown[:1]),
        ngram_joint=mix(stream, grown),
    )


def _predict(chosen: _Chosen, training: Training, history: History, *, with_end: bool) -> dict[str, Prediction]:
    stream, majority = chosen.ngram.stream, chosen.majority
    token = history.at(Element(0, stream))
    return {
        "majority": Prediction(majority[token], np.full(len(token), most_probable(majority))),
        "previous": previous(majority, history, stream, chosen.repeat),
        "ngram": predict(chosen.ngram, training, history, with_end=with_end),
        "ngram_joint": predict(chosen.ngram_joint, training, history, with_end=with_end),
    }


def _scored(
    prediction: Prediction, history: History, stream: int, log_unknown: float, *, with_end: bool
) -> StreamScores:
    """Separate the targets that are events from the ends of pieces, and score both."""
    targets = history.at(Element(0, stream))
    is_end = np.diff(history.piece, append=-1) != 0 if with_end else np.zeros(len(targets), np.bool_)
    log_probability = np.log(prediction.probability)
    return score(
        targets[~is_end],
        log_probability[~is_end],
        prediction.guesses[~is_end],
        log_unknown=log_unknown,
        end_log_probabilities=log_probability[is_end] if with_end else None,
    )


def _describe(chosen: _Chosen, streams: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {
        "majority": {},
        "previous": {"repeat": chosen.repeat},
        "ngram": _describe_ngram(chosen.ngram, streams),
        "ngram_joint": _describe_ngram(chosen.ngram_joint, streams),
    }


def _describe_ngram(ngram: Ngram, streams: tuple[str, ...]) -> dict[str, Any]:
    """Describe the choices: `note-1` is the note of the previous event, `offset` that of the same event."""
    return {
        "weights": list(ngram.weights),
        "chains": [
            {
                "unknown_share": chain.bottom.unknown_share,
                "levels": [_describe_level((), chain.bottom.smoothing, streams)]
                + [_describe_level(level.added, level.smoothing, streams) for level in chain.levels],
            }
            for chain in ngram.chains
        ],
    }


def _describe_level(added: Sequence[Element], smoothing: Smoothing, streams: tuple[str, ...]) -> dict[str, Any]:
    names = [streams[element.column] + (f"-{element.lag}" if element.lag else "") for element in added]
    return {"added": names, "discount": smoothing.discount, "strength": smoothing.strength}
