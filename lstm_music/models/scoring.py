"""What a model thinks of events of whole pieces: each of them once, with all of its past that the architecture reads."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

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
    """What was said of one stream of some targets: ln p of each target's id, float32 [events], and the likeliest value's id.

    `end_log_probabilities`, float32 [pieces], is ln p of the end of each piece; None for a model without ends.
    """

    log_probabilities: np.ndarray
    guesses: np.ndarray
    end_log_probabilities: np.ndarray | None = None


Scorer = Callable[[Targets], dict[str, Predicted]]


def make_scorer(model: EventModel, tokens: Tokens) -> Scorer:
    """Compile the scoring of targets in `tokens`, by stream."""
    return _windowed_scorer(model, tokens) if model.spec.is_windowed else _carried_scorer(model, tokens)  # type: ignore[arg-type]


def guesses(logits: Any) -> Any:
    """The likeliest value's id, int32 [...]: special ids stand for no value."""
    return tf.argmax(logits[..., SPECIAL_IDS:], -1, tf.int32) + SPECIAL_IDS


def _windowed_scorer(model: EventModel, tokens: Tokens) -> Scorer:
    """Read the window before each target; state does not go on."""
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


def _carried_scorer(model: ChainedLSTM, tokens: Tokens) -> Scorer:
    """Carry state from the start of each piece to its end; where every event of the pieces is a target, their ends are, too."""
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
        has_ends = model.place_in_chain == 0 and targets.events == sum(span.events for span in spans)
        predicted = Predicted(
            log_probabilities=np.concatenate([log[places] for log, _, places in wanted]),
            guesses=np.concatenate([guess[places] for _, guess, places in wanted]),
            end_log_probabilities=np.array([log[-1] for log, _, _ in wanted], np.float32) if has_ends else None,
        )
        return {stream: predicted}

    return score


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What held-out events cost in nats per event, all streams of a model together, and how often each was guessed right."""

    nll: float
    accuracy: dict[str, float]


def score_held_out(
    scorer: Scorer, targets: Targets, tokens: Tokens, streams: tuple[str, ...], log_unknown: Mapping[str, float]
) -> HeldOut:
    """Score some pieces after the others, so that it takes no more memory for more of them.

    `streams` names the first columns of `tokens`. Ends count, and unknown values their share (see `Vocabulary.log_unknown`).
    """
    nats, right = 0.0, Counter[str]()
    for part in targets.parts(EVENTS_AT_ONCE):
        for stream, said in scorer(part).items():
            wanted = tokens[part.places, streams.index(stream)]
            nats += total_nats(said, wanted, log_unknown[stream])
            right[stream] += int((said.guesses == wanted).sum())
    return HeldOut(nats / targets.events, {stream: count / targets.events for stream, count in right.items()})


def total_nats(said: Predicted, wanted: np.ndarray, log_unknown: float) -> float:
    """Add up what the ids `wanted`, int [events], of one stream cost, and the ends, where they were scored."""
    nats = -float(said.log_probabilities.sum(dtype=np.float64)) + log_unknown * int((wanted == UNKNOWN).sum())
    if said.end_log_probabilities is not None:
        nats -= float(said.end_log_probabilities.sum(dtype=np.float64))
    return nats
