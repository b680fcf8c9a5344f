"""The loop that makes music: many pieces at once, the models in a chain, their states carried, all of it compiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.places import QUARTERS
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.sampling import sample
from lstm_music.generation.spec import GenerationSpec
from lstm_music.models.backend import compiled
from lstm_music.models.event_model import EventModel


@dataclass(frozen=True, eq=False)
class Seeds:
    """The seed segments of all outputs, each of the same number of events.

    `tokens` int32 [events, outputs, columns] are the segments, `before` [outputs, columns] the event before each. Of each
    segment's last event, in steps of the grid, int32 [outputs]: `onsets` since the start of its piece, `positions` since that
    of its bar, and `bars` how long that bar is.
    """

    tokens: npt.NDArray[np.int32]
    before: npt.NDArray[np.int32]
    onsets: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]
    bars: npt.NDArray[np.int32]


def generate_tokens(
    models: Sequence[EventModel], grammar: Grammar, spec: GenerationSpec, seeds: Seeds, random_seed: int
) -> list[npt.NDArray[np.int32]]:
    """Go on from seed segments; give the new events of each, int32 [events, columns].

    A stream that none of the `models` predicts has the allowed value next to half a quarter: half a quarter after each other,
    half a quarter long. A piece is shorter than `spec.num_events` where its end was sampled.
    """
    outputs = seeds.tokens.shape[1]
    chance = np.random.default_rng([random_seed, 2]).random((spec.num_events, outputs, len(STREAMS)), np.float32)
    previous = np.concatenate([seeds.before[None], seeds.tokens[:-1]])
    loop = _compiled_loop(models, grammar, spec)
    arrays = (previous, seeds.tokens, seeds.onsets, seeds.positions, seeds.bars, chance)
    tokens = loop(*map(tf.constant, arrays)).numpy()
    ends = tokens[..., 0] == END
    counts = np.where(ends.any(0), ends.argmax(0), spec.num_events)
    return [tokens[:count, output] for output, count in enumerate(counts)]


def _compiled_loop(models: Sequence[EventModel], grammar: Grammar, spec: GenerationSpec) -> Any:
    @compiled
    def loop(previous: Any, seeds: Any, onsets: Any, positions: Any, bars: Any, chance: Any) -> Any:
        outputs = seeds.shape[1]
        states = [model.after(model.rows(previous, seeds)) for model in models]

        def event(index: Any, last: Any, onset: Any, position: Any, ended: Any, states: Any, written: Any) -> Any:
            may_end = index >= spec.min_events
            current = tf.zeros_like(last)
            said = _Said(models, states, last)
            for place, stream in enumerate(STREAMS):
                logits = said.logits(stream, current)
                if logits is None:
                    logits, temperature = _near_half_a_quarter(grammar, stream, outputs), 0.0
                else:
                    temperature = spec.temperature[stream]
                allowed = _allowed(stream, grammar, may_end, last, current, onset, logits)
                chosen = sample(
                    logits,
                    allowed,
                    chance[index, :, place],
                    temperature=temperature,
                    top_k=spec.top_k[stream],
                    top_p=spec.top_p[stream],
                )
                current = _with_column(current, place, chosen)
                if place == 0:  # with the offset, the place of the new event is known
                    passed = tf.gather(tf.constant(grammar.offset_steps), chosen)
                    onset, position = onset + passed, (position + passed) % bars
                    current = _with_places(current, len(STREAMS), position, grammar.steps_per_quarter)
            ended |= current[:, 0] == END
            current = tf.where(ended[:, None], END, current)
            return index + 1, current, onset, position, ended, said.states, written.write(index, current)

        written = tf.TensorArray(tf.int32, size=spec.num_events, element_shape=[outputs, seeds.shape[2]])
        start = (0, seeds[-1], onsets, positions, tf.zeros([outputs], tf.bool), states, written)
        *_, written = tf.while_loop(
            lambda index, *_: index < spec.num_events, event, start, maximum_iterations=spec.num_events
        )
        return written.stack()

    return loop


class _Said:
    """What the models say of one event: each is asked once, when the first of its streams is due; `states` are those after."""

    def __init__(self, models: Sequence[EventModel], states: Sequence[Any], last: Any) -> None:
        self._models, self._last = models, last
        self.states = list(states)
        self._logits: dict[str, Any] = {}

    def logits(self, stream: str, current: Any) -> Any:
        """Give the logits of a stream, [outputs, ids], or None where no model predicts it."""
        for place, model in enumerate(self._models):
            if stream == model.predicts[0]:
                outputs, self.states[place] = model.step(model.rows(self._last, current), self.states[place])
                self._logits.update(zip(model.predicts, model.logits(outputs), strict=True))
        return self._logits.get(stream)


def _near_half_a_quarter(grammar: Grammar, stream: str, outputs: int) -> Any:
    """Logits that are the higher the nearer a value is to half a quarter."""
    steps = grammar.offset_steps if stream == "offset" else grammar.duration_steps
    distance = np.abs(2 * steps - grammar.steps_per_quarter).astype(np.float32)
    return tf.tile(tf.constant(-distance)[None], [outputs, 1])


def _with_column(tokens: Any, column: int, values: Any) -> Any:
    return tf.concat([tokens[:, :column], values[:, None], tokens[:, column + 1 :]], 1)


def _with_places(tokens: Any, streams: int, position: Any, steps_per_quarter: int) -> Any:
    """Set the places, which stand behind the streams, as `encoding.places.place_tokens` does."""
    places = [position % steps_per_quarter, tf.minimum(position // steps_per_quarter, QUARTERS - 1)]
    return tf.concat([tokens[:, :streams], tf.stack(places, 1)], 1)


def _allowed(stream: str, grammar: Grammar, may_end: Any, last: Any, current: Any, onset: Any, logits: Any) -> Any:
    """Say which ids may be chosen now, bool [outputs, ids].

    `last` and `current` are the tokens of the two events, `onset` where the last one began. Where no offset may follow, the
    piece has to end.
    """
    ids = tf.range(logits.shape[-1])[None]
    values = tf.broadcast_to(ids >= SPECIAL_IDS, tf.shape(logits))
    highest = last[:, 1:2]
    if stream == "offset":
        allowed = values & tf.gather(tf.constant(grammar.on_grid), onset % grammar.steps_per_quarter)
        if grammar.ascending:  # nothing is above the highest note, so time has to go on
            stays = tf.constant(grammar.offset_steps)[None] == 0
            allowed &= ~(stays & (highest == SPECIAL_IDS + 127))
        stuck = ~tf.reduce_any(allowed, -1, keepdims=True)
        return allowed | ((may_end | stuck) & (ids == END))
    if stream == "note" and grammar.ascending:
        at_once = tf.gather(tf.constant(grammar.offset_steps), current[:, :1]) == 0
        return values & (~at_once | (ids > highest) | (highest == START))
    return values
