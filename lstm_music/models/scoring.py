"""The scores of a model on whole pieces: each event once, with all of its past that the architecture reads."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.controls import hide_controls
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.encoding.windows import PieceSpan, Targets, Tokens, blank_batch, fill, next_event_batches
from lstm_music.models.backend import compiled
from lstm_music.models.chained import ChainedLSTM
from lstm_music.models.event_model import EventModel

CHUNK = 128
MAX_LOGITS = 1 << 24  # held at once
WINDOWS_AT_ONCE = 256
EVENTS_AT_ONCE = 1 << 18  # of pieces that are scored together, so that no collection is too large


@dataclass(frozen=True, eq=False, slots=True)
class Predicted:
    """The predictions of one stream: ln p of each target's id, float32 [events], and the id of the most probable value.

    `end_log_probabilities`, float32 [pieces], is ln p of the end of each piece; None where ends are no targets.
    """

    log_probabilities: np.ndarray
    guesses: np.ndarray
    end_log_probabilities: np.ndarray | None = None


Scorer = Callable[[Targets], dict[str, Predicted]]


def make_scorer(model: EventModel, tokens: Tokens, known: Collection[str] = ()) -> Scorer:
    """Compile a function that scores targets in `tokens`, by stream; of its controls the model sees those in `known`."""
    if model.spec.is_windowed:
        return _windowed_scorer(model, tokens)
    hidden = [column for name, column in model.columns.controls.items() if name not in known]
    return _carried_scorer(model, tokens, hidden)  # type: ignore[arg-type]


def guesses(logits: Any) -> Any:
    """Give the id of the most probable value, int32 [...]; special ids are never a guess."""
    return tf.argmax(logits[..., SPECIAL_IDS:], -1, tf.int32) + SPECIAL_IDS


def _windowed_scorer(model: EventModel, tokens: Tokens) -> Scorer:
    """Score each target from the window before it, without carried state."""
    length = model.columns.window

    @compiled
    def score_batch(rows: Any, targets: Any) -> Any:
        logits = model.logits(model.outputs(rows))
        costs = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(targets[..., index], stream)[0]
            for index, stream in enumerate(logits)
        ]
        return -tf.stack(costs), tf.stack([guesses(stream)[0] for stream in logits])

    def score(targets: Targets) -> dict[str, Predicted]:
        count, streams = len(targets.places), len(model.predicts)
        logs, found = np.empty((streams, count), np.float32), np.empty((streams, count), np.int32)
        plan = next_event_batches(tokens, targets.places, length=length, batch_size=WINDOWS_AT_ONCE)
        for number, batch in enumerate(plan):
            part = slice(number * WINDOWS_AT_ONCE, min(count, (number + 1) * WINDOWS_AT_ONCE))
            log, guess = score_batch(model.rows(batch.previous, batch.current), model.targets(batch))
            size = part.stop - part.start
            logs[:, part], found[:, part] = log.numpy()[:, :size], guess.numpy()[:, :size]
        return {stream: Predicted(logs[index], found[index]) for index, stream in enumerate(model.predicts)}

    return score


def _carried_scorer(model: ChainedLSTM, tokens: Tokens, hidden: list[int]) -> Scorer:
    """Carry the state from the start of each piece to its end; where every event is a target, the ends are targets too.

    The columns `hidden` say nothing.
    """
    (stream,) = model.predicts
    together = int(np.clip(MAX_LOGITS // (CHUNK * model.columns.sizes[stream]), 1, 64))

    @compiled
    def score_chunk(rows: Any, targets: Any, states: Any) -> Any:
        logits, states = model(rows, states)
        return -model.costs(logits, targets), guesses(logits), states

    def score_group(spans: list[PieceSpan]) -> list[tuple[np.ndarray, np.ndarray]]:
        states = model.initial_state(together)
        longest = max(span.events + 1 for span in spans)
        logs, found = [], []
        for first in range(0, longest, CHUNK):
            batch = blank_batch(CHUNK, together, tokens.shape[1])
            for column, span in enumerate(spans):
                count = min(CHUNK, span.events + 1 - first)
                if count > 0:
                    fill(batch, column, tokens, span, first, count)
            hide_controls(batch, hidden)
            log, guess, states = score_chunk(model.rows(batch.previous, batch.current), model.targets(batch), states)
            logs.append(log.numpy())
            found.append(guess.numpy())
        log, guess = np.concatenate(logs), np.concatenate(found)
        return [(log[: span.events + 1, column], guess[: span.events, column]) for column, span in enumerate(spans)]

    def score(targets: Targets) -> dict[str, Predicted]:
        spans = targets.spans
        order = sorted(range(len(spans)), key=lambda index: -spans[index].events)
        scored: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for begin in range(0, len(order), together):
            group = order[begin : begin + together]
            scored.update(zip(group, score_group([spans[index] for index in group]), strict=True))
        positions = np.split(targets.positions, np.cumsum(targets.lengths)[:-1])
        wanted = [(*scored[index], places) for index, places in enumerate(positions)]
        has_ends = not model.reads.has_offset and targets.events == sum(span.events for span in spans)
        predicted = Predicted(
            log_probabilities=np.concatenate([log[places] for log, _, places in wanted]),
            guesses=np.concatenate([guess[places] for _, guess, places in wanted]),
            end_log_probabilities=np.array([log[-1] for log, _, _ in wanted], np.float32) if has_ends else None,
        )
        return {stream: predicted}

    return score


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The NLL of held-out events in nats per event, over all streams of a model, and the accuracy by stream."""

    nll: float
    accuracy: dict[str, float]


def score_held_out(
    scorer: Scorer, targets: Targets, tokens: Tokens, streams: tuple[str, ...], log_unknown: Mapping[str, float]
) -> HeldOut:
    """Score the pieces in groups, so that memory does not grow with their number.

    `streams` names the first columns of `tokens`. Ends count, and unknown values their share (see `Vocabulary.log_unknown`).
    """
    nats, right = 0.0, Counter[str]()
    for part in targets.parts(EVENTS_AT_ONCE):
        for stream, predicted in scorer(part).items():
            wanted = tokens[part.places, streams.index(stream)]
            nats += total_nats(predicted, wanted, log_unknown[stream])
            right[stream] += int((predicted.guesses == wanted).sum())
    return HeldOut(nats / targets.events, {stream: count / targets.events for stream, count in right.items()})


def total_nats(predicted: Predicted, wanted: np.ndarray, log_unknown: float) -> float:
    """Add up the nats of the ids `wanted`, int [events], of one stream, and of the ends where they were scored."""
    nats = -float(predicted.log_probabilities.sum(dtype=np.float64)) + log_unknown * int((wanted == UNKNOWN).sum())
    if predicted.end_log_probabilities is not None:
        nats -= float(predicted.end_log_probabilities.sum(dtype=np.float64))
    return nats


def piece_nats(
    predicted: Predicted, wanted: np.ndarray, log_unknown: float, lengths: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Add up the nats of the ids `wanted` of one stream by piece, float64 [pieces], as `total_nats` adds up all of them.

    `lengths` has the number of ids of each piece, none of them 0.
    """
    nats = -predicted.log_probabilities.astype(np.float64) + log_unknown * (wanted == UNKNOWN)
    of_pieces: npt.NDArray[np.float64] = np.add.reduceat(nats, np.cumsum([0, *lengths[:-1]]))
    if predicted.end_log_probabilities is not None:
        of_pieces -= predicted.end_log_probabilities
    return of_pieces
